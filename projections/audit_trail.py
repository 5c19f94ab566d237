"""The audit trail: every event as it stands on the log, its bytes too, for all who ask or fold."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any
from uuid import UUID

from genoflow.events.codec import HEADER_SEAL, Codec, header
from genoflow.events.log.port import Vector
from genoflow.events.log.recorded import EPOCH, Recorded
from genoflow.events.topics import TOPICS
from genoflow.projections.model import ReadModel
from genoflow.projections.row import Json, Row, Table, as_text, json_of
from genoflow.projections.store import Connection

RECORD = "log_topic, log_partition, log_offset, recorded_at, subject, value, seal"
EVENTS_OF_SUBJECTS = f"""
select {RECORD} from {{schema}}.events
where log_topic = $1 and subject_id = any($2::uuid[]) and log_offset < $3
order by log_partition, log_offset
"""
OFFSET_MAX = 2**63 - 1
SUBJECTS_KEPT_MAX = 10_000  # as many as states are; 200 bytes each are 2 MB


@lru_cache(maxsize=SUBJECTS_KEPT_MAX)
def subject_id(key: str) -> UUID:
    """The short name of a subject, by which its events are found."""
    return UUID(bytes=hashlib.md5(as_text(key).encode(), usedforsecurity=False).digest())


@dataclass(frozen=True, slots=True)
class EventRow(Row):
    """One event: what a query may ask for as columns, the whole of it as it was written."""

    type: str
    subject: str
    subject_id: UUID  # a key may be too long for an index
    occurred_at: datetime
    correlation_id: UUID
    causation_id: UUID | None
    actor_kind: str
    actor_id: str
    producer: str
    producer_version: str
    payload: Json
    value: bytes
    seal: bytes | None


# Each index costs every event about 1 µs, so each has a query that cannot do without it. The key
# serves whoever has an event's id: one event, its causes, what is parked.
AUDIT_TRAIL = Table(
    "events", EventRow, ("event_id", "log_topic", "subject_id"), is_append_only=True,
    indexes=(
        # Folding, `why`, the newest event of each line of a list; the topic comes second, so that
        # timelines and searches, which name the subject alone, need no index of their own.
        "(subject_id, log_topic, log_offset)",
        "(type, recorded_at)",  # searches by type; the runs in a timeline
        "(recorded_at)",  # pages of a search, the newest moment, where the log was at a time
        "(correlation_id)",  # searches
        "(causation_id)",  # consequences in a lineage, searches
        "(log_topic, log_partition, log_offset)",  # streams, cursors, a topic from end to end
        "using gin (payload jsonb_path_ops) where type = 'RunRequested'",  # runs of a case
    ),
)  # fmt: skip


class AuditTrail(ReadModel[None]):
    """One row an event and subject: a repetition finds its row and leaves it.

    The same fact may stand under two keys: a file that lands without a sample, and again for one.
    """

    name = "audit-trail"
    about = "every event with who, when and because of what"
    reads = TOPICS
    has_state = False
    tables = (AUDIT_TRAIL,)

    def begin(self, _: str) -> None:
        """Nothing: an event is its own row."""

    def project(self, _: None, record: Recorded) -> Iterable[Row]:
        """The row of this event."""
        event = record.event
        envelope = event.envelope
        yield EventRow(
            type=envelope.type,
            subject=as_text(record.key),
            subject_id=subject_id(record.key),
            occurred_at=envelope.occurred_at,
            correlation_id=envelope.correlation_id,
            causation_id=envelope.causation_id,
            actor_kind=envelope.actor.kind,
            actor_id=as_text(envelope.actor.id),
            producer=envelope.producer.service,
            producer_version=as_text(envelope.producer.version),
            payload=json_of(event),
            value=record.value or b"",
            seal=header(record.headers, HEADER_SEAL),
        )


async def recorded_events(
    connection: Connection,
    codec: Codec,
    topic: str,
    keys: Sequence[str],
    before: int = OFFSET_MAX,
    *,
    schema: str = "live",
) -> list[Recorded]:
    """The events of these subjects of a topic below an offset, each once, as the log had them."""
    rows = await connection.fetch(
        EVENTS_OF_SUBJECTS.format(schema=schema), topic, list(map(subject_id, keys)), before
    )
    return [recorded(row, codec) for row in rows]


def recorded(row: Any, codec: Codec) -> Recorded:
    """The record in a row of these columns."""
    seal = [(HEADER_SEAL, row["seal"])] if row["seal"] is not None else []
    return Recorded(
        row["log_topic"], row["log_partition"], row["log_offset"],
        round((row["recorded_at"] - EPOCH).total_seconds() * 1_000), row["subject"].encode(),
        row["value"], seal, codec,
    )  # fmt: skip


async def vector_at(connection: Connection, time: datetime) -> Vector:
    """Where every partition was at a recorded time: the offset behind its last event until then."""
    rows = await connection.fetch(
        """
        select log_topic, log_partition, max(log_offset) + 1 as next_offset from live.events
        where recorded_at <= $1 group by log_topic, log_partition
        """,
        time,
    )
    return {(row["log_topic"], row["log_partition"]): row["next_offset"] for row in rows}
