"""Records in batches and events one by one: the native room, its twin, and an Avro library.

    columns        every field of ten types that interleave becomes a column; fastavro gives
                   dictionaries; texts are hard ones, a third of their letters beyond ASCII
    columns, plain the same of FileLanded alone, with the texts that a lab has
    columns, four  only what a tail wants: id, subject, moment, cause
    rows           every field as rows of COPY's binary format
    rows, jsonb    id, subject, moment and the whole event as jsonb
    write, read    models of FileLanded to bytes and back, beside fastavro with dictionaries, and
                   beside what `events/binary.py` makes

No server takes part and nothing waits, so the clock is the process's own CPU time. The twin is
measured beside the extension, so that it is known what a machine without cargo pays. Where the
extension is not built, both rows of each work are the twin's.
"""

from __future__ import annotations

import io
import json
import time
from collections.abc import Callable, Sequence
from typing import Any

import fastavro
import pytest

from benchmarks.contest import RATE, Comparison, Contestant, Figures, Row, compete, row_of
from benchmarks.material import Material, avro, parsed_schema
from benchmarks.ten_types import TYPES, interleaved
from genoflow.events import binary, compiled
from genoflow.events.codec import PREFIX, Codec
from genoflow.events.file_landed import FileLanded
from genoflow.events.log.kafka import KafkaLog
from genoflow.events.registry import released
from genoflow.native import batch
from genoflow.native.program import COPY_KINDS, Node, Program, copy_program, program

BATCH = 500
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


def library(values: Sequence[bytes]) -> None:
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


WORKS = ("columns", "columns, plain", "columns, four", "rows", "rows, jsonb")
WRITE, READ = "write", "read"
COMPARISONS = tuple(
    Comparison(f"codec, {work}", f"{who}, {work}", f"fastavro, {work}", target=target)
    for work in WORKS
    for who, target in (("extension", 4.0 if work == "columns" else None), ("twin", None))
) + tuple(
    Comparison(f"codec, {work}", f"extension, {work}", f"{anchor}, {work}")
    for work in (WRITE, READ)
    for anchor in ("fastavro", "twin")
)


async def measure(_: KafkaLog, material: Material, rounds: int) -> list[Row]:
    """Every work by the extension, its twin and the library."""
    codec = Codec(released())
    hard = [codec.encode(event)[0] for event in interleaved(len(material.events))]
    plain = [value for _, value, _ in material.records]
    every = programs(lambda schema, found: program(schema, [path for path, _ in found]))
    four = programs(lambda schema, _: program(schema, FOUR))
    copies = programs(lambda schema, f: copy_program(schema, [(p, copy_of(k)) for p, k in f]))
    kept = programs(lambda schema, _: copy_program(schema, KEPT))
    does: tuple[tuple[Work, Sequence[bytes]], ...] = (
        (lambda values: batch.read_columns(values, every), hard),
        (lambda values: batch.read_columns(values, every), plain),
        (lambda values: batch.read_columns(values, four), hard),
        (lambda values: batch.copy_rows(values, copies), hard),
        (lambda values: batch.copy_rows(values, kept), hard),
    )
    contestants = []
    for name, (work, values) in zip(WORKS, does, strict=True):
        for who, how in (("extension", work), ("twin", by_the_twin(work)), ("fastavro", library)):
            contestants.append(contestant(f"{who}, {name}", how, values))
    best = await compete([*contestants, *one_by_one(material)], rounds)
    return [row_of(comparison, best) for comparison in COMPARISONS]


def one_by_one(material: Material) -> list[Contestant]:
    """The compiled reader and writer of FileLanded, the made ones, and the library's."""
    values = [value for _, value, _ in material.records]
    prefix, schema = values[0][: PREFIX.size], parsed_schema()

    def by_library(dictionaries: Sequence[Any]) -> None:
        for one in dictionaries:
            avro(prefix, schema, one)

    contestants = [
        contestant(f"fastavro, {WRITE}", by_library, material.values),
        contestant(f"fastavro, {READ}", library, values),
    ]
    for who, module in (("extension", compiled), ("twin", binary)):
        write: Any = module.writer(FileLanded) or binary.writer(FileLanded)
        read: Any = module.reader(FileLanded) or binary.reader(FileLanded)

        def written(events: Sequence[Any], write: Any = write) -> None:
            for event in events:
                write(prefix, event.envelope, event)

        def read_back(values: Sequence[Any], read: Any = read) -> None:
            for value in values:
                read(value, PREFIX.size)

        contestants.append(contestant(f"{who}, {WRITE}", written, material.events))
        contestants.append(contestant(f"{who}, {READ}", read_back, values))
    return contestants
