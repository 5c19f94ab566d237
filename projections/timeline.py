"""The timeline: everything that happened to a subject, in the order in which it was recorded."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from genoflow.projections.audit_trail import subject_id
from genoflow.projections.store import Connection
from genoflow.projections.within import STORY

ENTRIES_MAX = 1_000  # what one question returns; a sample of thirty-two lanes has some 300


# What a run says that matters to its samples; its tasks stand in its own timeline.
OF_RUNS = (
    "RunRequested", "RunSubmitted", "RunSucceeded", "RunFailed", "RunRetryRequested",
    "RunPriorityChanged", "RunPriorityKept",
    "RunCancelled", "RunLost", "RunSuperseded", "RunInputsInvalidated", "ResultsChecked",
    "ResultsHeld", "ResultsPublished", "ResultsAmended", "ResultsRetracted",
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


async def timeline_of(
    connection: Connection, subject: str, *, is_partial: bool = False
) -> list[Entry]:
    """Everything about a subject, what its runs came to, and their causes; oldest first.

    Where it is partial, only what is of the projects that the transaction is within.
    """
    rows = await connection.fetch(
        f"""
        with recursive runs as (
            select subject_id from live.events
            where type = 'RunRequested'
                and (payload @> $3::jsonb or payload @> $4::jsonb)
        ), story as (
            select * from live.events
            where subject_id = $1
                or (type = any($5::text[]) and subject_id in (select subject_id from runs))
            union
            select cause.* from live.events cause join story on cause.event_id = story.causation_id
        )
        select * from story where {STORY if is_partial else "true"}
        order by recorded_at, log_topic, log_partition, log_offset limit $2
        """,
        subject_id(subject),
        ENTRIES_MAX,
        json.dumps({"members": [{"sample_id": subject}]}),
        json.dumps({"case_id": subject}),
        OF_RUNS,
    )
    entries = [
        Entry(
            row["log_topic"], row["log_partition"], row["log_offset"], row["event_id"],
            row["type"], row["subject"], row["occurred_at"], row["recorded_at"],
            row["correlation_id"], row["causation_id"], row["producer"],
            json.loads(row["payload"]),
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
