"""What befalls runs: they are lost and go on, are ended by people, and are asked for again."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from genoflow.deploy.addresses import Addresses
from genoflow.deploy.launching import open_launcher
from genoflow.deploy.open_sources import open_run_source
from genoflow.deploy.subject import LogSubjects
from genoflow.deploy.wiring import open_log
from genoflow.events import topics
from genoflow.events.event import Event
from genoflow.events.log.memory import MemoryLog
from genoflow.processors.adapters.local_job import BEGUN
from genoflow.processors.adapters.s3 import S3Store
from genoflow.processors.intake.task_news import TASK_NEWS
from genoflow.processors.running.engine import code_sha256
from genoflow.processors.sources import Question
from tests.e2e.runs import ROWS, Lab, opened, published
from tests.e2e.workers import fails, succeeds, until, working

SHALLOW = 1.0  # nobody aligns these reads
# The first step is done at once, the second when a file is there; what is owed nobody leaves.
WAITS = """
process FIRST { tag 'SIM-A' ; output: path 'a' ; script: 'echo a > a' }
process SECOND { input: path 'a' ; script: 'while [ ! -e GO ]; do sleep 0.2; done' }
workflow { FIRST | SECOND }
"""


@pytest.fixture
def lab(stack: Addresses, suffix: str, tmp_path: Path) -> Iterator[Lab]:
    """A deployment of this test's own."""
    with opened(stack, suffix, tmp_path, SHALLOW) as lab:
        yield lab


@pytest.fixture
def go(lab: Lab, tmp_path: Path) -> Path:
    """The file for which the pipeline waits."""
    code, go = tmp_path / "waits", tmp_path / "go"
    code.mkdir()
    (code / "main.nf").write_text(WAITS.replace("GO", str(go)))
    published(lab, uri=code.as_uri(), code_sha256=code_sha256(code))
    return go


def at_work(lab: Lab, case_id: str, attempt: int = 1) -> Any:
    """The submission whose second step is at work."""

    def look() -> Any:
        started = [e for e in lab.said("TaskStarted", case_id) if e.attempt == attempt]
        if not any(one.process == "SECOND" for one in started):
            return None
        return next(e for e in lab.said("RunSubmitted", case_id) if e.attempt == attempt)

    return until(look, f"attempt {attempt} of {case_id} is at work")


def session_of(lab: Lab, submitted: Any) -> int:
    """The session in which everything of a job runs."""
    return int((lab.settings.home / "jobs" / submitted.job_id / BEGUN).read_text())


def is_alive(session: int) -> bool:
    """Whether anything of it runs."""
    try:
        os.killpg(session, 0)
    except ProcessLookupError:
        return False
    return True


def why(lab: Lab, kind: str, name: object) -> str:
    """What a person is told."""
    return succeeds(lab.settings, kind, "why", str(name))


def place_its_order(lab: Lab, case_id: str) -> None:
    """Place the order, which nobody had placed."""
    members = [{"sample_id": "SIM-A", "role": "single", "subject_ref": "P1"}]
    order = {
        "case_id": case_id, "kind": "single", "assay": "wgs", "reference": "simulated",
        "members": members,
    }  # fmt: skip
    succeeds(lab.settings, "case", "open", "-", said=json.dumps(order))


async def asked_again(lab: Lab, run_id: UUID, lost: set[UUID]) -> Sequence[Event]:
    """What the source of its second attempt tells a log that lacks these events."""
    async with open_log(lab.settings) as whole, MemoryLog() as log:
        async for record in whole.read_topic(topics.RUN.name):
            if record.event.envelope.event_id not in lost:
                await log.append(record.event)
        store = S3Store(lab.client)
        launcher = open_launcher(lab.settings, store)
        source = open_run_source(lab.settings, log, LogSubjects(log), launcher, store)
        question = Question(TASK_NEWS, "run", topics.RUN.name, str(run_id), "2")
        return (await source.ask(question)).brought


