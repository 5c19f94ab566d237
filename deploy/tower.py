"""One watchtower in this process: Faust reads and restores, `Watch` folds and judges.

It leaves when it is in doubt, as a worker does, with the same exit codes: a process whose loop was
stopped for longer than its session has a successor that reads on, and may write nothing any more.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import threading
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from aiokafka.errors import KafkaError
from faust.types import TP

from genoflow.deploy.garbage import settle
from genoflow.deploy.logs import configure_logs
from genoflow.deploy.observed.tower import ObservedTower
from genoflow.deploy.observed.watched import watched
from genoflow.deploy.settings import Settings
from genoflow.deploy.tower_shown import SOURCES, read_changelog
from genoflow.deploy.wiring import open_log
from genoflow.deploy.work_ends import EXIT_DRAINED, leave
from genoflow.events import topics
from genoflow.events.alert_rules_published import AlertRulesPublished
from genoflow.events.envelope import Producer
from genoflow.events.errors import Fenced, Retry
from genoflow.events.event import Event
from genoflow.events.log.kafka import KafkaLog
from genoflow.events.log.port import EventLog, Vector, not_there
from genoflow.events.log.recorded import Position, Recorded
from genoflow.processors.watchtower.app import (
    HEARTBEAT_SECONDS,
    NAME,
    SEND_SECONDS_MAX,
    SESSION_SECONDS,
    Place,
    Table,
    application,
)
from genoflow.processors.watchtower.chain import Linked
from genoflow.processors.watchtower.kept import Key, Reached, Value, read_key, write_value
from genoflow.processors.watchtower.reigns import Changelog, fence
from genoflow.processors.watchtower.watch import Clock, Watch

_log = logging.getLogger("genoflow.tower")

LOOK_SECONDS = 1.0  # between two looks at what is due
PULSE_SECONDS = 0.5
# The last heartbeat may have been sent just before the stop: a session less an interval of them.
STOOD_SECONDS_MAX = SESSION_SECONDS - HEARTBEAT_SECONDS - PULSE_SECONDS
STUCK_SECONDS_MAX = 60.0  # to restore a hundred thousand values takes ten
# Beside workers on one machine it lets them go first: a third of the share that they get. It looks
# on, and nobody waits for it.
NICE = 5
STOP_SECONDS_MAX = 10.0  # Faust may not end by itself while it joins a group
PASSING = (Retry, Fenced, KafkaError, ConnectionError)


class Pulse:
    """Whether this process went on all the time; a thread of its own tells a stop from hard work.

    A process that was stopped for longer than its session is missed: its partitions are another
    one's. Its own clients notice later than it could write.
    """

    def __init__(self, seconds_max: float) -> None:
        self._seconds_max = seconds_max
        self._last = time.monotonic()
        self._stood = 0.0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="pulse", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while not self._over.wait(PULSE_SECONDS):
            self._beat()

    def _beat(self) -> None:
        now = time.monotonic()
        self._stood = max(self._stood, now - self._last)
        self._last = now

    def check(self) -> None:
        """Fenced, once the process has stood still for too long."""
        self._beat()
        if self._stood > self._seconds_max:
            raise Fenced(
                f"the tower: stood still for {self._stood:.0f} s, so another one may have its "
                f"partitions; start it again"
            )

    def close(self) -> None:
        """End the thread."""
        self._over.set()
        self._thread.join()


class Kept:
    """The rows of Faust's table, as long as this process may write them."""

    def __init__(self, table: Table, pulse: Pulse) -> None:
        self._table, self._pulse = table, pulse
        self.reign = 0

    def write(self, key: Key, value: Value | None) -> None:
        """Keep this value; None forgets what was kept."""
        self._pulse.check()
        name = key.written()
        if value is not None:
            self._table[name] = write_value(value, self.reign)
        elif name in self._table:
            del self._table[name]

    async def begin(self, fenced: Callable[[int], Awaitable[None]], log: EventLog) -> Changelog:
        """Begin a reign: fence off all earlier ones, then have what stands in the table."""
        self.reign = max(self.reign, int(time.time() * 1_000)) + 1
        while True:
            self._pulse.check()
            await fenced(self.reign)
            found = await read_changelog(log)
            if found.newest <= self.reign:
                return found
            self.reign = found.newest + 1  # of a machine whose clock is ahead


