"""Workers of the demonstration: the very command that one starts by hand, ended by its own id."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Mapping
from pathlib import Path

from genoflow.deploy.local.process import Launch, Leashed, identify
from genoflow.deploy.work_keeper import GRACE_SECONDS, is_mended_by_a_start, meaning
from genoflow.events.errors import StackFault

PAUSE_SECONDS = 0.1  # between a worker that was killed and the next one


class Workers:
    """Keeps one worker going; what it says goes into one log."""

    def __init__(self, log: Path, environment: Mapping[str, str]) -> None:
        self._log = log
        self._environment = environment
        self._now: Leashed | None = None

    async def start(self) -> int:
        """Start a worker of every processor, and return its process id."""
        command = (sys.executable, "-m", "genoflow.deploy.cli", "work", "--once")
        launch = Launch(command, environment=self._environment, grace_seconds=GRACE_SECONDS)
        self._log.parent.mkdir(parents=True, exist_ok=True)
        output = os.open(self._log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            self._now = await Leashed.start(launch, output)
        finally:
            os.close(output)
        return self._now.pid

    async def mind(self) -> None:
        """Start the worker again where that mends it; StackFault where a person has to."""
        while True:
            worker = self._now
            if worker is None:
                await asyncio.sleep(PAUSE_SECONDS)
                continue
            code = await worker.wait()
            if self._now is not worker:
                continue  # it was ended here
            if not is_mended_by_a_start(code):
                raise StackFault(f"the worker ended ({meaning(code)}); {self._log} says why")
            await self.start()

    async def kill(self) -> int:
        """End the worker by SIGKILL, without a word, and return the id that it had."""
        worker, self._now = self._now, None
        assert worker is not None, "one was started"
        identify(worker.pid).kill(signal.SIGKILL)
        await worker.wait()
        return worker.pid

    async def drain(self) -> None:
        """Let the worker finish what it decided."""
        worker, self._now = self._now, None
        if worker is not None:
            await worker.stop()
