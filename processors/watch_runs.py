"""A run of which nothing is heard for too long is stuck: said once, with its launcher's word.

Nothing is ended here. Whether a job is lost, whoever watches it finds out (submit-run); this says
what is so in the meantime, to whoever waits.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from genoflow.events import topics
from genoflow.events.deadline_passed import DeadlinePassed
from genoflow.events.deadline_set import DeadlineSet
from genoflow.events.event import Event
from genoflow.events.run_cancelled import RunCancelled
from genoflow.events.run_exited import RunExited
from genoflow.events.run_failed import RunFailed
from genoflow.events.run_lost import RunLost
from genoflow.events.run_started import RunStarted
from genoflow.events.run_stuck import RunStuck
from genoflow.events.run_submitted import RunSubmitted
from genoflow.events.run_succeeded import RunSucceeded
from genoflow.events.task_completed import TaskCompleted
from genoflow.events.task_failed import TaskFailed
from genoflow.events.task_started import TaskStarted
from genoflow.events.task_submitted import TaskSubmitted
from genoflow.processors.decision import NOTHING, Arguments, Decision, Effect
from genoflow.processors.job_news import JobNews, TellsOfJobs
from genoflow.processors.ports import Attempt, JobState
from genoflow.processors.processor import Call, Processor, State

NAME = "watch-runs"
ASK = "ask"
QUEUED = timedelta(hours=1)  # a host of Spot is there within ten minutes, when there is one
WORKING = timedelta(hours=12)  # a genome of 30x is aligned in 6 h on 16 cores: twice that
ENDS = (RunExited, RunLost, RunFailed, RunSucceeded, RunCancelled)
NEWS = (RunStarted, TaskSubmitted, TaskStarted, TaskCompleted, TaskFailed)


class Watched(State):
    """The last news of the newest submission, and until when the next is waited for."""

    attempt: int = 0
    launcher: str = ""
    job_id: str = ""
    has_begun: bool = False
    is_over: bool = False
    last_at: datetime | None = None
    last_type: str = ""
    last_event_id: UUID | None = None
    due_at: datetime | None = None  # none: nobody waits

    @property
    def patience(self) -> timedelta:
        """How long news may take."""
        return WORKING if self.has_begun else QUEUED


class Silent(Arguments):
    """Which job to ask about, and since when nothing is heard of it."""

    run_id: UUID
    attempt: int
    launcher: str
    job_id: str
    last_event_id: UUID
    last_type: str
    last_at: datetime
    usual_seconds: float


def decide(state: Watched, event: Event) -> Decision:
    """Wait from each submission on; when the wait is over, wait on or ask what became of it."""
    after = evolve(state, event)
    if isinstance(event, DeadlinePassed):
        if after is state:
            return NOTHING
        return _wait(event, after.due_at) if after.due_at else _ask(state, event)
    is_new = after.due_at is not None and after.due_at != state.due_at
    return _wait(event, after.due_at) if is_new and after.due_at else NOTHING


def evolve(state: Watched, event: Event) -> Watched:
    """Keep the newest news of the newest submission, and until when it is waited for."""
    if isinstance(event, DeadlinePassed):
        is_ours = event.processor == NAME and event.due_at == state.due_at
        if not is_ours or state.last_at is None:
            return state
        still = state.last_at + state.patience
        return state.model_copy(update={"due_at": still if still > event.due_at else None})
    attempt = getattr(event, "attempt", None) or state.attempt
    if attempt < state.attempt:
        return state  # of a submission that was given up
    if isinstance(event, ENDS):
        return state.model_copy(update={"attempt": attempt, "is_over": True, "due_at": None})
    if attempt > state.attempt:
        state = Watched(attempt=attempt)
    if state.is_over:
        return state
    return _heard(state, event)


def _heard(state: Watched, event: Event) -> Watched:
    at = event.envelope.occurred_at
    change: dict[str, object] = {}
    if isinstance(event, RunSubmitted):
        change |= {"launcher": event.launcher, "job_id": event.job_id}
    elif not state.has_begun:
        change["has_begun"] = True
    if state.last_at is None or at > state.last_at:
        change |= {
            "last_at": at, "last_type": event.type(), "last_event_id": event.envelope.event_id,
        }  # fmt: skip
        if state.due_at is None:
            patience = QUEUED if isinstance(event, RunSubmitted) else WORKING
            change["due_at"] = at + patience
    return state.model_copy(update=change)


def _wait(event: Event, until: datetime) -> Decision:
    wait = DeadlineSet(
        subject_topic=event.topic,
        subject_key=event.key,
        processor=NAME,
        deadline="silence",
        purpose="news of this run",
        due_at=until,
    )
    return Decision(events=(wait,))


def _ask(state: Watched, event: Event) -> Decision:
    assert state.last_at is not None
    assert state.last_event_id is not None
    if not state.job_id:
        return NOTHING  # nobody has told under which name it is
    silent = Silent(
        run_id=UUID(event.key), attempt=state.attempt, launcher=state.launcher,
        job_id=state.job_id, last_event_id=state.last_event_id, last_type=state.last_type,
        last_at=state.last_at, usual_seconds=state.patience.total_seconds(),
    )  # fmt: skip
    return Decision(effects=(Effect(ASK, silent),))


async def ask(silent: Silent, attempt: Attempt) -> Sequence[Event]:
    """Say that it is stuck, by what its launcher says of its job."""
    says = await _says(silent, attempt)
    return [RunStuck(**dict(silent), reason_code=says.reason_code, reason=says.reason)]


async def _says(silent: Silent, attempt: Attempt) -> JobNews:
    launcher, has = attempt.ports.launcher, attempt.ports.deployment.launcher
    if launcher is None or has != silent.launcher:
        return JobNews("no news", f"only a worker that has {silent.launcher} can ask what it does")
    try:
        job = UUID(silent.job_id)
    except ValueError:
        return JobNews("no news", f"{silent.launcher} calls its job by a name that is no id")
    if isinstance(launcher, TellsOfJobs):
        return await launcher.says(job)
    if await launcher.find(job) is JobState.RUNNING:
        return JobNews("no news", f"{silent.launcher} has a job that runs and says nothing")
    return JobNews("host gone", f"{silent.launcher} has no job any more that runs")


WATCH_RUNS = Processor(
    NAME,
    reads=topics.RUN,
    on=(RunSubmitted, *NEWS, DeadlinePassed),
    folds=ENDS,
    emits=(DeadlineSet,),
    again=(DeadlineSet,),  # once for each wait that news have made longer: news end, waits end
    decide=decide,
    evolve=evolve,
    state=Watched,
    effects=(Call(ASK, arguments=Silent, emits=(RunStuck,), perform=ask),),
    about="says of a run that nothing is heard of it, and what its launcher says",
)
