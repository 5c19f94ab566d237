"""A requested run is begun under a name that is known before, and watched until it has exited.

One event opens two effects of one lane. The first launches the job under the id of the second and
says RunSubmitted; the second is a job like any other, which its launcher then finds running under
that id. So RunSubmitted stands on the log before anybody waits for the end, and a worker that dies
between the two leaves nothing to be launched twice. A job that its launcher does not know by then
is lost. A failure that may pass opens the next attempt, and so does a person after any failure; a
cancelled run has its job ended.

A run of which files lie in an archive is launched once they are restored: an effect asks for that,
a deadline says when to look again, and the log says all the while what is waited for. Once the last
of them is told to be back, it looks before that.
"""

from __future__ import annotations

import signal
import sys
from collections.abc import Sequence
from uuid import UUID

from genoflow.events import topics
from genoflow.events.archived_file import ArchivedFile
from genoflow.events.deadline_passed import DeadlinePassed
from genoflow.events.deadline_set import DeadlineSet
from genoflow.events.errors import Parked, Retry
from genoflow.events.event import Event
from genoflow.events.run_cancelled import RunCancelled
from genoflow.events.run_exited import RunExited
from genoflow.events.run_failed import RunFailed
from genoflow.events.run_file_restored import RunFileRestored
from genoflow.events.run_inputs_awaited import RunInputsAwaited
from genoflow.events.run_inputs_restored import RunInputsRestored
from genoflow.events.run_lost import RunLost
from genoflow.events.run_priority_changed import RunPriorityChanged
from genoflow.events.run_priority_kept import RunPriorityKept
from genoflow.events.run_priority_requested import RunPriorityRequested
from genoflow.events.run_requested import RunRequested
from genoflow.events.run_retry_requested import RunRetryRequested
from genoflow.events.run_submitted import RunSubmitted
from genoflow.processors import run_priority
from genoflow.processors.decision import NOTHING, Arguments, Decision, Effect, effect_id
from genoflow.processors.job_outcome import read_outcome
from genoflow.processors.ports import Attempt, JobOrder, JobState, Launcher, Urgency
from genoflow.processors.processor import Call, Job, Processor
from genoflow.processors.repeated import is_repeated, with_this
from genoflow.processors.restoring import (
    Waiting,
    archive_of,
    expected_by,
    looked,
    next_look,
    not_restored,
)
from genoflow.processors.running.failures import told_apart
from genoflow.processors.running.fit import refusals
from genoflow.processors.running.manifest import Submission
from genoflow.processors.running.names import job_name

NAME = "submit-run"
LAUNCH = "launch"
RUN = "run"
RESTORE = "restore"
END = "end"
TAIL_CHARACTERS_MAX = 2_000  # of what the program complained: as much as the event holds
CANCEL_SECONDS_MAX = 60.0  # the launcher asks for 10 s and kills for 10 s more
URGENCIES = {"urgent": Urgency.HIGH, "routine": Urgency.NORMAL, "low": Urgency.LOW}
Change = dict[str, object]  # of the state


class Run(run_priority.Ranked):
    """How far a run is, what it waits for, and how urgent it is."""


class Wanted(Arguments):
    """Files that a run cannot begin without, and which look at them it is."""

    run_id: UUID
    case_id: str
    files: tuple[ArchivedFile, ...]
    look: int


def decide(state: Run, event: Event) -> Decision:
    """Launch it and wait for its end; once more after a failure that may pass; or end it."""
    if is_repeated(state, event):
        return NOTHING
    after = evolve(state, event)
    opened = NOTHING if state.cancelled else _opened(state, after, event)
    said = run_priority.decided(state, after, event, _newest(after))
    return Decision(
        events=(*opened.events, *said.events), effects=(*opened.effects, *said.effects),
        closes=opened.closes,
    )  # fmt: skip


def _opened(state: Run, after: Run, event: Event) -> Decision:
    if isinstance(event, RunCancelled):
        return _ended(state)
    if after.asked_by != state.asked_by:
        return Decision(effects=(Effect(RESTORE, _wanted(after)),))
    if isinstance(event, RunInputsAwaited) and after.look > state.look:
        return Decision(events=(next_look(event, NAME, RESTORE),))
    if after.attempt == state.attempt:
        return NOTHING
    submission = _submission(after, event)
    return Decision(effects=(Effect(LAUNCH, submission), Effect(RUN, submission)))


def _ended(state: Run) -> Decision:
    """Nobody waits any more, whatever still runs is ended, and the lane of the launch is free."""
    if state.requested is None:
        return NOTHING
    if state.opened_by is None:
        asked_by = state.asked_by
        return Decision(closes=(effect_id(asked_by, NAME, RESTORE),) if asked_by else ())
    closes = tuple(effect_id(state.opened_by, NAME, name) for name in (LAUNCH, RUN))
    if state.has_ended:
        return Decision(closes=closes)
    submission = _newest(state)
    assert submission is not None
    return Decision(effects=(Effect(END, submission),), closes=closes)


