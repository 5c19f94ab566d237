"""How much of a machine processes of ours take: this one, and workers by their own word.

A worker's word is its process alone: children that read files and jobs are processes beside it.
"""

from __future__ import annotations

import asyncio
import json
import os
import resource
import socket
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from genoflow.api.ports import Burden
from genoflow.events import topics
from genoflow.events.errors import TopicMissing
from genoflow.events.log.port import EventLog

LATELY_SECONDS = 10.0  # five statuses: whoever said nothing for so long is stopped or dead
ASKED_SECONDS = 2.0  # as often as workers say it; a word of theirs has up to 200 kB
STATM = Path("/proc/self/statm")  # of Linux; its second number is of pages


class OwnBurden:
    """What this process takes, each time since it was asked before; at first since it began."""

    def __init__(self) -> None:
        self._before: tuple[float, float] | None = None
        self._percent: float | None = None

    def __call__(self) -> dict[str, float]:
        """Percent of one core and bytes in memory; what the system does not tell is left out."""
        now, used = time.monotonic(), time.process_time()
        if self._before is None:
            self._before = (now, used)
        elif now - self._before[0] >= ASKED_SECONDS / 2:
            then, earlier = self._before
            self._percent = round(100 * (used - earlier) / (now - then), 1)
            self._before = (now, used)
        found: dict[str, float] = {}
        if self._percent is not None:
            found["cpu_percent"] = self._percent
        try:
            pages = int(STATM.read_text().split()[1])
        except OSError:
            return found
        return found | {"resident_bytes": pages * resource.getpagesize()}


class LogProcesses:
    """Processes of this deployment, as the API asks for them."""

    def __init__(self, log: EventLog) -> None:
        self._log = log
        self._own = OwnBurden()
        self._own()  # from here on it can say how much it took
        self._name = f"api-{socket.gethostname()}-{os.getpid()}"
        self._asked_at = -ASKED_SECONDS
        self._workers: Sequence[Burden] = ()
        self._asking = asyncio.Lock()

    def own(self) -> Burden:
        """What the process takes that answers."""
        return _burden(self._name, datetime.now(UTC), self._own())

    async def workers(self) -> Sequence[Burden]:
        """What workers said lately of themselves, asked for every two seconds at most."""
        async with self._asking:
            if time.monotonic() - self._asked_at >= ASKED_SECONDS:
                self._workers = await self._read(datetime.now(UTC))
                self._asked_at = time.monotonic()
            return self._workers

    async def _read(self, now: datetime) -> Sequence[Burden]:
        topic = topics.WORKERS.name
        try:
            start = await self._log.offsets_at(topic, now - timedelta(seconds=LATELY_SECONDS))
        except TopicMissing:
            return ()  # nobody can have worked here yet
        stop = await self._log.ends(topic)
        said: dict[str, Burden] = {}
        async for record in self._log.read(start, stop):
            status = json.loads(record.value or b"{}")
            if status:
                found = status.get("burden", {})
                said[record.key] = _burden(status["worker"], record.recorded_at, found)
            else:
                said.pop(record.key, None)  # it has left
        return [one for _, one in sorted(said.items())]


def _burden(process: str, at: datetime, found: Mapping[str, float]) -> Burden:
    return Burden(process, at, found.get("cpu_percent"), found.get("resident_bytes"))
