"""A run and its end, told as stories: when it is launched, and what proves that it succeeded."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

import pytest

from genoflow.events.errors import Parked
from genoflow.events.event import Event
from genoflow.events.results_collected import ResultsCollected
from genoflow.events.run_exited import RunExited
from genoflow.events.run_failed import RunFailed
from genoflow.events.run_requested import RunRequested
from genoflow.events.run_submitted import RunSubmitted
from genoflow.events.run_succeeded import RunSucceeded
from genoflow.processors.collect_results import COLLECT_RESULTS, Exit, Owed, read_manifest
from genoflow.processors.decision import Effect
from genoflow.processors.intake.landing import SHA256
from genoflow.processors.job_outcome import JobOutcome
from genoflow.processors.ports import Attempt, Deployment, JobOrder, JobState, Ports, Urgency
from genoflow.processors.running.manifest import Fault, Listed, RunManifest, Submission, Tasks
from genoflow.processors.running.names import manifest_key
from genoflow.processors.submit_run import (
    SUBMIT_RUN,
    collect,
    gives_up,
    job_id_of,
    launch,
    order,
)
from tests.fakes import FakeClock, FakeStore
from tests.run_facts import CASE, OUTPUTS, RUN_ID, requested
from tests.spec import Spec, heard

JOB = UUID(int=9)
ASKED = requested()
BUCKET, PREFIX = ASKED.bucket, ASKED.output_prefix
BODIES = {("bam", "S1"): b"reads", ("vcf", None): b"variants"}
OWED = Owed(
    case_id=CASE, bucket=BUCKET, output_prefix=PREFIX, sample_ids=("S1",),
    expected_outputs=OUTPUTS,
)  # fmt: skip
given_submit, given_collect = Spec(SUBMIT_RUN).given, Spec(COLLECT_RESULTS).given


def submission(event: RunRequested) -> Submission:
    """What is opened by this event."""
    name = job_id_of(event.envelope.event_id)
    return Submission(
        requested=RunRequested(**dict(event)), attempt=1, job_id=name,
        caused_by=event.envelope.event_id, correlation_id=event.envelope.correlation_id,
    )  # fmt: skip


def exited(**fields: Any) -> RunExited:
    """The end of the job."""
    known: dict[str, Any] = {"run_id": RUN_ID, "attempt": 1, "job_id": str(JOB), "exit_code": 0}
    return RunExited(**known | fields)


def listed(kind: str, sample_id: str | None) -> Listed:
    """A file as the program lists it."""
    body = BODIES[kind, sample_id]
    return Listed(
        kind=kind, sample_id=sample_id, object_key=f"{PREFIX}/{kind}", size_bytes=len(body),
        sha256=body.hex().ljust(64, "0"), content_type="text/plain",
    )  # fmt: skip


def manifest(**fields: Any) -> RunManifest:
    """A whole one."""
    known: dict[str, Any] = {
        "run_id": RUN_ID, "attempt": 1, "job_id": JOB, "engine": "tests", "engine_version": "1",
        "files": tuple(listed(*name) for name in BODIES), "tasks": Tasks(completed=6, failed=1),
        "duration_seconds": 2.5,
    }  # fmt: skip
    return RunManifest(**known | fields)


async def judged(
    left: RunManifest | bytes | None,
    *,
    absent: str = "",
    lost: str | None = None,
    attempts_max: int = 1,
    **end: Any,
) -> list[Event]:
    """What is said of a run that left this."""
    store = FakeStore()
    for (kind, sample), body in BODIES.items():
        one = listed(kind, sample)
        if kind != absent:
            store.keep(BUCKET, one.object_key, body, {SHA256: one.sha256})
    if left is not None:
        body = left if isinstance(left, bytes) else left.model_dump_json().encode()
        store.keep(BUCKET, manifest_key(PREFIX, 1), body, {})
    attempt = Attempt(UUID(int=1), 1, Ports(clock=FakeClock(), store=store), lambda *_: None)
    owed = OWED.model_copy(update={"attempts_max": attempts_max})
    return [*await read_manifest(Exit(owed=owed, exited=exited(**end), lost=lost), attempt)]


async def failure(left: RunManifest | bytes | None, **more: Any) -> RunFailed:
    """The one fact that is said of a run that failed."""
    [said] = await judged(left, **more)
    assert isinstance(said, RunFailed)
    assert "have the case run again" in said.reason or left is not None
    return said


# -- submit-run


def test_a_run_is_launched_and_then_waited_for_under_one_id() -> None:
    asked = heard(ASKED)
    what = submission(asked)
    given_submit().when(asked).then().then_effects(Effect("launch", what), Effect("run", what))
    given_submit(asked).when(asked).then_nothing()


class Desk:
    """A launcher that notes what it was given."""

    def __init__(self, state: JobState = JobState.UNKNOWN) -> None:
        self.state = state
        self.launched: list[tuple[UUID, JobOrder]] = []

    async def find(self, effect_id: UUID) -> JobState:
        """What it was told to say."""
        return self.state

    async def launch(self, effect_id: UUID, order: JobOrder) -> None:
        """Note it."""
        self.launched.append((effect_id, order))

    async def cancel(self, effect_id: UUID) -> None:
        """Nothing is to be cancelled here."""
        raise AssertionError(effect_id)


@pytest.mark.parametrize("state", JobState)
async def test_what_was_launched_is_not_launched_again(state: JobState) -> None:
    what, desk = submission(heard(ASKED)), Desk(state)
    attempt = Attempt(
        UUID(int=1), 1, Ports(clock=FakeClock(), launcher=desk), lambda *_: None
    )  # fmt: skip
    known = state is not JobState.UNKNOWN
    assert [*await launch(what, attempt)] == [
        RunSubmitted(
            run_id=RUN_ID, case_id=CASE, attempt=1, launcher="local",
            job_name=f"gf-{RUN_ID}-1", job_id=str(what.job_id), found_already=known,
        )
    ]  # fmt: skip
    assert desk.launched == ([] if known else [(what.job_id, order(what))])
    assert Submission.model_validate_json(order(what).document) == what


async def test_a_run_for_another_launcher_waits_for_a_worker_that_has_it() -> None:
    what = submission(heard(requested(launcher="batch")))
    attempt = Attempt(
        UUID(int=1), 1, Ports(clock=FakeClock(), launcher=Desk()), lambda *_: None
    )  # fmt: skip
    with pytest.raises(Parked, match="launched by 'batch', and this worker has 'local'"):
        await launch(what, attempt)


async def test_a_run_for_awsbatch_is_launched_by_a_worker_that_has_it() -> None:
    what, desk = submission(heard(requested(launcher="awsbatch"))), Desk()
    ports = Ports(clock=FakeClock(), launcher=desk, deployment=Deployment(launcher="awsbatch"))
    [said] = await launch(what, Attempt(UUID(int=1), 1, ports, lambda *_: None))
    assert isinstance(said, RunSubmitted)
    assert (said.launcher, len(desk.launched)) == ("awsbatch", 1)


def test_who_waits_for_a_run_says_how_urgent_its_job_is() -> None:
    urgencies = [
        order(submission(heard(requested(priority=word)))).urgency
        for word in ("urgent", "routine", "low")
    ]
    assert urgencies == [Urgency.HIGH, Urgency.NORMAL, Urgency.LOW]
    assert dict(order(submission(heard(ASKED))).labels) == {
        "genoflow:run": str(RUN_ID), "genoflow:attempt": "1", "genoflow:case": CASE,
        "genoflow:assay": "wgs", "genoflow:pipeline": "germline 1",
    }  # fmt: skip


def test_how_the_program_ended_is_said_and_not_judged() -> None:
    what = submission(heard(ASKED)).model_copy(update={"job_id": JOB})

    def ended(code: int, tail: str = "") -> list[Event]:
        return [*collect(what, JobOutcome(exit_code=code, error_tail=tail).to_bytes())]

    assert ended(0) == [exited()]
    assert ended(3, "no\x00 room") == [exited(exit_code=3, error_tail="no room")]
    assert ended(-9) == [exited(exit_code=None, signal="SIGKILL")]
    assert [*gives_up(what, "too long")] == [exited(exit_code=None, error_tail="too long")]


# -- collect-results


def test_the_end_of_a_run_is_looked_at_once() -> None:
    asked, end = heard(ASKED), heard(exited())
    given_collect(asked).when(end).then().then_effects(
        Effect("read-manifest", Exit(owed=OWED, exited=exited()))
    )
    given_collect(asked, end).when(end).then_nothing()
    given_collect().when(end).then_nothing()


async def test_a_whole_manifest_is_a_success_with_every_file_as_the_store_has_it() -> None:
    collected, succeeded = await judged(manifest(), exit_code=1)
    assert isinstance(collected, ResultsCollected)
    assert isinstance(succeeded, RunSucceeded)
    assert [(one.kind, one.sample_id, one.version_id) for one in collected.files] == [
        ("bam", "S1", "v1"), ("vcf", None, "v1"),
    ]  # fmt: skip
    assert (succeeded.outputs, succeeded.tasks_completed, succeeded.tasks_failed) == (2, 6, 1)
    assert succeeded.manifest_sha256 == collected.manifest_sha256


@pytest.mark.parametrize(
    ("end", "kind", "words"),
    [
        ({"exit_code": 0}, "manifest missing", "exit code 0 and left no output manifest"),
        ({"exit_code": 2}, "exit code", "exit code 2 and left no output manifest"),
        ({"exit_code": None, "signal": "SIGKILL"}, "out of memory", "memory runs out"),
        ({"exit_code": None, "signal": "SIGTERM"}, "exit code", "was ended by SIGTERM"),
        ({"exit_code": None}, "out of time", "was not done in time"),
    ],
)
async def test_without_a_manifest_a_run_has_failed(
    end: dict[str, Any], kind: str, words: str
) -> None:
    failed = await failure(None, **end)
    assert (failed.reason_code, failed.will_retry) == (kind, False)
    assert words in failed.reason


async def test_a_manifest_that_does_not_hold_is_a_failure() -> None:
    short = await failure(manifest(files=(listed("vcf", None),)))
    assert (short.reason_code, short.missing_outputs) == ("manifest incomplete", ("bam of S1",))
    gone = await failure(manifest(), absent="vcf")
    assert (gone.missing_outputs, "is not there" in gone.reason) == (("vcf",), True)
    other = listed("vcf", None).model_copy(update={"size_bytes": 1})
    changed = await failure(manifest(files=(listed("bam", "S1"), other)))
    assert "is not the file that is listed" in changed.reason
    assert "cannot be read" in (await failure(b"{")).reason
    foreign = await failure(manifest(job_id=UUID(int=10)))
    assert "is that of the job" in foreign.reason
    fault = Fault(reason_code="input missing", reason="no reads", failed_process="ALIGN")
    told = await failure(json.dumps(manifest(fault=fault).model_dump(mode="json")).encode())
    assert (told.reason_code, told.reason, told.failed_process) == (
        "input missing", "no reads", "ALIGN",
    )  # fmt: skip
