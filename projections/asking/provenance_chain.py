"""The events behind results: what led to them along the causes, and what became of them after."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Any
from uuid import UUID

from genoflow.events import topics
from genoflow.events.case_opened import CaseOpened
from genoflow.events.case_priority_changed import CasePriorityChanged
from genoflow.events.event import E, Event
from genoflow.events.file_assigned import FileAssigned
from genoflow.events.file_landed import FileLanded
from genoflow.events.log.recorded import Recorded
from genoflow.events.pipeline_published import PipelinePublished
from genoflow.events.proposal import Proposal
from genoflow.events.qc_overridden import QcOverridden
from genoflow.events.qc_profile_published import QcProfilePublished
from genoflow.events.read_set_registered import ReadSetRegistered
from genoflow.events.reference_published import ReferencePublished
from genoflow.events.rerun_requested import RerunRequested
from genoflow.events.results_amended import ResultsAmended
from genoflow.events.results_published import ResultsPublished
from genoflow.events.results_retracted import ResultsRetracted
from genoflow.events.run_cancelled import RunCancelled
from genoflow.events.run_inputs_invalidated import RunInputsInvalidated
from genoflow.events.run_superseded import RunSuperseded
from genoflow.events.target_set_published import TargetSetPublished
from genoflow.events.task_completed import TaskCompleted
from genoflow.events.task_failed import TaskFailed
from genoflow.projections.asking import provenance_parts as parts
from genoflow.projections.run_ranks import RANKS
from genoflow.projections.run_stages import RANK

# Besides its cause, an event names these as its grounds.
NAMED = (
    "verdict_event_id", "held_event_id", "overridden_event_id", "proposal_event_id",
    "published_event_id",
)  # fmt: skip
# What became of results: it follows from other stories, which did not lead to them.
AFTERWARDS = (ResultsAmended, RunSuperseded, ResultsRetracted, RunInputsInvalidated)
OF_THE_RUN: tuple[type[Event], ...] = (
    *RANK, *RANKS, RunInputsInvalidated, TaskCompleted, TaskFailed,
)  # fmt: skip
DID: dict[type[Event], str] = {
    CaseOpened: "ordered", RerunRequested: "asked for it again", QcOverridden: "overrode",
    ResultsPublished: "released", ResultsRetracted: "retracted", RunCancelled: "cancelled",
    CasePriorityChanged: "changed its priority",
    FileAssigned: "said whose file it is", FileLanded: "brought in",
    ReadSetRegistered: "brought in",
    **dict.fromkeys(
        (PipelinePublished, ReferencePublished, TargetSetPublished, QcProfilePublished), "published"
    ),
}  # fmt: skip
ANSWERED_FOR = (QcOverridden, ResultsPublished, ResultsRetracted)  # in the role that they name


class Known:
    """The records that were gathered, each fact once, found by its id or by what it says."""

    def __init__(self, run_id: str, records: Iterable[Recorded]) -> None:
        in_order = sorted(records, key=lambda one: one.position)
        self._by_id: dict[UUID, Recorded] = {}
        self._by_type: dict[type[Event], list[Any]] = defaultdict(list)
        self.story: list[Recorded] = []  # of the run
        for record in in_order:
            event = record.event
            if self._by_id.setdefault(event.envelope.event_id, record) is not record:
                continue
            self._by_type[type(event)].append(event)
            if (record.topic, record.key) == (topics.RUN.name, run_id):
                self.story.append(record)

    def of(self, kind: type[E], **says: object) -> Iterator[E]:
        """The facts of a type that say this, those about one subject in the order of the log."""
        for event in self._by_type[kind]:
            if all(getattr(event, name) == value for name, value in says.items()):
                yield event

    def record(self, event_id: UUID) -> Recorded | None:
        """The record of a fact."""
        return self._by_id.get(event_id)

    def fact(self, event_id: UUID) -> Event | None:
        """The fact of this id."""
        found = self._by_id.get(event_id)
        return found.event if found is not None else None


def chain_of(known: Known, grounds: Iterable[UUID]) -> tuple[list[parts.ChainEvent], list[UUID]]:
    """The run's own events, these grounds, and all that they follow from; and what is not here.

    Causes come before what follows from them.
    """
    own = [one.event for one in known.story if isinstance(one.event, OF_THE_RUN)]
    after = {one.envelope.event_id for one in own if isinstance(one, AFTERWARDS)}
    led: set[UUID] = set()
    missing: set[UUID] = set()
    waiting = [
        *(one.envelope.event_id for one in own if one.envelope.event_id not in after), *grounds,
    ]  # fmt: skip
    while waiting:
        event_id = waiting.pop()
        if event_id in led or event_id in missing:
            continue
        event = known.fact(event_id)
        if event is None:
            missing.add(event_id)
            continue
        led.add(event_id)
        waiting += _because_of(event)
    after -= led
    depths = _depths(known, led)
    found = [_link(known, one, one in led) for one in (*led, *after)]
    found.sort(
        key=lambda one: (
            one.recorded_at, depths.get(one.event_id, 0), one.topic, one.partition, one.offset
        )
    )  # fmt: skip
    return found, sorted(missing)


def decisions_of(known: Known, events: Sequence[parts.ChainEvent]) -> list[parts.Decided]:
    """What people decided on the way, and who placed the order."""
    found = []
    for one in events:
        event: Any = known.fact(one.event_id)
        if isinstance(event, Proposal):
            continue  # the fact that it became says the same
        if one.actor.kind != "person" and not isinstance(event, CaseOpened):
            continue
        role = getattr(event, "role", None)
        found.append(
            parts.Decided(
                did=DID.get(type(event), one.type), actor=one.actor,
                role=role if isinstance(event, ANSWERED_FOR) else None,
                reason=getattr(event, "reason", None), occurred_at=one.occurred_at,
                event_id=one.event_id,
            )
        )  # fmt: skip
    return found


def _because_of(event: Event) -> list[UUID]:
    cause = event.envelope.causation_id
    return [*([cause] if cause is not None else []), *_named(event)]


def _named(event: Event) -> list[UUID]:
    found = (getattr(event, name, None) for name in NAMED)
    return [one for one in found if one is not None]


def _depths(known: Known, led: set[UUID]) -> dict[UUID, int]:
    """How many steps lead to each, by which those of one millisecond are put in order."""
    depths: dict[UUID, int] = {}
    for start in led:
        way = [start]
        while way:
            event = known.fact(way[-1])
            assert event is not None
            causes = [one for one in _because_of(event) if one in led and one not in way]
            open_ones = [one for one in causes if one not in depths]
            if open_ones and way[-1] not in depths:
                way.append(open_ones[0])
                continue
            depths[way.pop()] = 1 + max((depths[one] for one in causes), default=0)
    return depths


def _link(known: Known, event_id: UUID, led: bool) -> parts.ChainEvent:
    record = known.record(event_id)
    assert record is not None
    event, envelope = record.event, record.event.envelope
    return parts.ChainEvent(
        event_id=event_id, type=envelope.type, schema_version=envelope.schema_version,
        subject=record.key, topic=record.topic, partition=record.partition, offset=record.offset,
        occurred_at=envelope.occurred_at, recorded_at=record.recorded_at,
        causation_id=envelope.causation_id, names=_named(event), actor=envelope.actor,
        producer=envelope.producer,
        sha256=hashlib.sha256(record.value or b"").hexdigest(), led_to_results=led,
    )  # fmt: skip
