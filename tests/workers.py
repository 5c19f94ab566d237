"""Workers inside a test: run until something holds, or until they end; then run again."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import aclosing, asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from typing import Any

from genoflow.deploy.catalog import LogCatalog
from genoflow.deploy.subject import LogSubjects
from genoflow.events import topics
from genoflow.events.event import Event
from genoflow.events.event_parked import EventParked
from genoflow.events.log.changelog import Folding
from genoflow.events.log.partitioner import partition_of
from genoflow.events.log.port import EventLog, Restored, TaskSession, WorkReader
from genoflow.events.log.recorded import Recorded
from genoflow.processors.ports import ObjectStore, Ports, Remover
from genoflow.processors.processor import Processor, Start
from genoflow.processors.reach import Reach, nowhere
from genoflow.processors.runner import Children
from genoflow.processors.worker import Identity, Worker
from tests.fakes import FakeClock, FakeMail
from tests.toy import TOY, landed

SECONDS_MAX = 40.0  # a few rebalances of a busy broker
PAUSE_SECONDS = 0.02
LATE = replace(TOY, name="latecomer", start=Start.NOW)
S1 = partition_of(b"S1", topics.PARTITIONS_EMBEDDED)
WHOLE = [("a", 1), ("b", 2), ("c", 3), ("d", 4)]


@dataclass(slots=True)
class Lab:
    """A log, and the outside world of the workers on it."""

    log: EventLog
    mail: FakeMail = field(default_factory=FakeMail)
    clock: FakeClock = field(default_factory=FakeClock)
    children: Children | None = None
    store: ObjectStore | None = None
    remover: Remover | None = None

    @asynccontextmanager
    async def working(
        self, *rows: Processor, name: str = "w1", version: str = "1", reach: Reach = nowhere
    ) -> AsyncIterator[asyncio.Task[None]]:
        """A worker that runs inside the block, and leaves in good order behind it."""
        stop = asyncio.Event()
        view = _View(self.log)
        worker = self._worker(view, rows, name, version, reach)
        running = asyncio.create_task(worker.run(stop))
        try:
            yield running
            stop.set()
            async with asyncio.timeout(SECONDS_MAX):
                await running
        finally:
            running.cancel()
            await asyncio.wait([running], timeout=SECONDS_MAX)
            await view.let_go()

    async def ended(
        self, *rows: Processor, name: str = "w1", version: str = "1", reach: Reach = nowhere
    ) -> BaseException | None:
        """What ends a worker that nobody tells to stop."""
        view = _View(self.log)
        worker = self._worker(view, rows, name, version, reach)
        running = asyncio.create_task(worker.run(asyncio.Event()))
        _, late = await asyncio.wait([running], timeout=SECONDS_MAX)
        running.cancel()
        await asyncio.wait([running], timeout=SECONDS_MAX)
        await view.let_go()
        assert not late, f"{name} still works after {SECONDS_MAX} s"
        return running.exception()

    def _worker(
        self, view: Any, rows: Sequence[Processor], name: str, version: str, reach: Reach
    ) -> Worker:
        return Worker(
            view,
            view.codec,
            rows,
            Ports(
                clock=self.clock,
                mail=self.mail,
                store=self.store,
                remover=self.remover,
                subjects=LogSubjects(self.log),
                catalog=LogCatalog(self.log),
            ),
            identity=Identity(name, version),
            children=self.children,
            reach=reach,
            spans=self.log.spans,
        )

    # -- what stands on the log

    async def facts(self, topic: topics.Topic = topics.SAMPLE) -> list[Recorded]:
        """Every committed record of a topic."""
        async with aclosing(self.log.read_topic(topic.name)) as records:
            return [record async for record in records]

    async def said(self, kind: str, topic: topics.Topic = topics.SAMPLE) -> list[Recorded]:
        """Every committed record of one type."""
        return [record for record in await self.facts(topic) if record.type == kind]

    async def told(self) -> list[tuple[str, str, int]]:
        """The numbered files of each sample, in order."""
        events = [record.event for record in await self.said("TopUpRequested")]
        rows = [event.payload() for event in events]
        return [(row["sample_id"], row["reason"], row["round"]) for row in rows]

    async def numbers(self, sample: str = "S1") -> list[tuple[str, int]]:
        """The numbered files of one sample, in order."""
        return [(name, number) for key, name, number in await self.told() if key == sample]

    async def changelog(self, row: Processor, partition: int) -> Restored:
        """What a task's changelog holds now."""
        # Folded here: a session would fence the worker that is looked at.
        folding = Folding(f"{row.changelog.name}[{partition}]")
        for record in await self.facts(row.changelog):
            if record.partition == partition:
                folding.take([(record.key_bytes or b"", record.value)])
        return folding.restored()


async def until(
    holds: Callable[[], Awaitable[bool]], running: asyncio.Task[None] | None = None
) -> None:
    """Wait until something holds; what ends a worker meanwhile is raised."""
    async with asyncio.timeout(SECONDS_MAX):
        while not await holds():
            if running is not None and running.done():
                running.result()
                raise AssertionError("the worker has left")
            await asyncio.sleep(PAUSE_SECONDS)


class _View:
    """A log as one worker sees it, which remembers what the worker opened on it."""

    def __init__(self, log: EventLog) -> None:
        self._log = log
        self._opened: list[TaskSession | WorkReader] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._log, name)

    def task(self, *place: Any) -> TaskSession:
        """A task of this worker."""
        session = self._log.task(*place)
        self._opened.append(session)
        return session

    async def work_reader(self, *place: Any) -> WorkReader:
        """A membership of this worker."""
        reader = await self._log.work_reader(*place)
        self._opened.append(reader)
        return reader

    async def let_go(self) -> None:
        """Close what a worker in doubt leaves to the end of its process, which a test has not."""
        for opened in self._opened:
            with suppress(Exception):  # a reader tells once more what it stumbled over
                await opened.close()


# -- stories of the toy row


async def landing(lab: Lab, *events: Event) -> None:
    """Append these."""
    for event in events:
        await lab.log.append(event)


async def parked(lab: Lab, count: int = 1) -> list[EventParked]:
    """What is parked, as soon as it is so many."""

    async def there() -> bool:
        return len(await lab.facts(topics.PARKED)) >= count

    await until(there)
    events = [record.event for record in await lab.facts(topics.PARKED)]
    assert len(events) == count
    return [event for event in events if isinstance(event, EventParked)]


def numbered(
    lab: Lab, expected: Sequence[tuple[str, int]], sample: str = "S1"
) -> Callable[[], Awaitable[bool]]:
    """Whether the files of a sample are these by now."""

    async def holds() -> bool:
        return len(await lab.numbers(sample)) >= len(expected)

    return holds


async def four_files_one_of_them_poison(lab: Lab) -> EventParked:
    """S1 parked at its second file, by a worker that has left since."""
    await landing(lab, *(landed(*of) for of in [("a",), ("b", "poison"), ("c",), ("d",)]))
    async with lab.working(TOY):
        [fact] = await parked(lab)
    return fact