def _newest(state: Run) -> Submission | None:
    """The submission whose job may be under way."""
    if state.requested is None or state.opened_by is None:
        return None
    return Submission(
        requested=state.order, attempt=state.attempt, job_id=job_id_of(state.opened_by)
    )


def _wanted(after: Run) -> Wanted:
    asked = after.requested
    assert asked is not None
    return Wanted(
        run_id=asked.run_id, case_id=asked.case_id, files=asked.archived, look=after.look + 1
    )


def _submission(after: Run, event: Event) -> Submission:
    return Submission(
        requested=after.order,
        attempt=after.attempt,
        job_id=job_id_of(event.envelope.event_id),
        caused_by=event.envelope.event_id,
        correlation_id=event.envelope.correlation_id,
    )


def evolve(state: Run, event: Event) -> Run:
    """Keep what was asked for, count the attempts, and remember that nobody wants it any more."""
    if is_repeated(state, event):
        return state
    change: Change = {"seen": with_this(state, event)}
    attempt: Change = {
        "opened_by": event.envelope.event_id, "has_ended": False, "is_wish_open": False,
    }  # fmt: skip
    if isinstance(event, RunCancelled):
        change |= {"cancelled": True, "is_wish_open": state.is_wish_open and not state.requested}
    elif isinstance(event, RunPriorityRequested):
        change |= run_priority.wished(state, event)
    elif isinstance(event, RunSubmitted | RunPriorityChanged):
        change |= run_priority.heard(state, event)
    elif isinstance(event, RunExited | RunLost):
        change["has_ended"] = state.has_ended or event.attempt == state.attempt
    elif isinstance(event, RunFailed):
        if _follows(state, event):
            change |= {**attempt, "attempt": state.attempt + 1}
    elif isinstance(event, RunRetryRequested):  # as often as a person asks for it
        if state.requested is not None and event.attempt == state.attempt + 1:
            change |= {**attempt, "attempt": event.attempt}
    elif isinstance(event, Waiting):
        if state.requested is not None and not state.attempt:
            change |= looked(state, event, attempt, NAME)
    elif state.requested is None:
        assert isinstance(event, RunRequested)
        change |= _asked(event, attempt)
    return state.model_copy(update=change)


def _asked(event: RunRequested, attempt: Change) -> Change:
    asked: Change = {"requested": RunRequested(**dict(event)), "is_wish_open": False}
    if refusals(event.findings):
        return asked  # collect-results says that it has failed
    if event.archived:
        return {**asked, "asked_by": event.envelope.event_id}
    return {**asked, **attempt, "attempt": 1}


def _follows(state: Run, event: RunFailed) -> bool:
    """Whether another attempt follows: the bound is the request's, whoever said it."""
    asked = state.requested
    return (
        event.will_retry
        and asked is not None
        and event.attempt == state.attempt
        and state.attempt < asked.attempts_max
    )


def job_id_of(opened_by: UUID) -> UUID:
    """The id of the job, which is that of the effect that waits for it."""
    return effect_id(opened_by, NAME, RUN)


def order(arguments: Submission) -> JobOrder:
    """The program that reads the submission on its standard input."""
    asked = arguments.requested
    labels = {
        "run": asked.run_id, "attempt": arguments.attempt, "case": asked.case_id,
        "assay": asked.assay, "pipeline": f"{asked.pipeline} {asked.pipeline_version}",
    }  # fmt: skip
    return JobOrder(
        (sys.executable, "-m", "genoflow.deploy.run_pipeline"),
        arguments.model_dump_json().encode(),
        urgency=_urgency(asked),
        labels=tuple((f"genoflow:{name}", str(value)) for name, value in labels.items()),
    )


def _urgency(asked: RunRequested) -> Urgency:
    return URGENCIES.get(asked.priority, Urgency.NORMAL)


async def restore(wanted: Wanted, attempt: Attempt) -> Sequence[Event]:
    """Ask for what is not asked for, and say whether the run has to wait, and until when."""
    now = attempt.ports.clock.now()
    waiting = await not_restored(archive_of(attempt), wanted.files, wanted.look, now)
    whose = {"run_id": wanted.run_id, "case_id": wanted.case_id}
    if not waiting:
        return [RunInputsRestored(**whose, files=len(wanted.files))]
    due_at = expected_by(waiting, wanted.look, now)
    return [RunInputsAwaited(**whose, files=tuple(waiting), look=wanted.look, expected_by=due_at)]


async def launch(arguments: Submission, attempt: Attempt) -> Sequence[Event]:
    """Begin the job, unless an earlier try has; say under which name it is."""
    asked, launcher = arguments.requested, _launcher(arguments, attempt)
    try:
        state = await launcher.find(arguments.job_id)
        if state is JobState.UNKNOWN:
            await launcher.launch(arguments.job_id, order(arguments))
    except (Parked, Retry) as error:
        raise told_apart(error) from error
    submitted = RunSubmitted(
        run_id=asked.run_id,
        case_id=asked.case_id,
        attempt=arguments.attempt,
        launcher=asked.launcher,
        job_name=job_name(asked.run_id, arguments.attempt),
        job_id=str(arguments.job_id),
        found_already=state is not JobState.UNKNOWN,
    )
    return [submitted]


