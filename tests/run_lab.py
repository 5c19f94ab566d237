"""A lab in memory: a share with run folders, a log, a store, and watchers that come and go."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from datetime import datetime
from typing import Any

from genoflow.deploy.settings import Settings
from genoflow.events import topics
from genoflow.events.envelope import Producer
from genoflow.events.event import Event
from genoflow.events.log.memory import MemoryLog
from genoflow.processors.intake.illumina.folder import Illumina
from genoflow.processors.intake.privacy import PrivacyGuard
from genoflow.processors.intake.run_folders import FileSeen, Held, Look, Source
from genoflow.processors.intake.told import LogOfRuns, RunLog
from genoflow.processors.intake.transfer import Transfer
from genoflow.processors.intake.watch import Limits
from genoflow.processors.intake.watcher import Pass, Watcher
from tests.fakes import BEGINNING, FakeClock
from tests.sheets import RUN_ID


class Folders:
    """RunFolders in memory."""

    def __init__(self, clock: FakeClock) -> None:
        self.clock = clock
        self.runs: dict[str, dict[str, tuple[bytes, datetime]]] = {}
        self.unreadable: str | None = None

    def write(self, files: Mapping[str, bytes], name: str = RUN_ID) -> None:
        for path, body in files.items():
            self.runs.setdefault(name, {})[path] = (body, self.clock.now())

    def names(self) -> Sequence[str]:
        return sorted(self.runs)

    def look(self, name: str, at: datetime, *, whole: bool) -> Look:
        files = {p: f for p, f in self.runs[name].items() if whole or "/" not in p}
        seen = {
            path: FileSeen(len(body), int((time - BEGINNING).total_seconds() * 10**9) + 10**18)
            for path, (body, time) in files.items()
        }
        vendor = Illumina(lambda _: None)
        documents = {p: body for p, (body, _) in files.items() if vendor.is_document(p)}
        return Look(name, f"file:///runs/{name}", _shift(at), seen, documents, self.unreadable)

    def open(self, name: str, path: str) -> AbstractContextManager[Source]:
        if path not in self.runs[name]:
            raise FileNotFoundError(path)
        return nullcontext(io.BytesIO(self.runs[name][path][0]))


def _shift(at: datetime) -> datetime:
    """The moment of the fake clock on the scale of the files' times, which begins in 2001."""
    return at - BEGINNING + datetime.fromisoformat("2001-09-09T01:46:40+00:00")


class Store:
    """RunStore in memory; `during` is called before each write."""

    def __init__(self) -> None:
        self.objects: dict[str, tuple[bytes, Mapping[str, str]]] = {}
        self.puts = 0
        self.during: Callable[[str], None] = lambda _: None

    def held(self, bucket: str, key: str) -> Held | None:
        if key not in self.objects:
            return None
        body, metadata = self.objects[key]
        return Held(len(body), metadata.get("gf-sha256"))

    def put(
        self, bucket: str, key: str, source: Source, size_bytes: int, metadata: Mapping[str, str]
    ) -> None:
        self.during(key)
        self.puts += 1
        self.objects[key] = source.read(), metadata


class Lab:
    """A lab with one share, one log and one store; watchers come and go."""

    def __init__(self, log: MemoryLog) -> None:
        self.log = log
        self.clock = FakeClock()
        self.folders, self.store = Folders(self.clock), Store()
        self.watcher = self.another()
        self.passes: list[Pass] = []

    def another(self, log: RunLog | None = None, transfer: Transfer | None = None) -> Watcher:
        guard = PrivacyGuard(Settings().person_patterns)
        return Watcher(
            log or LogOfRuns(self.log), self.folders, Illumina(guard.finds), self.store,
            bucket="raw", guard=guard, clock=self.clock, limits=Limits(),
            by=Producer(service="sequencer-watcher", version="0"), transfer=transfer,
        )  # fmt: skip

    async def looks(self, times: int = 1) -> list[str]:
        """What is appended by so many looks, a minute apart."""
        said: list[str] = []
        for _ in range(times):
            self.clock.jump(60)
            self.passes.append(await self.watcher.look())
            said += [event.type() for event in self.passes[-1].appended]
        return said

    async def events(self) -> list[Event]:
        return [r.event async for r in self.log.read_topic(topics.SEQUENCING_RUN.name)]

    async def last(self) -> Any:
        return (await self.events())[-1]
