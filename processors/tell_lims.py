"""What became of samples and cases is told to the lab's information system, once each.

It is asked first whether it knows the fact, by the fact's id, and then told. A no of its own is a
fact; where it does not answer, the effect is tried again and then parked, like any other.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from genoflow.events import topics
from genoflow.events.errors import Parked
from genoflow.events.event import Event
from genoflow.events.lims_update_failed import LimsUpdateFailed
from genoflow.events.lims_updated import LimsUpdated
from genoflow.events.qc_failed import QcFailed
from genoflow.events.qc_overridden import QcOverridden
from genoflow.events.qc_passed import QcPassed
from genoflow.events.results_published import ResultsPublished
from genoflow.events.results_retracted import ResultsRetracted
from genoflow.events.topics import Topic
from genoflow.events.types import TEXT_CHARACTERS_MAX
from genoflow.processors.decision import NOTHING, Arguments, Decision, Effect
from genoflow.processors.ports import Attempt, LimsSaidNo, Report
from genoflow.processors.processor import Call, Processor
from genoflow.processors.repeated import Remembering, is_repeated, with_this

EFFECT = "update-lims"
PREFIX = "tell-lims-"
# One topic, one order: a row of the flow reads one of these.
TOLD: Mapping[Topic, tuple[type[Event], ...]] = {
    topics.SAMPLE: (QcPassed, QcFailed, QcOverridden),
    topics.RUN: (ResultsPublished, ResultsRetracted),
}


class Told(Remembering):
    """Which facts were heard."""


class Tell(Arguments):
    """One fact as it is sent."""

    subject_topic: str
    subject_key: str
    source_event_id: UUID
    source_type: str
    occurred_at: datetime
    body: str


def decide(state: Told, event: Event) -> Decision:
    """Tell each fact once."""
    if is_repeated(state, event):
        return NOTHING
    asked = Tell(
        subject_topic=event.topic,
        subject_key=event.key,
        source_event_id=event.envelope.event_id,
        source_type=event.type(),
        occurred_at=event.envelope.occurred_at,
        body=json.dumps(event.payload(), sort_keys=True, ensure_ascii=False),
    )
    return Decision(effects=(Effect(EFFECT, asked),))


def evolve(state: Told, event: Event) -> Told:
    """Keep which facts were heard."""
    return state if is_repeated(state, event) else Told(seen=with_this(state, event))


async def update_lims(asked: Tell, attempt: Attempt) -> Sequence[Event]:
    """Look whether it knows the fact, else send it: updated, or failed with what it said."""
    lims = attempt.ports.lims
    if lims is None:
        raise Parked(
            "update-lims: no LIMS is named; set GENOFLOW_LIMS for the workers, start them again, "
            "then `genoflow parked requeue`"
        )
    report = Report(
        asked.source_event_id, asked.source_type, asked.subject_key, asked.occurred_at, asked.body
    )
    said = {
        "subject_topic": asked.subject_topic,
        "subject_key": asked.subject_key,
        "source_event_id": asked.source_event_id,
        "source_type": asked.source_type,
    }
    try:
        if await lims.knows(report):
            return [LimsUpdated(**said, found_already=True)]
        is_sent = await lims.take(report)
    except LimsSaidNo as error:
        reason = str(error).replace("\x00", "")[:TEXT_CHARACTERS_MAX]
        return [LimsUpdateFailed(**said, reason=reason, response_code=error.response_code)]
    return [LimsUpdated(**said, found_already=False)] if is_sent else []


def tell_lims_of(topic: Topic) -> Processor:
    """The row that tells what happens on one topic."""
    return Processor(
        f"{PREFIX}{topic.name.split('.')[1]}",
        reads=topic,
        on=TOLD[topic],
        emits=(),
        decide=decide,
        evolve=evolve,
        state=Told,
        effects=(
            Call(
                EFFECT,
                arguments=Tell,
                emits=(LimsUpdated, LimsUpdateFailed),
                perform=update_lims,
                may_say_nothing=True,  # what is older than the lab wants to hear of is not sent
            ),
        ),
        about=f"tells the lab's information system what became of what stands on {topic.name}",
    )


TELL_LIMS = tuple(tell_lims_of(topic) for topic in TOLD)
