"""`python -m benchmarks.columns`: records in batches, by the native room and by an Avro library.

    columns        every field of ten types that interleave becomes a column; fastavro gives
                   dictionaries; texts are hard ones, a third of their letters beyond ASCII
    columns, plain the same of FileLanded alone, with the texts that a lab has
    columns, four  only what a tail wants: id, subject, moment, cause
    rows           every field as rows of COPY's binary format
    rows, jsonb    id, subject, moment and the whole event as jsonb
    write, read    models of FileLanded to bytes and back, beside what `events/binary.py` makes

No server takes part and nothing waits, so the clock is the process's own CPU time. The twin is
measured beside the extension, so that it is known what a machine without cargo pays.
"""

from __future__ import annotations

import asyncio
import io
import json
import os
import time
from collections.abc import Callable, Sequence
from typing import Any

import fastavro
import pytest

from benchmarks.contest import RATE, Comparison, Contestant, Figures, Row, compete, row_of, table
from benchmarks.material import make
from genoflow.events import binary, compiled
from genoflow.events.catalogue import EVENTS
from genoflow.events.codec import PREFIX, Codec
from genoflow.events.file_landed import FileLanded
from genoflow.events.registry import released
from genoflow.native import batch
from genoflow.native.program import COPY_KINDS, Node, Program, copy_program, program
from tests.examples import example

TYPES = (
    "FileLanded", "Validated", "QcPassed", "RunSubmitted", "TaskCompleted", "ResultsPublished",
    "SampleRegistered", "CaseOpened", "FileChecksummed", "NotificationQueued",
)  # fmt: skip
RECORDS = 6_000  # in batches of a fetch
BATCH = 500
ROUNDS = 3
FOUR = ("envelope.event_id", "envelope.subject", "envelope.occurred_at", "envelope.causation_id")
KEPT = (
    ("envelope.event_id", "uuid"), ("envelope.subject", "text"),
    ("envelope.occurred_at", "timestamptz"), ("", "jsonb"),
)  # fmt: skip

Programs = dict[int, Program]
Work = Callable[[Sequence[Any]], object]


def leaves(node: Node) -> list[tuple[str, str]]:
    """Every path that holds no record, with its kind."""
    value = node.parts[0] if node.kind == "nullable" else node
    if value.kind != "record":
        return [(value.place, value.kind)]
    return [leaf for part in value.parts for leaf in leaves(part)]


def programs(make_one: Callable[[Any, list[tuple[str, str]]], Program]) -> Programs:
    """A program for each of the ten types, made of its schema and its leaves."""
    found = {}
    for name in TYPES:
        edition = released().current(name)
        schema = json.loads(edition.text)
        found[edition.id] = make_one(schema, leaves(program(schema, [""]).root))
    return found


def copy_of(kind: str) -> str:
    """The nearest type of Postgres."""
    return "uuid" if kind == "uuid" else next(c for c, kinds in COPY_KINDS.items() if kind in kinds)


def by_the_library(values: Sequence[bytes]) -> None:
    """The anchor: dictionaries, each by the schema of its id."""
    read, by_id = fastavro.schemaless_reader, released().by_id
    for value in values:
        buffer = io.BytesIO(value)
        buffer.seek(PREFIX.size)
        read(buffer, by_id(PREFIX.unpack_from(value)[1]).parsed, None)


def by_the_twin(work: Work) -> Work:
    """The same work where the extension is not there."""

    def done(values: Sequence[bytes]) -> None:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(batch, "_rust", None)
            work(values)

    return done


def contestant(name: str, work: Work, values: Sequence[Any]) -> Contestant:
    """One run over all records, a fetch at a time."""

    async def run() -> Figures:
        began = time.process_time()
        for first in range(0, len(values), BATCH):
            work(values[first : first + BATCH])
        return {RATE: len(values) / (time.process_time() - began)}

    return Contestant(name, run)


async def measure(rounds: int) -> list[Row]:
    """Every work by the extension, its twin and the library."""
    codec, count = Codec(released()), RECORDS // len(TYPES)
    models = {model.type(): model for model in EVENTS}
    hard = [codec.encode(example(models[n], seed))[0] for seed in range(count) for n in TYPES]
    plain = [value for _, value, _ in make(RECORDS).records]
    every = programs(lambda schema, found: program(schema, [path for path, _ in found]))
    four = programs(lambda schema, _: program(schema, FOUR))
    copies = programs(lambda schema, f: copy_program(schema, [(p, copy_of(k)) for p, k in f]))
    kept = programs(lambda schema, _: copy_program(schema, KEPT))
    works: list[tuple[str, Work, Sequence[bytes]]] = [
        ("columns", lambda values: batch.read_columns(values, every), hard),
        ("columns, plain", lambda values: batch.read_columns(values, every), plain),
        ("columns, four", lambda values: batch.read_columns(values, four), hard),
        ("rows", lambda values: batch.copy_rows(values, copies), hard),
        ("rows, jsonb", lambda values: batch.copy_rows(values, kept), hard),
    ]
    contestants, comparisons = [], []
    for name, work, values in works:
        names = [f"{who}, {name}" for who in ("extension", "twin", "fastavro")]
        for one, does in zip(names, (work, by_the_twin(work), by_the_library), strict=True):
            contestants.append(contestant(one, does, values))
        target = 4.0 if name == "columns" else None
        comparisons += [
            Comparison(name, names[0], names[2], target=target),
            Comparison(name, names[1], names[2]),
        ]
    both, sides = codec_functions()
    contestants += both
    comparisons += sides
    best = await compete(contestants, rounds)
    return [row_of(comparison, best) for comparison in comparisons]


def codec_functions() -> tuple[list[Contestant], list[Comparison]]:
    """The compiled reader and writer of FileLanded beside the made ones."""
    material = make(RECORDS)
    values = [value for _, value, _ in material.records]
    prefix = values[0][: PREFIX.size]
    contestants: list[Contestant] = []
    for who, module in (("compiled", compiled), ("made", binary)):
        write: Any = module.writer(FileLanded) or binary.writer(FileLanded)
        read: Any = module.reader(FileLanded) or binary.reader(FileLanded)

        def written(events: Sequence[Any], write: Any = write) -> None:
            for event in events:
                write(prefix, event.envelope, event)

        def read_back(values: Sequence[Any], read: Any = read) -> None:
            for value in values:
                read(value, PREFIX.size)

        contestants.append(contestant(f"{who}, write", written, material.events))
        contestants.append(contestant(f"{who}, read", read_back, values))
    names = ("write", "read")
    return contestants, [Comparison(n, f"compiled, {n}", f"made, {n}") for n in names]


def main() -> None:
    """Measure and print the table."""
    before = os.getloadavg()[0]
    rows = asyncio.run(measure(ROUNDS))
    if not batch.COMPILED:
        print("the extension is not built: both rows of each work are the twin's")
    print(f"best of {ROUNDS}, load {before:.2f} to {os.getloadavg()[0]:.2f}\n")
    print(table(rows))


if __name__ == "__main__":
    main()
