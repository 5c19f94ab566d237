"""The one loop: any processors, any number of times, on any number of machines.

A worker joins one group for each of its processors. The group says which partitions are its own;
everything else (place, state, open effects) is on the changelogs, so a worker may end at any
moment and in any way, and whoever gets its partitions goes on behind the last transaction.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import logging
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from genoflow.events import topics
from genoflow.events.codec import Codec
from genoflow.events.errors import Fenced, OutcomeUnknown, Retry
from genoflow.events.log.partitioner import partition_of
from genoflow.events.log.port import EventLog, WorkReader
from genoflow.events.log.recorded import Raw
from genoflow.events.spans import Spans
from genoflow.processors.durations import Durations
from genoflow.processors.ending import DRAIN_SECONDS, LEAVE_SECONDS, end_if_told
from genoflow.processors.means import Means
from genoflow.processors.ports import Ports
from genoflow.processors.processor import Processor
from genoflow.processors.reach import Reach, nowhere
from genoflow.processors.runner import Children, Runner
from genoflow.processors.status import status_of
from genoflow.processors.task_loop import TaskLoop

POLL_SECONDS = 0.2  # how long a poll waits; a stop is heard at once in any case
FIRST_STATUS_SECONDS = (0.2, 0.5, 1.0)  # its tasks come within the first second
STATUS_SECONDS = 2.0  # how old what `genoflow workers` shows may be
OFFSETS_SECONDS = 5.0  # how old the lag may be that Kafka's own tools show
ABANDON_SECONDS = 2.0  # a client in doubt may hang when it is stopped; the process ends anyway

# What a fresh start mends by itself: no broker for a while, a commit in doubt, a task taken over.
PASSING = (Retry, Fenced)

_log = logging.getLogger("genoflow.worker")


@dataclass(frozen=True, slots=True)
class Identity:
    """Which program this is, on events, in groups and on the status page."""

    name: str  # of this worker: unique while it runs
    version: str
    revision: str = "unknown"


class Station:
    """One processor of a worker: its membership in the group, and a task per partition."""

    def __init__(self, means: Means, processor: Processor, group: asyncio.TaskGroup) -> None:
        self.processor = processor
        self.loops: dict[int, TaskLoop] = {}
        self.commits = Durations()
        self._means = means
        self._group = group
        self._running: dict[int, asyncio.Task[None]] = {}
        self._reader: WorkReader | None = None
        self._joined = asyncio.Event()
        self._ending = False

    @property
    def has_joined(self) -> bool:
        """Whether it is a member of its group."""
        return self._joined.is_set()

    async def gained(self, partitions: frozenset[int]) -> None:
        """Begin a task for each; it takes over in its own time, and heartbeats go on meanwhile."""
        self._means.reach("gained")
        if self._ending:  # others left, and we are about to: who stays gets them
            return
        for partition in sorted(partitions):
            name = f"{self.processor.name}[{partition}]"
            running = self._begin(self._run(partition), name)
            if running is not None:
                self._running[partition] = running

    def _begin(self, work: Coroutine[Any, Any, None], name: str) -> asyncio.Task[None] | None:
        try:
            return self._group.create_task(work, name=name)
        except RuntimeError:  # the worker is ending: its group takes nothing new
            work.close()
            return None

    async def _run(self, partition: int) -> None:
        await self._joined.wait()
        assert self._reader is not None
        loop = TaskLoop(self._means, self.processor, partition, self._reader, self.commits)
        self.loops[partition] = loop
        await loop.run()

    async def lost(self, partitions: frozenset[int]) -> None:
        """Let their tasks finish what they decided; the rest is the next owner's."""
        self._means.reach("lost")
        leaving = []
        for partition in partitions:
            running = self._running.pop(partition, None)
            loop = self.loops.pop(partition, None)
            if running is None:
                continue
            if loop is None:
                running.cancel()  # it has not begun
            else:
                loop.leave()
            leaving.append(running)
        if leaving:
            _, late = await asyncio.wait(leaving, timeout=LEAVE_SECONDS)
            for running in late:
                running.cancel()
            if late:  # a commit that was cut off is in doubt, and doubt ends the process
                self._begin(_in_doubt(self.processor.name), "in doubt")

    async def work(self, stop: asyncio.Event) -> None:
        """Read for the tasks until told to stop, then leave the group."""
        log, processor = self._means.log, self.processor
        self._reader = await log.work_reader(processor.name, processor.reads, self)
        self._joined.set()
        offsets_at = asyncio.get_running_loop().time()
        while not stop.is_set():
            end_if_told()
            for partition, taken in (await self._reader.poll(POLL_SECONDS)).items():
                loop = self.loops.get(partition)
                if loop is not None:
                    loop.receive(taken)
            now = asyncio.get_running_loop().time()
            if now - offsets_at >= OFFSETS_SECONDS:
                offsets_at = now
                with contextlib.suppress(Retry):  # only shows the lag; the position is elsewhere
                    await self._reader.commit(
                        {partition: loop.position for partition, loop in self.loops.items()}
                    )
        self._ending = True
        await self.lost(frozenset(self._running))
        await self._reader.close()


