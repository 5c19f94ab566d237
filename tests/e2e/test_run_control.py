"""A run in a person's hands: watched, read, explained, and let go on from where it failed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from genoflow.deploy.addresses import Addresses
from genoflow.events.case_closed import CaseClosed
from genoflow.events.case_opened import CaseOpened
from genoflow.events.qc_passed import QcPassed
from genoflow.events.qc_requested import QcRequested
from genoflow.processors.running.engine import code_sha256
from tests.asked import like
from tests.e2e.runs import REFERENCE, ROWS, Lab, opened, published
from tests.e2e.test_proposals import serving
from tests.e2e.workers import (
    PATIENCE_SECONDS,
    fails,
    genoflow,
    happens,
    running,
    succeeds,
    until,
    working,
)

JOBS = "/v1/execution/jobs"
HOLD = "hold"  # as long as this file is there, the third step waits
SHALLOW = 1.0  # nobody aligns these reads
OWED = [{"kind": "report", "per": "case", "content_type": "text/plain"}]
# The third step fails as long as a file is not there, of which the run knows nothing.
THREE = """
process FIRST { output: path 'a' ; script: 'echo a > a' }
process SECOND { input: path 'a' ; output: path 'b' ; script: 'cat a a > b' }
process THIRD {
    publishDir "${params.outdir}/report/_case", mode: 'copy'
    input: path 'b'
    output: path 'c'
    script:
    '''
    while [ -e HOLD ]; do sleep 0.2; done
    test -e MENDED || { echo "no room is left" >&2; exit 7; }
    cat b > c
    '''
}
workflow { FIRST | SECOND | THIRD }
"""


# From an order to the end of its run.
ALL_ROWS = ("settle-case", "settle-run", "join-case", "tell-case", "await-members", *ROWS)


@pytest.fixture
def lab(stack: Addresses, postgres_url: str, suffix: str, tmp_path: Path) -> Iterator[Lab]:
    """A deployment of this test's own."""
    with opened(stack, suffix, tmp_path, SHALLOW, postgres=postgres_url) as lab:
        yield lab


@pytest.fixture
def mended(lab: Lab, tmp_path: Path) -> Path:
    """The file without which the third step fails."""
    code, mended = tmp_path / "three", tmp_path / "mended"
    code.mkdir()
    (code / "main.nf").write_text(
        THREE.replace("MENDED", str(mended)).replace("HOLD", str(tmp_path / HOLD))
    )
    published(lab, uri=code.as_uri(), code_sha256=code_sha256(code), expected_outputs=OWED)
    return mended


def has_good_reads(lab: Lab) -> None:
    """Let a sample have been ordered and answered, and its reads be good."""
    files = lab.member("A", "single").files
    of_sample: dict[str, Any] = {"sample_id": "SIM-A", "round": 1}
    member = {"sample_id": "SIM-A", "role": "single", "subject_ref": "P1"}
    happens(
        lab.settings,
        CaseOpened(
            case_id="CASE-1", kind="single", assay="wgs", reference=REFERENCE, members=[member],
            source="lims",
        ),
        CaseClosed(case_id="CASE-1", outcome="published", reason="its results are published"),
        like(
            QcRequested, **of_sample, assay="wgs", reference=REFERENCE, target_bases=None,
            files=files, profile="wgs-small",
        ),
        like(QcPassed, **of_sample, profile="wgs-small"),
    )  # fmt: skip


def job_of(client: httpx2.Client, key: str) -> str:
    """The job that a program asks for."""
    answer = client.post(
        JOBS, headers={"Idempotency-Key": key},
        json={"pipeline_id": "germline", "sample_ids": ["SIM-A"], "priority": "high"},
    )  # fmt: skip
    assert answer.status_code in (201, 202), answer.text
    job_id: str = answer.json()["job_id"]
    return job_id


def status(client: httpx2.Client, job_id: str, word: str) -> dict[str, Any]:
    """What is told of a job, once it has this status."""
    told: dict[str, Any] = client.get(f"{JOBS}/{job_id}").json()
    return told if told.get("status") == word else {}


def at_step(client: httpx2.Client, job_id: str, step: str) -> bool:
    """Whether a job is at this step."""
    told = status(client, job_id, "running")
    return bool(told) and told["progress"]["current_step"] == step


def failed_first(lab: Lab) -> str:
    """The run that fails at its third step, once it has."""
    lab.ready("CASE-A", "single", A="single")
    [one] = until(lambda: lab.said("RunFailed", "CASE-A"), "the third step has failed")
    assert (one.failed_process, one.will_retry) == ("THIRD", False)
    return str(one.run_id)


def ends_of_tasks(lab: Lab, attempt: int) -> set[tuple[str, bool]]:
    """The tasks that an attempt completed, and whether an earlier one had done them."""
    done = [e for e in lab.said("TaskCompleted", "CASE-A") if e.attempt == attempt]
    return {(one.process, one.is_cached) for one in done}


def watched(lab: Lab, run_id: str) -> Any:
    """What somebody sees who watches a run that is over, and with what that ends."""
    return genoflow(lab.settings, "run", "watch", run_id)


