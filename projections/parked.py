"""What is parked: events and effects that a processor could not take, and what people decided."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from genoflow.events import topics
from genoflow.events.event_discarded import EventDiscarded
from genoflow.events.event_parked import EventParked
from genoflow.events.event_requeued import EventRequeued
from genoflow.events.identity import derived_id
from genoflow.events.log.port import Vector
from genoflow.events.log.recorded import Position, Recorded
from genoflow.projections.as_of import relation
from genoflow.projections.course import Moments, course_between
from genoflow.projections.model import ReadModel
from genoflow.projections.paging import LIMIT_DEFAULT, Found, Where, page
from genoflow.projections.row import Row, Table, as_text
from genoflow.projections.store import Connection

WAITS, REQUEUED, DISCARDED = "waits", "requeued", "discarded"
A_PERSON = "a person to requeue or discard it"


@dataclass(frozen=True, slots=True)
class ParkingRow(Row):
    """One time that something was parked; a query adds the answer."""

    parked_id: UUID
    parked_at: datetime
    caused_by: UUID | None
    processor: str
    processor_version: str
    input_topic: str
    input_partition: int
    input_offset: int
    effect_id: UUID | None  # the effect that failed, where the event itself was taken
    subject_key: str
    parked_event_id: UUID | None
    parked_type: str | None
    taken_at: datetime  # when the log took what is parked
    error_class: str
    cause: str
    value_size_bytes: int


@dataclass(frozen=True, slots=True)
class ParkingAnswerRow(Row):
    """What a person decided about something parked."""

    answer_id: UUID
    word: str
    answered_at: datetime
    processor: str
    input_topic: str
    input_partition: int
    input_offset: int
    effect_id: UUID | None
    subject_key: str
    parks_again_id: UUID  # the id of the EventParked that may follow from it
    answered_by: str
    role: str | None
    reason: str
    is_edited: bool


PARKINGS = Table(
    "parkings", ParkingRow, ("parked_id",), is_append_only=True,
    indexes=("(parked_at, parked_id)", "(input_topic, subject_key)", "(processor, parked_at)"),
)  # fmt: skip
ANSWERS = Table(
    "parking_answers", ParkingAnswerRow, ("answer_id",), is_append_only=True,
    indexes=("(input_topic, input_partition, input_offset, processor)",),
)  # fmt: skip


class Parked(ReadModel[None]):
    """A row each time that something was parked, and a row an answer, each of its own event."""

    name = "parked"
    about = "what a processor could not take, why, and what people decided about it"
    reads = topics.TOPICS
    has_state = False
    tables = (PARKINGS, ANSWERS)

    def begin(self, _: str) -> None:
        """Nothing: what belongs together is found by a query."""

    def project(self, _: None, record: Recorded) -> Iterable[Row]:
        """The row of this event, where it is about something parked."""
        if record.type not in USES:
            return
        event = record.event
        if isinstance(event, EventParked):
            yield _parking(event)
        elif isinstance(event, EventRequeued | EventDiscarded):
            yield _answer(event)


USES = {event.type() for event in (EventParked, EventRequeued, EventDiscarded)}


def _parking(event: EventParked) -> ParkingRow:
    envelope = event.envelope
    position = Position(event.input_topic, event.partition, event.offset)
    return ParkingRow(
        parked_id=envelope.event_id, parked_at=envelope.occurred_at,
        caused_by=envelope.causation_id, processor=event.processor,
        processor_version=event.processor_version, input_topic=event.input_topic,
        input_partition=event.partition, input_offset=event.offset, effect_id=event.effect_id,
        subject_key=as_text(event.subject_key), parked_event_id=event.parked_event_id,
        parked_type=event.parked_type, taken_at=event.recorded_at, error_class=event.error_class,
        cause=as_text(event.error.removeprefix(f"{position}: ")),
        value_size_bytes=event.value_size_bytes,
    )  # fmt: skip


def _answer(event: EventRequeued | EventDiscarded) -> ParkingAnswerRow:
    envelope = event.envelope
    is_requeued = isinstance(event, EventRequeued)
    return ParkingAnswerRow(
        answer_id=envelope.event_id, word=REQUEUED if is_requeued else DISCARDED,
        answered_at=envelope.occurred_at, processor=event.processor,
        input_topic=event.subject_topic, input_partition=event.partition,
        input_offset=event.offset, effect_id=event.effect_id,
        subject_key=as_text(event.subject_key),
        parks_again_id=derived_id(
            envelope.event_id, event.processor, EventParked.type(), event.subject_key
        ),
        answered_by=as_text(envelope.actor.id), role=event.role, reason=as_text(event.reason),
        is_edited=isinstance(event, EventRequeued) and event.value is not None,
    )  # fmt: skip


# -- queries

# The answer is the first one behind the request because of which it was parked this time. All
# requests about one place stand on one partition, so their offsets are their order.
_TOLD = f"""
select p.*, coalesce(a.word, '{WAITS}') as state, coalesce(a.answered_at, p.parked_at) as since,
    case when a.word is null then '{A_PERSON}' end as waits_for,
    a.recorded_at as answer_recorded_at,
    a.answer_id, a.answered_by, a.role as answered_as, a.reason as answer_reason, a.is_edited
