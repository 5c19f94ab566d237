"""An owner of effects that takes outcomes as a task does, and calls under a test's control."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from genoflow.events.errors import Stop
from genoflow.events.event import Event
from genoflow.events.subject_silent import SubjectSilent
from genoflow.processors.ledger import OpenEffect
from genoflow.processors.ports import Attempt
from genoflow.processors.processor import Call, EffectKind
from genoflow.processors.runner import Runner
from genoflow.processors.step import Outcome
from tests.integration.effects import Told, said

NO_PAUSES = (0, 0, 0)  # four tries, without the waits between them


class Owner:
    """Takes outcomes as a task does, and commits them when the test says so."""

    def __init__(self, runner: Runner, *, commits: bool = True) -> None:
        self.outcomes: list[Outcome] = []
        self.failed: Stop | None = None
        self._runner = runner
        self._commits = commits
        self._open: dict[object, tuple[OpenEffect, EffectKind]] = {}

    @property
    def processor_name(self) -> str:
        return "tests"

    def open(self, kind: EffectKind, *effects: OpenEffect) -> None:
        for one in effects:
            self._open[one.effect_id] = one, kind
            self._runner.open(self, one, kind)

    def deliver(self, outcome: Outcome) -> None:
        self.outcomes.append(outcome)
        if self._commits:
            self.commit(outcome)

    def commit(self, outcome: Outcome) -> None:
        one, kind = self._open[outcome.effect_id]
        if outcome.parked is None:
            self._runner.settled(self, one)
        else:
            self._runner.open(self, one.model_copy(update={"parked": outcome.parked}), kind)

    def requeue(self, one: OpenEffect) -> None:
        self._runner.open(self, one, self._open[one.effect_id][1])

    def fail(self, error: Stop) -> None:
        self.failed = error

    @property
    def done(self) -> list[object]:
        return [outcome.effect_id for outcome in self.outcomes if outcome.parked is None]


class Calls:
    """A call under the test's control: what began, how many at once, and when each may end."""

    def __init__(self) -> None:
        self.begun: list[str] = []
        self.running = 0
        self.running_max = 0
        self.fails: dict[str, list[Exception]] = {}
        self.gates: dict[str, asyncio.Event] = {}

    async def perform(self, told: Told, attempt: Attempt) -> Sequence[Event]:
        self.begun.append(told.text)
        self.running += 1
        self.running_max = max(self.running_max, self.running)
        try:
            await asyncio.sleep(0)
            if told.text in self.gates:
                await self.gates[told.text].wait()
            if self.fails.get(told.text):
                raise self.fails[told.text].pop(0)
            return said(told.text)
        finally:
            self.running -= 1

    def kind(self, **options: Any) -> Call:
        return Call("call", Told, (SubjectSilent,), self.perform, **options)
