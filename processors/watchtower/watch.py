"""One round of the tower: fold what came, say what follows, then write what was folded.

What is said is appended before the table is written. A death in between says it once more under
the same ids, and every reader drops what it has seen; the other way round it would be lost.
"""

from __future__ import annotations

import asyncio
import time
import traceback
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Protocol

from genoflow.events.alert_rules_published import AlertRulesPublished
from genoflow.events.envelope import Producer
from genoflow.events.errors import GenoflowError
from genoflow.events.event import Event
from genoflow.events.log.recorded import Recorded
from genoflow.processors.parking import parked_record
from genoflow.processors.watchtower.chain import Chain, Linked
from genoflow.processors.watchtower.drift import DriftJudge, charted
from genoflow.processors.watchtower.fold import Tower
from genoflow.processors.watchtower.kept import Key, Value
from genoflow.processors.watchtower.quality_told import is_told
from genoflow.processors.watchtower.stages import is_heard

# A clock that was set must not make everything late: what it gains in one step beyond what really
# passed is believed only when the log, which has a clock of its own, has come as far.
STEP_SECONDS_MAX = 60.0

Append = Callable[[Iterable[Event]], Awaitable[object]]


class Kept(Protocol):
    """Where values are written."""

    def write(self, key: Key, value: Value | None) -> None:
        """Keep this value; None forgets what was kept."""


class Clock:
    """The tower's time: the machine's, unless it jumps; never behind the log's."""

    def __init__(
        self,
        wall: Callable[[], float] = time.time,
        passed: Callable[[], float] = time.monotonic,
    ) -> None:
        self._wall, self._passed = wall, passed
        self._at, self._since = wall(), passed()
        self.ahead_seconds = 0.0  # by which the machine's clock is not believed

    @property
    def last(self) -> float:
        """What it said last."""
        return self._at

    def now(self, newest: float = 0.0) -> float:
        """The time, given the newest that the log has told."""
        passed = self._passed()
        expected = self._at + (passed - self._since)
        wall = self._wall()
        self.ahead_seconds = wall - expected if abs(wall - expected) > STEP_SECONDS_MAX else 0.0
        self._at = max(expected if self.ahead_seconds else wall, newest)
        self._since = passed
        return self._at


class Watch:
    """A tower, the rules it is judged by, and where it says and keeps what it found."""

    def __init__(self, append: Append, producer: Producer, kept: Kept) -> None:
        self.tower = Tower()
        self.chain = Chain()
        self.judges: dict[str, DriftJudge] = {}
        self.parked = 0
        self.records = 0
        self._append, self._producer, self._kept = append, producer, kept
        # What two of them have changed is not written in two halves: a subject that is written
        # before its figures would tell a successor that these hold it, too.
        self._one_round = asyncio.Lock()

    def rule_by(self, document: AlertRulesPublished) -> None:
        """From now on these rules are held against what is folded, in place of older ones."""
        self.judges[document.document_id] = DriftJudge(self.tower, document, self._producer)

    def begin_again(self, values: Sequence[tuple[Key, Value]]) -> None:
        """Know what these values hold, and nothing else."""
        self.tower = Tower()
        for key, value in values:
            self.tower.restore(key, value)
        self.chain.begin(self.tower.positions())
        for judge in list(self.judges.values()):
            self.rule_by(judge.rules)

    async def follow(self, read: Sequence[Linked[Recorded]]) -> None:
        """Take records as they are read; Retry where one follows another that never came."""
        for one in read:
            record = one.record
            self.chain.take((record.topic, record.partition), one.follows, record.offset)
        await self.take([one.record for one in read])

    async def take(self, records: Sequence[Recorded]) -> None:
        """Fold records, say what follows from them, write what has changed."""
        tower = self.tower
        async with self._one_round:
            if self.tower is not tower:
                return  # their partitions went while they waited; whoever has these reads them
            said: list[Event] = []
            for record in records:
                said += self._taken(record)
            await self._say_and_write(said)
            self.records += len(records)

    def _taken(self, record: Recorded) -> list[Event]:
        tower, place = self.tower, (record.topic, record.partition)
        try:
            kind = record.type
            if not self._is_wanted(kind):
                tower.pass_by(place, record.offset, record.recorded_at.timestamp())
                return []
            event = record.event
        except GenoflowError as error:
            if record.offset < tower.positions().get(place, 0):
                return []  # it was parked before
            return [self._parked(record, error)]
        if isinstance(event, AlertRulesPublished):
            self.rule_by(event)
        subject = tower.fold(record)
        if subject is None:
            return []
        key = Key("subject", record.topic, record.partition, event.key)
        return [
            one
            for judge in self.judges.values()
            for one in (*judge.heard(event, subject, key), *judge.ended())
        ]

    def _is_wanted(self, kind: str) -> bool:
        return (
            is_heard(kind)
            or is_told(kind)
            or kind == AlertRulesPublished.type()
            or any(judge.hears(kind) for judge in self.judges.values())
        )

    def _parked(self, record: Recorded, error: GenoflowError) -> Event:
        place = (record.topic, record.partition)
        trace = "".join(traceback.format_exception(error))
        fact = parked_record(self._producer, record, record.offset, None, str(error), error, trace)
        self.tower.pass_by(place, record.offset, record.recorded_at.timestamp())
        self.parked += 1
        return fact

    async def look(self, now: float) -> list[Event]:
        """Say what is due now, and let go of what is old; what was said."""
        tower = self.tower
        async with self._one_round:
            if self.tower is not tower:
                return []  # whether this one is caught up, nobody has asked yet
            judges = list(self.judges.values())
            said = [event for judge in judges for event in judge.due(now)]
            said += charted(self.tower.quality, judges, now)
            self.tower.tidy(now)
            await self._say_and_write(said)
        return said

    async def write_all(self) -> None:
        """Write everything once more, behind whatever an earlier keeper may have written."""
        async with self._one_round:
            for key in list(self.tower.values):
                self.tower.note(key)
            await self._say_and_write(())

    async def _say_and_write(self, said: Sequence[Event]) -> None:
        tower, changes = self.tower, self.tower.take_changes()
        if said:
            await self._append(said)
        if self.tower is not tower:
            return  # its partitions went while that was said; who has them folds it again
        for key, value in changes:
            self._kept.write(key, value)
