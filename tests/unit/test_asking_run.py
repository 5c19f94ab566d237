"""What is said of runs that were tried again, ended by people, or asked for once more."""

from __future__ import annotations

from genoflow.deploy.asking import case as cases
from genoflow.deploy.asking import run as runs
from genoflow.events.rerun_requested import RerunRequested
from genoflow.events.run_cancelled import RunCancelled
from genoflow.events.run_failed import RunFailed
from genoflow.events.run_started import RunStarted
from genoflow.events.run_submitted import RunSubmitted
from tests.asked import RUN_ID, like, member_ready, opened, ready, requested, sentences, told

RUN = str(RUN_ID)
LOST = like(
    RunFailed, run_id=RUN_ID, attempt=1, reason_code="lost", reason="the run was lost.",
    will_retry=True, failed_process=None, missing_outputs=(), case_id="C1",
)  # fmt: skip
AGAIN = like(
    RunSubmitted, run_id=RUN_ID, attempt=2, job_id="J2", launcher="local", queue=None, case_id="C1"
)
STARTED = like(
    RunStarted, run_id=RUN_ID, attempt=2, job_id="J2", engine="nextflow", engine_version="24",
    session_id="s", resumed=True,
)  # fmt: skip
CANCELLED = like(RunCancelled, run_id=RUN_ID, attempt=None, reason="wrong tube.", case_id="C1")


def test_a_later_attempt_shows_what_it_goes_on_from() -> None:
    run = runs.run_of(RUN, told(requested(), LOST, AGAIN, STARTED))
    said = sentences(RUN, runs.why(run))
    assert f"attempt 2 of {requested().attempts_max}, going on from what was done: 0 tasks" in said
    facts = runs.facts(run)
    assert (facts["engine"], facts["session"], facts["resumed"]) == ("nextflow 24", "s", True)
    assert facts["failed_attempts"] == [{"attempt": 1, "because": "lost", "retried": True}]


def test_a_run_that_was_ended_stays_so_whatever_comes_later() -> None:
    run = runs.run_of(RUN, told(requested(), CANCELLED, AGAIN, STARTED))
    assert runs.word(run) == "cancelled"
    assert "was cancelled" in sentences(RUN, runs.why(run))
    assert runs.facts(run)["reason"] == "wrong tube."


def test_a_failure_names_the_command_by_which_the_run_is_had_again() -> None:
    final = LOST.model_copy(update={"will_retry": False})
    run = runs.run_of(RUN, told(requested(), final))
    way = f"mend the cause, then `genoflow run again {RUN}`"
    assert way in sentences(RUN, runs.why(run))
    order = told(opened(), member_ready("D"), member_ready("E"), ready())
    case = cases.case_of("C1", order)
    assert way in sentences("C1", cases.why(case, {}, [run]))
    wish = RerunRequested(case_id="C1", run_id=RUN_ID, request_id="r", reason="mended.")
    wanted = cases.case_of("C1", told(*order, wish))
    said = sentences("C1", cases.why(wanted, {}, [run]))
    assert f"C1 waits for run {RUN} to be asked for once more, as " in said
    assert "(mended)" in said
