"""Rows of uploads: open, whole or given up; the list of them beside files that came otherwise."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest

from genoflow.events.envelope import Actor
from genoflow.events.errors import Refused
from genoflow.events.event import Event
from genoflow.events.upload_abandoned import UploadAbandoned
from genoflow.events.upload_initiated import UploadInitiated
from genoflow.projections import files, uploads
from tests.asked import landed, registered, rejected
from tests.integration.rows import Rows, are_equal_in_pieces, rows_of, uses_of
from tests.partition import MOMENT
from tests.spec import heard

PERSON = Actor(kind="person", id="pia")


@pytest.fixture
async def rows(postgres_url: str) -> AsyncIterator[Rows]:
    async with rows_of(postgres_url, files.Files(), uploads.Uploads()) as opened:
        yield opened


def upload(number: int) -> UUID:
    """The id of an upload."""
    return UUID(int=number, version=5)


def place(number: int) -> dict[str, str]:
    """Where it is."""
    return {"bucket": "raw", "object_key": f"uploads/{number}"}


def at(hours: float, fact: Event) -> Event:
    """The fact, so many hours after the first moment, stated by a person."""
    said = heard(fact, MOMENT + timedelta(hours=hours))
    return said.enveloped(said.envelope.model_copy(update={"actor": PERSON}))


def begun(number: int, hours: float = 0.0) -> Event:
    """An upload that is begun."""
    fact = UploadInitiated(
        sample_id="S7", upload_id=upload(number), **place(number), store_upload_id="m",
        filename=f"S7_{number}.fastq", size_bytes=9, part_bytes=5 * 1024**2, format="FASTQ",
        role="R1", read_set_id="up-7", declared_sha256="0" * 64, sequenced_on=date(2026, 3, 1),
    )  # fmt: skip
    return at(hours + number, fact)


def given_up(number: int) -> Event:
    """One of them is given up."""
    return at(
        number + 2,
        UploadAbandoned(sample_id="S7", upload_id=upload(number), **place(number), reason="late"),
    )


def whole(number: int) -> Event:
    """One of them is whole."""
    return at(number + 1, landed("R1", **place(number), version_id="v1"))


async def row(rows: Rows, number: int) -> dict[str, Any]:
    """What is known of an upload."""
    found = await uploads.begun_upload(rows.connection, upload(number))
    assert found is not None
    return found


async def states(rows: Rows, **asked: Any) -> list[tuple[str, str]]:
    """The name and the status of each upload in the list."""
    found = await uploads.list_uploads(rows.connection, **asked)
    return [(one["filename"], one["status"]) for one in found]


def test_the_flow_tells_what_it_reads() -> None:
    assert uses_of(uploads.Uploads()) == set(uploads._TAKES)


async def test_an_upload_goes_from_its_first_word_to_its_end(rows: Rows) -> None:
    await rows.tell(begun(1), begun(2), begun(3), begun(1, 9.0))
    assert (await row(rows, 1))["initiated_at"] == MOMENT + timedelta(hours=1)
    assert (await row(rows, 1))["sequenced_on"] == "2026-03-01"
    assert await uploads.count_open(rows.connection) == 3
    await rows.tell(whole(1), given_up(2), given_up(1))
    found = await row(rows, 1)
    assert (found["state"], found["version_id"], found["reason"]) == ("landed", "v1", None)
    found = await row(rows, 2)
    assert (found["state"], found["reason"]) == ("abandoned", "late")
    await rows.tell(whole(2))  # its porch was late to say it
    assert (await row(rows, 2))["state"] == "landed"
    assert await uploads.count_open(rows.connection, "pia") == 1
    assert await uploads.count_open(rows.connection, "paul") == 0


async def test_the_list_has_each_upload_once_and_files_that_came_otherwise(rows: Rows) -> None:
    await rows.tell(registered(), *(begun(number) for number in range(1, 4)))
    await rows.tell(whole(1), given_up(2), heard(landed("R2", object_key="in/x.fastq"), MOMENT))
    expected = [("S7_3.fastq", "initiated"), ("S7_2.fastq", "failed"),
                ("S7_1.fastq", "uploaded"), ("in/x.fastq", "uploaded")]  # fmt: skip
    assert sorted(await states(rows)) == sorted(expected)
    wrong = type(rejected("R1"))(**dict(rejected("R1")) | place(1) | {"version_id": "v1"})
    await rows.tell(heard(wrong, MOMENT + timedelta(hours=9)))
    expected[2] = ("S7_1.fastq", "validation_failed")
    everything = await states(rows)
    assert sorted(everything) == sorted(expected)
    paged: list[tuple[str, str]] = []
    while some := await states(rows, limit=1, offset=len(paged)):
        paged += some
    assert paged == everything
    for word in uploads.WORDS:
        assert await states(rows, status=word) == [one for one in everything if one[1] == word]
    mine = await states(rows, by="pia")
    assert mine == [one for one in everything if one[0] != "in/x.fastq"]
    for limit, offset in ((0, 0), (1_001, 0), (1, -1), (1, 10_001)):
        with pytest.raises(Refused):
            await uploads.list_uploads(rows.connection, limit=limit, offset=offset)


async def test_the_past_stays_as_it_was(rows: Rows) -> None:
    then = await rows.tell(begun(1))
    await rows.tell(whole(1))
    assert await states(rows, at=then) == [("S7_1.fastq", "initiated")]
    found = await uploads.begun_upload(rows.connection, upload(1), at=then)
    assert (found or {})["state"] == "initiated"


@pytest.mark.parametrize("seed", range(2))
async def test_pieces_give_the_same_rows(rows: Rows, seed: int) -> None:
    story: Sequence[Event] = [
        event
        for number in range(1, 30)
        for event in (begun(number), [whole, given_up][number % 2](number))
    ]
    await are_equal_in_pieces(rows, story, seed)
    assert await rows.set_aside() == []
