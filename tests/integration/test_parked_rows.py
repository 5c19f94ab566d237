"""Rows of what is parked: the same answers as the log gives, however often it was parked."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from genoflow.deploy.parked import Parking, read_parkings
from genoflow.deploy.parked_requests import discard, requeue
from genoflow.events import topics
from genoflow.events.event import Event
from genoflow.events.event_discarded import EventDiscarded
from genoflow.events.event_parked import EventParked
from genoflow.events.file_landed import FileLanded
from genoflow.processors.flow import PROCESSORS
from genoflow.projections import parked
from genoflow.projections.audit_trail import vector_at
from tests.asked import landed, like
from tests.examples import someone
from tests.integration.rows import (
    Rows,
    all_pages,
    are_equal_in_pieces,
    moments_of,
    rows_of,
    uses_of,
)
from tests.partition import MOMENT
from tests.spec import heard

ROWS_OF = ("checksum-files", "validate-files")
EFFECT = UUID(int=3)


@pytest.fixture
async def rows(postgres_url: str) -> AsyncIterator[Rows]:
    async with rows_of(postgres_url, parked.Parked()) as opened:
        yield opened


async def given(rows: Rows, number: int = 1) -> tuple[Event, Any]:
    """A file, and where its landing stands."""
    event = heard(landed("R1", object_key=f"S7/{number}"))
    return event, await rows.log.append(event)


def parking(cause: Event, file: Event, place: Any, row: str, effect_id: UUID | None) -> EventParked:
    error = f"{place}: nobody answers"
    fact = like(
        EventParked, subject_key=file.key, processor=row, input_topic=place.topic,
        partition=place.partition, offset=place.offset, effect_id=effect_id,
        parked_event_id=file.envelope.event_id, parked_type="FileLanded", error=error,
        recorded_at=MOMENT,
    )  # fmt: skip
    later = cause.envelope.occurred_at + timedelta(minutes=1)
    bare = EventParked(**dict(fact))
    return cause.follow(bare, by=someone().model_copy(update={"service": row}), occurred_at=later)


async def both(rows: Rows) -> list[tuple[Parking, Any]]:
    """What the log says of everything that was parked, beside its row."""
    await rows.follow()
    found = await read_parkings(rows.log, PROCESSORS)
    return [(one, await parked.parking_of(rows.connection, one.event_id)) for one in found]


def agree(log: Parking, row: Any) -> None:
    word = "waits"
    if log.answer is not None:
        is_over = isinstance(log.answer.request, EventDiscarded)
        word = "discarded" if is_over else "requeued"
        assert row["answer_id"] == log.answer.request.envelope.event_id
        assert row["answered_by"] == log.answer.request.envelope.actor.id
    assert (row["state"], row["cause"]) == (word, log.error)
    assert (row["waits_for"] is None) == (log.answer is not None)
    assert (row["processor"], row["subject_key"]) == (log.address.processor, log.fact.subject_key)


def test_the_flow_says_what_is_used() -> None:
    assert {event.type() for event in uses_of(parked.Parked())} == parked.USES


async def test_what_is_parked_waits_until_a_person_answers(rows: Rows) -> None:
    file, place = await given(rows)
    await rows.tell(parking(file, file, place, "toy", None))
    [(log, row)] = await both(rows)
    agree(log, row)
    assert (row["state"], row["cause"], row["parked_type"]) == (
        "waits", "nobody answers", FileLanded.type(),
    )  # fmt: skip
    assert (row["input_topic"], row["input_offset"]) == (topics.SAMPLE.name, place.offset)
    then = await rows.tell()
    request = requeue(log, "a.b", "mended")
    await rows.tell(request, request)
    [(log, row)] = await both(rows)
    agree(log, row)
    assert (row["state"], row["answer_reason"], row["since"]) == (
        "requeued", "mended", request.envelope.occurred_at,
    )  # fmt: skip
    # It could not be taken this time either.
    await rows.tell(parking(request, file, place, "toy", None))
    moments = await moments_of(rows, 12)
    waits = []
    for moment in moments.all:
        at = await vector_at(rows.connection, moment)
        waits.append((await parked.count_parkings(rows.connection, at=at)).get(parked.WAITS, 0))
    assert await parked.course(rows.connection, moments) == waits
    assert (waits[0], waits[-1]) == (0, 1)
    for log, row in await both(rows):
        agree(log, row)
    ask: Any = {"connection": rows.connection}
    assert await parked.count_parkings(**ask) == {"requeued": 1, "waits": 1}
    assert await parked.count_parkings(**ask, at=then) == {"waits": 1}
    [(_, first), (last, _)] = await both(rows)
    assert first["state"] == "requeued"
    await rows.tell(discard(last, "c.d", "nobody needs it"))
    for log, row in await both(rows):
        agree(log, row)
    assert await parked.count_parkings(**ask, processor="toy") == {"discarded": 1, "requeued": 1}
    assert await parked.parking_of(rows.connection, UUID(int=1)) is None


@pytest.mark.parametrize("seed", range(4))
async def test_the_rows_say_what_the_log_says(rows: Rows, seed: int) -> None:
    """Events and effects of two processors, answered in any order, some parked again and again."""
    chance = random.Random(f"parked {seed}")
    told: list[tuple[Event, Event, Any, str, UUID | None]] = []
    for number in range(6):
        file, place = await given(rows, number)
        effect = chance.choice((None, EFFECT))
        told.append((file, file, place, chance.choice(ROWS_OF), effect))
    for one in told:
        await rows.log.append(parking(*one))
    for _ in range(14):
        log, row = chance.choice(await both(rows))
        agree(log, row)
        request = chance.choice((requeue, requeue, discard))(log, "a.b", "try")
        await rows.log.append(request)
        if chance.random() < 0.6:
            [about] = [one for one in told if one[2] == log.address.position]
            await rows.log.append(parking(request, *about[1:]))
    found = await both(rows)
    for log, row in found:
        agree(log, row)
    assert len({row["state"] for _, row in found}) > 1
    assert not await rows.set_aside()


async def test_rows_are_the_same_in_pieces(rows: Rows) -> None:
    file, place = await given(rows)
    first = parking(file, file, place, "toy", None)
    await rows.tell(first)
    [(log, _)] = await both(rows)
    request = requeue(log, "a.b", "try")
    again = parking(request, file, place, "toy", None)
    await are_equal_in_pieces(rows, [first, request, again, discard(log, "a.b", "no")], 1)


async def test_pages_and_filters(rows: Rows) -> None:
    for number in range(7):
        file, place = await given(rows, number)
        await rows.tell(parking(file, file, place, ROWS_OF[number % 2], None))
    seen = await all_pages(parked.list_parkings, rows.connection, parked.ORDER, 2)
    assert len({one["parked_id"] for one in seen}) == len(seen) == 7
    ask: Any = {"connection": rows.connection, "processor": ROWS_OF[0]}
    assert len(await parked.list_parkings(**ask, state="waits", subject_key="S7")) == 4
    assert await parked.list_parkings(**ask, state="requeued") == []
    assert await parked.count_parkings(**ask, input_topic=topics.CASE.name) == {}
