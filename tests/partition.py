"""A task and the partition that it reads, without a broker: what the task loop does, laid bare."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from uuid import UUID

from genoflow.events.codec import Codec
from genoflow.events.envelope import Producer
from genoflow.events.event import Event
from genoflow.events.log.recorded import EPOCH, Raw, Recorded
from genoflow.events.registry import released
from genoflow.processors.ledger import OpenEffect, read_ledger
from genoflow.processors.processor import Processor, State
from genoflow.processors.step import Drain, Outcome, Step
from genoflow.processors.task import Task

CODEC = Codec(released())
MOMENT = datetime(2026, 3, 1, 12, tzinfo=UTC)
STARTED_MS = int((MOMENT - EPOCH).total_seconds() * 1000)


class Partition:
    """One partition as its task sees it: records come in, steps go out, and a task may die."""

    def __init__(self, row: Processor, *, version: str = "1", number: int = 0) -> None:
        self.row = row
        self.number = number
        self.records: list[Recorded] = []
        self.changelog: dict[bytes, bytes] = {}
        self.position: int | None = None  # as committed
        self.said: list[Event] = []  # everything that was committed, in order
        self.steps: list[Step] = []
        self.task = self._task(version)

    def _task(self, version: str) -> Task:
        return Task(
            self.row,
            self.number,
            producer=Producer(service=self.row.name, version=version),
            codec=CODEC,
            ledger=read_ledger(self.row.changelog.name, self.changelog),
            position=self.position or 0,
        )

    # -- what comes in

    def put(self, *events: Event) -> None:
        """Append events to the partition; nothing takes them yet."""
        for event in events:
            value, headers = CODEC.encode(event)
            self.put_raw(Raw(event.key.encode(), value, headers, 0))

    def put_raw(self, raw: Raw) -> Recorded:
        """Append bytes to the partition; nothing takes them yet."""
        offset = len(self.records)
        record = Recorded(
            self.row.reads.name, self.number, offset, STARTED_MS + offset,
            raw.key, raw.value, raw.headers, CODEC,
        )  # fmt: skip
        self.records.append(record)
        return record

    def work(self) -> list[Event]:
        """Take every record up to the end, one step each, and tell what was said."""
        before = len(self.said)
        while self.task.position < len(self.records):
            drain = self.task.take(self.records[self.task.position])
            if drain is not None:
                self.drain(drain)
            self.commit()
        return self.said[before:]

    def drain(self, drain: Drain, records_max: int | None = None) -> None:
        """Take a key's queue; after `records_max` of them the task is left where it stands."""
        self.commit()
        queue = [r for r in self.records[drain.start : drain.trigger] if r.key_bytes == drain.key]
        for record in queue[:records_max]:
            if not self.task.take_queued(drain, record):
                self.task.stuck_again(drain)
                return
            self.commit()
        if records_max is None or len(queue) <= records_max:
            self.task.drained(drain)

    def finish(self, effect: UUID, *events: Event, occurred_at: datetime = MOMENT) -> list[Event]:
        """Hand in the outcome of an effect, and tell what was said of it."""
        return self.hand_in(Outcome(effect, events, occurred_at))

    def hand_in(self, outcome: Outcome) -> list[Event]:
        """Hand in any outcome, and tell what was said of it."""
        before = len(self.said)
        self.task.finish(outcome)
        self.commit()
        return self.said[before:]

    # -- what goes out

    def commit(self, *, rebuilding: bool = False, step: Step | None = None) -> Step:
        """Commit what the task noted, as one transaction would."""
        step = step or self.task.step()
        self.task.stamp(step, rebuilding=rebuilding)
        for key, value in step.changes.items():
            if value is None:
                self.changelog.pop(key, None)
            else:
                self.changelog[key] = value
        self.position = step.position
        self.said += step.events
        self.put(*(event for event in step.events if event.topic == self.row.reads.name))
        self.steps.append(step)
        return step

    # -- death and another release

    def restart(self, row: Processor | None = None, *, version: str = "1") -> None:
        """Drop the task with all that it did not commit; the next one has the changelog alone."""
        self.row = row or self.row
        self.task = self._task(version)

    def rebuild(self, parts: int = 1, killed_after: int | None = None) -> None:
        """Fold the topic anew in this many commits, as an outdated task does; it may die there."""
        position = self.position or 0
        for record in self.records[self.task.begin_rebuild() : position]:
            self._fold(self.task.take(record))
        if self.task.half_drained:
            drain = self.task.take(self.records[position])
            assert drain is not None
            self._fold(drain, self.task.half_drained[drain.key])
        step = self.task.end_rebuild(position)
        changes = list(step.changes.items())
        size = max(1, -(-len(changes) // parts))
        pieces = [dict(changes[at : at + size]) for at in range(0, len(changes), size)] or [{}]
        for number, piece in enumerate(pieces, start=1):
            last = number == len(pieces)
            self.commit(step=Step(position, changes=dict(piece)), rebuilding=not last)
            if killed_after == number:
                return

    def _fold(self, drain: Drain | None, stop: int | None = None) -> None:
        if drain is None:
            return
        for record in self.records[drain.start : drain.trigger if stop is None else stop]:
            if record.key_bytes == drain.key and not self.task.take_queued(drain, record):
                self.task.stuck_again(drain)
                return
        if stop is None or stop == drain.trigger:
            self.task.drained(drain)

    # -- what is looked at

    @property
    def open_effects(self) -> list[OpenEffect]:
        """The effects that are open, in the order of their opening."""
        return sorted(self.task.effects.values(), key=lambda effect: effect.order)

    def state(self, key: str) -> State:
        """What is known of a subject."""
        return self.task.state(key.encode())

    def states(self) -> dict[bytes, bytes]:
        """All states, as they stand on the changelog."""
        return {k: v for k, v in self.changelog.items() if k.startswith(b"state/")}


def performing(partition: Partition, perform: Callable[[OpenEffect], Sequence[Event]]) -> None:
    """Do the open effects, one after another, until none is open that is not parked."""
    while waiting := [effect for effect in partition.open_effects if effect.parked is None]:
        partition.finish(waiting[0].effect_id, *perform(waiting[0]))
        partition.work()