class Process:
    """The tower as it runs: its app, what it watches, and whether it may write."""

    def __init__(self, settings: Settings, log: KafkaLog, partitions: int, folder: Path) -> None:
        prefix = settings.topic_prefix
        folder.mkdir(parents=True, exist_ok=True)  # Faust makes its own below one that is there
        place = Place(log.address, prefix, partitions, folder)
        self.app, table = application(place, log.codec, SOURCES, self._take)
        self.pulse = Pulse(STOOD_SECONDS_MAX)
        self.kept = Kept(table, self.pulse)
        by = Producer(service=NAME, version=version("genoflow"))
        self.watch = Watch(log.append_bulk, by, self.kept)
        self.clock = Clock()
        self.is_ready = False
        self.is_joined = False
        self.written_again_at = 0.0
        self._term = 0  # of what this process was given; what belongs to an earlier one is left
        self._failed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._log, self._prefix, self._table = log, prefix, table
        self._partitions = partitions
        self.app.places = self._places
        self.app.on_partitions_revoked.connect(self._lost)
        table.on_recover(self._restored)

    def _places(self) -> Mapping[TP, int] | None:
        if not self.is_ready:
            return None
        known = self.watch.tower.positions()
        return {TP(f"{self._prefix}{topic}", part): at for (topic, part), at in known.items()}

    def _handed(self) -> Mapping[tuple[str, int], int]:
        found = self.app.consumer.handed().items()
        return {(tp.topic.removeprefix(self._prefix), tp.partition): end for tp, end in found}

    async def _lost(self, *_told: object, **_more: object) -> None:
        self.is_ready = False
        self._term += 1
        self._table.hold({})
        self.watch.begin_again([])

    async def _restored(self) -> None:
        try:
            await self._begin()
        except BaseException as error:  # noqa: BLE001 -- Faust would go on without it
            self._fail(error)

    async def _begin(self) -> None:
        if not self.app.consumer.assignment():
            self.is_joined = True
            return  # it stands by: a fence of its own would cut off whoever keeps the tower
        term = self._term
        async for record in self._log.read_topic(topics.CATALOG.name):
            if record.type == AlertRulesPublished.type():
                event = record.event
                assert isinstance(event, AlertRulesPublished)
                self.watch.rule_by(event)
        if self._term != term:
            return  # the next restore has begun: it is told, too

        async def fenced(reign: int) -> None:
            if self._term == term:  # else somebody else may have begun
                await self._fenced(reign)

        kept = await self.kept.begin(fenced, self._log)
        if self._term != term:
            return
        self._table.hold(kept.rows)
        self.watch.begin_again(kept.values())
        for name in kept.shadowed & kept.rows.keys():
            self.watch.tower.note(read_key(name))
        await self._check_places(self.watch.tower.positions())
        if self._term != term:
            return
        self.is_joined = True
        self.is_ready = bool(self.app.consumer.assignment())
        self.written_again_at = time.monotonic() + 2 * SEND_SECONDS_MAX

    async def _check_places(self, places: Vector) -> None:
        for topic in SOURCES:
            for place, end in (await self._log.ends(topic)).items():
                if (at := places.get(place, 0)) > end:
                    first = (await self._log.starts(topic))[place]
                    raise not_there(NAME, Position(*place, at), first, end)

    async def _fenced(self, reign: int) -> None:
        """Write where this reign begins; when it returns, it stands in every partition."""
        topic = f"{self._prefix}{topics.TOWER.name}"
        producer = self.app.producer
        sent = [
            producer.send_and_wait(topic, *fence(number, reign), number, None, None)
            for number in range(self._partitions)
        ]
        await asyncio.gather(*sent)

    async def _take(self, read: Sequence[Linked[Recorded]]) -> None:
        try:
            self.pulse.check()
            if not self.is_ready:
                return  # of partitions that went: whoever has them reads on from the table
            await self.watch.follow(read)
        except BaseException as error:  # noqa: BLE001 -- Faust would acknowledge what was not taken
            self._fail(error)

    def _fail(self, error: BaseException) -> None:
        if not self._failed.done():
            self._failed.set_exception(error)

    def newest(self) -> float:
        """The newest time that the log has told."""
        values = self.watch.tower.values.values()
        return max((value.newest for value in values if isinstance(value, Reached)), default=0.0)

    @property
    def is_caught_up(self) -> bool:
        """Whether everything was folded that readers can see: before, nothing is late."""
        is_handed = self.is_ready and bool(self.app.consumer.is_at_end())
        return is_handed and not self.watch.chain.lacks(self._handed())

    async def look(self) -> Sequence[Event]:
        """Say what is due, where everything that the log holds was read."""
        if not self.is_caught_up:
            return ()
        said = await self.watch.look(self.clock.now(self.newest()))
        if self.written_again_at and time.monotonic() > self.written_again_at:
            self.written_again_at = 0.0
            await self._write_again()
        return said

    async def _write_again(self) -> None:
        """Write all, when no word of an earlier keeper can come any more, nor a fence of it."""
        term, found = self._term, await read_changelog(self._log)
        if self._term != term:
            return
        if found.newest > self.kept.reign:
            raise Fenced(
                "the tower: another one's fence came behind this one's, so nobody reads what this "
                "one writes; start it again"
            )
        await self.watch.write_all()

    async def run(self, stop: asyncio.Event) -> None:
        """Watch until told to stop; what cannot go on is raised."""
        await self.app.start()
        going = [asyncio.create_task(self._look()), asyncio.create_task(self._pulse())]
        told = asyncio.create_task(stop.wait())
        try:
            ends: list[asyncio.Future[Any]] = [self._failed, *going, told]
            await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
            for one in (self._failed, *going):
                if one.done():
                    one.result()
        finally:
            for task in (*going, told):
                task.cancel()
            self.pulse.close()
        try:
            async with asyncio.timeout(STOP_SECONDS_MAX):
                await self.app.stop()
        except TimeoutError:  # it waits for its group, and its threads keep the process
            _log.warning("Faust did not end within %g s; it is left behind", STOP_SECONDS_MAX)
            os._exit(EXIT_DRAINED)

    async def _look(self) -> None:
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            await self.look()

    async def _pulse(self) -> None:
        moved, taken = time.monotonic(), -1
        while True:
            await asyncio.sleep(PULSE_SECONDS)
            self.pulse.check()
            now = time.monotonic()
            is_idle = self.is_caught_up or not self.app.consumer.assignment()
            if is_idle or self.watch.records != taken:
                moved, taken = now, self.watch.records
            stood = self.watch.chain.stood(self._handed(), now) if self.is_ready else 0.0
            if max(now - moved, stood) > STUCK_SECONDS_MAX:
                raise Retry(
                    f"the tower: has partitions and took nothing of one for "
                    f"{STUCK_SECONDS_MAX:g} s, although something is there; start it again"
                )
            if self.app.crashed:
                raise Retry("the tower: its reader or its producer ended; start it again")


def tower_once(settings: Settings, folder: Path, *, again: int = 0) -> int:
    """Watch until SIGTERM or SIGINT; after an error this call does not return."""
    configure_logs(level=settings.log_level, patterns=settings.person_patterns)
    os.nice(NICE)
    asyncio.run(_tower(settings, folder, again))
    return EXIT_DRAINED


async def _tower(settings: Settings, folder: Path, again: int) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    try:
        log = open_log(settings)
        partitions = await log.partitions(topics.TOWER.name)
        process = Process(settings, log, partitions, folder)
        settle()
        async with watched(settings, ObservedTower(process, again), "tower"):
            await process.run(stop)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(STOP_SECONDS_MAX):
                await log.close()
    except BaseException as error:  # noqa: BLE001 -- whatever it is, the process leaves with it
        leave(error, PASSING)
