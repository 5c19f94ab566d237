"""A read model built anew from 10,000, 100,000 and 1,000,000 events: CPU time and memory.

Each size has a log, a database and a process of its own. The process feeds the audit trail and the
read model first, and that is not timed; then it builds the read model anew as `genoflow projection
rebuild` does: fed from offset 0, every row compared with the live one's, switched.
"""

from __future__ import annotations

import asyncio
import json
import sys
from dataclasses import dataclass
from typing import Any

import asyncpg

from benchmarks.contest import CPU, MEBIBYTES, Comparison, Figures, Row, row_of
from benchmarks.material import Material
from benchmarks.projection import fill
from benchmarks.servers import postgres
from benchmarks.stage_run import ROOT
from genoflow.events import topics
from genoflow.events.log.kafka import KafkaLog

SIZES = (10, 100, 1_000)  # times the events that this path is called with: 1,000 in a full run
# The interpreter and its modules 80 MB, two batches of 5,000 events of 6 kB 60, states of 10,000
# subjects with 300,000 events 150, what the client of Kafka has fetched 50; and as much again as
# Postgres' answers and the allocator take at their peaks.
MEMORY_MIB_MAX = 512
SECONDS_MAX = 1_800

SMALL, MIDDLE, LARGE = "of 10,000 events", "of 100,000 events", "of 1,000,000 events"
LIMIT = "the limit"
COMPARISONS = (
    Comparison("rebuild", MIDDLE, SMALL, unit=CPU, target=1.2, note="per event, with Postgres'"),
    Comparison("rebuild", LARGE, MIDDLE, unit=CPU, target=1.2, note="per event, with Postgres'"),
    Comparison("rebuild, memory", MIDDLE, SMALL, unit=MEBIBYTES, note="peaks of the process"),
    Comparison("rebuild, memory", LARGE, LIMIT, unit=MEBIBYTES, target=1.0, note="the peak"),
)


@dataclass(frozen=True, slots=True)
class Place:
    """Where one size is built: its log and its database."""

    log: KafkaLog
    address: str  # of Postgres
    database: str

    async def built(self) -> dict[str, Any]:
        """What the process says of itself."""
        errand = (self.log.address, self.log.wire_name(""), self.address, self.database)
        program = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "benchmarks.rebuild_run", *errand, cwd=ROOT,
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        try:
            async with asyncio.timeout(SECONDS_MAX):
                said, cried = await program.communicate()
        finally:
            if program.returncode is None:
                program.kill()
                await program.wait()
        if program.returncode:
            raise AssertionError(f"rebuild: the process failed: {cried.decode()[-2_000:]}")
        found: dict[str, Any] = json.loads(said)
        return found


async def measure(log: KafkaLog, material: Material, _rounds: int) -> list[Row]:
    """One run of each size: it is long enough, and CPU time is counted, not waited for."""
    best: dict[str, Figures] = {LIMIT: {MEBIBYTES: MEMORY_MIB_MAX}}
    async with postgres() as address:
        for name, factor in zip((SMALL, MIDDLE, LARGE), SIZES, strict=True):
            count = factor * len(material.events)
            database = f"of_{count}"
            connection = await asyncpg.connect(address)
            await connection.execute(f"create database {database}")
            await connection.close()
            prefix = f"{log.wire_name('')}{count}."
            async with KafkaLog(
                log.address, prefix=prefix, partitions=topics.PARTITIONS_EMBEDDED
            ) as own:
                await fill(own, count)
                found = await Place(own, address, database).built()
            if (found["records"], found["changed_rows"]) != (count, 0):
                raise AssertionError(f"rebuild {name}: {found}; the same log makes the same rows")
            seconds = found["own_seconds"] + found["postgres_seconds"]
            best[name] = {CPU: seconds / count * 1_000_000, MEBIBYTES: found["peak_mib"]}
            print(f"rebuild {name}: {found}", flush=True)
    return [row_of(comparison, best) for comparison in COMPARISONS]
