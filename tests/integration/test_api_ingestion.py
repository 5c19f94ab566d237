"""Uploads over HTTP: how far each is, all of them page by page, and whose they are."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any
from uuid import uuid5

import pytest

from genoflow.api.identity.permissions import Permission, Role
from genoflow.events.envelope import Actor, Producer
from genoflow.events.event import Event
from genoflow.events.file_finding import FileFinding
from genoflow.events.log.memory import MemoryLog
from genoflow.projections.files import OFFSET_MAX
from tests.asked import joined, landed, read_set, rejected, validated
from tests.doors import Door, refused
from tests.integration.rows_over_http import ask, door_over, every, first, follow, log_of
from tests.partition import MOMENT
from tests.sample_stories import ASSIGNED, GIVEN_UP, LOOSE, SUMMED, TRIED
from tests.spec import heard

UPLOADED = (joined(), read_set(), landed("R1", object_key="in/box/S7_R1.fastq.gz"))
FIELDS_OF_SEED = {
    "upload_id", "status", "progress_percentage", "validation_results", "error_message",
}  # fmt: skip


@pytest.fixture
async def log() -> AsyncIterator[MemoryLog]:
    async with log_of() as there:
        yield there


@pytest.fixture
async def door(tables_url: str, log: MemoryLog) -> AsyncIterator[Door]:
    async with door_over(tables_url, log) as there:
        yield there


def of_upload(fact: Any, number: int) -> Event:
    """The fact about a version of a file that landed after so many others."""
    mine = {"object_key": "in/box/S7_R1.fastq.gz", "version_id": str(number)}
    its: Event = type(fact)(**dict(fact) | mine)
    return heard(its, MOMENT + timedelta(hours=number))


SHORT = {
    "code": "bgzf-truncated", "severity": "error", "message": "it ends inside a block",
    "line": None, "record": None, "byte": 1_234,
}  # fmt: skip
CUT = rejected("R1").model_copy(update={"findings": (FileFinding(**SHORT),), "errors": 1})
STORIES: tuple[tuple[tuple[Event, ...], str, int, str | None], ...] = (
    ((), "uploaded", 0, None),
    ((SUMMED,), "uploaded", 50, None),
    ((TRIED,), "processing", 50, "try 2 of 5: store unavailable: no answer"),
    ((GIVEN_UP,), "failed", 100, "try 5 of 5: "),
    ((CUT,), "failed", 100, "truncated: it ends inside a block."),
    ((validated("R1"),), "completed", 100, None),
)


async def test_an_upload_is_followed_from_its_first_byte_to_its_end(
    door: Door, log: MemoryLog
) -> None:
    headers = await door.bearer("vera", Role.LAB_TECHNICIAN)
    for number, (facts, status, progress, message) in enumerate(STORIES):
        it = of_upload(landed("R1"), number)
        await follow(door, log, it, *(of_upload(fact, number) for fact in facts))
        found = await ask(door, headers, f"/ingestion/upload/{it.envelope.event_id}")
        assert set(found) > FIELDS_OF_SEED
        assert (found["status"], found["progress_percentage"]) == (status, progress)
        said = found["error_message"]
        assert said is None if message is None else said.startswith(message)
        assert found["file_path"] == "s3://raw/in/box/S7_R1.fastq.gz"
        assert (found["sample_id"], found["file_size"]) == ("S7", 9)
        if status == "completed":
            assert found["validation_results"]["format"] == "FASTQ"
            assert found["validation_results"]["sha256"] == "0" * 64
        was_read = number in (1, 4, 5)
        assert (found["validation_results"] is not None) == was_read
        if was_read:
            results = found["validation_results"]
            assert results["is_valid"] == {"completed": True, "failed": False}.get(status)
            assert results["findings"] == ([SHORT] if status == "failed" else [])
    unknown = uuid5(it.envelope.event_id, "x")
    answer = await door.client.get(f"/v1/ingestion/upload/{unknown}", headers=headers)
    assert "/v1/ingestion/uploads" in refused(answer, 404)["message"]
    refused(await door.client.get("/v1/ingestion/upload/x", headers=headers), 422)


async def test_uploads_are_listed_by_offset_and_status(door: Door, log: MemoryLog) -> None:
    await follow(door, log, *first(), *(of_upload(landed("R1"), number) for number in range(3)))
    headers = await door.bearer("vera", Role.AUDITOR)
    found = await ask(door, headers, "/ingestion/uploads", limit=1_000)
    files = await every(door, headers, "/files", 100)
    assert len(found) == len([one for one in files if one["upload_id"]])
    assert [one["created_at"] for one in found] == sorted(
        (one["created_at"] for one in found), reverse=True
    )
    mine = [one for one in found if one["sample_id"] == "S7"]
    assert len(mine) == 3
    assert set(mine[0]) == {
        "upload_id", "filename", "sample_id", "status", "file_size", "created_at",
    }  # fmt: skip
    assert (mine[0]["filename"], mine[0]["status"]) == ("S7_R1.fastq.gz", "uploaded")
    paged: list[Any] = []
    while some := await ask(door, headers, "/ingestion/uploads", limit=4, offset=len(paged)):
        paged += some
    assert paged == found
    for status in ("uploaded", "processing", "completed", "failed"):
        some = await ask(door, headers, "/ingestion/uploads", limit=1_000, status=status)
        assert some == [one for one in found if one["status"] == status]
    for wrong in ("status=lost", "offset=-1", f"offset={OFFSET_MAX + 1}", "limit=0", "after=x"):
        refused(await door.client.get(f"/v1/ingestion/uploads?{wrong}", headers=headers), 422)


async def test_a_partner_sees_its_own_uploads_alone(door: Door, log: MemoryLog) -> None:
    partner = await door.bearer("pia", Role.PARTNER)
    account = str((await door.services.accounts.find("pia")).account_id)
    program = {"X-API-Key": await door.key("pia", Permission.UPLOADS_READ)}
    bare, through = heard(LOOSE), of_upload(landed("R1"), 1)
    loose = brought(bare, Actor(kind="person", id=account))
    by_key = brought(through, Actor(kind="service", id="key-1", on_behalf_of=account))
    others = of_upload(landed("R1"), 2)
    await follow(door, log, loose, by_key, others)
    mine = {str(loose.envelope.event_id), str(by_key.envelope.event_id)}
    for headers in (partner, program):
        found = await ask(door, headers, "/ingestion/uploads")
        assert {one["upload_id"] for one in found} == mine
        for one in mine:
            assert (await ask(door, headers, f"/ingestion/upload/{one}"))["upload_id"] == one
        address = f"/v1/ingestion/upload/{others.envelope.event_id}"
        refused(await door.client.get(address, headers=headers), 404)
    steward = await door.bearer("sten", Role.PARTNER, Role.DATA_STEWARD)
    assert len(await ask(door, steward, "/ingestion/uploads")) == 3
    # Somebody else says whose file it is, and it stays the partner's upload.
    said = heard(ASSIGNED, MOMENT)
    again = landed("R1", bucket=LOOSE.bucket, object_key=LOOSE.object_key)
    desk = Producer(service="file-desk", version="1")
    await follow(door, log, said, said.follow(again, by=desk))
    found = await ask(door, partner, "/ingestion/uploads")
    assert {one["sample_id"] for one in found} == {"S7"}
    assert len(found) == 2
    shown = await ask(door, partner, f"/ingestion/upload/{loose.envelope.event_id}")
    assert shown["sample_id"] == "S7"


def brought(fact: Event, actor: Actor) -> Event:
    return fact.enveloped(fact.envelope.model_copy(update={"actor": actor}))


async def test_who_is_nobody_sees_no_upload(door: Door) -> None:
    refused(await door.client.get("/v1/ingestion/uploads"), 401)
    await door.account("vera", Role.LAB_TECHNICIAN)
    other = {"X-API-Key": await door.key("vera", Permission.SAMPLES_READ)}
    refused(await door.client.get("/v1/ingestion/uploads", headers=other), 403)
