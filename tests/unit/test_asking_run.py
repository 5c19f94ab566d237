"""What is said of runs that were tried again, ended by people, or asked for once more."""

from __future__ import annotations

from uuid import UUID

import pytest

from genoflow.deploy.subject import LogSubjects
from genoflow.events import topics
from genoflow.events.event import Event
from genoflow.events.log.memory import MemoryLog
from genoflow.events.rerun_requested import RerunRequested
from genoflow.events.run_cancelled import RunCancelled
from genoflow.events.run_failed import RunFailed
from genoflow.events.run_started import RunStarted
from genoflow.events.run_submitted import RunSubmitted
from genoflow.projections.asking import case as cases
from genoflow.projections.asking import run as runs
from genoflow.projections.asking.asked import about_run
from genoflow.projections.asking.source import Scanning
from tests.asked import RUN_ID, like, member_ready, opened, ready, requested, sentences, told
from tests.partition import CODEC

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


OTHER_ID = UUID(int=7)
LATER = requested(revision=2).model_copy(update={"run_id": OTHER_ID})
LATER_FAILED = like(RunFailed, run_id=OTHER_ID, case_id="C1", attempt=1, will_retry=False)


@pytest.mark.parametrize(
    ("events", "is_said"),
    [
        ((AGAIN, LATER), True),
        ((LOST, LATER), True),  # another attempt follows
        ((AGAIN, LATER, LATER_FAILED), False),
        ((CANCELLED, LATER), False),
        ((AGAIN,), False),
    ],
)
async def test_an_older_run_says_that_a_later_one_is_under_way(
    events: tuple[Event, ...], is_said: bool
) -> None:
    async with MemoryLog(topics.TOPICS, partitions=4, codec=CODEC) as log:
        for event in told(requested(), *events):
            await log.append(event)
        older = await about_run(Scanning(LogSubjects(log)), RUN)
        said = f"{RUN} will not count any more once a later run of its case is published"
        assert any(one.startswith(said) for one in older.sentences) == is_said
        if is_said:
            assert f"`genoflow run why {OTHER_ID}`" in "".join(older.sentences)
        if LATER in events:
            later = await about_run(Scanning(LogSubjects(log)), str(OTHER_ID))
            assert "once a later run" not in "".join(later.sentences)


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
    way = f"mend the cause, then `genoflow run retry {RUN}` goes on from there"
    assert way in sentences(RUN, runs.why(run))
    order = told(opened(), member_ready("D"), member_ready("E"), ready())
    case = cases.case_of("C1", order)
    assert way in sentences("C1", cases.why(case, {}, [run]))
    wish = RerunRequested(case_id="C1", run_id=RUN_ID, request_id="r", reason="mended.")
    wanted = cases.case_of("C1", told(*order, wish))
    said = sentences("C1", cases.why(wanted, {}, [run]))
    assert f"C1 waits for run {RUN} to be asked for once more, as " in said
    assert "(mended)" in said
