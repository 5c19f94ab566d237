"""`python -m benchmarks.run`: ours beside the anchors on an embedded broker, as ratios.

    --only NAME    one path, such as append_bulk, tail or get_by_key
    --quick        few events and one round: shows that it works, says nothing about speed
    --out PATH     where the results go instead of benchmarks/results.json and the page

A full run takes about half an hour on two cores. It prints a table and writes the results.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
import tempfile
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from benchmarks import (
    append_bulk,
    append_one,
    columns,
    get_by_key,
    page,
    projection,
    rebuild,
    stage,
    stage_latency,
    stage_long,
    tail,
    upload,
    validation,
    validation_formats,
    visible,
)
from benchmarks.contest import Row, table
from benchmarks.material import Material, make
from benchmarks.servers import bench_settings
from genoflow.deploy.local.stack import LocalStack
from genoflow.events import topics
from genoflow.events.file_landed import FileLanded
from genoflow.events.log.kafka import KafkaLog
from genoflow.events.log.kafka_topics import TopicAdmin

LIBRARIES = ("aiokafka", "confluent-kafka", "fastavro", "pydantic")

Measure = Callable[[KafkaLog, Material, int], Awaitable[list[Row]]]


@dataclass(frozen=True, slots=True)
class Measured:
    """A path to measure, and how many events one run of a contestant takes."""

    measure: Measure
    events: int
    events_quick: int


# A run of a contestant takes about a second: long beside a scheduler's slice, short in sum.
PATHS = {
    "append_bulk": Measured(append_bulk.measure, 30_000, 200),
    "tail": Measured(tail.measure, 60_000, 200),
    "append_one": Measured(append_one.measure, 1_000, 20),
    "stage": Measured(stage.measure, 60_000, 2_000),
    "stage_latency": Measured(stage_latency.measure, 500, 50),
    "stage_long": Measured(stage_long.measure, 1_000, 20),
    "codec": Measured(columns.measure, 6_000, 200),
    "projection": Measured(projection.measure, 30_000, 500),
    "rebuild": Measured(rebuild.measure, 1_000, 5),
    "visible": Measured(visible.measure, 400, 20),
    "validation": Measured(validation.measure, 1_000, 5),
    "validation_formats": Measured(validation_formats.measure, 1_000, 5),
    "get_by_key": Measured(get_by_key.measure, 10_000, 200),
    "upload": Measured(upload.measure, 256, 20),  # MiB
}
ROUNDS = 3
ROUNDS_QUICK = 1


async def measure(names: Sequence[str], quick: bool) -> tuple[list[Row], int]:
    """Run these paths on a fresh broker; the rows, and the bytes of one event."""
    rows: list[Row] = []
    event_bytes = 0
    with tempfile.TemporaryDirectory(prefix="genoflow-bench-") as home:
        settings = bench_settings(Path(home))
        async with LocalStack(settings, ("kafka",)) as stack:
            address = stack.status.services["kafka"].address
            for name in names:
                path = PATHS[name]
                print(f"{name}: load {_load():.2f}", flush=True)
                material = make(path.events_quick if quick else path.events)
                event_bytes = material.event_bytes
                rounds = ROUNDS_QUICK if quick else ROUNDS
                rows += await _one_path(name, path.measure, address, material, rounds)
    return rows, event_bytes


async def _one_path(
    name: str, run: Measure, address: str, material: Material, rounds: int
) -> list[Row]:
    count = topics.PARTITIONS_EMBEDDED
    async with KafkaLog(address, prefix=f"{name}.", partitions=count) as log:
        async with TopicAdmin(log, partitions=count) as admin:
            await admin.apply(FileLanded.about.topics)
        return await run(log, material, rounds)


def results(
    rows: Sequence[Row], event_bytes: int, load_before: float, quick: bool
) -> dict[str, Any]:
    """What is written: figures, ratios and what they depend on; nothing that names a machine."""
    return {
        "date": datetime.now(UTC).date().isoformat(),
        "quick": quick,
        "rounds": ROUNDS_QUICK if quick else ROUNDS,
        "cpus": os.cpu_count(),
        "load_before": round(load_before, 2),
        "load_after": round(_load(), 2),
        "event": {
            "type": FileLanded.type(),
            "fields": len(FileLanded.model_fields),
            "bytes": event_bytes,
        },
        "versions": {
            "python": platform.python_version(),
            **{name: version(name) for name in LIBRARIES},
        },
        "rows": [row.as_json() for row in rows],
    }


def _load() -> float:
    return os.getloadavg()[0]


def arguments(words: Sequence[str] | None) -> argparse.Namespace:
    """What the command line asks for."""
    parser = argparse.ArgumentParser(prog="benchmarks.run", description=(__doc__ or "").strip())
    parser.add_argument("--only", choices=tuple(PATHS))
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--out", type=Path)
    return parser.parse_args(words)


def main(words: Sequence[str] | None = None) -> None:
    """Measure, print the table and write the results."""
    chosen = arguments(words)
    names = (chosen.only,) if chosen.only else tuple(PATHS)
    load_before = _load()
    rows, event_bytes = asyncio.run(measure(names, chosen.quick))
    found = results(rows, event_bytes, load_before, chosen.quick)
    print(f"\n{found['event']['type']}, {event_bytes} bytes, {found['cpus']} cores, best of "
          f"{found['rounds']}, load {found['load_before']} to {found['load_after']}\n")  # fmt: skip
    print(table(rows))
    # A part or a trial run must not replace the committed figures.
    out = chosen.out or (None if chosen.only or chosen.quick else page.RESULTS)
    if out is not None:
        out.write_text(json.dumps(found, indent=2, ensure_ascii=False) + "\n")
        print(f"\nwritten: {out.name}")
    if out == page.RESULTS:
        page.main()


if __name__ == "__main__":
    main()
