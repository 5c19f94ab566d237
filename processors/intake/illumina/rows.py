"""The rows of a sheet, each on its own: ids, lanes and indexes that can be what they should be.

A problem names the line and the column and never repeats an id: what is refused may be the name of
a person, and the refusal stands on the log.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from genoflow.events.sample_sheet_row import SampleSheetRow
from genoflow.events.types import ID_CHARACTERS_MAX
from genoflow.processors.intake.illumina import sheet as columns
from genoflow.processors.intake.illumina.override_cycles import faults_of
from genoflow.processors.intake.illumina.run_info import LANES_MAX, RunInfo
from genoflow.processors.intake.illumina.sheet import Sheet, SheetLine

# Says which configured pattern takes a text for an identifier of a person; None where none does.
Person = Callable[[str], int | None]

# Demultiplexers give these names to files of their own.
RESERVED = frozenset({"undetermined", "unknown", "all", "default", "none"})
LEGAL = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")  # as BCL Convert has it; a dot ends a file's name
PROJECT = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
INDEX = re.compile(r"[ACGTN]+")
INDEX_BASES_MAX = 30


@dataclass(frozen=True, slots=True)
class Placed:
    """One library in one lane, and the line that says so."""

    number: int
    row: SampleSheetRow

    @property
    def indexes(self) -> tuple[str, str]:
        """Both, empty where there is none."""
        return self.row.index1 or "", self.row.index2 or ""


def placed(sheet: Sheet, info: RunInfo, person: Person) -> tuple[Placed, ...]:
    """Each row in each of its lanes; what is wrong with a row goes to the sheet's problems."""
    found: list[Placed] = []
    for line in sheet.lines:
        faults = [*_id_faults(line, person), *_lane_faults(line, info), *_index_faults(line, info)]
        faults += _override_faults(line, info)
        sheet.problems += [f"line {line.number}: {fault}" for fault in faults]
        if not faults:
            found += [Placed(line.number, _row(line, lane)) for lane in _lanes(line, info)]
    return tuple(found)


def _id_faults(line: SheetLine, person: Person) -> Iterator[str]:
    sample = line.get(columns.SAMPLE)
    if not sample:
        yield "there is no Sample_ID; write one"
    elif sample.casefold() in RESERVED:
        yield (
            "Sample_ID is a name that the demultiplexer keeps for itself "
            f"({', '.join(sorted(RESERVED))}); choose another"
        )
    checks = (
        ("Sample_ID", sample, LEGAL, "letters, digits, - and _"),
        ("Library_ID", line.get(columns.LIBRARY), PROJECT, "letters, digits, ., - and _"),
        ("Sample_Project", line.get(columns.PROJECT), PROJECT, "letters, digits, ., - and _"),
    )
    for name, value, legal, words in checks:
        if not value:
            continue
        if legal.fullmatch(value) is None:
            yield (
                f"{name} has characters that it cannot have; write {words}, "
                f"a letter or a digit first"
            )
        if len(value) > ID_CHARACTERS_MAX:
            yield f"{name} has {len(value)} characters and may have {ID_CHARACTERS_MAX}; shorten it"
        pattern = person(value)
        if pattern is not None:
            yield (
                f"{name} is what pattern {pattern} of GENOFLOW_PERSON_PATTERNS takes for an "
                f"identifier of a person; use an opaque reference instead"
            )


def _lane_faults(line: SheetLine, info: RunInfo) -> Iterator[str]:
    lane = line.get(columns.LANE)
    if not lane:
        if info.lanes > LANES_MAX:
            yield f"the run has {info.lanes} lanes and {LANES_MAX} can be told; name the lane"
    elif not (lane.isascii() and lane.isdecimal() and len(lane) < 4):
        yield "Lane is no number; write the lane's number, or nothing for all lanes"
    elif not 1 <= int(lane) <= min(info.lanes, LANES_MAX):
        yield f"Lane is {int(lane)} and the flow cell has lanes 1 to {info.lanes}; mend the lane"


def _lanes(line: SheetLine, info: RunInfo) -> range:
    lane = line.get(columns.LANE)
    return range(int(lane), int(lane) + 1) if lane else range(1, info.lanes + 1)


def _index_faults(line: SheetLine, info: RunInfo) -> Iterator[str]:
    one, two = _indexes(line)
    if two and not one:
        yield "there is an index2 and no index; write the i7 into the column index"
    for number, index in ((1, one), (2, two)):
        if not index:
            continue
        if INDEX.fullmatch(index) is None:
            yield f"index {number} holds more than A, C, G, T and N; write its bases alone"
            continue
        cycles = info.index_cycles[number - 1] if len(info.index_cycles) >= number else 0
        if len(index) > min(cycles, INDEX_BASES_MAX):
            yield (
                f"index {number} has {len(index)} bases and the run reads {cycles} of it; "
                f"shorten it to what was sequenced"
            )


def _override_faults(line: SheetLine, info: RunInfo) -> Iterator[str]:
    override = override_of(line.get(columns.OVERRIDE))
    if override:
        yield from faults_of(override, info, _indexes(line))


def override_of(text: str) -> str:
    """OverrideCycles as it is compared: capitals, no blanks."""
    return "".join(text.split()).upper()


def _indexes(line: SheetLine) -> tuple[str, str]:
    return line.get(columns.INDEX1).upper(), line.get(columns.INDEX2).upper()


def _row(line: SheetLine, lane: int) -> SampleSheetRow:
    one, two = _indexes(line)
    sample = line.get(columns.SAMPLE)
    return SampleSheetRow(
        lane=lane,
        sample_id=sample,
        library_id=line.get(columns.LIBRARY) or _library_of(sample, one, two),
        index1=one or None,
        index2=two or None,
        project_id=line.get(columns.PROJECT) or None,
        override_cycles=override_of(line.get(columns.OVERRIDE)) or None,
    )


def _library_of(sample: str, one: str, two: str) -> str:
    """A preparation and its index pair: a sheet that does not name it has no more to say of it."""
    name = "-".join(part for part in (sample, one, two) if part)
    if len(name) <= ID_CHARACTERS_MAX:
        return name
    digest = hashlib.sha256(name.encode()).hexdigest()[:16]
    return f"{sample[: ID_CHARACTERS_MAX - 17]}-{digest}"
