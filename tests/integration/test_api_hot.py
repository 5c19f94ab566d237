"""Reads that many ask for: the same answers as the usual way gives, to the last byte."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import httpx2
import pytest

from genoflow.api import hot
from genoflow.api.identity.permissions import Permission, Role
from genoflow.api.limits import MemoryLimits
from genoflow.api.reading import POSITION
from genoflow.api.reads import Reads
from genoflow.api.routes import ROUTERS
from genoflow.events.log.memory import MemoryLog
from tests.doors import BY, Door, open_door, refused
from tests.integration.rows_over_http import COHORT, ask, follow, later

THE_USUAL_WAY = {"Content-Type": "text/plain"}  # of a body that is none: it changes no answer
ODD = (
    "nobody", "counts", "waiting", "S00000 ", "S00000%00", "%53%30%30%30%30%30", "S00000/", ".",
    "..", "S'--", "S\u00e4", "%ff", "a" * 101, "S00000?min_position=x", "S00000?as_of=x", "S00000?",
    "S00000?name=S1", "%2e%2e", "S00000%2F..%2FS00001",
)  # fmt: skip


@pytest.fixture
def kept(caplog: pytest.LogCaptureFixture) -> Any:
    """How many answers came from what is kept, since it was asked last."""
    caplog.set_level(logging.DEBUG, logger="genoflow.api.requests")

    def count() -> int:
        number = sum("from what is kept" in line.getMessage() for line in caplog.records)
        caplog.clear()
        return number

    return count


def whole(answer: httpx2.Response) -> tuple[int, list[tuple[bytes, bytes]], bytes]:
    """An answer as it came over the line, but for the id of its request."""
    own = b"x-request-id"
    headers = [(name, value) for name, value in answer.headers.raw if name.lower() != own]
    body = answer.content.replace(answer.headers["X-Request-ID"].encode(), b"ID")
    return answer.status_code, headers, body


async def both(door: Door, address: str, headers: dict[str, str]) -> int:
    """Ask until it is kept, compare each answer with the usual one, and return its status."""
    usual = whole(await door.client.get(address, headers=headers | THE_USUAL_WAY))
    for _ in range(3):
        assert whole(await door.client.get(address, headers=headers)) == usual, address
    return usual[0]


async def addresses(door: Door, headers: dict[str, str]) -> list[str]:
    """Every sample and every job of the cohort."""
    jobs = (await ask(door, headers, "/execution/jobs", limit=1_000))["items"]
    samples = [f"/v1/samples/{one.name}" for one in COHORT.samples]
    return [*samples, *(f"/v1/execution/jobs/{one['job_id']}" for one in jobs)]


@pytest.mark.parametrize("encoding", ["gzip", "identity", "br", "gzip;q=0"])
async def test_a_whole_cohort_is_answered_as_the_usual_way_answers(
    door: Door, kept: Any, encoding: str
) -> None:
    headers = await door.bearer("vera", Role.LAB_TECHNICIAN) | {"Accept-Encoding": encoding}
    found = await addresses(door, headers)
    assert len(found) > len(COHORT.samples)
    kept()
    for address in found:
        assert await both(door, address, headers) == 200
        assert await both(door, f"/api{address}", headers) == 200
    assert kept() == 5 * len(found)  # the first answer of each is made, all others are kept


async def test_odd_names_are_answered_as_the_usual_way_answers(door: Door, kept: Any) -> None:
    headers = await door.bearer("vera", Role.LAB_TECHNICIAN)
    for name in ODD:
        await both(door, f"/v1/samples/{name}", headers)
        await both(door, f"/v1/execution/jobs/{name}", headers)
    assert kept() == 5  # percent signs, and a question mark with nothing behind it, change no id
    for method in ("HEAD", "POST", "PUT", "DELETE", "OPTIONS"):
        answer = await door.client.request(method, "/v1/samples/S00000", headers=headers)
        assert answer.status_code == 405
    assert kept() == 0


async def test_who_may_not_is_refused_though_the_answer_is_kept(door: Door, kept: Any) -> None:
    address = f"/v1/samples/{COHORT.samples[0].name}"
    headers = await door.bearer("vera", Role.LAB_TECHNICIAN)
    assert await both(door, address, headers) == 200
    partner = await door.bearer("paula", Role.PARTNER)
    key = await door.key("vera", Permission.RUNS_READ)
    right = await door.key("vera", Permission.SAMPLES_READ)
    kept()
    for status, wrong in (
        (404, partner), (403, {"X-API-Key": key}), (401, {}), (401, {"X-API-Key": "gf_x"}),
        (401, {"X-API-Key": "gf_" + "A" * 43}), (401, {"Authorization": "Bearer x"}),
        (401, headers | {"X-API-Key": right}), (401, {"Authorization": "Basic eDp5"}),
        (401, {"Authorization": headers["Authorization"][:-2] + "AA"}),
    ):  # fmt: skip
        assert await both(door, address, wrong) == status, wrong
    assert kept() == 0
    for good in ({"X-API-Key": right}, {"Authorization": f"Bearer {right}"}):
        assert await both(door, address, good) == 200
    assert kept() == 6


async def test_an_end_counts_at_once(door: Door, kept: Any) -> None:
    address = f"/v1/samples/{COHORT.samples[0].name}"
    headers = await door.bearer("vera", Role.LAB_TECHNICIAN)
    key = {"X-API-Key": await door.key("vera", Permission.SAMPLES_READ)}
    assert await both(door, address, headers) == await both(door, address, key) == 200
    await door.services.accounts.revoke("vera", Role.LAB_TECHNICIAN, "left", BY)
    assert await both(door, address, headers) == await both(door, address, key) == 403
    await door.services.accounts.grant("vera", Role.LAB_TECHNICIAN, BY)
    assert await both(door, address, headers) == await both(door, address, key) == 200
    await door.client.post("/v1/auth/logout", headers=headers)
    assert await both(door, address, headers) == 401
    [one] = await door.services.keys.all()
    await door.services.keys.revoke(str(one.key_id), "found in a mail", BY)
    assert await both(door, address, key) == 401
    again = {"Authorization": f"Bearer {(await door.login('vera'))['access_token']}"}
    assert await both(door, address, again) == 200
    door.clock.move(seconds=901)
    kept()
    assert await both(door, address, again) == 401
    assert kept() == 0


async def test_what_changes_is_answered_anew(door: Door, log: MemoryLog) -> None:
    headers = await door.bearer("vera", Role.LAB_TECHNICIAN)
    # The later cohort has samples of the same names: nearly every row becomes another.
    found = await addresses(door, headers)
    before = {address: (await door.client.get(address, headers=headers)).text for address in found}
    events = later()
    step = len(events) // 8 + 1
    for start in range(0, len(events), step):
        await follow(door, log, *events[start : start + step])
        for address in found:
            assert await both(door, address, headers) == 200
    after = {address: (await door.client.get(address, headers=headers)).text for address in found}
    assert any(after[address] != before[address] for address in found)


async def test_the_position_moves_where_the_row_stays(door: Door, log: MemoryLog) -> None:
    headers = await door.bearer("vera", Role.LAB_TECHNICIAN)
    address = f"/v1/samples/{COHORT.samples[-1].name}"
    await both(door, address, headers)
    before = await door.client.get(address, headers=headers)
    await follow(door, log, *later()[:3])
    await both(door, address, headers)
    after = await door.client.get(address, headers=headers)
    assert before.headers[POSITION] != after.headers[POSITION]


async def test_every_answer_is_counted_and_told(tables_url: str, log: MemoryLog) -> None:
    limits = MemoryLimits()
    async with open_door(tables_url, routers=ROUTERS, limits=limits, log=log) as door:
        await follow(door, log)
        headers = await door.bearer("vera", Role.LAB_TECHNICIAN)
        sample = COHORT.samples[0].name
        left = []
        for _ in range(100):
            answer = await door.client.get(f"/v1/samples/{sample}", headers=headers)
            assert answer.status_code == 200
            left.append(int(answer.headers["RateLimit-Remaining"]))
        assert left[0] > left[-1] >= 0
        last = await door.client.get(f"/v1/samples/{sample}", headers=headers)
        refused(last, 429)
        assert int(last.headers["Retry-After"]) > 0
        reads: Reads = door.services.reads
        [shown] = reads._shown.values()
        assert shown.answers["/samples/{sample_id}", b"sample_id", sample.encode()] == 100


async def test_what_cannot_be_told_is_not_answered(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    headers = await door.bearer("vera", Role.LAB_TECHNICIAN)
    address = f"/v1/samples/{COHORT.samples[0].name}"
    assert await both(door, address, headers) == 200
    monkeypatch.setattr(door.services.reads, "_entries_max", 0)
    refused(await door.client.get(address, headers=headers), 503)


async def test_many_at_once_are_each_answered_their_own(door: Door, kept: Any) -> None:
    vera = await door.bearer("vera", Role.LAB_TECHNICIAN)
    partner = await door.bearer("paula", Role.PARTNER)
    found = await addresses(door, vera)
    usual = {one: (await door.client.get(one, headers=vera | THE_USUAL_WAY)).text for one in found}
    kept()

    async def one(number: int) -> None:
        address = found[number % len(found)]
        answer = await door.client.get(address, headers=partner if number % 7 == 0 else vera)
        if number % 7 == 0:
            refused(answer, 404)  # it is shown no project
        else:
            assert answer.text == usual[address]

    for _ in range(3):
        await asyncio.gather(*(one(number) for number in range(100)))
    assert kept() > 100


async def test_without_the_database_the_refusal_is_the_usual_one(door: Door) -> None:
    headers = await door.bearer("vera", Role.LAB_TECHNICIAN)
    address = f"/v1/samples/{COHORT.samples[0].name}"
    assert await both(door, address, headers) == 200
    await door.services.pool.close()
    refused(await door.client.get(address, headers=headers), 503)


async def test_what_is_kept_stays_within_its_bound(
    door: Door, kept: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    headers = await door.bearer("vera", Role.LAB_TECHNICIAN)
    monkeypatch.setattr(hot, "KEPT_BYTES_MAX", 10_000)
    found = await addresses(door, headers)
    for address in (*found, *found):
        assert (await door.client.get(address, headers=headers)).status_code == 200
    assert kept() == 0  # each was forgotten before its turn came again
    assert await both(door, found[0], headers) == 200
    monkeypatch.setattr(hot, "ANSWER_BYTES_MAX", 10)
    kept()
    assert await both(door, found[1], headers) == 200
    assert kept() == 0
