"""A requested run is begun under a name that is known before, and watched until it has exited.

One event opens two effects of one lane. The first launches the job under the id of the second and
says RunSubmitted; the second is a job like any other, which its launcher then finds running under
that id. So RunSubmitted stands on the log before anybody waits for the end, and a worker that dies
between the two leaves nothing to be launched twice. A job that its launcher does not know by then
is lost. A failure that may pass opens the next attempt; a cancelled run has its job ended.

A run of which files lie in an archive is launched once they are restored: an effect asks for that,
a deadline says when to look again, and the log says all the while what is waited for. Once the last
of them is told to be back, it looks before that.
"""

from __future__ import annotations

import signal
import sys
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from genoflow.events import topics
from genoflow.events.archived_file import ArchivedFile
from genoflow.events.deadline_passed import DeadlinePassed
from genoflow.events.deadline_set import DeadlineSet
from genoflow.events.errors import Parked
from genoflow.events.event import Event
from genoflow.events.run_cancelled import RunCancelled
from genoflow.events.run_exited import RunExited
from genoflow.events.run_failed import RunFailed
from genoflow.events.run_file_restored import RunFileRestored
from genoflow.events.run_inputs_awaited import RunInputsAwaited
from genoflow.events.run_inputs_restored import RunInputsRestored
from genoflow.events.run_lost import RunLost
from genoflow.events.run_requested import RunRequested
from genoflow.events.run_submitted import RunSubmitted
from genoflow.events.stored_version import name_of
from genoflow.processors.decision import NOTHING, Arguments, Decision, Effect, effect_id
from genoflow.processors.job_outcome import read_outcome
from genoflow.processors.ports import Attempt, JobOrder, JobState
from genoflow.processors.processor import Call, Job, Processor
from genoflow.processors.repeated import Remembering, is_repeated, with_this
from genoflow.processors.restoring import archive_of, expected_by, not_restored
from genoflow.processors.running.manifest import Submission
from genoflow.processors.running.names import job_name

NAME = "submit-run"
LAUNCH = "launch"
RUN = "run"
RESTORE = "restore"
END = "end"
LOCAL = "local"
TAIL_CHARACTERS_MAX = 2_000  # of what the program complained: as much as the event holds
CANCEL_SECONDS_MAX = 60.0  # the launcher asks for 10 s and kills for 10 s more
Change = dict[str, object]  # of the state
Waiting = RunInputsAwaited | RunInputsRestored | RunFileRestored | DeadlinePassed


class Run(Remembering):
    """What was asked for, and which attempt of it is on its way."""

    requested: RunRequested | None = None
    attempt: int = 0
    opened_by: UUID | None = None  # the event that opened the effects of this attempt
    has_ended: bool = False  # the job of this attempt
    cancelled: bool = False
    asked_by: UUID | None = None  # the event that opened the effect which looks at the archive
    look: int = 0  # of the archive, the newest that found something to wait for
    look_due_at: datetime | None = None  # the next one
    waits_for: tuple[str, ...] = ()  # files that the newest look did not find restored


class Wanted(Arguments):
    """Files that a run cannot begin without, and which look at them it is."""

    run_id: UUID
    case_id: str
    files: tuple[ArchivedFile, ...]
    look: int


def decide(state: Run, event: Event) -> Decision:
    """Launch it and wait for its end; once more after a failure that may pass; or end it."""
    if is_repeated(state, event) or state.cancelled:
        return NOTHING
    after = evolve(state, event)
    if isinstance(event, RunCancelled):
        return _ended(state)
    if after.asked_by != state.asked_by:
        return Decision(effects=(Effect(RESTORE, _wanted(after)),))
    if isinstance(event, RunInputsAwaited) and after.look > state.look:
        return Decision(events=(_next_look(event),))
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
    submission = Submission(
        requested=state.requested, attempt=state.attempt, job_id=job_id_of(state.opened_by)
    )
    return Decision(effects=(Effect(END, submission),), closes=closes)


def _wanted(after: Run) -> Wanted:
    asked = after.requested
    assert asked is not None
    return Wanted(
        run_id=asked.run_id, case_id=asked.case_id, files=asked.archived, look=after.look + 1
    )


def _next_look(event: RunInputsAwaited) -> DeadlineSet:
    return DeadlineSet(
        subject_topic=event.topic,
        subject_key=event.key,
        processor=NAME,
        deadline=RESTORE,
        purpose=f"the restore of {len(event.files)} files from their archive",
        due_at=event.expected_by,
    )


def _submission(after: Run, event: Event) -> Submission:
    assert after.requested is not None
    return Submission(
        requested=after.requested,
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
    attempt: Change = {"opened_by": event.envelope.event_id, "has_ended": False}
    if isinstance(event, RunCancelled):
        change["cancelled"] = True
    elif isinstance(event, RunExited | RunLost):
        change["has_ended"] = state.has_ended or event.attempt == state.attempt
    elif isinstance(event, RunFailed):
        if _follows(state, event):
            change |= {**attempt, "attempt": state.attempt + 1}
    elif isinstance(event, Waiting):
        if state.requested is not None and not state.attempt:
            change |= _of_archive(state, event, attempt)
    elif state.requested is None:
        assert isinstance(event, RunRequested)
        change["requested"] = RunRequested(**dict(event))
        if event.archived:
            change["asked_by"] = event.envelope.event_id
        else:
            change |= {**attempt, "attempt": 1}
    return state.model_copy(update=change)


def _of_archive(state: Run, event: Waiting, attempt: Change) -> Change:
    if isinstance(event, RunInputsRestored):
        return {**attempt, "attempt": 1, "waits_for": ()}
    if isinstance(event, RunInputsAwaited):
        if event.look <= state.look:
            return {}
        names = tuple(name_of(one) for one in event.files)
        return {"look": event.look, "look_due_at": event.expected_by, "waits_for": names}
    asked: Change = {"asked_by": event.envelope.event_id, "look_due_at": None, "waits_for": ()}
    if isinstance(event, RunFileRestored):
        others = tuple(one for one in state.waits_for if one != name_of(event))
        is_last = bool(state.waits_for) and not others
        return asked if is_last else {"waits_for": others}
    is_ours = event.processor == NAME and event.due_at == state.look_due_at
    return asked if is_ours else {}


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
    program = (sys.executable, "-m", "genoflow.deploy.run_pipeline")
    return JobOrder(program, arguments.model_dump_json().encode())


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
    asked, launcher = arguments.requested, attempt.ports.launcher
    if launcher is None or asked.launcher != LOCAL:
        raise Parked(
            f"run {asked.run_id}: is to be launched by {asked.launcher!r}, and this worker has "
            f"{'no launcher' if launcher is None else LOCAL!r}; let a worker that has it run "
            f"{NAME}, then `genoflow parked requeue`"
        )
    state = await launcher.find(arguments.job_id)
    if state is JobState.UNKNOWN:
        await launcher.launch(arguments.job_id, order(arguments))
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
    """Nobody will ever hear of it: its directory is gone, or its machine was started anew."""
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
        RunCancelled,
        DeadlinePassed,
    ),
    folds=(RunExited, RunLost),
    emits=(DeadlineSet,),
    again=(DeadlineSet, RunInputsAwaited, RunInputsRestored),  # as often as an archive is looked at
    decide=decide,
    evolve=evolve,
    state=Run,
    state_version=2,
    effects=(
        Call(
            RESTORE,
            arguments=Wanted,
            emits=(RunInputsAwaited, RunInputsRestored),
            perform=restore,
        ),
        Call(LAUNCH, arguments=Submission, emits=(RunSubmitted,), perform=launch),
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
