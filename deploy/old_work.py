"""What jobs and runs leave on this machine goes away when nobody needs it any more."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path
from typing import NoReturn

from genoflow.deploy.attempt_folder import clear_runs
from genoflow.events.errors import GenoflowError
from genoflow.processors.adapters.local_launcher import LocalLauncher
from genoflow.processors.ports import ObjectStore

# A week: long enough for a person who wants to read what a failed job said.
OLD_SECONDS = 7 * 86_400.0
LOOK_SECONDS = 86_400.0  # a worker that runs for months looks once a day

_log = logging.getLogger("genoflow.work")


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
