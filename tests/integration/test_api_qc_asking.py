"""Questions about the quality of a sample over HTTP: asked, answered, refused, and never two."""

from __future__ import annotations

from typing import Any

import pytest

from genoflow.api import proposing
from genoflow.api.idempotency import HEADER
from genoflow.api.identity.permissions import Role
from genoflow.api.reports.page import POLICY
from genoflow.processors.analyze_qc import ANALYZE_QC
from tests import qc_facts as facts
from tests.doors import Door, refused
from tests.integration.proposing import deciding, lab, said
from tests.integration.rows_over_http import ask, follow
from tests.qc_facts import SAMPLE
from tests.spec import heard

ANALYZE = "/v1/qc/analyze"
STRICT = facts.profile(document_id="strict", assays=(), reads_thresholds=(facts.Q30,))
CATALOG = (STRICT, facts.reference())
STORY = tuple(heard(one) for one in (*CATALOG, facts.registered(), facts.joined(), *facts.both()))
BODY: dict[str, Any] = {"sample_id": SAMPLE, "qc_profile": "strict"}


async def test_a_question_is_answered_beside_the_rounds_of_the_sample(tables_url: str) -> None:
    async with lab(tables_url, *STORY) as (door, log):
        headers = await door.bearer("clara", Role.CLINICIAN)
        before = await ask(door, headers, f"/samples/{SAMPLE}")
        async with deciding(door, log, ANALYZE_QC):
            body = BODY | {"data_path": "s3://raw/A/", "parameters": {}}
            answer = await door.client.post(ANALYZE, json=body, headers=headers)
            assert answer.status_code == 202, answer.text
            told = answer.json()
            assert set(told) == {"qc_job_id", "status", "estimated_completion"}
            assert told["status"] in ("running", "completed")
        await follow(door, log)
        found = (await door.client.get(answer.headers["Location"], headers=headers)).json()
        assert (found["qc_job_id"], found["sample_id"]) == (told["qc_job_id"], SAMPLE)
        assert (found["status"], found["pass_fail"]) == ("completed", "pass")
        await has_a_report(door, headers, found)
        metrics, unknown = found["metrics"], found["unknown"]
        assert (metrics["total_reads"], metrics["gc_content"]) == (200.0, 50.0)
        assert metrics["q30_fraction"] == pytest.approx(0.9)
        assert metrics["contamination_rate"] is metrics["novel_variants"] is None
        assert {"mean_quality", "contamination_rate", "novel_variants"} <= set(unknown)
        assert {name for name, value in metrics.items() if value is None} == set(unknown)
        assert found["about"] is None
        assert (found["analysis"]["profile"], found["analysis"]["profile_version"]) == (
            "strict",
            "1",
        )
        assert await ask(door, headers, f"/samples/{SAMPLE}") == before
        assert (await ask(door, headers, "/qc/results"))["items"] == []
        [listed] = (await ask(door, headers, "/qc/analyses", sample_id=SAMPLE))["items"]
        assert listed == found["analysis"]
        assert (await ask(door, headers, "/qc/analyses", state="failed"))["items"] == []