@pytest.mark.long
def test_a_run_that_is_lost_goes_on_from_what_was_done(lab: Lab, go: Path, tmp_path: Path) -> None:
    lab.ready("CASE-A", "single", A="single")
    with working(lab.settings, tmp_path / "worker.log", "--once", *ROWS):
        first = at_work(lab, "CASE-A")
        session = session_of(lab, first)
        os.killpg(session, signal.SIGKILL)  # as when the machine is switched off
        shutil.rmtree(lab.settings.home / "jobs" / first.job_id)
        second = at_work(lab, "CASE-A", 2)
        said = why(lab, "run", first.run_id)
        assert "attempt 2" in said
        go.touch()
        failed = until(
            lambda: [e for e in lab.said("RunFailed", "CASE-A") if e.attempt == 2],
            "the second attempt has ended",
        )
    [lost] = lab.said("RunLost", "CASE-A")
    assert (lost.attempt, lost.job_id, lost.launcher) == (1, first.job_id, "local")
    verdicts = [(e.reason_code, e.will_retry) for e in lab.said("RunFailed", "CASE-A")]
    assert verdicts == [("lost", True), ("manifest incomplete", False)]
    assert [e.attempt for e in lab.said("RunSubmitted", "CASE-A")] == [1, 2]
    assert second.job_id != first.job_id
    started = lab.said("RunStarted", "CASE-A")
    assert [(one.attempt, one.resumed) for one in started] == [(1, False), (2, True)]
    assert started[0].session_id == started[1].session_id
    done = [e for e in lab.said("TaskCompleted", "CASE-A") if e.attempt == 2]
    assert {(e.process, e.is_cached) for e in done} == {("FIRST", True), ("SECOND", False)}
    told = why(lab, "run", first.run_id)
    assert "failed in attempt 2 of 2, manifest incomplete" in told
    assert f"`genoflow run again {first.run_id}`" in told
    assert failed[0].missing_outputs == ()
    assert (lab.settings.home / "runs" / str(first.run_id)).exists(), "a person may let it go on"
    news = {"RunStarted", "TaskStarted", "TaskCompleted", "RunExited"}
    known = {
        one.envelope.event_id: one.type()
        for one in lab.of_run(first.run_id)
        if one.type() in news and one.attempt == 2
    }
    assert set(known.values()) == news
    again = asyncio.run(asked_again(lab, first.run_id, set(known)))
    assert {one.envelope.event_id: one.type() for one in again} == known


@pytest.mark.long
def test_a_person_ends_a_run_and_has_it_again(lab: Lab, go: Path, tmp_path: Path) -> None:
    lab.ready("CASE-A", "single", A="single")
    with working(lab.settings, tmp_path / "worker.log", "--once", *ROWS):
        first = at_work(lab, "CASE-A")
        run_id, session = str(first.run_id), session_of(lab, first)
        refused = fails(lab.settings, "run", "again", run_id, "--reason", "x")
        assert "only a run that failed or was cancelled is run again" in refused
        succeeds(lab.settings, "run", "cancel", run_id, "--reason", "wrong tube", "--as", "jo")
        until(lambda: not is_alive(session), "the job has ended")
        until(lambda: lab.said("RunExited", "CASE-A"), "its end is said")
        assert "was cancelled by jo (wrong tube)" in why(lab, "run", run_id)
        assert "is cancelled already" in fails(
            lab.settings, "run", "cancel", run_id, "--reason", "x"
        )
        succeeds(lab.settings, "run", "again", run_id, "--reason", "the tube was right")
        until(lambda: len(lab.said("RunSubmitted", "CASE-A")) == 2, "the next run is submitted")
        second = lab.said("RunRequested", "CASE-A")[-1]
        assert str(second.supersedes_run_id) == run_id
        assert "a later run of case CASE-A" in fails(
            lab.settings, "run", "again", run_id, "--reason", "x", "--request-id", "2"
        )
        other = until(
            lambda: next((e for e in lab.of_run(second.run_id) if e.type() == "TaskStarted"), None),
            "it is at work",
        )
        place_its_order(lab, "CASE-A")
        succeeds(lab.settings, "case", "cancel", "CASE-A", "--reason", "not needed")
        until(lambda: len(lab.said("RunCancelled", "CASE-A")) >= 2, "its run is cancelled")
        until(lambda: len(lab.said("RunExited", "CASE-A")) == 2, "its job has ended")
        until(lambda: not is_alive(session_of(lab, other)), "nothing of it is left")
    assert lab.said("RunFailed", "CASE-A") == lab.said("RunSucceeded", "CASE-A") == []
    assert succeeds(lab.settings, "parked", "list") == "nothing is parked\n"
