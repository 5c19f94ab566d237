"""A worker beside the demonstration: the very command that one starts by hand, for as long."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path

from genoflow.deploy.local.process import Launch, Leashed
from genoflow.deploy.work_keeper import GRACE_SECONDS


@contextlib.asynccontextmanager
async def working(log_path: Path, wait_for_store: Callable[[], object]) -> AsyncIterator[None]:
    """Run every processor of the flow within the block, from when the object store is there."""
    starting = asyncio.create_task(_start(log_path, wait_for_store))
    try:
        yield
        await starting
    finally:
        starting.cancel()
        [worker] = await asyncio.gather(starting, return_exceptions=True)
        if isinstance(worker, Leashed):
            await worker.stop()


async def _start(log_path: Path, wait_for_store: Callable[[], object]) -> Leashed:
    await asyncio.to_thread(wait_for_store)
    command = (sys.executable, "-m", "genoflow.deploy.cli", "work", "--once")
    output = os.open(log_path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        return await Leashed.start(Launch(command, grace_seconds=GRACE_SECONDS), output)
    finally:
        os.close(output)
