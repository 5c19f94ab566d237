"""The timeline: everything that happened to a subject, in the order in which it was recorded."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from genoflow.events.log.recorded import Recorded
from genoflow.projections.store import Connection

ENTRIES_MAX = 1_000  # what one question returns; a sample of thirty-two lanes has some 300


# What a run says that matters to its samples; its tasks stand in its own timeline.
OF_RUNS = (
    "RunRequested", "RunSubmitted", "RunSucceeded", "RunFailed", "RunCancelled", "RunLost",
    "RunSuperseded", "RunInputsInvalidated", "ResultsChecked", "ResultsHeld", "ResultsPublished",
    "ResultsAmended", "ResultsRetracted",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a timeline."""

    topic: str
    partition: int
    offset: int
    event_id: UUID
    type: str
    subject: str
    occurred_at: datetime
    recorded_at: datetime
    correlation_id: UUID
    causation_id: UUID | None
    producer: str
    payload: dict[str, Any]


class Timeline:
    """One row an event, keyed by its id: a repetition finds its row and leaves it."""

    name = "timeline"
    tables: tuple[str, ...] = ("timeline",)
    schema = """
        create table if not exists timeline (
            event_id       uuid primary key,
            topic          text not null,
            partition      integer not null,
            log_offset     bigint not null,
            type           text not null,
            subject        text not null,
            occurred_at    timestamptz not null,
            recorded_at    timestamptz not null,
            correlation_id uuid not null,
            causation_id   uuid,
            producer       text not null,
            payload        jsonb not null
        );
        create index if not exists timeline_subject on timeline (subject, recorded_at);
        create index if not exists timeline_runs on timeline using gin (payload jsonb_path_ops)
            where type = 'RunRequested'
    """

    async def write(self, connection: Connection, records: Sequence[Recorded]) -> None:
        """Insert the rows of these records that are not there yet."""
        await connection.executemany(
            """
            insert into timeline values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
            on conflict (event_id) do nothing
            """,
            [row_of(record) for record in records],
        )


def row_of(record: Recorded) -> tuple[Any, ...]:
    """The row of one record."""
    event = record.event
    envelope = event.envelope
    return (
        envelope.event_id, record.topic, record.partition, record.offset, envelope.type,
        envelope.subject, envelope.occurred_at, record.recorded_at, envelope.correlation_id,
        envelope.causation_id, envelope.producer.service, json.dumps(event.payload()),
    )  # fmt: skip


async def timeline_of(connection: Connection, subject: str) -> list[Entry]:
    """Everything about a subject, what its runs came to, and their causes; oldest first."""
    rows = await connection.fetch(
        """
        with recursive runs as (
            select subject from timeline
            where type = 'RunRequested'
                and (payload @> $3::jsonb or payload @> $4::jsonb)
        ), story as (
            select * from timeline
            where subject = $1
                or (type = any($5::text[]) and subject in (select subject from runs))
            union
            select cause.* from timeline cause join story on cause.event_id = story.causation_id
        )
        select * from story order by recorded_at, topic, partition, log_offset limit $2
        """,
        subject,
        ENTRIES_MAX,
        json.dumps({"members": [{"sample_id": subject}]}),
        json.dumps({"case_id": subject}),
        OF_RUNS,
    )
    entries = [
        Entry(
            row["topic"], row["partition"], row["log_offset"], row["event_id"], row["type"],
            row["subject"], row["occurred_at"], row["recorded_at"], row["correlation_id"],
            row["causation_id"], row["producer"], json.loads(row["payload"]),
        )
        for row in rows
    ]  # fmt: skip
    return _causes_first(entries)


def _causes_first(entries: list[Entry]) -> list[Entry]:
    # The log counts milliseconds: what two topics took in the same one is ordered by its causes.
    by_id = {entry.event_id: entry for entry in entries}

    def causes(entry: Entry) -> int:
        count, cause = 0, by_id.get(entry.causation_id) if entry.causation_id else None
        while cause is not None:
            count += 1
            cause = by_id.get(cause.causation_id) if cause.causation_id else None
        return count

    return sorted(entries, key=lambda entry: (entry.recorded_at, causes(entry)))
