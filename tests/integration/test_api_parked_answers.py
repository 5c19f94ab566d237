"""Decisions about something parked, over HTTP: on the subject's own topic, by whom, once."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest

from genoflow.api.identity.permissions import Role
from genoflow.deploy.settings import Settings
from genoflow.events import topics
from genoflow.events.event import Event
from genoflow.events.event_discarded import EventDiscarded
from genoflow.events.event_parked import EventParked
from genoflow.events.event_requeued import EventRequeued
from genoflow.events.file_landed import FileLanded
from genoflow.events.log.memory import MemoryLog
from tests.asked import landed, like
from tests.doors import Door, refused
from tests.examples import someone
from tests.integration.rows_over_http import ask, door_over, follow
from tests.partition import CODEC, MOMENT
from tests.spec import heard

WHY = {"reason": "the store is back"}


@pytest.fixture
async def log() -> AsyncIterator[MemoryLog]:
    async with MemoryLog(codec=CODEC) as there:
        yield there


@pytest.fixture
async def door(tables_url: str, log: MemoryLog, tmp_path: Path) -> AsyncIterator[Door]:
    settings = Settings(home=tmp_path, person_patterns=(r"MRN\d+",))
    async with door_over(tables_url, log, settings) as there:
        yield there


async def parked(
    log: MemoryLog, effect_id: UUID | None = None, processor: str = "checksum-files"
) -> tuple[EventParked, FileLanded]:
    """A file whose landing could not be taken."""
    file = heard(landed("R1"))
    place = await log.append(file)
    bare = EventParked(**dict(like(
        EventParked, subject_key=file.key, processor=processor, input_topic=place.topic,
        partition=place.partition, offset=place.offset, effect_id=effect_id,
        parked_event_id=file.envelope.event_id, parked_type="FileLanded", recorded_at=MOMENT,
        value=CODEC.encode(file)[0],
    )))  # fmt: skip
    by = someone().model_copy(update={"service": processor})
    later = file.envelope.occurred_at + timedelta(minutes=1)
    fact = file.follow(bare, by=by, occurred_at=later)
    await log.append(fact)
    return fact, file


async def answers(log: MemoryLog) -> list[Any]:
    """What people decided."""
    kinds = (EventRequeued, EventDiscarded)
    records = log.read_topic(topics.SAMPLE.name)
    return [event async for record in records if isinstance(event := record.event, kinds)]


def address(fact: Event, verb: str) -> str:
    return f"/v1/parked/{fact.envelope.event_id}/{verb}"


@pytest.mark.parametrize(("verb", "state"), [("requeue", "requeued"), ("discard", "discarded")])
async def test_a_person_answers_what_is_parked_once(
    door: Door, log: MemoryLog, verb: str, state: str
) -> None:
    fact, file = await parked(log)
    headers = await door.bearer("otto", Role.OPERATOR) | {"Idempotency-Key": "k-1"}
    first = await door.client.post(address(fact, verb), headers=headers, json=WHY)
    assert first.status_code == 200, first.text
    [said] = await answers(log)
    assert first.json() == {
        "parked_id": str(fact.envelope.event_id), "state": state,
        "event_id": str(said.envelope.event_id), "processor": "checksum-files",
        "subject_key": file.key,
    }  # fmt: skip
    account = str((await door.services.accounts.find("otto")).account_id)
    assert (said.envelope.actor.id, said.role, said.reason) == (account, "operator", WHY["reason"])
    assert said.envelope.causation_id == fact.envelope.event_id
    assert said.envelope.correlation_id == fact.envelope.correlation_id
    again = await door.client.post(address(fact, verb), headers=headers, json=WHY)
    assert again.headers["Idempotency-Replayed"] == "true"
    del headers["Idempotency-Key"]
    same = await door.client.post(address(fact, verb), headers=headers, json=WHY)
    assert same.json() == first.json()
    assert "GenoFlow-Position" not in same.headers
    assert len(await answers(log)) == 1
    await follow(door, log)
    row = await ask(
        door, headers, f"/parked/{fact.envelope.event_id}",
        min_position=first.headers["GenoFlow-Position"],
    )  # fmt: skip
    assert (row["state"], row["answered_by"], row["answered_as"]) == (state, account, "operator")
    other = "discard" if verb == "requeue" else "requeue"
    answer = await door.client.post(address(fact, other), headers=headers, json=WHY)
    assert account in refused(answer, 409)["message"]


async def test_a_mended_event_takes_the_place_of_the_parked_one(door: Door, log: MemoryLog) -> None:
    fact, file = await parked(log)
    headers = await door.bearer("ada", Role.ADMIN)
    payload = file.payload() | {"size_bytes": 7}
    for wrong in (
        {"sample_id": "S99"}, {"size_bytes": -1}, {"nothing": 1}, {"object_key": "MRN123/x"},
    ):  # fmt: skip
        body = WHY | {"payload": payload | wrong}
        answer = await door.client.post(address(fact, "requeue"), headers=headers, json=body)
        refused(answer, 422)
    assert await answers(log) == []
    body = WHY | {"payload": payload}
    answer = await door.client.post(address(fact, "requeue"), headers=headers, json=body)
    assert answer.status_code == 200, answer.text
    [said] = await answers(log)
    assert CODEC.decode(said.value).payload()["size_bytes"] == 7
    effect, _ = await parked(log, uuid4())
    answer = await door.client.post(address(effect, "requeue"), headers=headers, json=body)
    assert "an effect is parked" in refused(answer, 422)["message"]


async def test_whoever_has_two_roles_says_in_which_one(door: Door, log: MemoryLog) -> None:
    fact, _ = await parked(log)
    headers = await door.bearer("ada", Role.ADMIN, Role.OPERATOR, Role.AUDITOR)
    for role in ({}, {"role": "auditor"}, {"role": "clinician"}):
        answer = await door.client.post(address(fact, "discard"), headers=headers, json=WHY | role)
        assert "decide as one of admin, operator" in refused(answer, 422)["message"]
    body = WHY | {"role": "operator"}
    answer = await door.client.post(address(fact, "discard"), headers=headers, json=body)
    assert answer.status_code == 200
    assert (await answers(log))[0].role == "operator"


async def test_what_is_not_parked_or_not_theirs_is_refused(door: Door, log: MemoryLog) -> None:
    fact, _ = await parked(log)
    strange, _ = await parked(log, processor="of-an-older-release")
    headers = await door.bearer("otto", Role.OPERATOR)
    nobody = f"/v1/parked/{uuid4()}/requeue"
    refused(await door.client.post(nobody, headers=headers, json=WHY), 404)
    gone = await door.client.post(address(strange, "discard"), headers=headers, json=WHY)
    assert "is no processor of this release" in refused(gone, 422)["message"]
    for body in ({}, {"reason": ""}, {"reason": "x" * 501}, WHY | {"bytes": "x"}):
        refused(await door.client.post(address(fact, "requeue"), headers=headers, json=body), 422)
    named = {"reason": "asked by MRN1234"}
    refused(await door.client.post(address(fact, "discard"), headers=headers, json=named), 422)
    for role in (Role.AUDITOR, Role.BIOINFORMATICIAN, Role.LAB_TECHNICIAN):
        theirs = await door.bearer(role.value, role)
        refused(await door.client.post(address(fact, "requeue"), headers=theirs, json=WHY), 403)
    assert await answers(log) == []
