"""Planted defects: the real code with one thing wrong. The simulator has to find each of them."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, aclosing, contextmanager
from datetime import timedelta
from typing import Any
from unittest.mock import patch
from uuid import UUID, uuid5

from genoflow.events.errors import OutcomeUnknown
from genoflow.events.event import Event
from genoflow.events.event_requeued import EventRequeued
from genoflow.events.identity import GENOFLOW
from genoflow.events.log.memory import _MemoryTask as Session
from genoflow.events.log.port import Restored
from genoflow.events.log.recorded import Recorded
from genoflow.processors import ledger
from genoflow.processors.answers import Answers
from genoflow.processors.ledger import OpenEffect
from genoflow.processors.processor import Processor, Timer
from genoflow.processors.runner import Runner
from genoflow.processors.step import REQUESTS, Drain, Step
from genoflow.processors.task import Task
from genoflow.processors.task_loop import TaskLoop
from tests.simulation.flow import Tally, TallyAnew
from tests.simulation.world import World

Defect = Callable[[], AbstractContextManager[object]]
Changes = Mapping[bytes, bytes | None]


def _instead(owner: type, name: str, damaged: Callable[..., object]) -> Defect:
    return lambda: patch.object(owner, name, damaged)


# -- the transaction

_commit = Session.commit


async def _position_first(
    self: Session, events: Sequence[Event], changes: Changes, position: int
) -> None:
    await _commit(self, (), {}, position)
    await _commit(self, events, changes, position)


async def _position_later(
    self: Any, events: Sequence[Event], changes: Changes, position: int
) -> None:
    before, self.before = getattr(self, "before", position), position
    await _commit(self, events, changes, before)
    await _commit(self, (), {}, position)


async def _state_later(self: Any, events: Sequence[Event], changes: Changes, position: int) -> None:
    late = {key: value for key, value in changes.items() if key.startswith(ledger.STATE)}
    now = {key: value for key, value in changes.items() if key not in late}
    now, self.late = getattr(self, "late", {}) | now, late
    await _commit(self, events, now, position)


async def _doubt_shrugged_off(
    self: Session, events: Sequence[Event], changes: Changes, position: int
) -> None:
    try:
        await _commit(self, events, changes, position)
    except OutcomeUnknown:
        await _doubt_shrugged_off(self, events, changes, position)


@contextmanager
def _outcomes_unfenced() -> Iterator[None]:
    refuse = Session._refuse_if_fenced

    async def commit(self: Any, events: Sequence[Event], changes: Changes, position: int) -> None:
        self.lenient = bool(events) and all(e.envelope.effect_id is not None for e in events)
        await _commit(self, events, changes, position)

    def refuse_others(self: Any) -> None:
        if not self.lenient:
            refuse(self)

    with (
        patch.object(Session, "commit", commit),
        patch.object(Session, "_refuse_if_fenced", refuse_others),
    ):
        yield


# -- effects

_effects, _open, _take_over, _write = (
    Answers.effects, TaskLoop._open, TaskLoop._take_over, TaskLoop._write,
)  # fmt: skip
_set_timer, _numbers = Runner._set_timer, itertools.count()


@contextmanager
def _not_adopted() -> Iterator[None]:
    async def take_over(self: Any) -> None:
        self.adopts = True
        await _take_over(self)
        self.adopts = False

    def open_(self: Any, effect: OpenEffect) -> None:
        if not getattr(self, "adopts", False):
            _open(self, effect)

    with patch.object(TaskLoop, "_take_over", take_over), patch.object(TaskLoop, "_open", open_):
        yield


def _named_by_chance(self: Answers, *given: Any) -> list[OpenEffect]:
    return [
        effect.model_copy(update={"effect_id": uuid5(GENOFLOW, str(next(_numbers)))})
        for effect in _effects(self, *given)
    ]


async def _begun_too_early(self: TaskLoop, step: Step) -> None:
    for effect in step.opened:
        self._open(effect)
    step.opened = []
    await _write(self, step)


@contextmanager
def _begun_before_the_commit() -> Iterator[None]:
    with (
        patch.object(Answers, "effects", _named_by_chance),
        patch.object(TaskLoop, "_write", _begun_too_early),
    ):
        yield


def _left_open(self: Task, effect: UUID) -> None:
    closed = self.effects.pop(effect, None)
    if closed is not None:
        self._step.closed.append(closed)


def _no_lanes(self: Answers, *given: Any) -> list[OpenEffect]:
    return [
        effect.model_copy(update={"lane": str(effect.effect_id)})
        for effect in _effects(self, *given)
    ]


def _early(self: Runner, owner: Any, effect: OpenEffect, kind: Timer) -> None:
    due_at = kind.due_at
    early = dataclasses.replace(kind, due_at=lambda until: due_at(until) - timedelta(seconds=2))
    _set_timer(self, owner, effect, early)


async def _restored_before(self: Any) -> None:
    found: Restored = await self._session.restore()

    async def restored() -> Restored:
        return found

    self._session.restore = restored
    await _take_over(self)


# -- parking

_take, _take_queued, _request, _drain = (
    Task.take, Task.take_queued, Task._request, TaskLoop._drain,
)  # fmt: skip


def _does_not_queue(self: Task, record: Recorded) -> Drain | None:
    key = record.key_bytes or b""
    if key in self.parked and record.headers and record.type in self._types - REQUESTS:
        self.position, self._last = record.offset + 1, record
        parked = self.parked.pop(key)
        self._take(record, key, record.offset, None)
        self.parked[key] = parked
        return None
    return _take(self, record)


def _loses_its_head(self: Task, drain: Drain, record: Recorded) -> bool:
    parked = self.parked[drain.key]
    if record.offset == parked.offset and isinstance(drain.request, EventRequeued):
        self._set_parked(drain.key, parked.model_copy(update={"draining": record.offset + 1}))
        return True
    return _take_queued(self, drain, record)


async def _backwards(self: TaskLoop, task: Task, drain: Drain) -> None:
    async with aclosing(self._again(drain.start, drain.trigger)) as queued:
        records = [record async for record in queued if record.key_bytes == drain.key]
    for record in reversed(records):
        if not task.take_queued(drain, record):
            task.stuck_again(drain)
            return
    task.drained(drain)


def _begins_anew(self: Task, drain: Drain, record: Recorded) -> bool:
    taken = _take_queued(self, drain, record)
    if taken:
        parked = self.parked[drain.key]
        self._set_parked(drain.key, parked.model_copy(update={"draining": parked.offset}))
    return taken


def _passes_its_request(self: Task, record: Recorded, key: bytes) -> Drain | None:
    drain = _request(self, record, key)
    self.position = record.offset + 1
    return drain


# -- state and its versions

_begin_rebuild = Task.begin_rebuild


async def _rebuild_emits(self: TaskLoop, task: Task, position: int) -> None:
    task._states, task.parked, task._hot = {}, {}, {}
    async with aclosing(self._again(task._stamp.start, position)) as records:
        async for record in records:
            task.take(record)
    task.position = position
    await self._write(task.step())


def _forgets_what_was_parked(self: Task) -> int:
    self._was_parked = {}
    return _begin_rebuild(self)


_rows = World.worker_rows


def _repeats(self: World, release: int) -> tuple[Processor, ...]:
    """A `tally` whose decider does not drop an event that it has seen."""

    def forgetful(row: Processor) -> Processor:
        def decide(state: Tally | TallyAnew, event: Event) -> Any:
            return row.decide(state.model_copy(update={"seen": ()}), event)

        return dataclasses.replace(row, decide=decide)

    return tuple(forgetful(row) if row.name == "tally" else row for row in _rows(self, release))


DEFECTS: dict[str, Defect] = {
    "nothing is fenced": _instead(Session, "_refuse_if_fenced", lambda _: None),
    "a zombie's outcome stands": _outcomes_unfenced,
    "the position moves first": _instead(Session, "commit", _position_first),
    "the position moves later": _instead(Session, "commit", _position_later),
    "the state is kept later": _instead(Session, "commit", _state_later),
    "doubt is shrugged off": _instead(Session, "commit", _doubt_shrugged_off),
    "restored before it is fenced": _instead(TaskLoop, "_take_over", _restored_before),
    "an effect is not adopted": _not_adopted,
    "an effect begins before its transaction": _begun_before_the_commit,
    "an outcome does not close its effect": _instead(Task, "_close", _left_open),
    "lanes are not kept": _instead(Answers, "effects", _no_lanes),
    "a timer passes early": _instead(Runner, "_set_timer", _early),
    "a parked key does not queue": _instead(Task, "take", _does_not_queue),
    "a drain loses its head": _instead(Task, "take_queued", _loses_its_head),
    "a drain goes backwards": _instead(TaskLoop, "_drain", _backwards),
    "a drain begins anew after a death": _instead(Task, "take_queued", _begins_anew),
    "a request is passed before its queue": _instead(Task, "_request", _passes_its_request),
    "a request is acted on twice": lambda: patch.object(ledger, "with_request", lambda *_: ()),
    "a rebuild emits": _instead(TaskLoop, "_rebuild", _rebuild_emits),
    "a rebuild forgets what was parked": _instead(Task, "begin_rebuild", _forgets_what_was_parked),
    "an old state is taken as it is": _instead(Task, "is_outdated", property(lambda _: False)),  # type: ignore[arg-type]
    "a decider repeats itself": _instead(World, "worker_rows", _repeats),
}
