"""Ours: the worker that ships, with the stage as its only processor, in a process of its own.

    python -m benchmarks.stage_worker ADDRESS PREFIX NAME

It prints a line when it passes a point of a task's life, for those who time a restore.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time

from benchmarks.stage_row import row
from genoflow.deploy.garbage import settle
from genoflow.events.log.kafka import KafkaLog
from genoflow.processors.adapters.system_clock import SystemClock
from genoflow.processors.ports import Ports
from genoflow.processors.worker import Identity, Worker

TOLD = frozenset({"before-fence", "before-begin"})


def tell(point: str) -> None:
    """Print when a task begins to be taken over, and when it begins to read."""
    if point in TOLD:
        print(point, time.time(), flush=True)


async def run(address: str, prefix: str, name: str) -> None:
    """Work until SIGTERM."""
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    async with KafkaLog(address, prefix=prefix, partitions=None) as log:
        worker = Worker(
            log,
            log.codec,
            (row(name),),
            Ports(clock=SystemClock()),
            identity=Identity(name, "0.1.0", "3f2a91c"),
            reach=tell,
        )
        settle()  # as `genoflow work` does
        await worker.run(stop)


if __name__ == "__main__":
    asyncio.run(run(*sys.argv[1:4]))
    os._exit(0)
