"""Orders, runs and results over HTTP: what a person decides, and why it is refused."""

from __future__ import annotations

from typing import Any

from genoflow.api.identity.permissions import Role
from genoflow.events import topics
from genoflow.events.case_closed import CaseClosed
from genoflow.events.case_opened import CaseOpened
from genoflow.events.results_held import ResultsHeld
from genoflow.events.run_failed import RunFailed
from genoflow.processors.running.names import run_id_of
from genoflow.processors.settle_case import SETTLE_CASE
from genoflow.processors.settle_run import SETTLE_RUN
from tests.asked import like
from tests.doors import refused
from tests.integration.proposing import deciding, lab, said
from tests.integration.rows_over_http import ask
from tests.run_facts import CASE, collected, ready, requested
from tests.spec import heard

ORDER: dict[str, Any] = {
    "case_id": CASE, "kind": "single", "assay": "wgs", "reference": "GRCh38",
    "members": [{"sample_id": "S1", "role": "single", "subject_ref": "P1"}],
}  # fmt: skip
OPENED = heard(CaseOpened(**ORDER, source="lims"))
READY = heard(ready())
RUN_ID = run_id_of(READY.envelope.event_id)
ASKED = heard(requested(run_id=RUN_ID))
OF_RUN: dict[str, Any] = {"run_id": RUN_ID, "case_id": CASE}
FAILED = heard(like(RunFailed, **OF_RUN, attempt=1, will_retry=False))
LEFT = heard(collected(run_id=RUN_ID))
HELD = heard(like(ResultsHeld, **OF_RUN))
JOB, RESULTS = f"/v1/execution/jobs/{RUN_ID}", f"/v1/results/{RUN_ID}"
WHY = {"reason": "the disk is back"}
NOBODY = "00000000-0000-4000-8000-000000000000"


async def test_an_order_is_placed_once_and_told_again(tables_url: str) -> None:
    async with lab(tables_url) as (door, log), deciding(door, log, SETTLE_CASE):
        headers = await door.bearer("tim", Role.LAB_TECHNICIAN)
        post = door.client.post
        placed = await post("/v1/cases", json=ORDER, headers=headers)
        assert placed.status_code == 201, placed.text
        fact = placed.json()["fact"]
        assert (fact["type"], fact["payload"]["source"]) == ("CaseOpened", "api")
        again = await post("/v1/cases", json={**ORDER, "source": "lims"}, headers=headers)
        assert (again.status_code, again.json()["fact"]) == (200, fact)
        where = f"/proposals/{again.json()['proposal_id']}"
        assert (await ask(door, headers, where))["state"] == "accepted"
        other = await post("/v1/cases", json={**ORDER, "reference": "GRCh37"}, headers=headers)
        assert "is GRCh38 on the log and GRCh37 here" in refused(other, 409, "REFUSED")["message"]
        assert len(await said(log, "CaseOpened", topics.CASE)) == 1


async def test_an_order_that_is_wrong_is_refused_with_every_place(tables_url: str) -> None:
    async with lab(tables_url) as (door, log):
        headers = await door.bearer("tim", Role.LAB_TECHNICIAN)
        member = {**ORDER["members"][0], "role": "tumour"}
        wrong = {**ORDER, "members": [member], "assay": None}
        answer = await door.client.post("/v1/cases", json=wrong, headers=headers)
        details = refused(answer, 422)["details"]
        places = [one["field"] for one in details["faults"]]
        assert places == ["assay", "members.0.role", "members"]
        refused(await door.client.post("/v1/cases", json=[ORDER], headers=headers), 422)
        assert await said(log, "CaseProposed", topics.CASE) == []