async def move(arguments: Submission, attempt: Attempt) -> Sequence[Event]:
    """Have its job wait where the priority of now says, unless it works already; say which."""
    launcher = _launcher(arguments, attempt)
    return [await run_priority.moved(arguments, launcher, order(arguments))]


def _launcher(arguments: Submission, attempt: Attempt) -> Launcher:
    asked, launcher = arguments.requested, attempt.ports.launcher
    has = attempt.ports.deployment.launcher
    if launcher is None or asked.launcher != has:
        raise Parked(
            f"run {asked.run_id}: is to be launched by {asked.launcher!r}, and this worker has "
            f"{'no launcher' if launcher is None else repr(has)}; let a worker that has it run "
            f"{NAME}, then `genoflow parked requeue`"
        )
    return launcher


def collect(arguments: Submission, body: bytes) -> Sequence[Event]:
    """How the program ended; whether that is a success, its manifest says."""
    outcome = read_outcome(body)
    code = outcome.exit_code
    return [
        _exited(
            arguments,
            outcome.error_tail,
            exit_code=code if 0 <= code <= 255 else None,
            signal=_signal_name(-code) if code < 0 else None,
        )
    ]


def gives_up(arguments: Submission, reason: str) -> Sequence[Event]:
    """It took too long; the job is ended."""
    return [_exited(arguments, reason)]


def lost(arguments: Submission, reason: str) -> Sequence[Event]:
    """Nobody will ever hear of it: its directory is gone, or its machine was started anew.

    At AWS Batch: its hosts were taken more often than Batch tries, or somebody ended it there.
    """
    asked = arguments.requested
    return [
        RunLost(
            run_id=asked.run_id,
            attempt=arguments.attempt,
            launcher=asked.launcher,
            job_id=str(arguments.job_id),
            reason=reason,
        )
    ]


async def end(arguments: Submission, attempt: Attempt) -> Sequence[Event]:
    """End the job of a run that nobody wants; one that was never begun is begun by nobody."""
    launcher = attempt.ports.launcher
    if launcher is None:
        raise Parked(f"{END}: this worker has no launcher; wire one")
    await launcher.cancel(arguments.job_id)
    if await launcher.find(arguments.job_id) is JobState.UNKNOWN:
        return []
    return [_exited(arguments, "ended because the run was cancelled", signal="SIGTERM")]


def _exited(
    arguments: Submission, tail: str, exit_code: int | None = None, signal: str | None = None
) -> RunExited:
    return RunExited(
        run_id=arguments.requested.run_id,
        attempt=arguments.attempt,
        job_id=str(arguments.job_id),
        exit_code=exit_code,
        signal=signal,
        error_tail=tail.replace("\x00", "")[-TAIL_CHARACTERS_MAX:],
    )


def _signal_name(number: int) -> str:
    known = {one.value: one.name for one in signal.Signals}
    return known.get(number, f"signal {number}")


SUBMIT_RUN = Processor(
    NAME,
    reads=topics.RUN,
    on=(
        RunRequested,
        RunInputsAwaited,
        RunInputsRestored,
        RunFileRestored,
        RunFailed,
        RunRetryRequested,
        RunPriorityRequested,
        RunSubmitted,
        RunCancelled,
        DeadlinePassed,
    ),
    folds=(RunExited, RunLost, RunPriorityChanged),
    emits=(DeadlineSet, RunPriorityChanged, RunPriorityKept),
    # As often as an archive is looked at; RunSubmitted lets a job be moved, and not submitted.
    again=(DeadlineSet, RunInputsAwaited, RunInputsRestored, RunSubmitted),
    decide=decide,
    evolve=evolve,
    state=Run,
    state_version=4,
    effects=(
        Call(
            RESTORE,
            arguments=Wanted,
            emits=(RunInputsAwaited, RunInputsRestored),
            perform=restore,
        ),
        Call(LAUNCH, arguments=Submission, emits=(RunSubmitted,), perform=launch),
        Call(
            run_priority.MOVE,
            arguments=Submission,
            emits=(RunPriorityChanged, RunPriorityKept),
            perform=move,
        ),
        Job(
            RUN,
            arguments=Submission,
            emits=(RunExited, RunLost),
            order=order,
            collect=collect,
            gives_up=gives_up,
            lost=lost,
        ),
        Call(
            END,
            arguments=Submission,
            emits=(RunExited,),
            perform=end,
            seconds_max=CANCEL_SECONDS_MAX,
            may_say_nothing=True,  # of a job that was never begun
        ),
    ),
    about="begins a run under a name known before, again where that may help; says how it ended",
)
