"""Who is told of what, said over HTTP: on the log, by whom, once, and for those who may."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from genoflow.api.identity.permissions import Permission, Role
from genoflow.deploy.settings import Settings
from genoflow.deploy.webhook_secrets import WebhookSecrets
from genoflow.events import topics
from genoflow.events.event import Event
from genoflow.events.log.memory import MemoryLog
from genoflow.events.subscription_cancelled import SubscriptionCancelled
from genoflow.events.subscription_created import SubscriptionCreated
from genoflow.processors.headlines import TOLD_TYPES
from tests.doors import BY, Door, refused
from tests.integration.rows_over_http import ask, door_over, follow
from tests.partition import CODEC

JOB = "5d3a6f6e-1f6b-5c0e-9c55-0a4e9d8f7b21"
BY_MAIL = {"channels": ["email"], "email": "lab@example.org"}
# As the specification gives it.
BOTH = {
    "job_id": JOB, "channels": ["email", "webhook"], "events": ["started", "completed", "failed"],
    "webhook_url": "https://example.com/webhook", "email": "user@example.com",
}  # fmt: skip
ADDRESS = "/v1/notifications/subscriptions"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path, person_patterns=(r"MRN\d+",))


@pytest.fixture
async def log() -> AsyncIterator[MemoryLog]:
    async with MemoryLog(codec=CODEC) as there:
        yield there


@pytest.fixture
async def door(tables_url: str, log: MemoryLog, settings: Settings) -> AsyncIterator[Door]:
    async with door_over(tables_url, log, settings) as there:
        yield there


async def said(log: MemoryLog) -> list[Any]:
    """What stands on the topic."""
    records = log.read_topic(topics.NOTIFICATION.name)
    return [event async for record in records if isinstance(event := record.event, Event)]


async def test_somebody_is_told_of_a_job_by_both_channels(
    door: Door, log: MemoryLog, settings: Settings
) -> None:
    headers = await door.bearer("vera", Role.LAB_TECHNICIAN)
    answer = await door.client.post(ADDRESS, headers=headers, json=BOTH)
    assert answer.status_code == 201, answer.text
    body = answer.json()
    name, second = (one["subscription_id"] for one in body["subscriptions"])
    assert (body["subscription_id"], body["status"]) == (name, "active")
    assert second == f"{name}.webhook"
    [secret] = WebhookSecrets(settings.home).valid(second)
    assert [one["secret"] for one in body["subscriptions"]] == [None, secret]
    assert answer.headers["Cache-Control"] == "no-store"
    account = str((await door.services.accounts.find("vera")).account_id)
    by_channel = {one.channel: one for one in await said(log)}
    for fact in by_channel.values():
        assert isinstance(fact, SubscriptionCreated)
        assert (fact.account_id, fact.envelope.actor.id) == (account, account)
        assert fact.envelope.event_id == fact.external_id()
        assert fact.envelope.producer.service == "api"
        assert fact.subject_keys == (JOB,)
        assert fact.event_types == ("RunStarted", "RunSucceeded", "RunFailed", "RunLost")
    assert by_channel["email"].target == "user@example.com"
    assert by_channel["webhook"].secret_names == (second,)
    assert secret not in json.dumps([one.payload() for one in by_channel.values()])
    await follow(door, log)
    params = {"min_position": answer.headers["GenoFlow-Position"]}
    shown = await ask(door, headers, f"/notifications/subscriptions/{second}", **params)
    assert shown["target"] == "https://example.com/webhook"


async def test_a_wish_that_is_sent_twice_is_one_and_shows_its_secret_again(
    door: Door, log: MemoryLog
) -> None:
    headers = await door.bearer("vera", Role.CLINICIAN) | {"Idempotency-Key": "k-1"}
    first = await door.client.post(ADDRESS, headers=headers, json=BOTH)
    again = await door.client.post(ADDRESS, headers=headers, json=BOTH)
    assert (again.status_code, again.json()) == (201, first.json())
    assert len(await said(log)) == 2
    assert await door.services.pool.fetchval("select count(*) from identity.requests") == 0
    other = await door.client.post(ADDRESS, headers=headers, json=BOTH | {"attempts_max": 3})
    assert "other wishes" in refused(other, 409)["message"]
    plain = await door.bearer("wilma", Role.CLINICIAN) | {"Idempotency-Key": "k-2"}
    for replayed in (None, "true"):
        answer = await door.client.post(ADDRESS, headers=plain, json=BY_MAIL)
        assert answer.headers.get("Idempotency-Replayed") == replayed
    assert len(await said(log)) == 3
    assert TOLD_TYPES in {one.event_types for one in await said(log)}


async def test_its_owner_or_an_administrator_ends_a_subscription(
    door: Door, log: MemoryLog, settings: Settings
) -> None:
    headers = await door.bearer("vera", Role.LAB_TECHNICIAN)
    made = (await door.client.post(ADDRESS, headers=headers, json=BOTH)).json()
    name = made["subscription_id"]
    others = await door.bearer("wilma", Role.LAB_TECHNICIAN)
    refused(await door.client.delete(f"{ADDRESS}/{name}", headers=others), 403)
    partner = await door.bearer("paul", Role.PARTNER)
    refused(await door.client.delete(f"{ADDRESS}/{name}", headers=partner), 404)
    refused(await door.client.delete(f"{ADDRESS}/nobody", headers=headers), 404)
    for _ in range(2):
        answer = await door.client.delete(f"{ADDRESS}/{name}", headers=headers)
        assert answer.json() == {"subscription_id": name, "status": "cancelled"}
    ended = [one for one in await said(log) if isinstance(one, SubscriptionCancelled)]
    assert {one.subscription_id for one in ended} == {name, f"{name}.webhook"}
    assert len(ended) == 2
    assert not list((settings.home / "webhook-secrets").iterdir())
    one = (await door.client.post(ADDRESS, headers=headers, json=BY_MAIL)).json()
    admin = await door.bearer("ada", Role.ADMIN)
    address = f"{ADDRESS}/{one['subscription_id']}"
    answer = await door.client.delete(address, headers=admin, params={"reason": "she left"})
    assert answer.status_code == 200
    assert "she left" in {getattr(fact, "reason", None) for fact in await said(log)}


async def test_what_nobody_may_be_told_of_is_no_subscription(door: Door, log: MemoryLog) -> None:
    auditor = await door.bearer("otto", Role.AUDITOR)
    refused(await door.client.post(ADDRESS, headers=auditor, json=BY_MAIL), 403)
    await door.account("vera", Role.OPERATOR)
    narrow = {"X-API-Key": await door.key("vera", Permission.SUBSCRIPTIONS_WRITE)}
    refused(await door.client.post(ADDRESS, headers=narrow, json=BY_MAIL), 403)
    assert await said(log) == []


async def test_a_partner_is_told_of_its_own_projects_alone(door: Door, log: MemoryLog) -> None:
    partner = await door.bearer("paul", Role.PARTNER)
    named = BY_MAIL | {"project_ids": ["P1"]}
    none_yet = refused(await door.client.post(ADDRESS, headers=partner, json=named), 403)
    assert "none, so ask an administrator" in none_yet["message"]
    await door.services.accounts.show_project("paul", "P1", BY)
    for projects in ([], ["P2"], ["P1", "P2"]):
        wish = BY_MAIL | {"project_ids": projects}
        told = refused(await door.client.post(ADDRESS, headers=partner, json=wish), 403)
        assert (told["details"]["field"], "(P1)" in told["message"]) == ("project_ids", True)
    assert await said(log) == []
    answer = await door.client.post(ADDRESS, headers=partner, json=named)
    assert answer.status_code == 201, answer.text
    [fact] = await said(log)
    assert fact.project_ids == ("P1",)


@pytest.mark.parametrize(
    ("wrong", "word"),
    [
        ({"channels": ["sms"]}, "channels"),
        ({"channels": []}, "channels"),
        ({"email": None}, "email: is missing"),
        ({"webhook_url": "https://example.com/h"}, "webhook_url: is given"),
        ({"channels": ["webhook"], "webhook_url": "https://e.org/h"}, "email: is given"),
        ({"email": "nobody"}, "email: is no address"),
        ({"event_types": ["Nothing"]}, "nobody is told of it"),
        ({"events": ["paused"]}, "events"),
        ({"job_id": "J1"}, "job_id"),
        ({"case_ids": ["MRN1234"]}, "MRN"),
        ({"secret_name": "theirs"}, "secret_name"),
    ],
)
async def test_a_wish_that_cannot_be_is_refused_with_its_reason(
    door: Door, log: MemoryLog, wrong: dict[str, Any], word: str
) -> None:
    headers = await door.bearer("vera", Role.LAB_TECHNICIAN)
    answer = await door.client.post(ADDRESS, headers=headers, json=BY_MAIL | wrong)
    error = refused(answer, 422)
    assert word in error["message"] or word == "MRN"
    assert await said(log) == []


async def test_a_topic_and_a_room_are_told_and_a_secret_address_is_not_shown(
    door: Door, log: MemoryLog
) -> None:
    headers = await door.bearer("vera", Role.LAB_TECHNICIAN)
    room = "https://hooks.slack.com/services/T0/B0/abcdWXYZ"
    wish = {
        "channels": ["sns", "slack", "email"], "sns_target": "+491701234567", "slack_url": room,
        "email": "lab@example.org", "event_types": ["AlertEscalated"],
    }  # fmt: skip
    answer = await door.client.post(ADDRESS, headers=headers, json=wish)
    assert answer.status_code == 201, answer.text
    made = answer.json()["subscriptions"]
    name = made[0]["subscription_id"]
    assert [(one["channel"], one["subscription_id"], one["secret"]) for one in made] == [
        ("email", name, None), ("sns", f"{name}.sns", None), ("slack", f"{name}.slack", None),
    ]  # fmt: skip
    facts = {one.channel: one for one in await said(log)}
    assert (facts["slack"].target, facts["slack"].secret_names) == (room, ())
    await follow(door, log)
    shown = await door.client.get(f"{ADDRESS}/{name}.slack", headers=headers)
    assert shown.json()["target"] == "https://hooks.slack.com/…WXYZ"
    for wrong in ({"sns_target": "0170"}, {"slack_url": "http://x.org/"}, {"slack_url": None}):
        refused(await door.client.post(ADDRESS, headers=headers, json=wish | wrong), 422)
    over = await door.client.delete(f"{ADDRESS}/{name}", headers=headers)
    assert over.status_code == 200
    ended = {one.key for one in await said(log) if isinstance(one, SubscriptionCancelled)}
    assert ended == {name, f"{name}.sns", f"{name}.slack"}


@pytest.mark.parametrize("url", ["http://example.com/h", "https://127.0.0.1/h", "https://a@b.org/"])
async def test_a_webhook_goes_to_nobody_inside(
    door: Door, log: MemoryLog, settings: Settings, url: str
) -> None:
    headers = await door.bearer("vera", Role.LAB_TECHNICIAN)
    wish = {"channels": ["webhook"], "webhook_url": url}
    message = refused(await door.client.post(ADDRESS, headers=headers, json=wish), 422)["message"]
    assert message.startswith("webhook_url: ")
    named = {"channels": ["webhook"], "webhook_url": "https://e.org/h", "case_ids": ["MRN12345"]}
    refused(await door.client.post(ADDRESS, headers=headers, json=named), 422)
    assert await said(log) == []
    assert not list(settings.home.rglob("*MRN*"))
    assert not [one for one in settings.home.rglob("*") if one.is_file()]
