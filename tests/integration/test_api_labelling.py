"""Whose a file is, and which sample it truly is: said over HTTP, once, by those who may."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from genoflow.api.identity.permissions import Role
from genoflow.api.reading import POSITION
from genoflow.deploy.settings import Settings
from genoflow.events import topics
from genoflow.events.event import Event
from genoflow.events.file_assigned import FileAssigned
from genoflow.events.file_landed import FileLanded
from genoflow.events.log.memory import MemoryLog
from genoflow.events.read_set_registered import ReadSetRegistered
from genoflow.events.sample_relabelled import SampleRelabelled
from tests.asked import READ_SET, landed, read_set, registered, told
from tests.doors import Door, refused
from tests.integration.rows_over_http import ask, door_over, follow
from tests.partition import CODEC

WISH = {"sample_id": "S7", "read_set_id": READ_SET, "role": "R1", "reason": "by its label"}
TRUE = {"true_sample_id": "S8", "reason": "tubes were swapped"}
SWAP = "/v1/samples/S7/relabel"


def loose() -> FileLanded:
    """A file whose metadata say nothing."""
    nothing = dict.fromkeys(("sample_id", "read_set_id", "role", "lane"))
    return FileLanded(**dict(landed("R1")) | nothing)


@pytest.fixture
async def log() -> AsyncIterator[MemoryLog]:
    async with MemoryLog(codec=CODEC) as there:
        other = ReadSetRegistered(**dict(read_set("L2.FC.1")) | {"sample_id": "S8"})
        for fact in told(registered(), read_set(), registered("S8"), other, loose(), landed("R2")):
            await there.append(fact)
        yield there


@pytest.fixture
async def door(tables_url: str, log: MemoryLog, tmp_path: Path) -> AsyncIterator[Door]:
    settings = Settings(home=tmp_path, person_patterns=(r"MRN\d+",))
    async with door_over(tables_url, log, settings) as there:
        yield there


async def said(log: MemoryLog, kind: type[Event]) -> list[Any]:
    records = log.read_topic(topics.SAMPLE.name)
    return [event async for record in records if isinstance(event := record.event, kind)]


async def file_ids(door: Door, headers: dict[str, str]) -> dict[str | None, str]:
    """The id of each file by its sample."""
    rows = (await ask(door, headers, "/files"))["items"]
    return {row["sample_id"]: row["file_id"] for row in rows}


async def test_a_file_of_nobody_lands_for_its_sample_once(door: Door, log: MemoryLog) -> None:
    headers = await door.bearer("vera", Role.LAB_TECHNICIAN) | {"Idempotency-Key": "k-1"}
    waiting = (await file_ids(door, headers))[None]
    address = f"/v1/files/{waiting}/assign"
    answer = await door.client.post(address, headers=headers, json=WISH)
    assert answer.status_code == 200, answer.text
    assert answer.json() == {
        "file_id": waiting, "sample_id": "S7", "read_set_id": READ_SET, "role": "R1",
    }  # fmt: skip
    [whose] = await said(log, FileAssigned)
    landings = [one for one in await said(log, FileLanded) if one.role == "R1"]
    account = str((await door.services.accounts.find("vera")).account_id)
    assert {one.envelope.actor.id for one in (whose, *landings)} == {account}
    assert [one.key for one in landings] == ["S7"]
    assert landings[0].envelope.causation_id == whose.envelope.event_id
    await door.client.post(address, headers=headers, json=WISH)
    del headers["Idempotency-Key"]
    same = await door.client.post(address, headers=headers, json=WISH)
    assert same.status_code == 200
    assert "GenoFlow-Position" not in same.headers
    assert len(await said(log, FileAssigned)) == 1
    await follow(door, log)
    shown = await ask(
        door, headers, f"/files/{waiting}", min_position=answer.headers["GenoFlow-Position"]
    )
    assert (shown["state"], shown["assigned_to"]) == ("assigned", "S7")
    other = await door.client.post(address, headers=headers, json=WISH | {"sample_id": "S8"})
    assert "belongs to S7 already" in refused(other, 409)["message"]


async def test_of_two_who_assign_a_file_at_once_one_is_heard(door: Door, log: MemoryLog) -> None:
    headers = await door.bearer("vera", Role.ADMIN)
    address = f"/v1/files/{(await file_ids(door, headers))[None]}/assign"
    wishes = [WISH, WISH | {"sample_id": "S8", "read_set_id": "L2.FC.1"}] * 4
    answers = await asyncio.gather(
        *(door.client.post(address, headers=headers, json=wish) for wish in wishes)
    )
    heard = [one for one in answers if one.status_code == 200]
    assert heard
    for answer in answers:
        if answer.status_code != 200:
            refused(answer, 409)
    landings = {one.key for one in await said(log, FileLanded) if one.role == "R1"}
    assert landings == {one.json()["sample_id"] for one in heard}
    assert len(landings) == 1


async def test_a_file_that_cannot_be_assigned_so_is_refused(door: Door, log: MemoryLog) -> None:
    headers = await door.bearer("vera", Role.DATA_STEWARD)
    ids = await file_ids(door, headers)
    waiting = f"/v1/files/{ids[None]}/assign"
    cases: list[tuple[str, dict[str, Any], int, str]] = [
        (f"/v1/files/{uuid4()}/assign", {}, 404, "is not known here"),
        (f"/v1/files/{ids['S7']}/assign", {}, 409, "landed for S7"),
        (waiting, {"read_set_id": "RS9"}, 422, "no read set RS9"),
        (waiting, {"role": "BAM"}, 422, "has no BAM"),
        (waiting, {"lane": 7}, 422, "lane 1"),
        (waiting, {"lane": 17}, 422, "lane"),
        (waiting, {"sample_id": "S9"}, 422, "S9"),
        (waiting, {"who": "me"}, 422, "who"),
        (waiting, {"reason": "of MRN123"}, 422, ""),
        (waiting, {"reason": ""}, 422, "reason"),
    ]
    for address, changes, status, word in cases:
        answer = await door.client.post(address, headers=headers, json=WISH | changes)
        assert word in refused(answer, status)["message"]
    for role in (Role.CLINICIAN, Role.PARTNER, Role.OPERATOR):
        theirs = await door.bearer(role.value, role)
        refused(await door.client.post(waiting, headers=theirs, json=WISH), 403)
    assert await said(log, FileAssigned) == []


async def test_a_sample_is_relabelled_once(door: Door, log: MemoryLog) -> None:
    headers = await door.bearer("vera", Role.LAB_TECHNICIAN) | {"Idempotency-Key": "k-1"}
    answer = await door.client.post(SWAP, headers=headers, json=TRUE)
    assert answer.status_code == 200, answer.text
    [fact] = await said(log, SampleRelabelled)
    assert answer.json() == {
        "event_id": str(fact.envelope.event_id), "sample_id": "S7", "true_sample_id": "S8",
        "read_set_ids": [READ_SET],
    }  # fmt: skip
    account = str((await door.services.accounts.find("vera")).account_id)
    assert (fact.envelope.actor.id, fact.role) == (account, "lab_technician")
    again = await door.client.post(SWAP, headers=headers, json=TRUE)
    assert again.headers["Idempotency-Replayed"] == "true"
    assert again.headers[POSITION] == answer.headers[POSITION]
    await door.services.pool.execute("delete from identity.requests")  # as after a lost answer
    assert (await door.client.post(SWAP, headers=headers, json=TRUE)).json() == answer.json()
    assert len(await said(log, SampleRelabelled)) == 1
    del headers["Idempotency-Key"]
    other = await door.client.post(SWAP, headers=headers, json=TRUE)
    assert "no read set that counts" in refused(other, 409)["message"]
    named = TRUE | {"read_set_ids": [READ_SET]}
    other = await door.client.post(SWAP, headers=headers, json=named)
    assert "was relabelled as S8 already" in refused(other, 409)["message"]


async def test_a_label_that_cannot_be_is_refused(door: Door, log: MemoryLog) -> None:
    headers = await door.bearer("vera", Role.ADMIN)
    cases: list[tuple[str, dict[str, Any], int, str]] = [
        ("/v1/samples/S99/relabel", {}, 404, "nothing on the log is about it"),
        (SWAP, {"true_sample_id": "S99"}, 422, "nothing on the log is about it"),
        (SWAP, {"true_sample_id": "S7"}, 422, "is its own label"),
        (SWAP, {"read_set_ids": ["RS9"]}, 422, "is not registered"),
        (SWAP, {"reason": ""}, 422, "reason"),
        (SWAP, {"role": "operator"}, 422, "role"),
        (SWAP, {"reason": "of MRN123"}, 422, ""),
    ]
    for address, changes, status, word in cases:
        answer = await door.client.post(address, headers=headers, json=TRUE | changes)
        assert word in refused(answer, status)["message"]
    for role in (Role.CLINICIAN, Role.PARTNER, Role.AUDITOR):
        theirs = await door.bearer(role.value, role)
        refused(await door.client.post(SWAP, headers=theirs, json=TRUE), 403)
    assert await said(log, SampleRelabelled) == []