async def has_a_report(door: Door, headers: dict[str, str], found: dict[str, Any]) -> None:
    """It is where the answer says, stands alone, and who saw it is told."""
    await door.services.reads.tell()
    shown = await door.client.get(found["reports"]["html"], headers=headers)
    assert (shown.status_code, shown.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert shown.headers["content-security-policy"] == POLICY
    assert "passed" in shown.text
    assert facts.sha("AR11") in shown.text  # the SHA-256 of a file of the question
    assert "QcAnalysisPassed" in shown.text
    assert door.services.reads.waiting == 1
    again = {**headers, "If-None-Match": shown.headers["etag"]}
    assert (await door.client.get(found["reports"]["html"], headers=again)).status_code == 304
    before = found["about"] or found["analysis"]
    as_of = {"as_of": before["first_at"]}
    answer = await door.client.get(found["reports"]["html"], params=as_of, headers=headers)
    assert answer.status_code == 404


async def test_a_failure_is_an_answer_and_holds_nothing_back(tables_url: str) -> None:
    async with lab(tables_url, *STORY) as (door, log):
        headers = await door.bearer("clara", Role.CLINICIAN)
        limits = {"mean_quality": {"required_min": 20}, "gc_content": {"required_max": 40}}
        async with deciding(door, log, ANALYZE_QC):
            body = BODY | {"qc_profile": "custom", "parameters": limits}
            answer = await door.client.post(ANALYZE, json=body, headers=headers)
        await follow(door, log)
        found = await ask(door, headers, f"/qc/results/{answer.json()['qc_job_id']}")
        assert (found["status"], found["pass_fail"]) == ("completed", "fail")
        assert (
            "gc_fraction is 0.5 fraction and has to be at most 0.4" in found["analysis"]["reason"]
        )
        assert "quality_mean could not be measured" in found["analysis"]["reason"]
        assert found["metrics"]["quality_mean"] is None
        assert await said(log, "QcFailed") == []


async def test_the_same_request_is_one_question(tables_url: str) -> None:
    async with lab(tables_url, *STORY) as (door, log):
        headers = await door.bearer("clara", Role.CLINICIAN) | {HEADER: "K-1"}
        async with deciding(door, log, ANALYZE_QC):
            one, two = [await door.client.post(ANALYZE, json=BODY, headers=headers) for _ in "ab"]
            other = BODY | {"qc_profile": "custom"}
            third = await door.client.post(ANALYZE, json=other, headers=headers)
        assert (two.status_code, two.json()) == (202, one.json())
        refused(third, 422, "IDEMPOTENCY_KEY_REUSED")
        assert len(await said(log, "QcAnalysisProposed")) == 1
        assert len(await said(log, "QcAnalysisPassed")) == 1


@pytest.mark.parametrize(
    ("changes", "status", "reason"),
    [
        ({"sample_id": "nobody"}, 404, "nobody has heard of it"),
        ({"data_path": "/data/x.fq"}, 422, "is no s3://bucket/key"),
        ({"data_path": "s3://raw/B/"}, 409, "data_path: s3://raw/B/ holds no validated file of S1"),
        ({"qc_profile": "lost"}, 409, "lost is not published"),
        ({"parameters": {"luck": {}}}, 422, "parameters.luck: is not measured of files"),
        ({"parameters": {"reads": {}}}, 422, "parameters.reads: has no bound"),
        ({"parameters": {"q30_fraction": {"required_min": 0.1}}}, 409, "is the same for everybody"),
        ({"parameters": {"reads": {"least": 1}}}, 422, "Extra inputs"),
        ({"mode": "fast"}, 422, "Extra inputs"),
    ],
)
async def test_what_cannot_be_asked_is_refused_with_the_reason(
    tables_url: str, changes: dict[str, Any], status: int, reason: str
) -> None:
    async with lab(tables_url, *STORY) as (door, log):
        headers = await door.bearer("clara", Role.CLINICIAN)
        async with deciding(door, log, ANALYZE_QC):
            answer = await door.client.post(ANALYZE, json=BODY | changes, headers=headers)
        error = refused(answer, status)
        assert reason in error["message"]
        if status == 409:
            name = error["details"]["proposal_id"]
            await follow(door, log)
            found = await ask(door, headers, f"/qc/results/{name}")
            assert (found["status"], found["pass_fail"]) == ("failed", None)
            assert found["analysis"]["reason"] == error["message"]


async def test_who_waits_in_vain_is_told_where_the_answer_will_be(
    tables_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(proposing, "WAIT_SECONDS_MAX", 0.1)
    async with lab(tables_url, *STORY) as (door, log):
        headers = await door.bearer("clara", Role.CLINICIAN)
        answer = await door.client.post(ANALYZE, json=BODY, headers=headers)
        assert (answer.status_code, answer.json()["status"]) == (202, "queued")
        await follow(door, log)
        found = (await door.client.get(answer.headers["Location"], headers=headers)).json()
        assert (found["status"], found["pass_fail"], found["measured"]) == ("queued", None, [])
        assert set(found["unknown"].values()) >= {"is not measured yet"}
        assert found["analysis"]["asked_by"]


async def test_partners_and_auditors_ask_nothing(tables_url: str) -> None:
    async with lab(tables_url, *STORY) as (door, log):
        for name, role in (("paula", Role.PARTNER), ("otto", Role.AUDITOR)):
            headers = await door.bearer(name, role)
            refused(await door.client.post(ANALYZE, json=BODY, headers=headers), 403)
        partner = await door.bearer("petra", Role.PARTNER)
        refused(await door.client.get("/v1/qc/analyses", headers=partner), 403)
        assert await said(log, "QcAnalysisProposed") == []
