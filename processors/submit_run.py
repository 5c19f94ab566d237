"""A requested run is begun under a name that is known before, and watched until it has exited.

One event opens two effects of one lane. The first launches the job under the id of the second and
says RunSubmitted; the second is a job like any other, which its launcher then finds running under
that id. So RunSubmitted stands on the log before anybody waits for the end, and a worker that dies
between the two leaves nothing to be launched twice.
"""

from __future__ import annotations

import signal
import sys
from collections.abc import Sequence
from uuid import UUID

from genoflow.events import topics
from genoflow.events.errors import Parked
from genoflow.events.event import Event
from genoflow.events.run_exited import RunExited
from genoflow.events.run_requested import RunRequested
from genoflow.events.run_submitted import RunSubmitted
from genoflow.processors.decision import NOTHING, Decision, Effect, effect_id
from genoflow.processors.job_outcome import read_outcome
from genoflow.processors.ports import Attempt, JobOrder, JobState
from genoflow.processors.processor import Call, Job, Processor, State
from genoflow.processors.running.manifest import Submission
from genoflow.processors.running.names import job_name

NAME = "submit-run"
LAUNCH = "launch"
RUN = "run"
LOCAL = "local"
TAIL_CHARACTERS_MAX = 2_000  # of what the program complained: as much as the event holds


class Run(State):
    """Whether a run was asked for."""

    requested: bool = False


def decide(state: Run, event: RunRequested) -> Decision:
    """Launch it, then wait for its end."""
    if state.requested:
        return NOTHING
    submission = Submission(
        requested=RunRequested(**dict(event)),
        attempt=1,
        job_id=job_id_of(event.envelope.event_id),
        caused_by=event.envelope.event_id,
        correlation_id=event.envelope.correlation_id,
    )
    return Decision(effects=(Effect(LAUNCH, submission), Effect(RUN, submission)))


def evolve(_state: Run, _event: Event) -> Run:
    """Remember that it was asked for."""
    return Run(requested=True)


def job_id_of(run_requested_id: UUID) -> UUID:
    """The id of the job, which is that of the effect that waits for it."""
    return effect_id(run_requested_id, NAME, RUN)


def order(arguments: Submission) -> JobOrder:
    """The program that reads the submission on its standard input."""
    program = (sys.executable, "-m", "genoflow.deploy.run_pipeline")
    return JobOrder(program, arguments.model_dump_json().encode())


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
    """It took too long, or its launcher could not be asked; the job is ended."""
    return [_exited(arguments, reason)]


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
    on=(RunRequested,),
    emits=(),
    decide=decide,
    evolve=evolve,
    state=Run,
    effects=(
        Call(LAUNCH, arguments=Submission, emits=(RunSubmitted,), perform=launch),
        Job(
            RUN,
            arguments=Submission,
            emits=(RunExited,),
            order=order,
            collect=collect,
            gives_up=gives_up,
        ),
    ),
    about="begins a run under a name that is known before, and says when it has ended",
)
