"""Budgets over HTTP and by command: set and lifted once, by those who may, and shown."""

from __future__ import annotations

from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any

import pytest

from genoflow.api.desks import BudgetWanted, Decided
from genoflow.api.identity.permissions import Role
from genoflow.deploy.budget_desk import budget_said
from genoflow.deploy.people import saying
from genoflow.deploy.subject import LogSubjects
from genoflow.events import topics
from genoflow.events.budget_lifted import BudgetLifted
from genoflow.events.budget_set import BudgetSet
from genoflow.events.errors import NotThere, Refused
from genoflow.events.event import Event
from genoflow.events.log.memory import MemoryLog
from genoflow.events.subscription_created import SubscriptionCreated
from tests.budget_facts import PROJECT, charged
from tests.doors import BY, Door, refused
from tests.integration.rows_over_http import ask, door_over, every, follow
from tests.partition import CODEC, MOMENT

PLACE = f"/v1/execution/budgets/{PROJECT}"
SUBSCRIPTIONS = "/v1/notifications/subscriptions"
WISH = {"month_usd": 100, "reason": "as agreed"}
WRONG: tuple[dict[str, Any], ...] = (
    {"month_usd": -1}, {"warn_percent": []}, {"warn_percent": [0]}, {"reason": ""},
)  # fmt: skip
MONTH = f"{MOMENT:%Y-%m}"


@pytest.fixture
async def log() -> AsyncIterator[MemoryLog]:
    async with MemoryLog(codec=CODEC) as there:
        yield there


@pytest.fixture
async def door(tables_url: str, log: MemoryLog) -> AsyncIterator[Door]:
    async with door_over(tables_url, log) as there:
        yield there


async def story(log: MemoryLog) -> list[Event]:
    return (await LogSubjects(log).events_of(topics.BUDGET, [PROJECT]))[PROJECT]


async def test_a_budget_is_set_and_lifted_once_by_those_who_may(door: Door, log: MemoryLog) -> None:
    headers = await door.bearer("ada", Role.BIOINFORMATICIAN) | {"Idempotency-Key": "k-1"}
    missing = await door.client.put(PLACE, headers=headers, json=WISH | {"month_usd": 0})
    assert "has no budget that could be lifted" in refused(missing, 404)["message"]
    headers["Idempotency-Key"] = "k-2"
    answer = await door.client.put(PLACE, headers=headers, json=WISH)
    assert answer.status_code == 200, answer.text
    assert (answer.json()["month_usd"], answer.json()["warn_percent"]) == (100, [80, 100])
    [said] = await story(log)
    assert isinstance(said, BudgetSet)
    assert said.month_usd == Decimal(100)
    assert (said.reason, said.role) == ("as agreed", "bioinformatician")
    assert said.from_month == answer.json()["from_month"] == f"{said.envelope.occurred_at:%Y-%m}"
    headers["Idempotency-Key"] = "k-3"
    over = await door.client.put(PLACE, headers=headers, json=WISH | {"month_usd": 0})
    assert (over.json()["month_usd"], over.json()["warn_percent"]) == (None, [])
    assert [type(one) for one in await story(log)] == [BudgetSet, BudgetLifted]
    for fields in WRONG:
        refused(await door.client.put(PLACE, headers=headers, json=WISH | fields), 422)
    theirs = await door.bearer("tom", Role.LAB_TECHNICIAN)
    refused(await door.client.put(PLACE, headers=theirs, json=WISH), 403)


def decided(request_id: str | None = None) -> Decided:
    return Decided("why", "admin", saying("ada", MOMENT), request_id)


def wanted(usd: str) -> BudgetWanted:
    return BudgetWanted(PROJECT, MONTH, Decimal(usd), (100, 80, 100))


