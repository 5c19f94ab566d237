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

from benchmarks.faust_app import RAW, at_least_once
from genoflow.events.codec import PREFIX
from genoflow.events.registry import released

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
    app = at_least_once(told)
    source = app.topic(*told.sources, value_serializer="raw", **RAW)
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
