"""A bare Faust agent with one table: it decodes each record and counts types by the hour.

    python -m benchmarks.tower_agent ERRAND

What somebody writes who follows Faust's manual: at least once, one write to the table for each
record. It reads what is not committed, judges nothing, and counts again what comes again.
"""

from __future__ import annotations

import io
import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import fastavro
import faust

from genoflow.events.codec import PREFIX
from genoflow.events.registry import released
from genoflow.processors.watchtower.app import BATCH_BYTES, SESSION_SECONDS

TABLE = "counted"
HOUR_MS = 3_600_000


@dataclass(frozen=True, slots=True)
class Errand:
    """Where it reads, and under which name."""

    address: str
    name: str
    sources: tuple[str, ...]
    partitions: int
    folder: str


def application(told: Errand) -> Any:
    """The agent, configured as the tower is, where both have the setting."""
    app = faust.App(
        told.name,
        broker=f"kafka://{told.address}",
        store="memory://",
        datadir=told.folder,
        topic_partitions=told.partitions,
        topic_allow_declare=False,
        topic_disable_leader=True,
        processing_guarantee="at_least_once",
        producer_max_batch_size=BATCH_BYTES,
        producer_linger=0.005,
        broker_session_timeout=SESSION_SECONDS,
        consumer_auto_offset_reset="earliest",
        stream_wait_empty=False,
        web_enabled=False,
    )
    raw: Any = {"key_type": bytes, "value_type": bytes, "key_serializer": "raw"}
    source = app.topic(*told.sources, value_serializer="raw", **raw)
    table = app.Table(TABLE, partitions=told.partitions, default=int)
    registry = released()

    async def count(stream: Any) -> None:
        async for event in stream.events():
            value = event.message.value
            _, schema_id = PREFIX.unpack_from(value)
            edition = registry.by_id(schema_id)
            fastavro.schemaless_reader(io.BytesIO(value[PREFIX.size :]), edition.parsed, None)
            hour = int(event.message.timestamp * 1_000) // HOUR_MS
            table[f"{edition.subject}|{hour}"] += 1

    app.agent(source)(count)
    return app


def errand(path: Path) -> Errand:
    """What stands in the file."""
    told = json.loads(path.read_text(encoding="utf-8"))
    return Errand(**told | {"sources": tuple(told["sources"])})


if __name__ == "__main__":
    faust.Worker(
        application(errand(Path(sys.argv[-1]))), loglevel="WARNING"
    ).execute_from_commandline()
