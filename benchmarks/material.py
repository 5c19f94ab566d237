"""What every contestant works on: the same events, seeded, and the same bytes of them."""

from __future__ import annotations

import io
import random
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import fastavro

from genoflow.events import topics
from genoflow.events.codec import Codec
from genoflow.events.envelope import Actor, Envelope, Producer
from genoflow.events.event import begin
from genoflow.events.file_landed import FileLanded
from genoflow.events.registry import released

SEED = 20_260_301
SAMPLES = 500  # subjects whose events are interleaved: a day of a mid-sized lab
FILES_A_SECOND = 40
TOPIC = topics.SAMPLE.name
BEGAN = datetime(2026, 3, 1, 8, tzinfo=UTC)
ACTOR = Actor(kind="service", id="watcher")
BY = Producer(service="watcher", version="0.1.0", revision="3f2a91c")

Headers = list[tuple[str, bytes]]


@dataclass(frozen=True, slots=True)
class Material:
    """The same events in every form that a contestant may begin with, in one order."""

    fields: list[dict[str, Any]]  # what a porch knows, before anything was built
    events: list[FileLanded]
    values: list[dict[str, Any]]  # what an Avro library takes
    records: list[tuple[bytes, bytes, Headers]]  # key, value, headers as they stand on the log

    @property
    def event_bytes(self) -> int:
        """The mean size of one value, without key and headers."""
        return round(sum(len(value) for _, value, _ in self.records) / len(self.records))


def fields_of(source: random.Random, number: int) -> dict[str, Any]:
    """The fields of one landed file."""
    sample = f"S26-{source.randrange(SAMPLES):05d}"
    lane = source.randint(1, 4)
    role = source.choice(("R1", "R2"))
    return {
        "bucket": "lab-raw-reads",
        "object_key": f"260301_A01234/{sample}_L00{lane}_{role}_001.fastq.gz",
        "version_id": source.randbytes(8).hex(),
        "size_bytes": source.randrange(10**8, 10**10),
        "etag": source.randbytes(16).hex(),
        "last_modified_at": BEGAN + timedelta(microseconds=number * 1_000_000 // FILES_A_SECOND),
        "sample_id": sample,
        "read_set_id": f"{sample}.{lane}",
        "instrument_run_id": "260301_A01234",
        "lane": lane,
        "role": role,
        "declared_md5": source.randbytes(16).hex(),
    }


def built(fields: dict[str, Any]) -> FileLanded:
    """The validated event of these fields, in its envelope, as a porch builds it."""
    fact = FileLanded(**fields)
    return begin(fact, occurred_at=fact.last_modified_at, actor=ACTOR, by=BY)


def plain(event: FileLanded) -> dict[str, Any]:
    """The values that an Avro library takes."""
    return {**event.model_dump(), "envelope": event.envelope.model_dump()}


def validated(fields: dict[str, Any], envelope: dict[str, Any]) -> dict[str, Any]:
    """The same values after pydantic has checked the fields and the envelope."""
    fact = FileLanded.model_validate(fields)
    return {**fact.model_dump(), "envelope": Envelope.model_validate(envelope).model_dump()}


def parsed_schema() -> Any:
    """The released schema as the Avro library wants it."""
    return released().current(FileLanded.type()).parsed


def avro(prefix: bytes, schema: Any, values: dict[str, Any]) -> bytes:
    """What a bare program does: the prefix, then the Avro library's own encoding."""
    buffer = io.BytesIO()
    buffer.write(prefix)
    fastavro.schemaless_writer(buffer, schema, values)
    return buffer.getvalue()


def make(count: int) -> Material:
    """So many events; the same seed gives the same ones, and both encoders the same bytes."""
    source = random.Random(SEED)
    fields = [fields_of(source, number) for number in range(count)]
    events = [built(each) for each in fields]
    values = [plain(event) for event in events]
    codec = Codec(released())
    records = [(event.key.encode(), *codec.encode(event)) for event in events]
    prefix, schema = records[0][1][:5], parsed_schema()
    for (_, value, _), each in zip(records, values, strict=True):
        if avro(prefix, schema, each) != value:
            raise AssertionError(
                f"{each['sample_id']}: our encoder and the Avro library give different bytes, so "
                f"their speeds cannot be compared; run tests/unit/test_codec.py"
            )
    return Material(fields, events, values, records)
