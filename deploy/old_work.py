"""What jobs and runs leave goes away when nobody needs it any more, wherever they ran."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine
from pathlib import Path
from typing import Any, NoReturn

from genoflow.deploy.attempt_folder import clear_runs
from genoflow.events.errors import GenoflowError
from genoflow.processors.adapters.batch_launcher import BatchLauncher
from genoflow.processors.adapters.local_launcher import LocalLauncher
from genoflow.processors.ports import ObjectStore, Ports

# A week: long enough for a person who wants to read what a failed job said.
OLD_SECONDS = 7 * 86_400.0
LOOK_SECONDS = 86_400.0  # a worker that runs for months looks once a day
ORPHANS_SECONDS = 600.0  # a host that waits for nothing is paid by the minute

_log = logging.getLogger("genoflow.work")


def clearing_of(home: Path, ports: Ports) -> Coroutine[Any, Any, NoReturn] | None:
    """What is to be done beside the work; None where the launcher leaves nothing behind."""
    launcher, store = ports.launcher, ports.store
    if isinstance(launcher, LocalLauncher) and store is not None:
        return keep_clear(home, launcher, store)
    return end_orphans(launcher) if isinstance(launcher, BatchLauncher) else None


async def end_orphans(launcher: BatchLauncher) -> NoReturn:
    """End jobs that nobody wants, now and every ten minutes, until it is cancelled."""
    while True:
        try:
            ended = await launcher.end_orphans()
        except GenoflowError as error:
            _log.warning("jobs that nobody wants stay for another while: %s", error)
        else:
            if ended:
                _log.info("ended %s jobs that nobody wanted", ended)
        await asyncio.sleep(ORPHANS_SECONDS)


async def keep_clear(home: Path, launcher: LocalLauncher, store: ObjectStore) -> NoReturn:
    """Remove what is old, now and every day, until it is cancelled."""
    while True:
        try:
            jobs = await launcher.clear(store, OLD_SECONDS)
            runs = await asyncio.to_thread(clear_runs, home, OLD_SECONDS)
        except (GenoflowError, OSError) as error:
            _log.warning("what old jobs left below %s stays for another day: %s", home, error)
        else:
            if jobs or runs:
                _log.info("removed what %s jobs and %s runs had left below %s", jobs, runs, home)
        await asyncio.sleep(LOOK_SECONDS)
