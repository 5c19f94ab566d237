"""A run that falls silent: waits that news make longer, and what its launcher says in the end."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid5

import pytest

from genoflow.events import topics
from genoflow.events.deadline_passed import DeadlinePassed
from genoflow.events.deadline_set import DeadlineSet
from genoflow.events.event import Event
from genoflow.events.identity import GENOFLOW
from genoflow.events.run_cancelled import RunCancelled
from genoflow.events.run_exited import RunExited
from genoflow.events.run_lost import RunLost
from genoflow.events.run_started import RunStarted
from genoflow.events.run_stuck import RunStuck
from genoflow.events.run_submitted import RunSubmitted
from genoflow.events.task_started import TaskStarted
from genoflow.processors.adapters.batch_launcher import told_of
from genoflow.processors.decision import Effect
from genoflow.processors.job_news import JobNews
from genoflow.processors.ports import Attempt, Deployment, JobState, Ports
from genoflow.processors.watch_runs import ASK, NAME, QUEUED, WATCH_RUNS, WORKING, Silent, ask
from genoflow.projections.asking.run import run_of, why
from genoflow.projections.asking.run_news import WATCH
from tests.asked import like
from tests.fakes import FakeClock
from tests.partition import MOMENT
from tests.run_facts import CASE, RUN_ID, requested
from tests.spec import Spec, heard

given = Spec(WATCH_RUNS).given
JOB = UUID(int=9)
MINUTE = timedelta(minutes=1)


def fact(kind: type[Any], minutes: float = 0, **fields: Any) -> Any:
    """A fact of the run, so long after the first moment."""
    known: dict[str, Any] = {
        "run_id": RUN_ID, "attempt": 1, "job_id": str(JOB), "case_id": CASE, "launcher": "local",
    }  # fmt: skip
    named = {name: value for name, value in known.items() if name in kind.model_fields}
    return heard(like(kind, **named | fields), MOMENT + minutes * MINUTE)


SUBMITTED = fact(RunSubmitted)
STARTED = fact(RunStarted, 5)


def waits(until: datetime) -> DeadlineSet:
    """The run waits for news until then."""
    return DeadlineSet(
        subject_topic=topics.RUN.name, subject_key=str(RUN_ID), processor=NAME,
        deadline="silence", purpose="news of this run", due_at=until,
    )  # fmt: skip


def passed(due_at: datetime, processor: str = NAME) -> Event:
    """The clock says that this wait is over."""
    deadline = uuid5(GENOFLOW, due_at.isoformat())
    words = dict(waits(due_at)) | {"processor": processor}
    return heard(DeadlinePassed(**words, deadline_id=deadline), due_at)


def silent(last: Event, usual: timedelta, attempt: int = 1) -> Silent:
    """What is asked about, after this."""
    return Silent(
        run_id=RUN_ID, attempt=attempt, launcher="local", job_id=str(JOB),
        last_event_id=last.envelope.event_id, last_type=last.type(),
        last_at=last.envelope.occurred_at, usual_seconds=usual.total_seconds(),
    )  # fmt: skip


def test_a_submission_waits_an_hour_for_its_job_to_begin() -> None:
    given().when(SUBMITTED).then(waits(MOMENT + QUEUED)).then_effects()
    asked = Effect(ASK, silent(SUBMITTED, QUEUED))
    given(SUBMITTED).when(passed(MOMENT + QUEUED)).then().then_effects(asked)


def test_news_make_the_wait_longer_and_work_may_take_longer_than_a_queue() -> None:
    given(SUBMITTED).when(STARTED).then_nothing()
    begun = MOMENT + 5 * MINUTE + WORKING
    given(SUBMITTED, STARTED).when(passed(MOMENT + QUEUED)).then(waits(begun)).then_effects()
    works = fact(TaskStarted, 50)
    later = given(SUBMITTED, STARTED, passed(MOMENT + QUEUED), works)
    later.when(passed(begun)).then(waits(MOMENT + 50 * MINUTE + WORKING))
    again = given(SUBMITTED, STARTED, passed(MOMENT + QUEUED))
    again.when(passed(begun)).then_effects(Effect(ASK, silent(STARTED, WORKING)))


def test_silence_is_asked_about_once_and_again_after_news() -> None:
    over = passed(MOMENT + QUEUED)
    given(SUBMITTED, over).when(over).then_nothing()
    works = fact(TaskStarted, 90)
    given(SUBMITTED, over).when(works).then(waits(MOMENT + 90 * MINUTE + WORKING))
    given(SUBMITTED).when(passed(MOMENT + QUEUED, "submit-run")).then_nothing()


@pytest.mark.parametrize("end", [fact(RunExited, 9), fact(RunLost, 9), fact(RunCancelled, 9)])
def test_after_an_end_nobody_waits(end: Event) -> None:
    given(SUBMITTED, STARTED, end).when(passed(MOMENT + QUEUED)).then_nothing()
    given(SUBMITTED, STARTED, end).when(fact(TaskStarted, 10)).then_nothing()


def test_another_attempt_is_waited_for_anew_and_news_of_the_first_do_not_count() -> None:
    second = fact(RunSubmitted, 600, attempt=2)
    until = MOMENT + 600 * MINUTE + QUEUED
    given(SUBMITTED, STARTED).when(second).then(waits(until))
    late = fact(TaskStarted, 610)
    asked = Effect(ASK, silent(second, QUEUED, attempt=2))
    given(SUBMITTED, STARTED, second, late).when(passed(until)).then_effects(asked)
    given(SUBMITTED, second).when(passed(MOMENT + QUEUED)).then_nothing()


class _Launcher:
    """A launcher that says what it is told to."""

    def __init__(self, state: JobState) -> None:
        self._state = state

    async def find(self, effect_id: UUID) -> JobState:
        assert effect_id == JOB
        return self._state

    async def launch(self, *_: object) -> None:
        raise AssertionError("nothing is begun")

    cancel = launch


class _Telling(_Launcher):
    async def says(self, effect_id: UUID) -> JobNews:
        assert effect_id == JOB
        return JobNews("no capacity", "there is no host")


@pytest.mark.parametrize(
    ("launcher", "name", "code", "words"),
    [
        (_Launcher(JobState.RUNNING), "local", "no news", "says nothing"),
        (_Launcher(JobState.ENDED), "local", "host gone", "no job any more"),
        (_Launcher(JobState.UNKNOWN), "local", "host gone", "no job any more"),
        (_Telling(JobState.RUNNING), "local", "no capacity", "there is no host"),
        (_Telling(JobState.RUNNING), "awsbatch", "no news", "only a worker that has local"),
        (None, "local", "no news", "only a worker that has local"),
    ],
)
async def test_what_the_launcher_says_is_the_reason(
    launcher: Any, name: str, code: str, words: str
) -> None:
    ports = Ports(clock=FakeClock(), launcher=launcher, deployment=Deployment(launcher=name))
    [stuck] = await ask(silent(SUBMITTED, QUEUED), Attempt(UUID(int=1), 1, ports, lambda *_: None))
    assert isinstance(stuck, RunStuck)
    assert (stuck.reason_code, stuck.last_type) == (code, "RunSubmitted")
    assert words in stuck.reason


@pytest.mark.parametrize(
    ("status", "said", "code"),
    [
        ("SUBMITTED", None, "waits for the queue"),
        ("RUNNABLE", "", "waits for the queue"),
        ("RUNNABLE", "MISCONFIGURATION:COMPUTE_ENVIRONMENT_MAX_RESOURCE", "no capacity"),
        ("RUNNABLE", "CAPACITY:INSUFFICIENT_INSTANCE_CAPACITY - none.", "no capacity"),
        ("STARTING", None, "no news"),
        ("RUNNING", None, "no news"),
        ("FAILED", "Host EC2 (instance i-1) terminated.", "host gone"),
    ],
)
def test_what_batch_says_of_a_job_is_a_reason(status: str, said: str | None, code: str) -> None:
    found = told_of("7", [{"jobId": "7", "status": status, "statusReason": said}])
    assert found.reason_code == code
    assert "job 7" in found.reason
    assert told_of("7", []).reason_code == "host gone"


def test_a_person_is_told_why_until_there_is_news() -> None:
    words = dict(silent(STARTED, WORKING)) | {"reason_code": "no news", "reason": "it is mute."}
    stuck = heard(RunStuck(**words), MOMENT + WORKING)
    story = (heard(requested(), MOMENT), SUBMITTED, STARTED, stuck)
    [answer] = [one for one in why(run_of(str(RUN_ID), story)) if "stuck" in one.says]
    assert answer.says == (
        "is stuck, no news: the last news was RunStarted, and some is usual within 12 h; it is mute"
    )
    assert "read what the task writes" in answer.way
    later = run_of(str(RUN_ID), (*story, fact(TaskStarted, 900)))
    assert not [one for one in why(later) if "stuck" in one.says]
    over = run_of(str(RUN_ID), (*story[:3], fact(RunLost, 800), stuck))
    assert set(run_of(str(RUN_ID), (*story, heard(waits(MOMENT), MOMENT))).deadlines) == {WATCH}
    assert not [one for one in why(over) if "stuck" in one.says]
