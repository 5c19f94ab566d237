"""Limits of calls, and writes that come twice."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from genoflow.api import guard, limits
from genoflow.api.idempotency import ABANDONED_SECONDS, Idempotency
from genoflow.api.identity.permissions import Permission, Role
from tests.doors import PASSWORD, Door, Shelf, Unlimited, open_door, refused, toys


@pytest.fixture
async def door(tables_url: str) -> AsyncIterator[Door]:
    async with open_door(tables_url, routers=[toys], limits=Unlimited()) as opened:
        yield opened


async def test_a_person_has_a_hundred_calls_a_minute_and_a_key_a_thousand(
    tables_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert (limits.PER_USER, limits.PER_KEY) == (100, 1_000)
    monkeypatch.setattr(guard, "PER_USER", 3)
    monkeypatch.setattr(guard, "PER_KEY", 5)
    async with open_door(tables_url, routers=[toys]) as door:
        headers = await door.bearer("vera", Role.ADMIN)
        key = {"X-API-Key": await door.key("vera", Permission.SAMPLES_READ)}
        for sent, allowed in ((headers, 3), (key, 5)):
            for left in reversed(range(allowed)):
                answer = await door.client.get("/v1/toys", headers=sent)
                assert answer.status_code == 200
                assert answer.headers["RateLimit-Limit"] == str(allowed)
                assert answer.headers["RateLimit-Remaining"] == str(left)
            answer = await door.client.get("/v1/toys", headers=sent)
            refused(answer, 429, "RATE_LIMITED")
            assert 1 <= int(answer.headers["Retry-After"]) <= 120
            assert answer.headers["RateLimit-Remaining"] == "0"
        again = {"Authorization": f"Bearer {(await door.login('vera'))['access_token']}"}
        refused(await door.client.get("/v1/toys", headers=again), 429)  # it is the same person
        assert (await door.client.get("/health")).status_code == 200


async def test_a_limit_holds_for_calls_at_once_and_for_each_caller_by_itself() -> None:
    counter = limits.MemoryLimits()
    for who in ("user:a", "user:b"):
        verdicts = await asyncio.gather(*(counter.take(who, 100) for _ in range(250)))
        assert sum(verdict.allowed for verdict in verdicts) == 100
        assert {verdict.remaining for verdict in verdicts if not verdict.allowed} == {0}
        assert all(1 <= verdict.reset_seconds <= 120 for verdict in verdicts)


async def test_guessing_is_slow(tables_url: str) -> None:
    async with open_door(tables_url) as door:
        await door.account("vera")
        wrong = {"username": "Vera", "password": "wrong"}
        for _ in range(limits.LOGINS_PER_ADDRESS):
            refused(await door.client.post("/v1/auth/login", json=wrong), 401)
        right = {"username": "vera", "password": PASSWORD}
        refused(await door.client.post("/v1/auth/login", json=right), 429)
        token = {"Authorization": "Bearer gf_" + "A" * 43}
        for _ in range(limits.PER_ADDRESS - limits.LOGINS_PER_ADDRESS - 1):
            refused(await door.client.post("/v1/auth/logout", headers=token), 401)
        refused(await door.client.post("/v1/auth/logout", headers=token), 429)


async def test_a_write_that_is_sent_twice_is_done_once(door: Door) -> None:
    headers = await door.bearer("vera", Role.ADMIN) | {"Idempotency-Key": "k-1"}
    first = await door.client.post("/v1/toys", headers=headers, json={"sample_id": "S1"})
    again = await door.client.post("/api/v1/toys", headers=headers, json={"sample_id": "S1"})
    assert (first.status_code, first.json()["made"]) == (201, 1)
    assert (again.status_code, again.json()) == (201, first.json())
    assert again.headers["Idempotency-Replayed"] == "true"
    assert "Idempotency-Replayed" not in first.headers
    assert door.app.state.shelf.made == ["S1"]
    other = await door.client.post("/v1/toys", headers=headers, json={"sample_id": "S2"})
    refused(other, 422, "IDEMPOTENCY_KEY_REUSED")
    elses = await door.bearer("wilma", Role.ADMIN) | {"Idempotency-Key": "k-1"}
    mine = await door.client.post("/v1/toys", headers=elses, json={"sample_id": "S2"})
    assert mine.json()["by"] == "wilma"
    door.clock.move(hours=24)
    key = await door.key("vera", Permission.SAMPLES_WRITE)
    later = {"X-API-Key": key, "Idempotency-Key": "k-1"}
    answer = await door.client.post("/v1/toys", headers=later, json={"sample_id": "S3"})
    assert answer.json()["made"] == 3


async def test_of_two_at_once_one_is_done_and_one_is_told_to_wait(door: Door) -> None:
    headers = await door.bearer("vera", Role.ADMIN) | {"Idempotency-Key": "k-1"}
    shelf: Shelf = door.app.state.shelf
    shelf.open.clear()
    first = asyncio.create_task(
        door.client.post("/v1/toys", headers=headers, json={"sample_id": "S1"})
    )
    async with asyncio.timeout(10):
        while not await door.services.pool.fetchval("select count(*) from identity.requests"):
            await asyncio.sleep(0.01)
    second = await door.client.post("/v1/toys", headers=headers, json={"sample_id": "S1"})
    refused(second, 409, "REQUEST_IN_PROGRESS")
    assert second.headers["Retry-After"] == "1"
    shelf.open.set()
    assert (await first).status_code == 201
    third = await door.client.post("/v1/toys", headers=headers, json={"sample_id": "S1"})
    assert third.json() == (await first).json()
    assert shelf.made == ["S1"]


async def test_what_was_refused_may_be_tried_again_under_its_key(door: Door) -> None:
    headers = await door.bearer("vera", Role.ADMIN) | {"Idempotency-Key": "k-1"}
    for name, status in (("refused", 422), ("away", 503), ("broken", 500)):
        for _ in range(2):
            answer = await door.client.post("/v1/toys", headers=headers, json={"sample_id": name})
            assert answer.status_code == status
    good = await door.client.post("/v1/toys", headers=headers, json={"sample_id": "S1"})
    assert good.status_code == 201


async def test_a_request_that_died_is_taken_over_after_its_time(door: Door) -> None:
    headers = await door.bearer("vera", Role.ADMIN) | {"Idempotency-Key": "k-1"}
    await door.client.post("/v1/toys", headers=headers, json={"sample_id": "S1"})
    pool = door.services.pool
    await pool.execute("update identity.requests set status = null, body = null")
    again = await door.client.post("/v1/toys", headers=headers, json={"sample_id": "S1"})
    refused(again, 409, "REQUEST_IN_PROGRESS")
    door.clock.move(seconds=ABANDONED_SECONDS)
    again = await door.client.post("/v1/toys", headers=headers, json={"sample_id": "S1"})
    assert again.status_code == 201
    door.clock.move(hours=24)
    await Idempotency(pool, door.clock).forget_old()
    assert await pool.fetchval("select count(*) from identity.requests") == 0


@pytest.mark.parametrize("key", ["", "x" * 201, "a\tb", "é"])
async def test_a_key_of_a_request_is_plain(door: Door, key: str) -> None:
    headers = await door.bearer("vera", Role.ADMIN)
    sent = [(name.encode(), value.encode()) for name, value in headers.items()]
    sent.append((b"Idempotency-Key", key.encode("latin-1")))
    refused(await door.client.post("/v1/toys", headers=sent, json={"sample_id": "S1"}), 400)


async def test_a_write_under_a_key_has_a_name_of_its_own_and_so_has_its_caller(door: Door) -> None:
    session = await door.bearer("vera", Role.ADMIN)
    key = {"X-API-Key": await door.key("vera", Permission.SAMPLES_WRITE)}

    async def named(**headers: str) -> dict[str, Any]:
        answer = await door.client.post("/v1/toys/name", headers=headers)
        found: dict[str, Any] = answer.json()
        return found

    one, two = await named(**session), await named(**session)
    assert one["name"] != two["name"]
    again = {"Idempotency-Key": "k-2"}
    first = await named(**session, **again)
    await door.services.pool.execute("delete from identity.requests")
    assert await named(**session, **again) == first
    account = str((await door.services.accounts.find("vera")).account_id)
    assert one["actor"] == {"kind": "person", "id": account, "on_behalf_of": None}
    program = (await named(**key))["actor"]
    assert program["kind"] == "service"
    assert program["on_behalf_of"] == account
