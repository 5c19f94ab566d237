"""Programs that jobs of tests run, and where what they leave is found."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from genoflow.processors.adapters.local_launcher import LocalLauncher
from genoflow.processors.job_outcome import JobOutcome, outcome_key, read_outcome
from genoflow.processors.ports import JobOrder, JobState, Launcher
from tests.integration.effects import PATIENCE_SECONDS, ROOT

# What the local launcher starts: the job leaves its outcome in a folder that stands for the store,
# once a file says that the store is there.
WRAPPER = f"""
import os, sys; sys.path.insert(0, {str(ROOT)!r})
from pathlib import Path
from genoflow.events.errors import Retry
from genoflow.processors.adapters import local_job
local_job.PAUSES_SECONDS = (0.05,)
def make_put():
    store = Path(sys.argv[3])
    def put(body):
        if not (store / "is-there").exists():
            raise Retry("the store is away")
        home = store / sys.argv[4]
        home.parent.mkdir(parents=True, exist_ok=True)
        try:
            with home.open("xb") as file:
                file.write(body)
        except FileExistsError:
            pass
    return put
local_job.run_job(Path(sys.argv[1]), int(sys.argv[2]), make_put)
"""
# Each is told the home of the test as its first argument.
COUNTS = "import sys; open(sys.argv[1] + '/count','a').write('x'); print(sys.stdin.read())"
WAITS = (
    "import os,subprocess,sys,time;"
    "helper = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)']);"
    "open(sys.argv[1] + '/ids','w').write(f'{os.getpid()} {helper.pid}\\n'); time.sleep(600)"
)
STUBBORN = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN);" + WAITS


def local_launcher(home: Path) -> LocalLauncher:
    """A launcher of this machine whose store is a folder of the test."""
    return LocalLauncher(home / "jobs", (sys.executable, "-c", WRAPPER), str(home / "store"))


@dataclass(frozen=True, slots=True)
class Site:
    """Where jobs run in a test: each launcher of it is one of another worker."""

    home: Path
    launcher: Callable[[], Launcher]

    def python(self, code: str, document: bytes = b"") -> JobOrder:
        """An order to run this Python."""
        return JobOrder((sys.executable, "-c", code, str(self.home)), document)

    def counted(self) -> str:
        """What COUNTS has left: a letter for each time that it ran."""
        path = self.home / "count"
        return path.read_text() if path.exists() else ""

    def has_outcome(self, job: UUID) -> bool:
        """Whether the job has left one."""
        return (self.home / "store" / outcome_key(job)).exists()

    def outcome(self, job: UUID) -> JobOutcome:
        """What the job has left."""
        return read_outcome((self.home / "store" / outcome_key(job)).read_bytes())

    async def ended(self, job: UUID) -> None:
        """Wait until a launcher says that it has ended."""
        launcher = self.launcher()
        async with asyncio.timeout(PATIENCE_SECONDS):
            while await launcher.find(job) is not JobState.ENDED:
                await asyncio.sleep(0.02)


def local_site(home: Path) -> Site:
    """A site on this machine whose store is there."""
    (home / "store").mkdir(exist_ok=True)
    (home / "store" / "is-there").touch()
    return Site(home, lambda: local_launcher(home))