@pytest.mark.long
def test_a_run_goes_on_from_the_step_that_failed(lab: Lab, mended: Path, tmp_path: Path) -> None:
    with working(lab.settings, tmp_path / "worker.log", "--once", *ROWS):
        run_id = failed_first(lab)
        seen = watched(lab, run_id)
        assert seen.returncode == 7, seen.stdout + seen.stderr
        assert "task THIRD: failed  exit code 7" in seen.stdout
        assert "2 tasks are done; failed: THIRD" in seen.stdout
        told = succeeds(lab.settings, "run", "explain", run_id)
        assert "it was asked for, for case CASE-A (SIM-A): germline" in told
        assert "attempt 1 failed in the step THIRD, exit code" in told
        assert f"`genoflow run retry {run_id}` goes on from there" in told
        assert "no room is left" in succeeds(lab.settings, "run", "logs", run_id, "--task", "THIRD")
        assert "those that there are: FIRST, SECOND, THIRD" in fails(
            lab.settings, "run", "logs", run_id, "--task", "FOURTH"
        )
        assert "THIRD" in succeeds(lab.settings, "run", "logs", run_id)
        mended.touch()
        with running(
            lab.settings, tmp_path / "watch.log", "run", "retry", run_id, "--reason", "more disk"
        ) as asked:
            assert asked.wait(60) == 0
        with running(lab.settings, tmp_path / "watch.log", "run", "watch", run_id) as watching:
            assert watching.wait(120) == 0, (tmp_path / "watch.log").read_text()
        done = until(lambda: lab.said("RunSucceeded", "CASE-A"), "it has succeeded")[0]
    assert ends_of_tasks(lab, 2) == {("FIRST", True), ("SECOND", True), ("THIRD", False)}
    assert (done.attempt, done.tasks_completed, done.tasks_cached, done.outputs) == (2, 3, 2, 1)
    started = lab.said("RunStarted", "CASE-A")
    assert [(one.attempt, one.resumed) for one in started] == [(1, False), (2, True)]
    assert started[0].session_id == started[1].session_id
    assert len(lab.said("RunRequested", "CASE-A")) == 1, "it is the run that was asked for"
    seen = (tmp_path / "watch.log").read_text()
    assert re.search(r"task THIRD: (at work|submitted|completed)", seen)
    assert "3 tasks are done, 2 of them by an earlier attempt" in seen
    assert "only a run that failed goes on from there" in fails(
        lab.settings, "run", "retry", run_id, "--reason", "x"
    )
    assert not (lab.settings.home / "runs" / run_id).exists(), "it has left all that it owes"


@pytest.mark.long
def test_a_job_is_asked_for_over_http_watched_to_its_end_and_another_is_ended(
    lab: Lab, mended: Path, tmp_path: Path
) -> None:
    has_good_reads(lab)
    mended.touch()
    scopes = ("runs:read", "runs:write", "cases:read", "pipelines:read")
    with (
        running(lab.settings, tmp_path / "rows.log", "project"),
        serving(lab.settings, tmp_path / "api.log", *scopes) as client,
    ):
        until(lambda: client.get("/v1/cases/CASE-1").status_code == 200, "the order is there")
        until(lambda: client.get("/v1/pipelines").json()["pipelines"], "the pipeline is there")
        job_id = job_of(client, "K1")
        seen = tmp_path / "watch.log"
        with (
            running(lab.settings, seen, "run", "watch", job_id) as watching,
            working(lab.settings, tmp_path / "worker.log", "--once", *ALL_ROWS),
        ):
            assert watching.wait(PATIENCE_SECONDS) == 0, seen.read_text()
            told = until(lambda: status(client, job_id, "completed"), "the rows follow")
            assert (told["job_id"], told["case_id"]) == (job_id, f"job-{job_id}")
            assert told["progress"] | {"current_step": None} == {
                "current_step": None, "completed_steps": 3, "total_steps": 3, "percentage": 100.0,
            }  # fmt: skip
            (mended.parent / HOLD).touch()
            other = job_of(client, "K2")
            until(lambda: at_step(client, other, "THIRD"), "the other one is at its third step")
            answer = client.post(f"{JOBS}/{other}/cancel", json={"reason": "not needed"})
            assert answer.status_code in (200, 202), answer.text
            told = until(lambda: status(client, other, "cancelled"), "it is ended")
            until(lambda: lab.said("RunExited", f"job-{other}"), "its job is ended")
    assert told["reason"] == "not needed"
    assert [str(one.run_id) for one in lab.said("RunSucceeded", f"job-{job_id}")] == [job_id]
    assert lab.said("RunSucceeded", f"job-{other}") == lab.said("RunFailed", f"job-{other}") == []
    assert genoflow(lab.settings, "run", "watch", other).returncode == 1
    assert "was cancelled" in succeeds(lab.settings, "run", "explain", other)
    again = succeeds(
        lab.settings, "run", "submit", "germline", "SIM-A", "--priority", "low", "--dry-run"
    )
    assert re.fullmatch(r"[0-9a-f-]{36}\n", again)
    assert "SIM-Z: no open or published case names this sample" in fails(
        lab.settings, "run", "submit", "germline", "SIM-Z"
    )
