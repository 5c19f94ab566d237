"""Seeded histories of what a row reads: any row, made from its types, with its branches in reach.

Subjects are few, so that their states grow; time goes on by hours, and now and then something old
arrives late. A deadline that the row sets, or that stands in the history, may pass or be cancelled;
deadlines bear few names, so that they move. What the row says itself comes back by itself.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from genoflow.events import topics
from genoflow.events.deadline_cancelled import DeadlineCancelled
from genoflow.events.deadline_passed import DeadlinePassed
from genoflow.events.deadline_set import DeadlineSet
from genoflow.events.event import E, Event
from genoflow.events.file_assigned import FileAssigned
from genoflow.events.file_landed import FileLanded, unassigned_key
from genoflow.events.on_subject import OnSubject
from genoflow.events.run_or_sample import RunOrSample
from genoflow.events.sequencing_run_failed import SequencingRunFailed
from genoflow.processors.ledger import OpenEffect
from genoflow.processors.ports import JobOrder
from genoflow.processors.processor import Bytes, Call, EffectKind, Job, Processor, Timer
from tests import lessons
from tests.answering import answering, outcome_of
from tests.examples import example
from tests.partition import MOMENT, Partition

KEYS = ("K1", "K2", "K3")
KEYS_OF = {
    topics.RUN: tuple(str(UUID(int=number, version=5)) for number in (1, 2, 3)),
    topics.NOTIFICATION: (*KEYS, "K4", "K5", "K6"),  # more of them than channels
    topics.ALERT: tuple(str(UUID(int=number, version=5)) for number in (4, 5, 6)),
    topics.CONTENT: tuple(str(number) * 64 for number in (1, 2, 3)),
}
LENGTH = 40
STEP_HOURS_MAX = 9.0
LATE_SHARE = 0.15  # of the events arrive when newer ones have been heard
LATE_HOURS = 60.0
DEADLINE_HOURS = 50.0
CANCELLED_LESS = 0.6  # or little would be left that passes
FAILED_LESS = 0.8  # or hardly a run would come to its end


def placed(event: E, topic: topics.Topic, key: str, at: datetime) -> E:
    """The same fact about this subject, at this time."""
    fields: dict[str, Any] = dict(event)
    if isinstance(event, OnSubject):
        fields |= {"subject_topic": topic.name, "subject_key": key}
    elif isinstance(event, RunOrSample | FileLanded):
        of_sample = topic is topics.SAMPLE
        fields["sample_id"] = key if of_sample else None
        fields["instrument_run_id"] = fields["instrument_run_id"] if of_sample else key
    elif isinstance(event, FileAssigned):
        fields |= {"bucket": "raw", "object_key": key}
        key = unassigned_key("raw", key)
    else:
        fields[event.about.key] = key
    made = type(event)(**fields)
    assert (made.topic, made.key) == (topic.name, key), (
        f"{event.type()} cannot be put under {key} on {topic.name}; teach `placed` how"
    )
    return made.enveloped(event.envelope.model_copy(update={"subject": key, "occurred_at": at}))


def history(row: Processor, seed: int, length: int = LENGTH) -> list[Event]:
    """What a row might read, in order; the same seed gives the same history."""
    return _Maker(row, seed).make(length)


class _Maker:
    def __init__(self, row: Processor, seed: int) -> None:
        self._row = row
        self._seed = seed
        self._random = random.Random(f"{row.name}/{seed}")
        self._partition = Partition(row)  # to learn which deadlines the row sets
        self._now = MOMENT
        own = () if row.name in lessons.HOPS else row.said
        self._kinds = [kind for kind in (*row.on, *row.folds) if kind not in own]
        self._keys = KEYS_OF.get(row.reads, KEYS)

    def make(self, length: int) -> list[Event]:
        made: list[Event] = []
        for number in range(length):
            event = self._next(number, made)
            made.append(event)
            self._partition.put(event)
            self._partition.work()
        return made

    def _next(self, number: int, made: Sequence[Event]) -> Event:
        self._now += timedelta(hours=self._random.random() * STEP_HOURS_MAX)
        key = self._random.choice(self._keys)
        kind = self._random.choice(self._kinds)
        known = [e for e in (*made, *self._partition.said) if isinstance(e, DeadlineSet)]
        of_key = [deadline for deadline in known if deadline.key == key]
        if of_key and DeadlinePassed in self._kinds and self._random.random() < 0.3:
            kind = DeadlinePassed
        if kind is SequencingRunFailed and self._random.random() < FAILED_LESS:
            kind = self._random.choice([one for one in self._kinds if one is not kind])
        if kind is DeadlineCancelled and self._random.random() < CANCELLED_LESS:
            kind = DeadlineSet
        late = timedelta(hours=self._random.random() * LATE_HOURS)
        at = self._now - late if self._random.random() < LATE_SHARE else self._now
        bare = example(kind, self._seed * 10_000 + number)
        if kind in (DeadlinePassed, DeadlineCancelled) and of_key:
            bare = _about(bare, self._random.choice(of_key[-2:]))
            if isinstance(bare, DeadlinePassed):
                at = self._now = max(self._now, bare.due_at)
        elif isinstance(bare, DeadlineSet):
            due_at = at + timedelta(hours=LATE_HOURS + self._random.random() * DEADLINE_HOURS)
            named = self._random.choice(("answer", "question"))
            bare = _changed(bare, processor="someone", deadline=named, due_at=due_at)
        bare = lessons.taught(self._row, bare, self._random)
        bare = answering(bare, [e for e in (*made, *self._partition.said) if e.key == key])
        return placed(bare, self._row.reads, key, at)


def _changed(event: Event, **fields: Any) -> Event:
    return type(event)(**dict(event) | fields).enveloped(event.envelope)


def _about(event: Event, deadline: DeadlineSet) -> Event:
    same = {name: getattr(deadline, name) for name in ("processor", "deadline")}
    same["deadline_id"] = deadline.envelope.event_id
    if isinstance(event, DeadlinePassed):
        same |= {"purpose": deadline.purpose, "due_at": deadline.due_at}
    return _changed(event, **same)


# -- effects, pretended: the same id has the same outcome, whoever does it and how often


def pretended(row: Processor, effect: OpenEffect) -> list[Event]:
    """An outcome of an effect, made from its id alone."""
    kind = next(kind for kind in row.effects if kind.name == effect.name)
    if isinstance(kind, Timer):
        return list(kind.passed(kind.arguments(**effect.arguments)))
    number = effect.effect_id.int
    made = outcome_of(example(kind.emits[number % len(kind.emits)], number), effect)
    topic = lessons.HOPS.get(row.name, row.reads)
    if isinstance(made, OnSubject) or topic in made.about.topics:
        return [placed(made, topic, effect.subject_key, MOMENT)]
    return [made]


def pretending(row: Processor, find: Callable[[Any], OpenEffect]) -> Processor:
    """The row with its effects pretended; `find` knows the open effect of an attempt's id."""
    return replace(row, effects=tuple(_pretending(row, kind, find) for kind in row.effects))


def _pretending(row: Processor, kind: EffectKind, find: Callable[[Any], OpenEffect]) -> EffectKind:
    if isinstance(kind, Call):

        async def perform(_arguments: Any, attempt: Any) -> Sequence[Event]:
            return pretended(row, find(attempt.effect_id))

        return replace(kind, perform=perform)
    if isinstance(kind, Bytes):
        return replace(kind, perform=lambda _, attempt: pretended(row, find(attempt.effect_id)))
    if isinstance(kind, Job):
        return replace(
            kind,
            order=lambda _: JobOrder(("pretend",)),
            lost=None,  # what another effect begins is pretended, too
            collect=lambda arguments, _: pretended(row, find(arguments)),
        )
    return kind