from (select * from {{parkings}}) p
left join lateral (
    select min(q.log_offset) as log_offset from (select * from {{answers}}) q
    where {{same}} and (q.answer_id = p.caused_by or q.parks_again_id = p.parked_id)
) asked on true
left join lateral (
    select q.* from (select * from {{answers}}) q
    where {{same}} and q.log_offset > coalesce(asked.log_offset, -1)
    order by q.log_offset limit 1
) a on true
"""
_SAME = " and ".join(
    f"q.{name} = p.{name}"
    for name in ("input_topic", "input_partition", "input_offset", "processor")
)
ORDER = ("parked_at", "parked_id")


def _select(at: Vector | None) -> str:
    told = _TOLD.format(
        parkings=relation(PARKINGS, at), answers=relation(ANSWERS, at),
        same=f"{_SAME} and q.effect_id is not distinct from p.effect_id",
    )  # fmt: skip
    return f"select * from ({told}) found"


async def course(connection: Connection, moments: Moments) -> list[int]:
    """How much waited for a person at each moment."""
    select = f"select recorded_at as began, answer_recorded_at as ended from ({_select(None)}) told"
    return await course_between(connection, select, moments)


async def parking_of(
    connection: Connection, parked_id: UUID, *, at: Vector | None = None
) -> Found | None:
    """One time that something was parked, with its answer."""
    where = Where().add("parked_id = {}", parked_id)
    found = await page(connection, _select(at), where, ORDER, after=None, limit=1)
    return found[0] if found else None


async def ids_of(connection: Connection, word: str) -> list[UUID]:
    """What was parked under an id that begins with this, or at this position."""
    rows = await connection.fetch(
        f"select parked_id from {relation(PARKINGS, None)} "
        f"where starts_with(parked_id::text, lower($1)) "
        f"or input_topic || '[' || input_partition || ']@' || input_offset = $1", word,
    )  # fmt: skip
    return [row["parked_id"] for row in rows]


def _where(
    state: str | None, processor: str | None, input_topic: str | None, subject_key: str | None
) -> Where:
    return (
        Where().add("state = {}", state).add("processor = {}", processor)
        .add("input_topic = {}", input_topic).add("subject_key = {}", subject_key)
    )  # fmt: skip


async def list_parkings(
    connection: Connection,
    *,
    state: str | None = None,
    processor: str | None = None,
    input_topic: str | None = None,
    subject_key: str | None = None,
    after: Sequence[Any] | None = None,
    limit: int = LIMIT_DEFAULT,
    at: Vector | None = None,
) -> list[Found]:
    """What was parked, the newest first."""
    where = _where(state, processor, input_topic, subject_key)
    return await page(
        connection, _select(at), where, ORDER, after=after, limit=limit, newest_first=True
    )


async def count_parkings(
    connection: Connection,
    *,
    processor: str | None = None,
    input_topic: str | None = None,
    subject_key: str | None = None,
    at: Vector | None = None,
) -> dict[str, int]:
    """How much waits, was requeued, and was discarded."""
    where = _where(None, processor, input_topic, subject_key)
    rows = await connection.fetch(
        f"select state, count(*) as number from ({_select(at)} {where}) counted "
        f"group by state order by state", *where.values,
    )  # fmt: skip
    return {row["state"]: row["number"] for row in rows}
