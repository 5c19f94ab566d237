"""Does the open effects: lane by lane, a bounded number at once, each choice of failure closed.

A lane is a list; only its first effect is done, and the next begins when the outcome of the first
stands on the log. What an effect raises ends it in one of three ways:

    Retry           again, after 1, 2, 4, 8 and 15 s; then what `gives_up` says, or parked
    Stop            the worker ends
    anything else   parked: a person looks at it, and its lane waits
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
import logging
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import Protocol
from uuid import UUID

from genoflow.events.errors import GenoflowError, Parked, Retry, Stop
from genoflow.events.event import Event
from genoflow.events.spans import Spans, tell_effect
from genoflow.processors.failure import parked
from genoflow.processors.ledger import OpenEffect
from genoflow.processors.ports import Attempt, Ports, Progress
from genoflow.processors.processor import Bytes, Call, EffectKind, Job, Kind, Timer
from genoflow.processors.reach import Reach, nowhere
from genoflow.processors.step import Outcome
from genoflow.processors.watched_job import watched

CALLS_RUNNING_MAX = 64  # of one worker: sockets, not cores, are what they need
BYTES_RUNNING_MAX = 2  # child processes of one worker: as many as the smallest machine has cores
JOBS_WATCHED_MAX = 1_000  # one question to the store and the launcher each 15 s
PAUSES_SECONDS = (1, 2, 4, 8, 15)  # 30 s in all; a longer wait is a deadline
TIMERS_STALE_MAX = 1_000  # moved and cancelled ones that may stay in the list until they are due
TIMER_LOOK_SECONDS_MAX = 1.0  # the machine's clock may jump, so it is asked again this often

_log = logging.getLogger("genoflow.runner")


class Owner(Protocol):
    """The task that opened an effect and commits its outcome."""

    @property
    def processor_name(self) -> str:
        """Whose effects they are."""

    def deliver(self, outcome: Outcome) -> None:
        """Take an outcome; it stands only when the owner has committed it."""

    def fail(self, error: Stop) -> None:
        """End the worker: going on would lose or forge something."""


class Children(Protocol):
    """Where effects on bytes are done: a process each, ended when the call is cancelled."""

    async def perform(
        self,
        processor: str,
        effect: OpenEffect,
        kind: Bytes,
        number: int,
        progress: Progress,
    ) -> Sequence[Event]:
        """Do one effect in a process of its own."""


@dataclass(slots=True)
class Doing:
    """An effect that is being done now, as people see it."""

    owner: Owner
    effect: OpenEffect
    kind: EffectKind
    since: float
    number: int = 1
    progress: tuple[float, float | None, str] | None = None
    task: asyncio.Task[None] | None = None


@dataclass(slots=True)
class _Lane:
    owner: Owner
    waiting: deque[tuple[OpenEffect, EffectKind]] = field(default_factory=deque)
    busy: bool = False  # its first effect is ready, being done, or done and not yet committed


class Runner:
    """The effects of one worker."""

    def __init__(
        self,
        ports: Ports,
        children: Children | None = None,
        *,
        reach: Reach = nowhere,
        spans: Spans | None = None,
        pauses_seconds: Sequence[float] = PAUSES_SECONDS,
    ) -> None:
        self._ports = ports
        self._children = children
        self._reach = reach
        self._spans = spans
        self._pauses = pauses_seconds
        self._cancelling: set[asyncio.Task[None]] = set()
        self._free = {
            Kind.CALL: CALLS_RUNNING_MAX,
            Kind.BYTES: BYTES_RUNNING_MAX,
            Kind.JOB: JOBS_WATCHED_MAX,
        }
        self._ready: dict[Kind, deque[tuple[_Lane, OpenEffect, EffectKind]]] = {
            kind: deque() for kind in self._free
        }
        self._lanes: dict[tuple[int, str], _Lane] = {}
        self._doing: dict[_Name, Doing] = {}
        self._timers: dict[_Name, tuple[Owner, OpenEffect, Timer]] = {}
        self._due: list[tuple[datetime, int, _Name]] = []
        self._count = itertools.count()
        self._clockwork: asyncio.Task[None] | None = None
        self._sooner = asyncio.Event()
        self._draining = False

    # -- opening and closing

    def open(self, owner: Owner, effect: OpenEffect, kind: EffectKind) -> None:
        """Do it when its turn comes; a parked one only keeps its place in its lane."""
        if isinstance(kind, Timer):
            if effect.parked is None:
                self._set_timer(owner, effect, kind)
            return
        lane = self._lanes.setdefault((id(owner), effect.lane), _Lane(owner))
        if lane.waiting and lane.waiting[0][0].effect_id == effect.effect_id:
            lane.waiting[0] = (effect, kind)  # parked before, requeued now
            lane.busy = False
        else:
            lane.waiting.append((effect, kind))
        self._advance(lane)

    def settled(self, owner: Owner, effect: OpenEffect) -> None:
        """Its outcome stands on the log, or it is no longer wanted: the lane goes on."""
        self._timers.pop(_name(owner, effect), None)
        doing = self._doing.pop(_name(owner, effect), None)
        if doing is not None:
            self._end(doing)
            if isinstance(doing.kind, Job) and doing.task is not None and not doing.task.done():
                cancelling = asyncio.create_task(self._cancel_closed(effect))
                self._cancelling.add(cancelling)
                cancelling.add_done_callback(self._cancelling.discard)
        lane = self._lanes.get((id(owner), effect.lane))
        if lane is None:
            return
        if lane.waiting and lane.waiting[0][0].effect_id == effect.effect_id:
            lane.waiting.popleft()
            lane.busy = False
        else:
            lane.waiting = deque(
                row for row in lane.waiting if row[0].effect_id != effect.effect_id
            )
        if lane.waiting:
            self._advance(lane)
        else:
            del self._lanes[id(owner), effect.lane]

    def drop(self, owner: Owner) -> None:
        """Forget an owner's effects: calls and bytes end here, jobs go on without us."""
        for doing in [d for d in self._doing.values() if d.owner is owner]:
            del self._doing[_name(owner, doing.effect)]
            self._end(doing)
        for name in [n for n, (whose, _, _) in self._timers.items() if whose is owner]:
            del self._timers[name]
        self._lanes = {key: lane for key, lane in self._lanes.items() if lane.owner is not owner}
        for kind, ready in self._ready.items():
            self._ready[kind] = deque(row for row in ready if row[0].owner is not owner)
        self._fill()

    def doing(self) -> list[Doing]:
        """What is being done now."""
        return list(self._doing.values())

    async def drain(self, seconds: float) -> None:
        """Begin nothing new and give the calls that run this long to end."""
        self._draining = True
        calls = [
            doing.task
            for doing in self._doing.values()
            if doing.task is not None and doing.kind.kind is Kind.CALL
        ]
        if calls:
            await asyncio.wait(calls, timeout=seconds)

    async def close(self) -> None:
        """End everything that runs here."""
        self._draining = True  # places become free, and nothing may take them
        tasks = [doing.task for doing in self._doing.values() if doing.task is not None]
        tasks += self._cancelling
        if self._clockwork is not None:
            tasks.append(self._clockwork)
        self._doing.clear()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    # -- lanes and places

    def _advance(self, lane: _Lane) -> None:
        if lane.busy or not lane.waiting:
            return
        effect, kind = lane.waiting[0]
        if effect.parked is not None:
            return
        lane.busy = True
        self._ready[kind.kind].append((lane, effect, kind))
        self._fill()

    def _fill(self) -> None:
        if self._draining:
            return
        for kind, ready in self._ready.items():
            while ready and self._free[kind] > 0:
                lane, effect, how = ready.popleft()
                if not lane.waiting or lane.waiting[0][0].effect_id != effect.effect_id:
                    continue  # closed while it waited for a place
                self._free[kind] -= 1
                doing = Doing(lane.owner, effect, how, asyncio.get_running_loop().time())
                self._doing[_name(lane.owner, effect)] = doing
                doing.task = asyncio.create_task(
                    self._do(doing), name=f"effect {effect.name} {effect.effect_id}"
                )
                # Not at the end of `_do`: what is cancelled before it begins never comes there.
                doing.task.add_done_callback(partial(self._ended, doing))

    def _end(self, doing: Doing) -> None:
        if doing.task is not None and not doing.task.done():
            doing.task.cancel()

    async def _do(self, doing: Doing) -> None:
        try:
            self._reach("effect-begins")
            outcome = await self._tried(doing)
            self._reach("effect-done")
        except Stop as error:
            doing.owner.fail(error)
            return
        except Exception as error:  # noqa: BLE001 -- `gives_up` is code too
            outcome = parked(doing.effect, error)
        if self._doing.get(_name(doing.owner, doing.effect)) is doing:
            doing.owner.deliver(outcome)  # else it was closed or dropped, and did not heed that

    def _ended(self, doing: Doing, _task: asyncio.Task[None]) -> None:
        self._free[doing.kind.kind] += 1
        if self._doing.get(_name(doing.owner, doing.effect)) is doing:
            del self._doing[_name(doing.owner, doing.effect)]
        self._fill()

    async def _tried(self, doing: Doing) -> Outcome:
        name = doing.effect.effect_id
        for pause in (*self._pauses, None):
            try:
                events = await self._told(doing)
                return Outcome(name, tuple(events), self._ports.clock.now())
            except (Retry, TimeoutError) as error:
                reason = self._reason(doing, error)
                too_long = isinstance(doing.kind, Job) and isinstance(error, TimeoutError)
                if too_long:  # it would go on, and be found again
                    await self._cancel(doing.effect)
                if pause is None or too_long:
                    return self._gives_up(doing, reason, error)
                await asyncio.sleep(pause)
                doing.number += 1
            except Stop:
                raise
            except Exception as error:  # noqa: BLE001 -- an effect is code: what it raises parks it
                return parked(doing.effect, error)
        raise AssertionError("the last pause is none, and then the effect gives up")

    @staticmethod
    def _reason(doing: Doing, error: Exception) -> str:
        if isinstance(error, GenoflowError) or str(error):
            return str(error)
        assert not isinstance(doing.kind, Timer)
        return (
            f"{doing.effect.name} {doing.effect.effect_id}: not done within "
            f"{doing.kind.seconds_max:g} s; see what it waits for, then requeue it"
        )

    def _gives_up(self, doing: Doing, reason: str, error: Exception) -> Outcome:
        kind = doing.kind
        if isinstance(kind, Timer) or kind.gives_up is None:
            return parked(doing.effect, error, f"{reason} (tried {doing.number} times)")
        said = kind.gives_up(kind.arguments(**doing.effect.arguments), reason)
        return Outcome(doing.effect.effect_id, tuple(said), self._ports.clock.now())

    async def _told(self, doing: Doing) -> Sequence[Event]:
        spans = self._spans
        if spans is None:
            return await self._once(doing)
        began_ns, fault = spans.now_ns(), ""
        try:
            return await self._once(doing)
        except BaseException as error:
            fault = type(error).__name__
            raise
        finally:
            effect, who = doing.effect, doing.owner.processor_name
            tell_effect(
                spans, who, effect.effect_id, effect.name, effect.cause, began_ns,
                number=doing.number, fault=fault,
            )  # fmt: skip

    async def _once(self, doing: Doing) -> Sequence[Event]:
        kind, effect = doing.kind, doing.effect

        def progress(done: float, total: float | None, unit: str) -> None:
            doing.progress = (done, total, unit)

        assert not isinstance(kind, Timer)
        async with asyncio.timeout(kind.seconds_max):
            if isinstance(kind, Bytes):
                if self._children is None:
                    raise Parked(f"{effect.name}: this worker starts no child processes; wire them")
                return await self._children.perform(
                    doing.owner.processor_name, effect, kind, doing.number, progress
                )
            arguments = kind.arguments(**effect.arguments)
            if isinstance(kind, Call):
                attempt = Attempt(effect.effect_id, doing.number, self._ports, progress)
                return await kind.perform(arguments, attempt)
            return await watched(kind, effect, arguments, self._ports)

    async def _cancel_closed(self, effect: OpenEffect) -> None:
        for pause in (*self._pauses, None):
            try:
                return await self._cancel(effect)
            except Retry as error:
                if pause is None:
                    _log.warning("a job that nobody waits for goes on; end it by hand: %s", error)
                    return None
                await asyncio.sleep(pause)
        return None

    async def _cancel(self, effect: OpenEffect) -> None:
        """End a job that nobody waits for any more."""
        if self._ports.launcher is not None:
            await self._ports.launcher.cancel(effect.effect_id)

    # -- timers

    def _set_timer(self, owner: Owner, effect: OpenEffect, kind: Timer) -> None:
        try:
            due = kind.due_at(kind.arguments(**effect.arguments)).astimezone(UTC)
        except Exception as error:  # noqa: BLE001 -- a row's function is code like an effect's
            owner.deliver(parked(effect, error))
            return
        self._timers[_name(owner, effect)] = (owner, effect, kind)
        if len(self._due) > 2 * len(self._timers) + TIMERS_STALE_MAX:
            self._due = [entry for entry in self._due if entry[2] in self._timers]
            heapq.heapify(self._due)
        heapq.heappush(self._due, (due, next(self._count), _name(owner, effect)))
        self._sooner.set()
        if self._clockwork is None or self._clockwork.done():
            self._clockwork = asyncio.create_task(self._watch_the_clock(), name="timers")

    async def _watch_the_clock(self) -> None:
        while self._due:
            due, _, name = self._due[0]
            left_seconds = (due - self._ports.clock.now()).total_seconds()
            if name in self._timers and left_seconds > 0:
                self._sooner.clear()
                try:
                    async with asyncio.timeout(min(left_seconds, TIMER_LOOK_SECONDS_MAX)):
                        await self._sooner.wait()
                except TimeoutError:
                    pass
                continue
            heapq.heappop(self._due)
            waiting = self._timers.pop(name, None)
            if waiting is not None:
                owner, effect, kind = waiting
                try:
                    passed = kind.passed(kind.arguments(**effect.arguments))
                except Exception as error:  # noqa: BLE001 -- as above
                    owner.deliver(parked(effect, error))
                else:
                    owner.deliver(Outcome(effect.effect_id, tuple(passed), due))


# One event may stand under two keys, and then two tasks have an effect of the same id.
_Name = tuple[int, UUID]


def _name(owner: Owner, effect: OpenEffect) -> _Name:
    return id(owner), effect.effect_id
