"""Brings read models to where the log is, and keeps them there.

All of them are fed from one reader, which begins where the one that is furthest behind goes on; the
audit trail comes first, so that what is known of a subject can always be fetched from it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from genoflow.events.codec import Codec
from genoflow.events.errors import Refused
from genoflow.events.log.port import EventLog, Vector
from genoflow.events.log.recorded import Recorded
from genoflow.events.spans import Spans
from genoflow.native.batch import COMPILED
from genoflow.projections.ahead import Ahead
from genoflow.projections.audit_trail import AuditTrail, recorded_events
from genoflow.projections.folding import Folder
from genoflow.projections.landing import COPY_ROWS_MIN
from genoflow.projections.model import AnyModel
from genoflow.projections.store import Batch, Build, Connection, live_build, position, prepare
from genoflow.projections.straight import Straight
from genoflow.projections.telling import tell_taken
from genoflow.projections.writing import Overtaken, Share, apply_ready, apply_together

POLL_SECONDS = 0.2  # how soon a stop is seen while nothing is written
# One transaction takes 5,000 events of 1 kB, some 50 ms: a reader waits for none of it.
BATCH_RECORDS_MAX = 5_000
# A commit waits some 4 ms for the disk, so a few records are written for all read models at once.
# Many are not: a commit each is nothing beside them, and the rows of one are in memory at a time.
TOGETHER_RECORDS_MAX = 500
# What Postgres loses when it dies is the newest transactions, rows and positions alike, and the
# records are read again: nobody has to wait for the disk. Statements are planned once: to plan one
# takes longer than to write a row, and their lists differ in nothing but their length.
SESSION = "set synchronous_commit = off; set plan_cache_mode = force_generic_plan"
STANDBY_SECONDS = 2.0  # between two looks whether the runner that writes is still there
Told = Callable[[str], None]


def _silent(_: str) -> None:
    """Tell nobody."""


@dataclass(slots=True)
class Feed:
    """One build, what is folded of it, and where it is."""

    build: Build
    folder: Folder
    place: Vector
    straight: Straight | None  # how its rows are made without events, if they can be

    def part_of(self, batch: Batch) -> Batch | None:
        """What it has not read of these records, if it reads them at all."""
        here = self.place.get((batch.topic, batch.partition))
        if here is None or here >= batch.ends_at:
            return None
        begins_at = max(here, batch.begins_at)
        records = [one for one in batch.records if one.offset >= begins_at]
        return Batch(batch.topic, batch.partition, here, batch.ends_at, records)


class Feeds:
    """Builds that are fed together over one connection."""

    def __init__(self, log: EventLog, codec: Codec, connection: Connection) -> None:
        self._log = log
        self._codec = codec
        self._connection = connection
        self._feeds: list[Feed] = []
        self._earlier: dict[tuple[str, tuple[str, ...], int], list[Recorded]] = {}

    async def add(self, build: Build) -> Feed:
        """Feed this build, too, from where it is."""
        place: Vector = {}
        for topic in build.model.reads:
            place |= dict.fromkeys(await self._log.starts(topic.name), 0)
        place |= await position(self._connection, build)
        # The twin of the extension takes longer than the usual way.
        is_straight = COMPILED and type(build.model) is AuditTrail
        straight = Straight(self._codec) if is_straight else None
        feed = Feed(build, Folder(build.model, self._load), place, straight)
        self._feeds.append(feed)
        self._feeds.sort(key=lambda one: one.build.model.name != AuditTrail.name)
        return feed

    @property
    def need_events(self) -> bool:
        """Whether anything but bytes is looked at, so that events are decoded while one waits."""
        return any(one.straight is None for one in self._feeds)

    @property
    def start(self) -> Vector:
        """Where the one that is furthest behind goes on, partition by partition."""
        found: Vector = {}
        for feed in self._feeds:
            for place, offset in feed.place.items():
                found[place] = min(offset, found.get(place, offset))
        return found

    async def take(self, batches: Sequence[Batch], spans: Spans | None = None) -> None:
        """Write what these records make of every build; Overtaken where another runner did."""
        began_ns = 0 if spans is None else spans.now_ns()
        shares = [
            (feed, Share(feed.build, feed.folder, mine))
            for feed in self._feeds
            if (mine := [part for batch in batches if (part := feed.part_of(batch)) is not None])
        ]
        if _are_few(batches) and _are_side_by_side(batches, [share for _, share in shares]):
            together = [shares] if shares else []
        else:
            together = [[one] for one in shares]
        for some in together:
            if not await self._is_straight(some):
                await apply_together(self._connection, [share for _, share in some])
            for feed, share in some:
                feed.place |= {(one.topic, one.partition): one.ends_at for one in share.batches}
        self._earlier.clear()  # not to be in memory until the next records come
        if spans is not None:
            tell_taken(spans, [share for _, share in shares], began_ns)

    async def _is_straight(self, some: Sequence[tuple[Feed, Share]]) -> bool:
        """Write the rows of one build without its events, where they can be made so."""
        [(feed, share), *others] = some
        records = [one for batch in share.batches for one in batch.records]
        if others or feed.straight is None or len(records) < COPY_ROWS_MIN:
            return False
        return await apply_ready(self._connection, share, feed.straight.ready(records))

    async def _load(self, topic: str, keys: Sequence[str], before: int) -> list[Recorded]:
        """The earlier events of subjects, fetched once for all builds that fold these records."""
        asked = (topic, tuple(keys), before)
        if asked not in self._earlier:
            self._earlier[asked] = await recorded_events(
                self._connection, self._codec, topic, keys, before
            )
        return self._earlier[asked]


def _are_few(batches: Sequence[Batch]) -> bool:
    return sum(len(batch.records) for batch in batches) <= TOGETHER_RECORDS_MAX


def _are_side_by_side(batches: Sequence[Batch], shares: Sequence[Share]) -> bool:
    """Whether all have read as much: else one may need what the audit trail is yet to be told."""
    begins = {(batch.topic, batch.partition): batch.begins_at for batch in batches}
    return all(
        one.begins_at == begins[one.topic, one.partition]
        for share in shares
        for one in share.batches
    )


async def ends_of(log: EventLog, models: Iterable[AnyModel]) -> Vector:
    """Where the log ends now, in all topics that these read."""
    names = sorted({topic.name for model in models for topic in model.reads})
    # At once, so that none waits for the answer about another one.
    found = await asyncio.gather(*map(log.ends, names))
    return {place: end for ends in found for place, end in ends.items()}


async def catch_up(
    log: EventLog, codec: Codec, connection: Connection, builds: Sequence[Build], until: Vector
) -> int:
    """Feed these builds until they are there; returns how many records were read."""
    feeds = Feeds(log, codec, connection)
    for build in builds:
        await feeds.add(build)
    start = feeds.start
    left = {place: offset for place, offset in start.items() if offset < until.get(place, 0)}
    count = 0
    if not left:
        return count
    async with (
        await log.reader(left) as reader,
        Ahead(reader, POLL_SECONDS, BATCH_RECORDS_MAX, is_decoded=feeds.need_events) as ahead,
    ):
        while any(left[place] < until[place] for place in left):
            found, here = await ahead.poll()
            count += len(found)
            await feeds.take(_cut(_batches(found, left, here), until))
            left = here
    return count


async def bring_up(
    log: EventLog, codec: Codec, connection: Connection, models: Sequence[AnyModel]
) -> int:
    """Bring the live builds of these models to the end of the log as of now, whoever writes them.

    Returns how many records were read here.
    """
    await prepare(connection)
    until, count = await ends_of(log, models), 0
    while True:
        builds = [current(await live_build(connection, model)) for model in models]
        try:
            return count + await catch_up(log, codec, connection, builds, until)
        except Overtaken:
            continue  # somebody has written: there is less left to do


def current(build: Build) -> Build:
    """The build, if this release makes the same rows; Refused with the way on where it does not."""
    if build.is_outdated:
        raise Refused(
            f"{build.model.name}: its rows were made by version {build.version}, and this release "
            f"makes version {build.model.version}; build them anew beside the live ones with "
            f"`genoflow projection rebuild {build.model.name}`"
        )
    return build


async def keep_up(
    log: EventLog,
    codec: Codec,
    connection: Connection,
    models: Sequence[AnyModel],
    stop: asyncio.Event,
    tell: Told = _silent,
) -> None:
    """Feed the live builds of these models until told to stop; waits while another runner does."""
    await prepare(connection)
    await connection.execute(SESSION)
    lock = _lock_of(models)
    is_waiting = False
    while not stop.is_set():
        if not await _is_ours(connection, lock):
            if not is_waiting:
                tell("another runner writes; this one takes over when it ends")
            is_waiting = True
            await pause(stop, STANDBY_SECONDS)
            continue
        is_waiting = False
        try:
            await _feed(log, codec, connection, models, stop, tell)
        except Overtaken as error:
            tell(str(error))
            await pause(stop, STANDBY_SECONDS)
        finally:
            await connection.execute("select pg_advisory_unlock(hashtextextended($1, 0))", lock)


def _lock_of(models: Iterable[AnyModel]) -> str:
    return f"genoflow project {' '.join(sorted(model.name for model in models))}"


async def is_fed(connection: Connection, models: Iterable[AnyModel]) -> bool:
    """Whether a runner of just these models is at work, on any machine."""
    [row] = await connection.fetch(
        "select exists (select from pg_locks where locktype = 'advisory' and granted "
        "and objsubid = 1 and database = (select oid from pg_database "
        "where datname = current_database()) "
        "and (classid::bigint << 32) | objid::bigint = hashtextextended($1, 0)) as it",
        _lock_of(models),
    )
    return bool(row["it"])


async def _is_ours(connection: Connection, lock: str) -> bool:
    [row] = await connection.fetch(
        "select pg_try_advisory_lock(hashtextextended($1, 0)) as it", lock
    )
    return bool(row["it"])


async def _feed(
    log: EventLog,
    codec: Codec,
    connection: Connection,
    models: Sequence[AnyModel],
    stop: asyncio.Event,
    tell: Told,
) -> None:
    feeds = Feeds(log, codec, connection)
    for model in models:
        await feeds.add(current(await live_build(connection, model)))
    here = feeds.start
    tell(f"feeds {len(models)} read models")
    async with (
        await log.reader(here) as reader,
        Ahead(reader, POLL_SECONDS, BATCH_RECORDS_MAX, is_decoded=feeds.need_events) as ahead,
    ):
        while not stop.is_set():
            before = here
            found, here = await ahead.poll()
            await feeds.take(_batches(found, before, here), log.spans)


async def pause(stop: asyncio.Event, seconds: float) -> None:
    """Wait so long, or until told to stop."""
    try:
        async with asyncio.timeout(seconds):
            await stop.wait()
    except TimeoutError:
        return


def _batches(found: Iterable[Recorded], before: Vector, after: Vector) -> list[Batch]:
    by_place: dict[tuple[str, int], list[Recorded]] = {place: [] for place in before}
    for record in found:
        by_place[record.topic, record.partition].append(record)
    return [
        Batch(*place, before[place], after[place], records)
        for place, records in by_place.items()
        if after[place] > before[place]
    ]


def _cut(batches: Iterable[Batch], until: Vector) -> list[Batch]:
    """No further than there: two builds are compared at one place."""
    found = []
    for one in batches:
        end = min(one.ends_at, until[one.topic, one.partition])
        if end > one.begins_at:
            records = [record for record in one.records if record.offset < end]
            found.append(Batch(one.topic, one.partition, one.begins_at, end, records))
    return found
