"""Tests speak in events: given what happened, when this happens, then these facts follow.

    given = Spec(WATCH_SILENCE).given
    given(registered).when(passed).then(silent)
    given().when(landed).then_effects(Effect("checksum", …)).performed(checksummed)

Nothing runs here but the decider and the rules of its row: no broker, no loop, no clock.
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, NoReturn, Self
from uuid import UUID

from genoflow.events.event import E, Event, begin
from genoflow.events.event_parked import EventParked
from genoflow.events.identity import external_id
from genoflow.processors.decision import Effect
from genoflow.processors.ledger import OpenEffect
from genoflow.processors.processor import Processor, State
from tests.examples import somebody, someone
from tests.partition import MOMENT, Partition

Plain = dict[str, Any]


def heard(event: E, at: datetime = MOMENT) -> E:
    """The fact as a porch reports it, true at this time; the same words have the same id."""
    fact = begin(event, occurred_at=at, actor=somebody(), by=someone())
    if event.about.identity:
        return fact
    name = external_id(event.type(), json.dumps(event.payload(), sort_keys=True), at.isoformat())
    return fact.enveloped(fact.envelope.model_copy(update={"event_id": name}))


def canonical(event: Event, *, with_id: bool = False) -> Plain:
    """What has to stay the same of a fact: where it stands, what it is, what it says."""
    plain: Plain = {"topic": event.topic, "key": event.key, "type": event.type()}
    if with_id:
        plain["id"] = str(event.envelope.event_id)
    return {**plain, "payload": event.payload()}


def difference(expected: Sequence[Plain], found: Sequence[Plain]) -> str:
    """Where two lists differ, line by line; empty where they do not."""
    lines = difflib.unified_diff(_lines(expected), _lines(found), "expected", "found", lineterm="")
    return "\n".join(lines)


def _lines(rows: Sequence[Plain]) -> list[str]:
    texts = [json.dumps(row, indent=2, sort_keys=True, ensure_ascii=False) for row in rows]
    return [line for text in texts for line in text.splitlines()]


class Spec:
    """Histories of one row of the flow."""

    def __init__(self, row: Processor) -> None:
        self._row = row

    def given(self, *events: Event) -> Given:
        """What happened before; the row's answers to it are not looked at."""
        return Given(self._row, events)


class Given:
    """A history, about to go on."""

    def __init__(self, row: Processor, events: Sequence[Event]) -> None:
        self._partition = Partition(row)
        self._at = MOMENT
        self._partition.put(*(self._enveloped(event) for event in events))
        self._partition.work()
        parked = [said for said in self._partition.said if isinstance(said, EventParked)]
        if parked:
            _fail("what was given could not be taken", parked[0].error_trace)

    def _enveloped(self, event: Event) -> Event:
        self._at += timedelta(minutes=1)
        return event if event.has_envelope else heard(event, self._at)

    def performed(self, *events: Event, effect: str = "") -> Self:
        """The oldest open effect (of this name) was done before, and led to these events."""
        _perform(self._partition, effect, events)
        return self

    def when(self, event: Event) -> Then:
        """The one event that is looked at."""
        happened = self._enveloped(event)
        self._partition.put(happened)
        before = self._partition.task.effects.copy()
        count = len(self._partition.steps)
        self._partition.work()
        return Then(self._partition, happened, before, count)


class Then:
    """What followed, to be compared with what should; every comparison may be followed by more."""

    def __init__(
        self,
        partition: Partition,
        cause: Event,
        before: dict[UUID, OpenEffect],
        steps_before: int,
    ) -> None:
        self._partition = partition
        self._cause = cause
        steps = partition.steps[steps_before:]
        self._said = [event for step in steps for event in step.events]
        self._opened = [effect for step in steps for effect in step.opened]
        self._closed = sorted(before.keys() - partition.task.effects.keys())

    def then(self, *events: Event) -> Self:
        """These facts followed, in this order; their ids too, where they have envelopes."""
        for said in self._said:
            if isinstance(said, EventParked):
                _fail(f"{said.subject_key} was parked", f"{said.error}\n{said.error_trace}")
        expected, found = [], []
        for number in range(max(len(events), len(self._said))):
            wanted = events[number] if number < len(events) else None
            with_id = wanted is not None and wanted.has_envelope
            if wanted is not None:
                expected.append(canonical(wanted, with_id=with_id))
            if number < len(self._said):
                found.append(canonical(self._said[number], with_id=with_id))
        _same("the facts that followed", expected, found)
        for said in self._said:
            self._follows(said)
        return self

    def _follows(self, said: Event) -> None:
        closed = [effect for step in self._partition.steps for effect in step.closed]
        causes = {self._cause.envelope.event_id, *(e.cause.event_id for e in closed)}
        if said.envelope.causation_id not in causes:
            _fail(f"{said.type()} names another cause", str(said.envelope.causation_id))

    def then_nothing(self) -> Self:
        """No fact, no effect, and none that was open was closed."""
        self.then()
        self.then_effects()
        _same("the effects that were closed", [], [{"effect": str(i)} for i in self._closed])
        return self

    def then_effects(self, *effects: Effect) -> Self:
        """These effects were opened, in this order."""
        key = self._cause.key
        expected = [
            {
                "name": effect.name,
                "lane": effect.lane or key,
                "arguments": effect.arguments.model_dump(mode="json"),
            }
            for effect in effects
        ]
        found = [
            {"name": effect.name, "lane": effect.lane, "arguments": effect.arguments}
            for effect in self._opened
        ]
        _same("the effects that were opened", expected, found)
        return self

    def then_closed(self, *effects: UUID) -> Self:
        """These effects were given up, and no others."""
        _same(
            "the effects that were closed",
            [{"effect": str(name)} for name in sorted(effects)],
            [{"effect": str(name)} for name in self._closed],
        )
        return self

    def then_parked(self, reason: str) -> Self:
        """The event was parked, for a reason that contains these words."""
        parked = [said for said in self._said if isinstance(said, EventParked)]
        if len(parked) != 1 or reason not in parked[0].error:
            _fail(f"not parked for {reason!r}", "\n".join(said.error for said in parked))
        return self

    def then_state(self, state: State | None) -> Self:
        """This is known of the subject now; nothing where it was forgotten."""
        expected = state or self._partition.row.state()
        found = self._partition.state(self._cause.key)
        _same(
            "what is known",
            [expected.model_dump(mode="json")],
            [found.model_dump(mode="json")],
        )
        return self

    def performed(self, *events: Event, effect: str = "") -> Then:
        """The oldest open effect (of this name) is done and leads to these events."""
        before = self._partition.task.effects.copy()
        count = len(self._partition.steps)
        _perform(self._partition, effect, events)
        return Then(self._partition, self._cause, before, count)


def _perform(partition: Partition, name: str, events: Sequence[Event]) -> None:
    waiting = [effect for effect in partition.open_effects if name in ("", effect.name)]
    if not waiting:
        _fail(f"no effect {name} is open".replace("  ", " "), "")
    partition.finish(waiting[0].effect_id, *events)
    partition.work()


def _same(what: str, expected: Sequence[Plain], found: Sequence[Plain]) -> None:
    if text := difference(expected, found):
        _fail(f"{what} are others than expected", text)


def _fail(fact: str, detail: str) -> NoReturn:
    raise AssertionError(f"{fact}\n{detail}")