async def test_the_same_sum_may_be_set_again_and_a_repetition_is_no_other(log: MemoryLog) -> None:
    subjects, ids = LogSubjects(log), set()
    for usd in ("5", "5", "0", "5"):
        fact, is_new = await budget_said(subjects, wanted(usd), decided())
        assert is_new
        await log.append(fact)
        ids.add(fact.envelope.event_id)
    assert len(ids) == 4
    first, _ = await budget_said(subjects, wanted("7"), decided("q-1"))
    await log.append(first)
    assert await budget_said(subjects, wanted("7"), decided("q-1")) == (first, False)
    assert isinstance(first, BudgetSet)
    assert first.warn_percent == (80, 100)
    with pytest.raises(Refused, match="0 lifts the budget"):
        await budget_said(subjects, wanted("-1"), decided())
    lift, _ = await budget_said(subjects, wanted("0"), decided())
    await log.append(lift)
    with pytest.raises(NotThere, match="has no budget"):
        await budget_said(subjects, wanted("0"), decided())


async def test_a_month_is_shown_with_what_is_spent_of_it(door: Door, log: MemoryLog) -> None:
    headers = await door.bearer("ada", Role.ADMIN)
    month = (await door.client.put(PLACE, headers=headers, json=WISH)).json()["from_month"]
    await follow(
        door, log, charged(1, 50, month=month), charged(1, 45.5, 50, month=month, is_billed=True),
        charged(2, 36, month=month), charged(3, None, month=month),
        charged(4, 7, month="2020-01"), charged(5, 3, month=month, project_id="P2"),
    )  # fmt: skip
    shown = await ask(door, headers, "/execution/budgets")
    assert [one["project_id"] for one in shown["items"]] == [PROJECT, "P2"]
    mine, theirs = shown["items"]
    assert mine | {"set_by": "ada"} == {
        "project_id": PROJECT, "month": month, "month_usd": 100.0, "warn_percent": [80, 100],
        "reached_percent": [], "spent_usd": 81.5, "billed_usd": 45.5, "estimated_usd": 36.0,
        "share_percent": 81.5, "runs": 3, "runs_unpriced": 1,
        "under_way": {"runs": 0, "cost_usd": 0.0}, "set_by": "ada", "reason": "as agreed",
    }  # fmt: skip
    assert (theirs["month_usd"], theirs["share_percent"], theirs["spent_usd"]) == (None, None, 3.0)
    assert await every(door, headers, "/execution/budgets", 1) == shown["items"]
    only = await ask(door, headers, "/execution/budgets", project="P2", month=month)
    assert only["items"] == [theirs]
    months = await every(door, headers, f"/execution/budgets/{PROJECT}", 1)
    assert [(one["month"], one["month_usd"], one["under_way"]) for one in months] == [
        (month, 100.0, mine["under_way"]), ("2020-01", None, None),
    ]  # fmt: skip
    refused(await door.client.get("/v1/execution/budgets?month=March", headers=headers), 422)
    refused(await door.client.get("/v1/execution/budgets/nobody", headers=headers), 404)
    outside = await door.bearer("pam", Role.PARTNER)
    refused(await door.client.get("/v1/execution/budgets", headers=outside), 403)


async def test_a_budget_is_told_of_to_the_lab_alone(door: Door, log: MemoryLog) -> None:
    wish = {"channels": ["email"], "email": "lab@example.org", "project_ids": [PROJECT]}
    named, told = wish | {"event_types": ["BudgetReached"]}, {}
    for name, role in (("ada", Role.OPERATOR), ("pam", Role.PARTNER)):
        headers = await door.bearer(name, role)
        if role is Role.PARTNER:
            assert await door.services.accounts.show_project(name, PROJECT, BY)
        answer = await door.client.post(SUBSCRIPTIONS, headers=headers, json=wish)
        assert answer.status_code == 201, answer.text
        [made] = [
            one
            async for one in LogSubjects(log).every(topics.NOTIFICATION, SubscriptionCreated)
            if one.key == answer.json()["subscription_id"]
        ]
        assert isinstance(made, SubscriptionCreated)
        told[name] = {*made.event_types}
        answer = await door.client.post(SUBSCRIPTIONS, headers=headers, json=named)
        if role is Role.PARTNER:
            assert "tells of the lab itself" in refused(answer, 403)["message"]
        else:
            assert answer.status_code == 201, answer.text
    assert told["ada"] - told["pam"] == {"BudgetReached", "AlertEscalated", "AlertResolved"}
