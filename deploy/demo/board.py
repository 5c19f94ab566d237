"""What is known of a play at a moment, from its events alone, in the words of `why`."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Callable, Collection
from dataclasses import dataclass

from genoflow.deploy.demo.lab import Play
from genoflow.events import topics
from genoflow.events.event import Event
from genoflow.events.run_requested import RunRequested
from genoflow.events.topics import Topic
from genoflow.events.validated import Validated
from genoflow.projections.asking import case as cases
from genoflow.projections.asking import sample as samples
from genoflow.projections.asking.asked import about_case, about_sample, runs_of
from genoflow.projections.asking.source import Scanning
from genoflow.projections.asking.subject import DEADLINES, SAYS_NOTHING

QUIET: tuple[type[Event], ...] = (*DEADLINES, *SAYS_NOTHING)


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the display."""

    name: str
    order: str
    stage: str
    newest: str
    waits: str


class Heard:
    """The events of a play, as a reader of subjects."""

    def __init__(self, play: Play) -> None:
        self._play = play
        self._runs: set[str] = set(play.runs)
        self._events: dict[str, dict[str, list[Event]]] = {}
        self._count = 0
        self._last: dict[str, tuple[int, str]] = {}  # of each subject: its newest type that counts

    def take(self, topic: str, event: Event) -> bool:
        """Keep an event of this play; False for one of somebody else."""
        if isinstance(event, RunRequested) and event.case_id in self._play.cases:
            self._runs.add(event.key)
        if event.key not in self._runs and not self._play.owns(event.key):
            return False
        self._events.setdefault(topic, {}).setdefault(event.key, []).append(event)
        if not isinstance(event, QUIET):
            self._count += 1
            self._last[event.key] = (self._count, event.type())
        return True

    def newest(self, *keys: str) -> str:
        """What was said last of these subjects: not by its time, which two facts may share."""
        return max((self._last.get(key, (0, "")) for key in keys), default=(0, ""))[1]

    def of(self, topic: Topic, key: str) -> list[Event]:
        """What was said of a subject."""
        return self._events.get(topic.name, {}).get(key, [])

    def everything(self, topic: Topic) -> list[Event]:
        """What was said on a topic."""
        return [one for events in self._events.get(topic.name, {}).values() for one in events]

    async def events_of(self, topic: Topic, keys: Collection[str]) -> dict[str, list[Event]]:
        """All events of these subjects."""
        return {key: self.of(topic, key) for key in keys}

    async def every(self, topic: Topic, *types: type[Event]) -> AsyncGenerator[Event, None]:
        """All events of a topic, or those of these types."""
        for event in self.everything(topic):
            if not types or isinstance(event, types):
                yield event


class Board:
    """What the director waits for and the screen shows."""

    def __init__(self, play: Play, began: float) -> None:
        self.play = play
        self.heard = Heard(play)
        self.source = Scanning(self.heard)
        self.first_validated: float | None = None  # seconds since the start
        self._began = began
        self._changed = asyncio.Condition()

    @property
    def seconds(self) -> float:
        """Since the start."""
        return time.monotonic() - self._began

    async def take(self, topic: str, event: Event) -> None:
        """Keep an event, and wake whoever waits."""
        if not self.heard.take(topic, event):
            return
        if isinstance(event, Validated) and self.first_validated is None:
            self.first_validated = self.seconds
        async with self._changed:
            self._changed.notify_all()

    async def until(self, look: Callable[[], object]) -> None:
        """Return once this is so."""
        async with self._changed:
            await self._changed.wait_for(lambda: bool(look()))

    def said(self, topic: Topic, kind: str, key: str | None = None) -> list[Event]:
        """The events of a type, of one subject or of all."""
        events = self.heard.everything(topic) if key is None else self.heard.of(topic, key)
        return [one for one in events if one.type() == kind]

    def cases_with(self, kind: str) -> set[str]:
        """The cases of whose runs this was said."""
        runs = {one.key for one in self.said(topics.RUN, kind)}
        asked = self.said(topics.RUN, RunRequested.type())
        return {o.case_id for o in asked if isinstance(o, RunRequested) and o.key in runs}

    async def rows(self) -> list[Row]:
        """A line for each run of an instrument, each sample, and each case of several samples."""
        rows = [self._of_run(one) for one in self.play.runs if self._newest(one)]
        rows += [await self._of_sample(one.sample_id) for one in self.play.cast.members]
        several = [case_id for case_id, samples in self.play.cases.items() if len(samples) > 1]
        return rows + [await self._of_case(one) for one in several]

    def _of_run(self, run: str) -> Row:
        lanes = self.play.cast.run.instrument.lanes if run == self.play.runs[0] else 1
        what = f"{lanes} lanes" if lanes > 1 else "the top-up of C"
        return Row(run, what, "", self._newest(run), "")

    async def _of_sample(self, name: str) -> Row:
        case_id = self.play.case_of(name)
        member = next(one for one in self.play.cast.members if one.sample_id == name)
        order = f"{case_id.removeprefix(self.play.prefix)[1:]}, {member.role}"
        events = self.heard.of(topics.SAMPLE, name)
        if not events:
            return Row(name, order, "", "", "nothing was heard of it yet")
        sample = samples.sample_of(name, events)
        case = cases.case_of(case_id, self.heard.of(topics.CASE, case_id))
        its_runs = await runs_of(self.source, case_id)
        is_ready = sample.is_through and case.ready is not None
        stage = cases.word(case, its_runs) if is_ready else samples.word(sample)
        told = await about_sample(self.source, name)
        waits = next((answer.says for _, answer in told.reasons if answer.is_waiting), "")
        return Row(name, order, stage, self._newest(name, *([case_id] if is_ready else [])), waits)

    async def _of_case(self, case_id: str) -> Row:
        events = self.heard.of(topics.CASE, case_id)
        members = ", ".join(name.rpartition("-")[2] for name in self.play.cases[case_id])
        if not events:
            return Row(case_id, members, "", "", "")
        stage = cases.word(cases.case_of(case_id, events), await runs_of(self.source, case_id))
        told = await about_case(self.source, case_id)
        waits = "; ".join(answer.says for _, answer in told.reasons if answer.is_waiting)
        return Row(case_id, members, stage, self._newest(case_id), waits)

    def _newest(self, *keys: str) -> str:
        runs = [
            one.key
            for one in self.said(topics.RUN, RunRequested.type())
            if isinstance(one, RunRequested) and one.case_id in keys
        ]
        return self.heard.newest(*keys, *runs)
