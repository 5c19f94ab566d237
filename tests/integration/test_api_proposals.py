"""Writes by proposal over HTTP: answered, refused, late, sent again, and never done twice."""

from __future__ import annotations

import asyncio

import pytest

from genoflow.api import proposing, reading
from genoflow.api.idempotency import HEADER
from genoflow.api.identity.permissions import Permission, Role
from genoflow.api.reading import POSITION
from genoflow.processors.settle_sample import SETTLE_SAMPLE
from tests import qc_facts as facts
from tests.doors import refused
from tests.integration.proposing import PAUSE_SECONDS, deciding, lab, said
from tests.integration.rows_over_http import ask, follow
from tests.qc_facts import SAMPLE
from tests.spec import heard

FAILED = (heard(facts.registered()), heard(facts.failed()))
OVERRIDE = f"/v1/samples/{SAMPLE}/qc/override"
SAID = {"reason": "enough for this question"}


async def test_an_override_is_answered_with_the_fact_and_whoever_answers_for_it(
    tables_url: str,
) -> None:
    async with lab(tables_url, *FAILED) as (door, log):
        headers = await door.bearer("clara", Role.CLINICIAN)
        account = await door.services.accounts.find("clara")
        row = await ask(door, headers, f"/samples/{SAMPLE}")
        body = {**SAID, "seen_offset": int(row["place"].rpartition("@")[2])}
        async with deciding(door, log, SETTLE_SAMPLE):
            answer = await door.client.post(OVERRIDE, json=body, headers=headers)
            assert answer.status_code == 200, answer.text
            told = answer.json()
            assert (told["state"], told["fact"]["type"]) == ("accepted", "QcOverridden")
            assert told["fact"]["actor"] == {"kind": "person", "id": str(account.account_id)}
            assert told["fact"]["payload"]["role"] == "clinician"
            found = await ask(door, headers, f"/proposals/{told['proposal_id']}")
            assert found == told
            again = await door.client.post(OVERRIDE, json=SAID, headers=headers)
        error = refused(again, 409, "REFUSED")
        assert "round 1 is overridden already" in error["message"]
        assert (await ask(door, headers, f"/proposals/{error['details']['proposal_id']}"))[
            "reason"
        ] == error["message"]
        assert len(await said(log, "QcOverridden")) == 1
        await follow(door, log)
        seen = {"min_position": answer.headers[POSITION]}
        assert (await ask(door, headers, f"/samples/{SAMPLE}", **seen))["state"] != row["state"]


async def test_what_has_changed_since_it_was_seen_is_refused(tables_url: str) -> None:
    async with lab(tables_url, *FAILED) as (door, log):
        headers = await door.bearer("clara", Role.CLINICIAN)
        body = {**SAID, "seen_offset": 0}
        async with deciding(door, log, SETTLE_SAMPLE):
            answer = await door.client.post(OVERRIDE, json=body, headers=headers)
        assert "has changed since it was looked at" in refused(answer, 409, "REFUSED")["message"]
        assert await said(log, "QcOverridden") == []


async def test_two_at_once_are_one_decision(tables_url: str) -> None:
    async with lab(tables_url, *FAILED) as (door, log):
        headers = await door.bearer("clara", Role.CLINICIAN)
        async with deciding(door, log, SETTLE_SAMPLE):
            answers = await asyncio.gather(
                *(door.client.post(OVERRIDE, json=SAID, headers=headers) for _ in range(3))
            )
        assert sorted(one.status_code for one in answers) == [200, 409, 409]
        assert len(await said(log, "QcOverridden")) == 1


