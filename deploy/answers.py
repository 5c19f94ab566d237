"""What a reading command is answered from: rows in Postgres where they are current, else the log.

Both give the same answers. The rows are asked where those of every read model are this release's
and have come to the end that the log had when the question was put; a runner that is at work gets
a moment for the rest. Otherwise the log is read, and one sentence says why.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Protocol

from genoflow.deploy.settings import Settings
from genoflow.deploy.subject import LogSubjects
from genoflow.deploy.wiring import open_log, open_postgres
from genoflow.events.codec import Codec
from genoflow.events.errors import StackFault
from genoflow.events.log.port import EventLog, Vector
from genoflow.events.topics import Topic
from genoflow.projections.asking.source import Parked, Scanning, Source

if TYPE_CHECKING:
    from genoflow.deploy.parked import Parking
    from genoflow.events.log.kafka import KafkaLog
    from genoflow.projections.asking.lists import Page
    from genoflow.projections.asking.provenance_asked import Records
    from genoflow.projections.run_forecast import Forecast

WAIT_SECONDS_MAX = 2.0  # a row follows its event within 100 ms; later nobody should wait for it
STILL_SECONDS_MAX = 0.5  # no row came in this time: no runner is at work
PAUSE_SECONDS = 0.05
CONNECT_SECONDS = 2.0  # a Postgres that is there answers at once
Tell = Callable[[str], None]


class Answers(Protocol):
    """Where answers come from."""

    source: Source
    records: Records

    async def rows(self, kind: str, limit: int) -> Page:
        """The samples, cases, runs or files with the newest events."""

    async def forecast(self, run_id: str) -> Forecast | None:
        """When a run will begin and be done; None where no rows of other runs are at hand."""

    async def parkings(self) -> list[Parking]:
        """All that waits for a person, in the order of the events."""

    async def parking(self, name: str) -> Parking:
        """The one of this name, answered or not; Refused where that means none, or several."""


class _LogSource(Scanning):
    """Reads what is parked when it is asked for the first time."""

    def __init__(self, log: EventLog) -> None:
        super().__init__(LogSubjects(log))
        self._log = log
        self._waiting: dict[tuple[str, str], list[Parked]] | None = None

    async def parked(self, topic: Topic, key: str) -> list[Parked]:
        """What waits of a subject."""
        from genoflow.deploy.parked import waiting_of  # noqa: PLC0415 -- loads every decider

        if self._waiting is None:
            self._waiting = waiting_of(await _parkings(self._log))
        return self._waiting.get((topic.name, key), [])


async def _parkings(log: EventLog) -> list[Parking]:
    return [one for one in await _every_parking(log) if one.answer is None]


async def _every_parking(log: EventLog) -> list[Parking]:
    from genoflow.deploy.parked import read_parkings  # noqa: PLC0415 -- loads every decider
    from genoflow.processors.flow import PROCESSORS  # noqa: PLC0415

    return await read_parkings(log, PROCESSORS)


class FromLog:
    """Answers that are read from the log, to its end as of now."""

    def __init__(self, log: EventLog) -> None:
        self._log = log
        self.source: Source = _LogSource(log)
        self.records: Records = LogSubjects(log)

    async def rows(self, kind: str, limit: int) -> Page:
        """Fold every story of this kind."""
        from genoflow.projections.asking.lists import read_rows  # noqa: PLC0415

        return await read_rows(self.source, kind, limit)

    async def forecast(self, run_id: str) -> Forecast | None:  # noqa: ARG002 -- the protocol's
        """Nothing: it would take the stories of all runs."""
        return None

    async def parkings(self) -> list[Parking]:
        """What the topic of parked events says."""
        return await _parkings(self._log)

    async def parking(self, name: str) -> Parking:
        """Look for it among all that was ever parked."""
        from genoflow.deploy.parked import find  # noqa: PLC0415

        return find(await _every_parking(self._log), name)


class FromStore:
    """Answers out of the rows of one connection."""

    def __init__(self, connection: Any, codec: Codec) -> None:
        from genoflow.projections.asking.kept import Kept  # noqa: PLC0415 -- few commands need it

        self._connection = connection
        self._codec = codec
        self.source: Source = (kept := Kept(connection, codec))
        self.records: Records = kept

    async def rows(self, kind: str, limit: int) -> Page:
        """Ask for the rows; no story is folded."""
        from genoflow.projections.asking.kept_lists import kept_rows  # noqa: PLC0415

        return await kept_rows(self._connection, kind, limit)

    async def forecast(self, run_id: str) -> Forecast | None:
        """By the rows of the run, and of those like it."""
        from genoflow.projections.run_forecast import forecast  # noqa: PLC0415 -- few need it
        from genoflow.projections.runs import run_of  # noqa: PLC0415

        run = await run_of(self._connection, run_id)
        if run is None:
            return None  # a run of an instrument
        return await forecast(self._connection, run, now=datetime.now(UTC))

    async def parkings(self) -> list[Parking]:
        """What the rows about parked events say."""
        from genoflow.deploy.parked_kept import kept_parkings  # noqa: PLC0415
        from genoflow.processors.flow import PROCESSORS  # noqa: PLC0415

        return await kept_parkings(self._connection, self._codec, PROCESSORS)

    async def parking(self, name: str) -> Parking:
        """Look for it among those whose id or position this may be."""
        from genoflow.deploy.parked import find  # noqa: PLC0415 -- loads every decider
        from genoflow.deploy.parked_kept import parkings_named  # noqa: PLC0415
        from genoflow.processors.flow import PROCESSORS  # noqa: PLC0415

        named = await parkings_named(self._connection, self._codec, PROCESSORS, name)
        return find(named, name)


@asynccontextmanager
async def open_answers(settings: Settings, tell: Tell) -> AsyncIterator[Answers]:
    """Answers as of now; `tell` hears why it is the log that has to be read."""
    async with open_log(settings) as log, answers_beside(settings, log, tell) as answers:
        yield answers


@asynccontextmanager
async def answers_beside(settings: Settings, log: KafkaLog, tell: Tell) -> AsyncIterator[Answers]:
    """The same for a command that also needs what only the log holds."""
    async with open_rows(settings, log, tell) as connection:
        yield FromLog(log) if connection is None else FromStore(connection, log.codec)


@asynccontextmanager
async def open_rows(settings: Settings, log: EventLog, tell: Tell) -> AsyncIterator[Any | None]:
    """A connection whose rows know all that the log holds now; None where there is none."""
    import asyncpg  # noqa: PLC0415 -- most commands need none

    gone = (asyncpg.PostgresError, asyncpg.InterfaceError)
    async with AsyncExitStack() as stack:
        try:
            connection = await stack.enter_async_context(
                open_postgres(settings, connect_seconds=CONNECT_SECONDS)
            )
            reason = await why_not(log, connection)
            if reason is None:  # one snapshot: rows that come meanwhile are for the next question
                await stack.enter_async_context(
                    connection.transaction(isolation="repeatable_read", readonly=True)
                )
        except StackFault:
            reason = "no Postgres with read models is known here"
        except (OSError, *gone) as error:
            reason = f"Postgres does not answer ({type(error).__name__})"
        if reason is not None:
            tell(f"answered from the log: {reason}")
            yield None
            return
        try:
            yield connection
        except gone as error:
            raise StackFault(
                f"Postgres went away while it answered ({type(error).__name__}: {error}); ask again"
            ) from error


async def why_not(log: EventLog, connection: Any) -> str | None:
    """Why the rows do not know all that the log holds now; None where they do."""
    from genoflow.projections.models import MODELS  # noqa: PLC0415 -- loads every read model
    from genoflow.projections.runner import ends_of  # noqa: PLC0415

    places = await _places(connection)
    for model in MODELS:
        if model.name not in places:
            return f"read model {model.name} is not fed yet; `genoflow project` feeds it"
        if places[model.name][0] != model.version:
            return f"the rows of {model.name} are another version's; `genoflow project` says more"
    ends = await ends_of(log, MODELS)
    reads = {model.name: {topic.name for topic in model.reads} for model in MODELS}
    begun = moved = time.monotonic()
    behind = _behind(ends, places, reads)
    while behind:
        now = time.monotonic()
        if now - begun > WAIT_SECONDS_MAX or now - moved > STILL_SECONDS_MAX:
            count = f"{behind:,} record{'' if behind == 1 else 's'}"
            return f"the rows are {count} behind it; `genoflow project` feeds them"
        await asyncio.sleep(PAUSE_SECONDS)
        before, behind = behind, _behind(ends, await _places(connection), reads)
        moved = time.monotonic() if behind != before else moved
    return None


Places = dict[str, tuple[int, Vector]]  # of a read model: its version, and where its rows are


async def _places(connection: Any) -> Places:
    [known] = await connection.fetch("select to_regclass('gf.positions') is not null as it")
    if not known["it"]:
        return {}
    found: Places = {}
    for row in await connection.fetch(
        "select b.model, b.version, p.topic, p.partition, p.next_offset "
        "from gf.builds b left join gf.positions p using (build) where b.state = 'live'"
    ):
        _, vector = found.setdefault(row["model"], (row["version"], {}))
        if row["topic"] is not None:
            vector[row["topic"], row["partition"]] = row["next_offset"]
    return found


def _behind(ends: Vector, places: Places, reads: dict[str, set[str]]) -> int:
    """How many records those rows do not know that are furthest behind."""
    return max(
        sum(
            max(0, end - places[name][1].get(place, 0))
            for place, end in ends.items()
            if place[0] in topics
        )
        for name, topics in reads.items()
    )
