"""Batches of wire records, by the extension where it is there and by its twin where it is not.

A record is 0x00, a schema id of four bytes and Avro binary. Which bytes may be trusted is not
decided here: the codec's seal is looked at before. A record that cannot be read stands in the
batch's faults, with its place, and the others are read all the same.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from genoflow.native import twin
from genoflow.native.program import Program

try:
    from genoflow.native import _rust
except ImportError:  # it was not built: everything works, slower, and `genoflow doctor` says so
    _rust = None  # type: ignore[assignment]

COMPILED = _rust is not None


def extension() -> Any:
    """The extension, or None where it is not built."""
    return _rust


class Fault(NamedTuple):
    """What could not be read: which record of the batch, at which byte, where, and why."""

    record: int
    at: int
    place: str  # the field, by its path; empty for the event as a whole
    fact: str

    def sentence(self) -> str:
        """The fault in words, for the error that its reader raises."""
        return f"byte {self.at}: {self.place or 'the event'} {self.fact}"


class Columns(NamedTuple):
    """The records of one schema: their places in the batch, and a column for each path."""

    records: list[int]
    columns: list[list[Any]]


class Rows(NamedTuple):
    """The records of one schema: their places in the batch, and their rows without head and end."""

    records: list[int]
    body: bytes


class Heads(NamedTuple):
    """What the log knows of each record and its bytes do not: fields that stand before its row."""

    fields: int  # in each of them
    octets: Sequence[bytes]  # of each record: every field with its length, as COPY has it


NO_HEADS = Heads(0, ())


class ColumnBatch(NamedTuple):
    """A batch as columns by schema id; records of ids without a program stand in `others`."""

    found: dict[int, Columns]
    others: dict[int, list[int]]
    faults: list[Fault]


class RowBatch(NamedTuple):
    """A batch as rows for COPY by schema id; records of ids without a program are `others`."""

    found: dict[int, Rows]
    others: dict[int, list[int]]
    faults: list[Fault]


def read_columns(values: Sequence[bytes], programs: Mapping[int, Program]) -> ColumnBatch:
    """The batch as columns: each record under the program of its schema id."""
    if _rust is None:
        read = twin.read_columns(values, programs)
    else:
        read = _rust.read_columns(values, _compiled(programs))
    found, others, faults = read
    return ColumnBatch(
        {schema_id: Columns(*one) for schema_id, one in found},
        others,
        [Fault(*one) for one in faults],
    )


def copy_rows(
    values: Sequence[bytes], programs: Mapping[int, Program], heads: Heads = NO_HEADS
) -> RowBatch:
    """The batch as rows of COPY's binary format, each behind its head, if heads are given."""
    if heads.fields and len(heads.octets) != len(values):
        raise ValueError(f"{len(heads.octets)} heads are given for {len(values)} records")
    if _rust is None:
        read = twin.copy_rows(values, programs, *heads)
    else:
        read = _rust.copy_rows(values, _compiled(programs), *heads)
    found, others, faults = read
    return RowBatch(
        {schema_id: Rows(*one) for schema_id, one in found},
        others,
        [Fault(*one) for one in faults],
    )


def _compiled(programs: Mapping[int, Program]) -> list[tuple[int, Any]]:
    return [(schema_id, _taken_over(one)) for schema_id, one in programs.items()]


# A program is some kilobytes, and a deployment has some hundred: types times what is asked of them.
@functools.lru_cache(maxsize=1_024)
def _taken_over(program: Program) -> Any:
    return _rust.Program(program.root, len(program.columns), program.copies)