async def test_who_waits_in_vain_is_told_where_the_answer_will_be(
    tables_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(proposing, "WAIT_SECONDS_MAX", 0.1)
    async with lab(tables_url, *FAILED) as (door, log):
        headers = await door.bearer("clara", Role.CLINICIAN)
        named = headers | {HEADER: "K-1"}
        answer = await door.client.post(OVERRIDE, json=SAID, headers=named)
        assert answer.status_code == 202
        where, place = answer.headers["Location"], answer.headers[POSITION]
        assert where == f"/v1/proposals/{answer.json()['proposal_id']}?min_position={place}"
        monkeypatch.setattr(reading, "WAIT_SECONDS_MAX", 0.1)
        refused(await door.client.get(where, headers=headers), 503, "BEHIND")
        await follow(door, log)
        found = await door.client.get(where, headers=headers)
        assert (found.status_code, found.json()["state"]) == (200, "open")
        async with deciding(door, log, SETTLE_SAMPLE):
            async with asyncio.timeout(20):
                while (found := await door.client.get(where, headers=headers)).json()[
                    "state"
                ] == "open":
                    await asyncio.sleep(PAUSE_SECONDS)
        assert found.json()["fact"]["type"] == "QcOverridden"
        replayed = await door.client.post(OVERRIDE, json=SAID, headers=named)
        assert (replayed.status_code, replayed.headers["Location"]) == (202, where)
        assert len(await said(log, "QcOverrideProposed")) == 1


async def test_a_refusal_under_a_key_is_the_same_when_it_is_asked_again(tables_url: str) -> None:
    async with lab(tables_url, heard(facts.registered())) as (door, log):
        headers = await door.bearer("clara", Role.CLINICIAN) | {HEADER: "K-1"}
        async with deciding(door, log, SETTLE_SAMPLE):
            first, second = [
                refused(await door.client.post(OVERRIDE, json=SAID, headers=headers), 409)
                for _ in range(2)
            ]
            other = await door.client.post(OVERRIDE, json={"reason": "else"}, headers=headers)
        assert first["details"] == second["details"]
        assert "not judged yet" in first["message"]
        refused(other, 422, "IDEMPOTENCY_KEY_REUSED")
        assert len(await said(log, "QcOverrideProposed")) == 1


async def test_only_who_may_decides_and_only_about_what_is_there(tables_url: str) -> None:
    async with lab(tables_url, *FAILED) as (door, log):
        clara = await door.bearer("clara", Role.CLINICIAN)
        tech = await door.bearer("tim", Role.LAB_TECHNICIAN)
        post = door.client.post
        refused(await post(OVERRIDE, json=SAID, headers=tech), 403)
        error = refused(await post(OVERRIDE, json={**SAID, "role": "admin"}, headers=clara), 403)
        assert error["details"]["field"] == "role"
        lost = "/v1/samples/nobody/qc/override"
        refused(await post(lost, json=SAID, headers=clara), 404)
        refused(await post(OVERRIDE, json={}, headers=clara), 422)
        refused(await post(OVERRIDE, json={**SAID, "why": "x"}, headers=clara), 422)
        assert await said(log, "QcOverrideProposed") == []


async def test_a_proposal_is_told_to_its_author_and_to_readers_of_events(
    tables_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(proposing, "WAIT_SECONDS_MAX", 0.05)
    async with lab(tables_url, *FAILED) as (door, log):
        clara = await door.bearer("clara", Role.CLINICIAN)
        key = {"X-API-Key": await door.key("clara", Permission.QC_DECIDE)}
        where = (await door.client.post(OVERRIDE, json=SAID, headers=clara)).headers["Location"]
        await follow(door, log)
        for who, status in (
            (clara, 200), (key, 200), (await door.bearer("olga", Role.AUDITOR), 200),
            (await door.bearer("carl", Role.CLINICIAN), 404),
        ):  # fmt: skip
            assert (await door.client.get(where, headers=who)).status_code == status
        event_id = FAILED[1].envelope.event_id
        refused(await door.client.get(f"/v1/proposals/{event_id}", headers=clara), 404)
        refused(await door.client.get(f"{where}&as_of=2026-03-01T10:00:00Z", headers=clara), 422)


async def test_more_reads_are_asked_for_once(tables_url: str) -> None:
    async with lab(tables_url, *FAILED) as (door, log):
        headers = await door.bearer("bo", Role.BIOINFORMATICIAN)
        where, body = f"/v1/samples/{SAMPLE}/top-up", {"reason": "a short run", "reads_wanted": 7}
        async with deciding(door, log, SETTLE_SAMPLE):
            answer = await door.client.post(where, json=body, headers=headers)
            again = await door.client.post(where, json=body, headers=headers)
        fact = answer.json()["fact"]
        assert (fact["type"], fact["payload"]["reads_wanted"]) == ("TopUpRequested", 7)
        assert "asked for after round 1 already" in refused(again, 409, "REFUSED")["message"]
