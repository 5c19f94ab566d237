"""`python -m benchmarks.run`: ours beside the anchors on an embedded broker, as ratios.

    --only NAME    one path, such as append_bulk, tail or get_by_key
    --renew        with --only: its figures take the place of those that are committed
    --quick        few events and one round: shows that it works, says nothing about speed
    --out PATH     where the results go instead of benchmarks/results.json and the page

A full run takes about 40 minutes on two cores. It prints a table and writes the results. Of each
path they say when it was measured, and how busy the machine was before and after.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
import tempfile
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from benchmarks import (
    append_bulk,
    append_one,
    begin,
    columns,
    get_by_key,
    page,
    projection,
    rebuild,
    stage,
    stage_latency,
    stage_long,
    tail,
    tower,
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
from genoflow.events.errors import Refused
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
    "begin": Measured(begin.measure, 1, 1),
    "tower": Measured(tower.measure, 10_000, 400),
    "tower_beside": Measured(tower.measure_beside, 2_000, 50),
}
ROUNDS = 3
ROUNDS_QUICK = 1


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one path, and how busy the machine was."""

    rows: list[Row]
    load_before: float
    load_after: float

    def as_json(self) -> dict[str, Any]:
        """The path as results.json holds it."""
        return {
            "date": datetime.now(UTC).date().isoformat(),
            "load_before": round(self.load_before, 2),
            "load_after": round(self.load_after, 2),
            "rows": [row.as_json() for row in self.rows],
        }


async def measure(names: Sequence[str], quick: bool) -> tuple[dict[str, Outcome], int]:
    """Run these paths on a fresh broker; what came of each, and the bytes of one event."""
    found: dict[str, Outcome] = {}
    event_bytes = 0
    with tempfile.TemporaryDirectory(prefix="genoflow-bench-") as home:
        settings = bench_settings(Path(home))
        async with LocalStack(settings, ("kafka",)) as stack:
            address = stack.status.services["kafka"].address
            for name in names:
                path = PATHS[name]
                load_before = _load()
                print(f"{name}: load {load_before:.2f}", flush=True)
                material = make(path.events_quick if quick else path.events)
                event_bytes = material.event_bytes
                rounds = ROUNDS_QUICK if quick else ROUNDS
                rows = await _one_path(name, path.measure, address, material, rounds)
                found[name] = Outcome(rows, load_before, _load())
    return found, event_bytes


async def _one_path(
    name: str, run: Measure, address: str, material: Material, rounds: int
) -> list[Row]:
    count = topics.PARTITIONS_EMBEDDED
    async with KafkaLog(address, prefix=f"{name}.", partitions=count) as log:
        async with TopicAdmin(log, partitions=count) as admin:
            await admin.apply(FileLanded.about.topics)
        return await run(log, material, rounds)


def results(outcomes: Mapping[str, Outcome], event_bytes: int, quick: bool) -> dict[str, Any]:
    """What is written: figures, ratios and what they depend on; nothing that names a machine."""
    return {
        "quick": quick,
        "rounds": ROUNDS_QUICK if quick else ROUNDS,
        "cpus": os.cpu_count(),
        "event": {
            "type": FileLanded.type(),
            "fields": len(FileLanded.model_fields),
            "bytes": event_bytes,
        },
        "versions": {
            "python": platform.python_version(),
            **{name: version(name) for name in LIBRARIES},
        },
        "paths": {name: one.as_json() for name, one in outcomes.items()},
    }


def renewed(committed: Mapping[str, Any], found: Mapping[str, Any]) -> dict[str, Any]:
    """The committed results with these paths in their place; Refused where all else differs."""
    for name in ("quick", "rounds", "cpus", "event", "versions"):
        if committed[name] != found[name]:
            raise Refused(
                f"{page.RESULTS.name}: {name} was {committed[name]}, and is {found[name]}; "
                f"measure all paths anew: make bench"
            )
    return {**committed, "paths": {**committed["paths"], **found["paths"]}}


def _load() -> float:
    return os.getloadavg()[0]


def arguments(words: Sequence[str] | None) -> argparse.Namespace:
    """What the command line asks for."""
    parser = argparse.ArgumentParser(prog="benchmarks.run", description=(__doc__ or "").strip())
    parser.add_argument("--only", choices=tuple(PATHS))
    parser.add_argument("--renew", action="store_true")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--out", type=Path)
    chosen = parser.parse_args(words)
    if chosen.renew and (not chosen.only or chosen.quick or chosen.out):
        parser.error("--renew goes with --only, and with nothing else")
    return chosen


def main(words: Sequence[str] | None = None) -> None:
    """Measure, print the table and write the results."""
    chosen = arguments(words)
    names = (chosen.only,) if chosen.only else tuple(PATHS)
    outcomes, event_bytes = asyncio.run(measure(names, chosen.quick))
    found = results(outcomes, event_bytes, chosen.quick)
    print(f"\n{found['event']['type']}, {event_bytes} bytes, {found['cpus']} cores, best of "
          f"{found['rounds']}\n")  # fmt: skip
    print(table([row for one in outcomes.values() for row in one.rows]))
    # A part or a trial run must not replace the committed figures, unless it is told to.
    is_whole = not chosen.only and not chosen.quick
    out = chosen.out or (page.RESULTS if is_whole or chosen.renew else None)
    if chosen.renew:
        found = renewed(json.loads(page.RESULTS.read_text(encoding="utf-8")), found)
    if out is not None:
        out.write_text(json.dumps(found, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
        print(f"\nwritten: {out.name}")
    if out == page.RESULTS:
        page.main()


if __name__ == "__main__":
    main()
