"""One rebuild in a process of its own, as `genoflow projection rebuild` does it.

    python -m benchmarks.rebuild_run KAFKA PREFIX POSTGRES DATABASE

It prints what it took as JSON: records, its own CPU seconds, those of its Postgres process (Linux
only, else none), seconds by the clock, and the most memory that it had.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from pathlib import Path

import asyncpg

from benchmarks.subjects import Subjects
from genoflow.deploy.garbage import settle
from genoflow.events import topics
from genoflow.events.log.kafka import KafkaLog
from genoflow.processors.child_limits import status_bytes
from genoflow.projections.audit_trail import AuditTrail
from genoflow.projections.rebuild import rebuild
from genoflow.projections.runner import bring_up

SAID = {"person": "benchmark", "reason": "to time it"}


def cpu_seconds(process: int) -> float:
    """What a process has used so far, of both kinds, as /proc tells it."""
    path = Path(f"/proc/{process}/stat")
    if not path.exists():
        return 0.0
    fields = path.read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def run(kafka: str, prefix: str, postgres: str, database: str) -> None:
    """Feed, build anew, and tell."""
    connection = await asyncpg.connect(postgres, database=database)
    server = connection.get_server_pid()
    settle()  # as the command does
    async with KafkaLog(kafka, prefix=prefix, partitions=topics.PARTITIONS_EMBEDDED) as log:
        await bring_up(log, log.codec, connection, [AuditTrail(), Subjects()])
        began, own, other = time.perf_counter(), time.process_time(), cpu_seconds(server)
        done = await rebuild(log, log.codec, connection, Subjects(), lambda _: None, said=SAID)
        told = {
            "records": done.records,
            "changed_rows": done.comparison.changed,
            "own_seconds": round(time.process_time() - own, 3),
            "postgres_seconds": round(cpu_seconds(server) - other, 3),
            "seconds": round(time.perf_counter() - began, 3),
            "peak_mib": status_bytes("VmHWM") / 1024**2,
        }
    await connection.close()
    print(json.dumps(told))


if __name__ == "__main__":
    asyncio.run(run(*sys.argv[1:5]))