class Worker:
    """Runs processors until it is told to stop, or until going on would be wrong."""

    def __init__(
        self,
        log: EventLog,
        codec: Codec,
        processors: Sequence[Processor],
        ports: Ports,
        *,
        identity: Identity,
        children: Children | None = None,
        reach: Reach = nowhere,
        spans: Spans | None = None,
        burden: Callable[[], Mapping[str, float]] = dict,
    ) -> None:
        self.identity = identity
        self._burden = burden
        self._log = log
        self._processors = tuple(processors)
        self._runner = Runner(ports, children, reach=reach, spans=spans)
        self._means = Means(
            log, codec, self._runner, identity.version, identity.revision, reach, spans
        )
        self.stations: list[Station] = []
        self._clock = ports.clock
        self._since: datetime | None = None  # when it began to work

    async def run(self, stop: asyncio.Event) -> None:
        """Work until `stop` is set; raises what ended it otherwise.

        After an error the log's clients are in doubt: end the process, and start it again.
        """
        stations_stop = asyncio.Event()
        self._since = self._clock.now()
        try:
            async with asyncio.TaskGroup() as group:
                self.stations = [
                    Station(self._means, processor, group) for processor in self._processors
                ]
                working = [
                    group.create_task(station.work(stations_stop), name=station.processor.name)
                    for station in self.stations
                ]
                telling = group.create_task(self._tell(), name="status")
                await stop.wait()
                await self._runner.drain(DRAIN_SECONDS)
                stations_stop.set()
                await asyncio.wait(working)
                telling.cancel()
        except BaseExceptionGroup as failures:
            await self._abandon()
            raise _worst(failures) from failures
        await self._runner.close()
        await self._post({})

    def status(self) -> dict[str, Any]:
        """What it is doing now."""
        now = self._clock.now()
        return status_of(self.identity, self.stations, self._runner, now, self._since)

    async def _abandon(self) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(ABANDON_SECONDS):
                await self._runner.close()
                for station in self.stations:
                    for loop in list(station.loops.values()):  # some leave meanwhile
                        await loop.abandon()

    # -- what people see

    async def _tell(self) -> None:
        for pause in itertools.chain(FIRST_STATUS_SECONDS, itertools.repeat(STATUS_SECONDS)):
            end_if_told()
            await self._post(self.status() | {"burden": dict(self._burden())})
            await asyncio.sleep(pause)

    async def _post(self, status: dict[str, object]) -> None:
        topic, key = topics.WORKERS.name, self.identity.name.encode()
        try:
            partition = partition_of(key, await self._log.partitions(topic))
            await self._log.append_raw(
                topic, partition, [Raw(key, json.dumps(status).encode(), (), 0)]
            )
        except Retry as error:
            _log.warning("status of this worker could not be shown: %s", error)


async def _in_doubt(name: str) -> None:
    raise OutcomeUnknown(
        f"{name}: a transaction did not end within {LEAVE_SECONDS:g} s when its partition went to "
        f"another worker; start this worker again, the changelog says what happened"
    )


def _worst(failures: BaseExceptionGroup[BaseException]) -> BaseException:
    """The failure that ended the worker: what has to be mended first, then what passes."""
    leaves: list[BaseException] = []
    open_groups: list[BaseException] = [failures]
    while open_groups:
        found = open_groups.pop()
        if isinstance(found, BaseExceptionGroup):
            open_groups += found.exceptions
        else:
            leaves.append(found)
    passing = [error for error in leaves if isinstance(error, PASSING)]
    lasting = [error for error in leaves if not isinstance(error, PASSING)]
    return (lasting or passing)[-1]
