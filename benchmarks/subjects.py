"""The read model that is measured: a row for each subject, which every event of it changes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from genoflow.events import topics
from genoflow.events.log.recorded import Recorded
from genoflow.projections.audit_trail import subject_id
from genoflow.projections.model import ReadModel
from genoflow.projections.row import Json, Row, Table, as_text, json_of


@dataclass(frozen=True, slots=True)
class SubjectRow(Row):
    """What is known of a subject."""

    subject_id: UUID
    subject: str
    type: str  # of its newest event, as are the ones below
    events: int
    began_at: datetime
    occurred_at: datetime
    correlation_id: UUID
    actor_id: str
    payload: Json


@dataclass(slots=True)
class Known:
    """What is folded of it."""

    events: int = 0
    began_at: datetime | None = None


class Subjects(ReadModel[Known]):
    """One row a subject, with every version of it."""

    name = "subjects"
    about = "every subject with its newest event"
    reads = (topics.SAMPLE, topics.RUN, topics.CASE, topics.NOTIFICATION, topics.SEQUENCING_RUN)
    tables = (Table("subjects", SubjectRow, ("subject_id",), indexes=("(type, subject_id)",)),)

    def begin(self, _: str) -> Known:
        """Nothing was heard."""
        return Known()

    def project(self, state: Known, record: Recorded) -> Iterable[Row]:
        """The row, with one event more."""
        event = record.event
        envelope = event.envelope
        state.events += 1
        state.began_at = state.began_at or envelope.occurred_at
        yield SubjectRow(
            subject_id=subject_id(f"{record.topic}/{record.key}"),
            subject=as_text(record.key),
            type=envelope.type,
            events=state.events,
            began_at=state.began_at,
            occurred_at=envelope.occurred_at,
            correlation_id=envelope.correlation_id,
            actor_id=as_text(envelope.actor.id),
            payload=json_of(event),
        )
