"""The life of a run told as stories: other attempts, losses, and ends that people want."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from genoflow.events.case_closed import CaseClosed
from genoflow.events.case_ready import CaseReady
from genoflow.events.event import Event
from genoflow.events.rerun_requested import RerunRequested
from genoflow.events.run_cancelled import RunCancelled
from genoflow.events.run_exited import RunExited
from genoflow.events.run_failed import RunFailed
from genoflow.events.run_lost import RunLost
from genoflow.events.run_requested import RunRequested
from genoflow.events.run_retry_requested import RunRetryRequested
from genoflow.events.run_succeeded import RunSucceeded
from genoflow.processors.collect_results import COLLECT_RESULTS, Exit
from genoflow.processors.decision import Effect, effect_id
from genoflow.processors.ports import Attempt, JobOrder, JobState, Ports
from genoflow.processors.request_run import REQUEST_RUN, Wanted
from genoflow.processors.running.manifest import EXIT_PASSES, Fault, Submission
from genoflow.processors.running.names import run_id_of
from genoflow.processors.submit_run import SUBMIT_RUN, end, job_id_of, lost
from tests.fakes import FakeClock
from tests.run_facts import CASE, RUN_ID, ready, requested
from tests.spec import Spec, heard
from tests.unit.test_collect_results import JOB, OWED, exited, failure, judged, manifest

given_request = Spec(REQUEST_RUN).given
given_submit, given_collect = Spec(SUBMIT_RUN).given, Spec(COLLECT_RESULTS).given
ASKED = requested(attempts_max=2)


def submission(opened_by: Event, attempt: int = 1, *, is_begun: bool = True) -> Submission:
    """What this event opens; or what is told to whoever ends it."""
    envelope = opened_by.envelope
    story = {"caused_by": envelope.event_id, "correlation_id": envelope.correlation_id}
    return Submission(
        requested=RunRequested(**dict(ASKED)), attempt=attempt,
        job_id=job_id_of(envelope.event_id), **(story if is_begun else {}),
    )  # fmt: skip


def effects(opened_by: Event, attempt: int = 1) -> tuple[Effect, Effect]:
    """The two of an attempt."""
    what = submission(opened_by, attempt)
    return Effect("launch", what), Effect("run", what)


def failed(attempt: int = 1, will_retry: bool = True) -> RunFailed:
    """A failure of this attempt."""
    return RunFailed(
        run_id=RUN_ID, case_id=CASE, attempt=attempt, reason_code="lost", reason="gone",
        will_retry=will_retry,
    )  # fmt: skip


def cancelled() -> RunCancelled:
    """Nobody wants it."""
    return RunCancelled(run_id=RUN_ID, case_id=CASE, request_id="r", reason="wrong tube")


def goes_on(attempt: int, request: str = "r") -> RunRetryRequested:
    """A person wants another submission of it."""
    return RunRetryRequested(
        run_id=RUN_ID, case_id=CASE, attempt=attempt, request_id=request, reason="more disk",
    )  # fmt: skip


def gone(attempt: int = 1) -> RunLost:
    """Its launcher knows it no more."""
    return RunLost(
        run_id=RUN_ID, attempt=attempt, launcher="local", job_id=str(JOB), reason="no such job",
    )  # fmt: skip


# -- other attempts


def test_a_failure_that_may_pass_is_followed_by_another_attempt() -> None:
    asked, first, second = heard(ASKED), heard(failed()), heard(failed(2))
    given_submit(asked).when(first).then().then_effects(*effects(first, 2))
    given_submit(asked, first).when(first).then_nothing()
    given_submit(asked, first).when(second).then_nothing()
    given_submit(asked).when(heard(failed(will_retry=False))).then_nothing()
    given_submit(asked).when(second).then_nothing()
    given_submit().when(first).then_nothing()


def test_attempts_have_jobs_of_their_own_whoever_computes_them() -> None:
    asked, first = heard(ASKED), heard(failed())
    assert submission(asked).job_id != submission(first, 2).job_id
    assert submission(first, 2).job_id == effect_id(first.envelope.event_id, "submit-run", "run")


@pytest.mark.parametrize(
    ("end", "passes"),
    [
        ({"exit_code": 0}, False),
        ({"exit_code": 2}, False),
        ({"exit_code": None}, False),
        ({"exit_code": EXIT_PASSES}, True),
        ({"exit_code": None, "signal": "SIGKILL"}, True),
        ({"exit_code": None, "signal": "SIGTERM"}, True),
    ],
)
async def test_only_what_may_pass_is_tried_again(end: dict[str, Any], passes: bool) -> None:
    assert (await failure(None, attempts_max=2, **end)).will_retry is passes
    assert not (await failure(None, **end)).will_retry


async def test_a_fault_says_itself_whether_it_may_pass() -> None:
    for passes in (True, False):
        fault = Fault(reason_code="input missing", reason="the store is away", may_pass=passes)
        said = await failure(manifest(fault=fault), attempts_max=2)
        assert said.will_retry is passes


def test_a_person_opens_one_attempt_more_whatever_the_request_allows() -> None:
    asked, final = heard(ASKED), heard(failed(will_retry=False))
    wish = heard(goes_on(2))
    given_submit(asked, final).when(wish).then().then_effects(*effects(wish, 2))
    given_submit(asked, final, wish).when(wish).then_nothing()
    given_submit(asked, final, wish).when(heard(goes_on(2, "other"))).then_nothing()
    given_submit(asked, heard(cancelled())).when(wish).then_nothing()
    given_submit().when(wish).then_nothing()
    again = heard(goes_on(3, "second"))
    given_submit(asked, final, wish, heard(failed(2, will_retry=False))).when(
        again
    ).then().then_effects(*effects(again, 3))


# -- losses


def test_what_the_launcher_does_not_know_is_lost() -> None:
    what = submission(heard(ASKED)).model_copy(update={"job_id": JOB})
    assert [*lost(what, "no such job")] == [gone()]


def test_a_run_that_was_lost_is_judged_once_by_what_it_left() -> None:
    asked, end = heard(requested()), heard(gone())
    over = Exit(
        owed=OWED, exited=RunExited(run_id=RUN_ID, attempt=1, job_id=str(JOB)), lost="no such job"
    )
    given_collect(asked).when(end).then().then_effects(Effect("read-manifest", over))
    given_collect(asked, end).when(heard(exited())).then_nothing()


async def test_a_lost_run_has_failed_and_one_with_a_whole_manifest_has_not() -> None:
    said = await failure(None, exit_code=None, lost="no such job", attempts_max=2)
    assert (said.reason_code, said.will_retry) == ("lost", True)
    assert "was lost (no such job)" in said.reason
    assert isinstance((await judged(manifest(), exit_code=None, lost="gone"))[-1], RunSucceeded)


# -- ends


def test_a_run_that_nobody_wants_is_ended() -> None:
    asked, end = heard(ASKED), heard(cancelled())
    ours = Effect("end", submission(asked, is_begun=False))
    cause = asked.envelope.event_id
    names = [effect_id(cause, "submit-run", name) for name in ("launch", "run")]
    given_submit(asked).when(end).then().then_effects(ours).then_closed(*names)
    given_submit(asked, end).when(heard(failed())).then_nothing()
    given_submit(asked, end).when(end).then_nothing()
    given_submit(end).when(asked).then_nothing()
    given_submit(end).when(heard(exited())).then_nothing()


def test_a_run_whose_job_has_ended_needs_no_end() -> None:
    for over in (exited(), gone()):
        given_submit(heard(ASKED), heard(over)).when(heard(cancelled())).then().then_effects()


def test_nothing_is_judged_of_a_run_that_nobody_wants() -> None:
    asked, over, end = heard(requested()), heard(exited()), heard(cancelled())
    given_collect(asked, end).when(over).then_nothing()
    name = effect_id(over.envelope.event_id, "collect-results", "read-manifest")
    given_collect(asked, over).when(end).then().then_closed(name)


class Desk:
    """A launcher with one job."""

    def __init__(self, state: JobState) -> None:
        self.state = state
        self.ended: list[UUID] = []

    async def find(self, effect_id: UUID) -> JobState:
        """What is known of it."""
        return self.state

    async def launch(self, effect_id: UUID, order: JobOrder) -> None:
        """Nothing is begun here."""
        raise AssertionError(effect_id)

    async def cancel(self, effect_id: UUID) -> None:
        """End it."""
        self.ended.append(effect_id)
        if self.state is JobState.RUNNING:
            self.state = JobState.ENDED


@pytest.mark.parametrize("state", JobState)
async def test_the_end_of_a_job_is_said_where_it_was_begun(state: JobState) -> None:
    desk, what = Desk(state), submission(heard(ASKED), is_begun=False)
    attempt = Attempt(UUID(int=1), 1, Ports(clock=FakeClock(), launcher=desk), lambda *_: None)
    said = [*await end(what, attempt)]
    assert desk.ended == [what.job_id]
    expected = exited(
        exit_code=None, signal="SIGTERM", job_id=str(what.job_id),
        error_tail="ended because the run was cancelled",
    )  # fmt: skip
    assert said == ([] if state is JobState.UNKNOWN else [expected])


# -- what a case has to do with it


def asks(event: Event, before: Event | None = None, of: CaseReady | None = None) -> Effect:
    """The effect that asks for a run because of this event."""
    case = of or event
    return Effect(
        "resolve",
        Wanted(
            ready=CaseReady(**dict(case)), run_id=run_id_of(event.envelope.event_id),
            supersedes_run_id=before and run_id_of(before.envelope.event_id),
        ),
    )  # fmt: skip


def again(run_id: UUID, request_id: str = "r") -> RerunRequested:
    """A person wants that run once more."""
    return RerunRequested(case_id=CASE, run_id=run_id, request_id=request_id, reason="mended")


def test_a_run_is_asked_for_once_more_when_a_person_wants_it() -> None:
    first = heard(ready())
    wish = heard(again(run_id_of(first.envelope.event_id)))
    given_request(first).when(wish).then().then_effects(asks(wish, before=first, of=first))
    given_request(first, wish).when(wish).then_nothing()
    other = heard(again(run_id_of(first.envelope.event_id), "other"))
    given_request(first, wish).when(other).then_nothing()
    given_request().when(wish).then_nothing()
    second = heard(ready(2))
    given_request(first, wish).when(second).then().then_effects(asks(second, before=wish))


@pytest.mark.parametrize("outcome", ["cancelled", "withdrawn"])
def test_a_case_that_is_closed_without_results_ends_its_runs(outcome: str) -> None:
    first, second = heard(ready()), heard(ready(2))
    closed = heard(CaseClosed(case_id=CASE, outcome=outcome, reason="not needed"))
    said = [
        RunCancelled(
            run_id=run_id_of(one.envelope.event_id), case_id=CASE,
            request_id=str(closed.envelope.event_id),
            reason=f"its case was closed, {outcome}: not needed",
        )
        for one in (first, second)
    ]  # fmt: skip
    given_request(first, second).when(closed).then(*said)
    given_request(first, second, closed).when(closed).then_nothing()


def test_a_case_that_is_answered_keeps_its_run() -> None:
    closed = heard(CaseClosed(case_id=CASE, outcome="published", reason="sent"))
    given_request(heard(ready())).when(closed).then_nothing()
