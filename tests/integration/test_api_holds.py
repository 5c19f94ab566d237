"""Legal holds over HTTP and by command: placed and released once, by those who may."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any

import pytest

from genoflow.api.desks import Decided
from genoflow.api.identity.permissions import Role
from genoflow.deploy.hold_desk import holds_of, placed, released
from genoflow.deploy.people import saying
from genoflow.deploy.subject import LogSubjects
from genoflow.events import topics
from genoflow.events.errors import NotThere
from genoflow.events.event import Event
from genoflow.events.log.memory import MemoryLog
from tests.asked import registered, told
from tests.doors import Door, refused
from tests.integration.rows_over_http import door_over
from tests.partition import CODEC, MOMENT

WISH = {"hold_id": "case-7", "reason": "asked for by a court"}
PLACE = "/v1/samples/S7/holds"
OVER = {"reason": "the case is closed"}


@pytest.fixture
async def log() -> AsyncIterator[MemoryLog]:
    async with MemoryLog(codec=CODEC) as there:
        for fact in told(registered()):
            await there.append(fact)
        yield there


@pytest.fixture
async def door(tables_url: str, log: MemoryLog) -> AsyncIterator[Door]:
    async with door_over(tables_url, log) as there:
        yield there


async def story(log: MemoryLog) -> list[Event]:
    return (await LogSubjects(log).events_of(topics.SAMPLE, ["S7"]))["S7"]


async def test_a_hold_is_placed_and_released_once_by_those_who_may(
    door: Door, log: MemoryLog
) -> None:
    headers = await door.bearer("ada", Role.DATA_STEWARD) | {"Idempotency-Key": "k-1"}
    answer = await door.client.post(PLACE, headers=headers, json=WISH)
    assert answer.status_code == 200, answer.text
    assert (answer.json()["hold_id"], answer.json()["stands"]) == ("case-7", True)
    headers["Idempotency-Key"] = "k-2"
    same = await door.client.post(PLACE, headers=headers, json=WISH)
    assert same.json() == answer.json()
    [hold] = holds_of(await story(log)).values()
    assert (hold.reason, hold.role) == (WISH["reason"], "data_steward")
    headers["Idempotency-Key"] = "k-3"
    over = await door.client.post(f"{PLACE}/case-7/release", headers=headers, json=OVER)
    assert over.json()["stands"] is False
    assert holds_of(await story(log)) == {}
    headers["Idempotency-Key"] = "k-4"
    answer = await door.client.post(f"{PLACE}/case-7/release", headers=headers, json=OVER)
    assert "has no legal hold 'case-7'; none stands" in refused(answer, 404)["message"]
    answer = await door.client.post("/v1/samples/S99/holds", headers=headers, json=WISH)
    assert "S99" in refused(answer, 404)["message"]
    theirs = await door.bearer("tom", Role.LAB_TECHNICIAN)
    refused(await door.client.post(PLACE, headers=theirs, json=WISH), 403)


def decided(at: datetime = MOMENT, request_id: str | None = None) -> Decided:
    return Decided("why", "admin", saying("ada", at), request_id)


async def test_a_hold_can_be_placed_again_after_its_release_and_a_repetition_is_no_other(
    log: MemoryLog,
) -> None:
    subjects, ids = LogSubjects(log), set()
    for say in (placed, released, placed):
        fact, is_new = await say(subjects, "S7", "h", decided())
        assert is_new
        await log.append(fact)
        ids.add(fact.envelope.event_id)
        again: Any = await say(subjects, "S7", "h", decided()) if say is placed else (fact, False)
        assert again[1] is False
    assert len(ids) == 3
    assert [*holds_of(await story(log))] == ["h"]
    with pytest.raises(NotThere, match=r"those that stand: h"):
        await released(subjects, "S7", "another", decided())
