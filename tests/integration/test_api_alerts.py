"""Alerts over HTTP: listed, shown, taken up and ended once, and streamed as they happen."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import pytest

from genoflow.api import events as events_module
from genoflow.api.desks import Decided
from genoflow.api.identity.permissions import Role
from genoflow.deploy.alert_desk import acknowledged as said_acknowledged
from genoflow.deploy.alert_desk import resolved as said_resolved
from genoflow.deploy.people import saying
from genoflow.deploy.subject import LogSubjects
from genoflow.events import topics
from genoflow.events.alert_acknowledged import AlertAcknowledged
from genoflow.events.alert_resolved import AlertResolved
from genoflow.events.errors import Contradicted, NotThere
from genoflow.events.event import Event
from genoflow.events.log.memory import MemoryLog
from genoflow.projections.vectors import to_word
from tests.alert_facts import ALERT, MINUTE, alert_id, raised, resolved, told
from tests.doors import Door, refused
from tests.integration.rows_over_http import ask, door_over, every, follow
from tests.partition import CODEC, MOMENT
from tests.spec import heard

STREAMS_SECONDS = (1.0, 5.0, 25.0)  # a stream ends by itself; beside others it begins late
PLACE = f"/v1/monitoring/alerts/{ALERT}"
WISH = {"reason": "the store is slow"}


@pytest.fixture
async def log() -> AsyncIterator[MemoryLog]:
    async with MemoryLog(codec=CODEC) as there:
        for fact in (raised(), heard(told(1)), raised(2, MOMENT + MINUTE, severity="critical")):
            await there.append(fact)
        yield there


@pytest.fixture
async def door(tables_url: str, log: MemoryLog) -> AsyncIterator[Door]:
    async with door_over(tables_url, log) as there:
        yield there


async def story(log: MemoryLog, number: int = 1) -> list[Event]:
    key = str(alert_id(number))
    return (await LogSubjects(log).events_of(topics.ALERT, [key]))[key]


async def test_alerts_are_listed_and_shown(door: Door) -> None:
    headers = await door.bearer("ada", Role.LAB_TECHNICIAN)
    shown = await ask(door, headers, f"/monitoring/alerts/{ALERT}")
    assert (shown["state"], shown["step"], shown["steps"]) == ("raised", 1, 3)
    assert shown["figures"] == [{"name": "waited", "value": 2520, "unit": "s", "limit": 1260}]
    assert shown["place"].startswith("gf.alert.v1[")
    both = await every(door, headers, "/monitoring/alerts", 1)
    assert [one["alert_id"] for one in both] == [str(alert_id(2)), str(ALERT)]
    assert both[1] == shown
    filters = {"severity": "critical", "state": "raised", "kind": "late", "subject": "S-1"}
    only = await ask(door, headers, "/monitoring/alerts", rule="late-validation", **filters)
    assert [one["alert_id"] for one in only["items"]] == [str(alert_id(2))]
    for wrong in ({"state": "open"}, {"severity": "bad"}, {"after": "x"}, {"part_of": "x"}):
        answer = await door.client.get("/v1/monitoring/alerts", params=wrong, headers=headers)
        refused(answer, 422)
    missing = await door.client.get(f"/v1/monitoring/alerts/{UUID(int=9)}", headers=headers)
    assert "nobody raised it" in refused(missing, 404)["message"]
    outside = await door.bearer("pam", Role.PARTNER)
    refused(await door.client.get("/v1/monitoring/alerts", headers=outside), 403)


async def test_an_alert_is_taken_up_and_ended_once_by_those_who_may(
    door: Door, log: MemoryLog
) -> None:
    headers = await door.bearer("ada", Role.OPERATOR) | {"Idempotency-Key": "k-1"}
    answer = await door.client.post(f"{PLACE}/acknowledge", headers=headers, json=WISH)
    assert answer.status_code == 200, answer.text
    assert answer.json()["state"] == "acknowledged"
    replayed = await door.client.post(f"{PLACE}/acknowledge", headers=headers, json=WISH)
    assert replayed.headers["Idempotency-Replayed"] == "true"
    theirs = await door.bearer("bo", Role.BIOINFORMATICIAN)
    same = await door.client.post(f"{PLACE}/acknowledge", headers=theirs, json={"reason": "me"})
    assert same.json() == answer.json()  # the first who did
    [word] = [one for one in await story(log) if isinstance(one, AlertAcknowledged)]
    assert (word.reason, word.role) == (WISH["reason"], "operator")
    assert str(word.envelope.event_id) == answer.json()["event_id"]
    headers["Idempotency-Key"] = "k-2"
    over = await door.client.post(f"{PLACE}/resolve", headers=headers, json=WISH)
    assert (over.status_code, over.json()["state"]) == (200, "resolved")
    headers["Idempotency-Key"] = "k-3"
    again = await door.client.post(f"{PLACE}/resolve", headers=headers, json={"reason": "more"})
    assert "is resolved since" in refused(again, 409)["message"]
    await follow(door, log)
    shown = await ask(door, headers, f"/monitoring/alerts/{ALERT}")
    assert (shown["state"], shown["manner"]) == ("resolved", "person")
    assert (shown["acknowledged_because"], shown["resolved_because"]) == (WISH["reason"],) * 2


async def test_what_may_not_be_said_is_refused(door: Door, log: MemoryLog) -> None:
    headers = await door.bearer("ada", Role.OPERATOR)
    for word in ("acknowledge", "resolve"):
        nowhere = f"/v1/monitoring/alerts/{UUID(int=9)}/{word}"
        answer = await door.client.post(nowhere, headers=headers, json=WISH)
        assert "nobody raised it" in refused(answer, 404)["message"]
        for wrong in ({}, {"reason": ""}, WISH | {"surplus": 1}, WISH | {"role": "clinician"}):
            answer = await door.client.post(f"{PLACE}/{word}", headers=headers, json=wrong)
            refused(answer, 422)
    await follow(door, log, heard(resolved(2)))
    late = f"/v1/monitoring/alerts/{alert_id(2)}/acknowledge"
    answer = await door.client.post(late, headers=headers, json=WISH)
    assert "is resolved since" in refused(answer, 409)["message"]
    for name, role in (("cleo", Role.CLINICIAN), ("pam", Role.PARTNER), ("aud", Role.AUDITOR)):
        theirs = await door.bearer(name, role)
        refused(await door.client.post(f"{PLACE}/acknowledge", headers=theirs, json=WISH), 403)


def decided(person: str = "ada", reason: str = "why") -> Decided:
    return Decided(reason, "admin", saying(person, MOMENT), None)


async def test_two_who_say_it_at_once_leave_one_fact(log: MemoryLog) -> None:
    subjects = LogSubjects(log)
    ids = set()
    for person in ("ada", "bo"):  # neither has seen the word of the other
        fact, is_new = await said_acknowledged(subjects, ALERT, decided(person))
        assert is_new
        ids.add(fact.envelope.event_id)
    for person in ("ada", "bo"):
        over, is_new = await said_resolved(subjects, ALERT, decided(person))
        assert is_new
        ids.add(over.envelope.event_id)
    assert len(ids) == 2
    await log.append(over)
    assert await said_resolved(subjects, ALERT, decided("bo")) == (over, False)  # said again
    with pytest.raises(Contradicted, match=r"is resolved since .* \(person: why\)"):
        await said_resolved(subjects, ALERT, decided("ada"))
    with pytest.raises(Contradicted):
        await said_acknowledged(subjects, ALERT, decided())
    with pytest.raises(NotThere, match="nobody raised it"):
        await said_resolved(subjects, UUID(int=9), decided())


async def test_the_stream_tells_alerts_as_they_happen(
    door: Door, log: MemoryLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    headers = await door.bearer("olga", Role.OPERATOR)
    await door.client.post(f"{PLACE}/acknowledge", headers=headers, json=WISH)
    await door.client.post(f"{PLACE}/resolve", headers=headers, json=WISH)
    await follow(door, log)
    asked = {"topic": topics.ALERT.name, "subject": str(ALERT), "position": to_word({})}
    told_of: list[dict[str, Any]] = []
    for seconds in STREAMS_SECONDS:
        monkeypatch.setattr(events_module, "STREAM_SECONDS_MAX", seconds)
        answer = await door.client.get("/v1/events/stream", headers=headers, params=asked)
        lines = [line for line in answer.text.splitlines() if line.startswith("data: ")]
        told_of = [json.loads(line.removeprefix("data: ")) for line in lines]
        if told_of:
            break
    assert [one["type"] for one in told_of] == [
        "AlertRaised", "AlertEscalated", "AlertAcknowledged", AlertResolved.type(),
    ]  # fmt: skip
    assert told_of[0]["payload"]["rule"] == "late-validation"