async def test_a_case_is_closed_and_stays_so(tables_url: str) -> None:
    async with lab(tables_url, OPENED) as (door, log), deciding(door, log, SETTLE_CASE):
        headers = await door.bearer("tim", Role.LAB_TECHNICIAN)
        where, post = f"/v1/cases/{CASE}/close", door.client.post
        closed = await post(where, json=WHY, headers=headers)
        assert closed.json()["fact"]["payload"]["outcome"] == "cancelled"
        again = await post(where, json=WHY, headers=headers)
        assert (again.status_code, again.json()["fact"]) == (200, closed.json()["fact"])
        other = await post(
            where, json={"reason": "consent", "outcome": "withdrawn"}, headers=headers
        )
        assert "was closed already" in refused(other, 409, "REFUSED")["message"]
        refused(await post("/v1/cases/C9/close", json=WHY, headers=headers), 404)


async def test_a_run_that_failed_is_had_again(tables_url: str) -> None:
    async with lab(tables_url, OPENED, READY, ASKED, FAILED) as (door, log):
        headers = await door.bearer("olaf", Role.OPERATOR)
        post = door.client.post
        async with deciding(door, log, SETTLE_CASE, SETTLE_RUN):
            over = await post(f"{JOB}/cancel", json=WHY, headers=headers)
            wish = await post(f"{JOB}/rerun", json=WHY, headers=headers)
            twice = await post(f"{JOB}/rerun", json=WHY, headers=headers)
            lost = await post(f"/v1/execution/jobs/{NOBODY}/rerun", json=WHY, headers=headers)
        assert "is failed already" in refused(over, 409, "REFUSED")["message"]
        assert wish.json()["fact"]["type"] == "RerunRequested"
        assert "has taken its place" in refused(twice, 409, "REFUSED")["message"]
        refused(lost, 404)


async def test_a_run_that_is_under_way_is_ended_and_not_had_again(tables_url: str) -> None:
    async with lab(tables_url, OPENED, READY, ASKED) as (door, log):
        headers = await door.bearer("olaf", Role.OPERATOR)
        post = door.client.post
        async with deciding(door, log, SETTLE_CASE, SETTLE_RUN):
            early = await post(f"{JOB}/rerun", json=WHY, headers=headers)
            ended = await post(f"{JOB}/cancel", json=WHY, headers=headers)
        assert "is under way" in refused(early, 409, "REFUSED")["message"]
        assert ended.json()["fact"]["type"] == "RunCancelled"


async def test_results_are_released_and_taken_back(tables_url: str) -> None:
    async with lab(tables_url, OPENED, READY, ASKED, LEFT, HELD) as (door, log):
        headers = await door.bearer("clara", Role.CLINICIAN)
        post = door.client.post
        wrong = {"reason": "a swap", "reason_code": "wrong"}
        async with deciding(door, log, SETTLE_RUN):
            early = await post(f"{RESULTS}/retract", json=wrong, headers=headers)
            released = await post(f"{RESULTS}/release", json=WHY, headers=headers)
            retracted = await post(f"{RESULTS}/retract", json=wrong, headers=headers)
            late = await post(f"{RESULTS}/release", json=WHY, headers=headers)
        assert "has published nothing" in refused(early, 409, "REFUSED")["message"]
        assert released.json()["fact"]["payload"]["role"] == "clinician"
        assert retracted.json()["fact"]["type"] == "ResultsRetracted"
        assert "were retracted already" in refused(late, 409, "REFUSED")["message"]
        tech = await door.bearer("tim", Role.LAB_TECHNICIAN)
        refused(await post(f"{RESULTS}/release", json=WHY, headers=tech), 403)


async def test_the_end_of_a_case_by_a_command_is_known_here(tables_url: str) -> None:
    closed = heard(CaseClosed(case_id=CASE, outcome="cancelled", reason="not needed"))
    async with lab(tables_url, OPENED, READY, ASKED, FAILED, closed) as (door, log):
        headers = await door.bearer("olaf", Role.OPERATOR)
        async with deciding(door, log, SETTLE_CASE):
            answer = await door.client.post(f"{JOB}/rerun", json=WHY, headers=headers)
        assert "is closed, cancelled" in refused(answer, 409, "REFUSED")["message"]
