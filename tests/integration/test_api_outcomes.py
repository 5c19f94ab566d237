"""Jobs, results and QC over HTTP: of a cohort that is over, and of what went another way."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from genoflow.api import execution, notifications, pipelines, qc, results
from genoflow.api.identity.permissions import Role
from genoflow.api.rows import cursor_of
from genoflow.events.log.memory import MemoryLog
from genoflow.events.measured import Measured
from genoflow.events.qc_overridden import QcOverridden
from genoflow.events.result_change import ResultChange
from genoflow.events.results_checked import ResultsChecked
from genoflow.events.results_held import ResultsHeld
from genoflow.events.results_retracted import ResultsRetracted
from genoflow.events.run_failed import RunFailed
from genoflow.events.run_started import RunStarted
from genoflow.events.run_submitted import RunSubmitted
from genoflow.events.task_completed import TaskCompleted
from genoflow.events.task_started import TaskStarted
from genoflow.projections import catalog, run_tasks, runs, subscriptions
from genoflow.projections import qc as qc_rows
from genoflow.projections import results as results_rows
from tests import qc_facts
from tests.asked import like
from tests.asked import told as with_envelopes
from tests.doors import Door, refused
from tests.integration.rows_over_http import (
    COHORT,
    ask,
    every,
    follow,
)
from tests.run_facts import CASE, RUN_ID, collected, published, requested, result

RUN = str(RUN_ID)
PASSED = {name for name, verdict in COHORT.verdicts().items() if verdict == "QcPassed"}
COVERAGE = Measured(
    metric="mean_coverage", value=35.2, unit="x", measured_on="S1", required_min=30.0,
    verdict="pass",
)  # fmt: skip


def fact(kind: type[Any], **fields: Any) -> Any:
    known: dict[str, Any] = {
        "run_id": RUN_ID, "case_id": CASE, "attempt": 1, "job_id": "J1", "launcher": "local",
        "task_id": "t1", "task_name": "align (S1)", "process": "align", "task_attempt": 1,
    }  # fmt: skip
    return like(kind, **{k: v for k, v in known.items() if k in kind.model_fields} | fields)


def test_pages_go_on_in_the_order_of_the_rows() -> None:
    assert tuple(execution.ORDER) == runs.ORDER
    assert tuple(execution.TASK_ORDER) == run_tasks.ORDER
    assert tuple(results.ORDER) == results_rows.ORDER
    assert tuple(qc.ORDER) == qc_rows.ORDER
    assert tuple(pipelines.ORDER) == catalog.ORDER
    assert tuple(notifications.ORDER) == subscriptions.ORDER
    assert tuple(notifications.DELIVERY_ORDER) == subscriptions.DELIVERY_ORDER


async def test_every_run_is_a_job_that_is_completed(door: Door) -> None:
    headers = await door.bearer("vera", Role.LAB_TECHNICIAN)
    jobs = await every(door, headers, "/execution/jobs", 2)
    assert {one["case_id"] for one in jobs} == {one.name for one in COHORT.cases if one.is_run}
    assert len({one["job_id"] for one in jobs}) == len(jobs)
    assert {one["status"] for one in jobs} == {"completed"}
    job = await ask(door, headers, f"/execution/jobs/{jobs[0]['job_id']}")
    assert jobs[0].items() <= job.items()
    assert (job["estimated_completion"], job["estimated_completion_unknown"]) == (
        None, "it is over",
    )  # fmt: skip
    assert job["progress"] == {
        "current_step": None, "completed_steps": 3, "total_steps": 3, "percentage": 100.0,
    }  # fmt: skip
    assert job["resource_usage"] == dict.fromkeys(
        ("cpu_hours", "memory_gb_hours", "cost_usd", "billed_usd")
    )
    assert job["completed_at"] is not None
    assert await ask(door, headers, "/execution/jobs/counts") == {"published": len(jobs)}
    assert await ask(door, headers, "/execution/jobs", state="failed") == {
        "items": [], "next": None,
    }  # fmt: skip
    for address in ("nobody", "nobody/tasks"):
        answer = await door.client.get(f"/v1/execution/jobs/{address}", headers=headers)
        assert "/execution/jobs lists" in refused(answer, 404)["message"]
    for wrong in ("after=x", f"after={cursor_of([1, 1])}", "limit=0", "status=running"):
        refused(await door.client.get(f"/v1/execution/jobs?{wrong}", headers=headers), 422)


async def test_a_job_tells_how_far_it_is_and_which_attempt_follows(
    door: Door, log: MemoryLog
) -> None:
    headers = await door.bearer("vera", Role.LAB_TECHNICIAN)
    address = f"/execution/jobs/{RUN}"
    more = {"pipeline": "other", "attempts_max": 2}
    events = with_envelopes(
        requested(**more), fact(RunSubmitted), fact(RunStarted),
        fact(TaskCompleted, work_seconds=3_600.0, resources=None, is_cached=False),
        fact(TaskStarted, task_id="t2", process="call"),
        fact(
            RunFailed, will_retry=True, failure_class="infrastructure", failure_rule="disk full",
            advice="A disk ran full.", evidence=("exit code 1", "No space left on device"),
        ),
    )  # fmt: skip
    await follow(door, log, *events[:1])
    job = await ask(door, headers, address)
    assert (job["status"], job["started_at"], job["completed_at"]) == ("queued", None, None)
    assert job["estimated_start_unknown"].endswith("12 are needed to say it")
    await follow(door, log, *events[1:5])
    job = await ask(door, headers, address)
    assert (job["status"], job["launcher_job_id"]) == ("running", "J1")
    assert job["progress"] == {
        "current_step": "call", "completed_steps": 1, "total_steps": None, "percentage": None,
    }  # fmt: skip
    tasks = await every(door, headers, f"{address}/tasks", 1)
    assert [(one["task_id"], one["state"]) for one in tasks] == [
        ("t1", "completed"), ("t2", "started"),
    ]  # fmt: skip
    assert (await ask(door, headers, f"{address}/tasks", attempt=2))["items"] == []
    await follow(door, log, *events[5:])
    job = await ask(door, headers, address)
    assert (job["state"], job["status"], job["completed_at"]) == ("failed", "queued", None)
    assert job["reason"]
    assert job["failure"] == {
        "failure_class": "infrastructure", "rule": "disk full", "advice": "A disk ran full.",
        "evidence": ["exit code 1", "No space left on device"],
    }  # fmt: skip
    metrics = (await ask(door, headers, "/monitoring/metrics"))["metrics"]
    assert {one["metric_name"]: one["value"] for one in metrics}["failed_jobs"] == 1


async def test_results_may_be_used_while_they_are_published(door: Door, log: MemoryLog) -> None:
    headers = await door.bearer("ben", Role.BIOINFORMATICIAN)
    files = (
        result("bam", "S1"), result("report", "S1", "6" * 64), result("vcf"),
        result("clinical_report", None, "7" * 64),
        result("report", "S1").model_copy(update={"object_key": f"{CASE}/report-2"}),
    )  # fmt: skip
    judged: dict[str, Any] = {
        "run_id": RUN_ID, "case_id": CASE, "profile": "wgs-30x", "profile_version": "1",
        "measured": (COVERAGE,),
    }  # fmt: skip
    held = with_envelopes(
        requested(), fact(RunSubmitted), collected(files=files),
        ResultsHeld(**judged, reasons=("too low for a call",)),
    )  # fmt: skip
    await follow(door, log, *held)
    found = await ask(door, headers, f"/results/{RUN}")
    assert (found["state"], found["reasons"]) == ("held", ["too low for a call"])
    assert found["waits_for"] == "a person to release its results"
    assert (found["sample_results"], found["case_files"]) == ([], {})
    assert found["clinical_report"] is None
    assert {one["state"] for one in found["checksums"]} == {"collected"}
    out = with_envelopes(ResultsChecked(**judged), published(files=files))
    await follow(door, log, *out)
    found = await ask(door, headers, f"/results/{RUN}")
    uri = f"s3://genoflow-results/{CASE}"
    assert found["sample_results"] == [
        {
            "sample_id": "S1",
            "files": {
                "bam": f"{uri}/bam", "report": f"{uri}/report", "report.2": f"{uri}/report-2",
            },
            "metrics": {"mean_coverage": 35.2},
        }
    ]  # fmt: skip
    assert found["clinical_report"] == f"{uri}/clinical_report"
    assert found["case_files"]["vcf"] == f"{uri}/vcf"
    assert [one["required_min"] for one in found["checks"]] == [30.0]
    assert {one["sha256"] for one in found["checksums"]} == {"4" * 64, "6" * 64, "7" * 64}
    gone = ResultsRetracted(
        run_id=RUN_ID, case_id=CASE, reason_code="wrong", reason="another's tube", role="clinician",
        changes=(ResultChange(what="variant", sample_id="S1", before="1:2 A>T", after=""),),
    )  # fmt: skip
    await follow(door, log, *with_envelopes(gone))
    found = await ask(door, headers, f"/results/{RUN}")
    assert (found["state"], found["sample_results"]) == ("retracted", [])
    assert found["about"]["reason"] == "another's tube"
    assert [(one["what"], one["before"]) for one in found["changes"]] == [("variant", "1:2 A>T")]


async def test_results_are_listed_page_by_page(door: Door) -> None:
    headers = await door.bearer("ben", Role.BIOINFORMATICIAN)
    found = await every(door, headers, "/results", 2)
    assert {one["case_id"] for one in found} == {one.name for one in COHORT.cases if one.is_run}
    assert len(found) == len({one["run_id"] for one in found})
    assert (await ask(door, headers, "/results", is_counting=False))["items"] == []
    assert await ask(door, headers, "/results/counts") == {"published": len(found)}
    one = await ask(door, headers, f"/results/{found[0]['run_id']}")
    [case] = [case for case in COHORT.cases if case.name == found[0]["case_id"]]
    assert [each["sample_id"] for each in one["sample_results"]] == sorted(
        each.name for each in case.samples
    )
    assert "/execution/jobs/none" in refused(
        await door.client.get("/v1/results/none", headers=headers), 404
    )["message"]  # fmt: skip
    technician = await door.bearer("vera", Role.LAB_TECHNICIAN)
    for address in ("/results", "/results/counts", f"/results/{found[0]['run_id']}"):
        refused(await door.client.get(f"/v1{address}", headers=technician), 403)


async def test_qc_is_told_with_what_was_required(door: Door) -> None:
    headers = await door.bearer("vera", Role.LAB_TECHNICIAN)
    rounds = await every(door, headers, "/qc/results", 5)
    assert {one["sample_id"] for one in rounds if one["pass_fail"] == "pass"} == PASSED
    assert {one["status"] for one in rounds} == {"completed"}
    counted = await ask(door, headers, "/qc/results/counts")
    assert sum(counted.values()) == len(rounds) == len({one["qc_job_id"] for one in rounds})
    name = min(PASSED)
    found = await ask(door, headers, f"/qc/results/{name}.1")
    assert (found["qc_job_id"], found["sample_id"]) == (f"{name}.1", name)
    assert (found["status"], found["pass_fail"]) == ("completed", "pass")
    page = await door.client.get(found["reports"]["html"], headers=headers)
    assert page.headers["content-type"].startswith("text/html")
    assert name in page.text
    assert found["metrics"]["mean_coverage"] >= 30
    [coverage] = [one for one in found["measured"] if one["metric"] == "mean_coverage"]
    assert (coverage["required_min"], coverage["verdict"]) == (30.0, "pass")
    for missing in ("nobody.1", f"{name}.2", f"{name}.0", f"{name}.9999", name, f"{name}.1e3"):
        answer = await door.client.get(f"/v1/qc/results/{missing}", headers=headers)
        assert "such as S7.1" in refused(answer, 404)["message"]
    partner = await door.bearer("paula", Role.PARTNER)
    refused(await door.client.get(f"/v1/qc/results/{name}.1", headers=partner), 403)


async def test_qc_passes_as_a_person_decided(door: Door, log: MemoryLog) -> None:
    headers = await door.bearer("vera", Role.LAB_TECHNICIAN)
    asked, failed = with_envelopes(qc_facts.requested(), qc_facts.failed())
    address = f"/qc/results/{failed.key}.1"
    await follow(door, log, asked)
    found = await ask(door, headers, address)
    assert (found["status"], found["pass_fail"]) == ("queued", None)
    assert set(found["metrics"].values()) == {None}
    assert found["unknown"]["total_reads"] == "is not measured yet"
    await follow(door, log, failed)
    found = await ask(door, headers, address)
    assert (found["status"], found["pass_fail"]) == ("completed", "fail")
    known = {name: value for name, value in found["metrics"].items() if value is not None}
    assert known == {"mean_coverage": 15.0, "coverage_mean": 15.0}
    assert set(found["unknown"]) == set(found["metrics"]) - set(known)
    decided = like(
        QcOverridden, sample_id=failed.key, round=1, overridden_event_id=failed.envelope.event_id
    )
    await follow(door, log, *with_envelopes(decided))
    found = await ask(door, headers, address)
    assert (found["pass_fail"], found["about"]["verdict"]) == ("pass", "failed")
    assert UUID(found["about"]["verdict_id"]) == failed.envelope.event_id
