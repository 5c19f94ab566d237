"""A run that has ended is judged by its manifest and by the store, never by its exit code.

A job that was lost may have left a whole manifest before; then the run has succeeded. A run that
was cancelled is not judged.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from uuid import UUID

from pydantic import ValidationError

from genoflow.events import topics
from genoflow.events.errors import Parked
from genoflow.events.event import Event
from genoflow.events.expected_output import ExpectedOutput
from genoflow.events.failure import EVIDENCE_MAX
from genoflow.events.result_file import ResultFile
from genoflow.events.results_collected import ResultsCollected
from genoflow.events.run_cancelled import RunCancelled
from genoflow.events.run_exited import RunExited
from genoflow.events.run_failed import RunFailed
from genoflow.events.run_lost import RunLost
from genoflow.events.run_requested import RunRequested
from genoflow.events.run_succeeded import RunSucceeded
from genoflow.events.types import TEXT_CHARACTERS_MAX, Part
from genoflow.processors.decision import NOTHING, Arguments, Decision, Effect, effect_id
from genoflow.processors.intake.landing import SHA256
from genoflow.processors.ports import Attempt, ObjectGone, ObjectStore
from genoflow.processors.processor import Call, Processor, State
from genoflow.processors.running.failures import DISAGREEMENTS, judged
from genoflow.processors.running.fit import refusals
from genoflow.processors.running.manifest import EXIT_PASSES, Fault, Listed, RunManifest
from genoflow.processors.running.names import manifest_key

NAME = "collect-results"
READ = "read-manifest"
DISAGREES = "inputs disagree"
THEN_AGAIN = ", then have the case run again with `genoflow run again`"
AGAIN = "mend that, then have the case run again with `genoflow run again`"


class Owed(Part):
    """What a run owes, and where it leaves it."""

    case_id: str
    bucket: str
    output_prefix: str
    sample_ids: tuple[str, ...]
    expected_outputs: tuple[ExpectedOutput, ...]
    attempts_max: int = 1


class Run(State):
    """What is known of a run before its end."""

    owed: Owed | None = None
    ended: tuple[int, ...] = ()  # the attempts whose jobs are over
    ended_by: UUID | None = None  # the event that said so of the last one
    cancelled: bool = False


class Exit(Arguments):
    """An attempt whose job is over."""

    owed: Owed
    exited: RunExited
    lost: str | None = None  # what its launcher answered, where it knows no more of it


def decide(state: Run, event: Event) -> Decision:
    """Read what this attempt left, once; nothing of a run that nobody wants."""
    if isinstance(event, RunRequested):
        refused = not state.cancelled and state.owed is None and refusals(event.findings)
        return Decision(events=(_refused(event),)) if refused else NOTHING
    if state.cancelled or state.owed is None:
        return NOTHING
    if isinstance(event, RunCancelled):
        unread = () if state.ended_by is None else (effect_id(state.ended_by, NAME, READ),)
        return Decision(closes=unread)
    assert isinstance(event, RunExited | RunLost)
    if event.attempt in state.ended:
        return NOTHING
    return Decision(effects=(Effect(READ, _over(state.owed, event)),))


def _refused(event: RunRequested) -> RunFailed:
    """What it would take disagrees, so nothing of it is submitted."""
    found = refusals(event.findings)
    said = "; ".join(one.said for one in found)
    reason = f"nothing was submitted: {said}"[: TEXT_CHARACTERS_MAX - len(THEN_AGAIN)]
    fault = judged(Fault(reason_code=DISAGREES, reason=reason, rule=DISAGREEMENTS[found[0].what]))
    return RunFailed(
        run_id=event.run_id,
        case_id=event.case_id,
        attempt=1,
        reason_code=DISAGREES,
        reason=f"{reason}{THEN_AGAIN}",
        will_retry=False,
        failure_class=fault.failure_class,
        failure_rule=fault.rule,
        advice=fault.advice,
        evidence=tuple(one.place for one in found)[:EVIDENCE_MAX],
    )


def _over(owed: Owed, event: RunExited | RunLost) -> Exit:
    if isinstance(event, RunExited):
        return Exit(owed=owed, exited=RunExited(**dict(event)))
    exited = RunExited(run_id=event.run_id, attempt=event.attempt, job_id=event.job_id)
    return Exit(owed=owed, exited=exited, lost=event.reason)


def evolve(state: Run, event: Event) -> Run:
    """Keep what is owed, which attempts are over, and whether anybody still wants it."""
    if isinstance(event, RunCancelled):
        return state if state.cancelled else state.model_copy(update={"cancelled": True})
    if isinstance(event, RunRequested):
        if state.owed is not None:
            return state
        owed = Owed(
            case_id=event.case_id,
            bucket=event.bucket,
            output_prefix=event.output_prefix,
            sample_ids=tuple(one.sample_id for one in event.members),
            expected_outputs=event.expected_outputs,
            attempts_max=event.attempts_max,
        )
        return state.model_copy(update={"owed": owed})
    assert isinstance(event, RunExited | RunLost)
    if event.attempt in state.ended:
        return state
    ended_by = event.envelope.event_id
    return state.model_copy(update={"ended": (*state.ended, event.attempt), "ended_by": ended_by})


# -- the effect


class NotWhole(Exception):
    """A manifest that does not prove a success."""

    def __init__(self, fault: Fault, missing: Sequence[str] = ()) -> None:
        super().__init__(fault.reason)
        self.fault = fault
        self.missing = tuple(missing)


async def read_manifest(arguments: Exit, attempt: Attempt) -> Sequence[Event]:
    """Every file that is owed is there as it is listed; or the run has failed, and why."""
    store, owed, exited = attempt.ports.store, arguments.owed, arguments.exited
    if store is None:
        raise Parked(f"{READ}: this worker has no object store; wire one")
    key = manifest_key(owed.output_prefix, exited.attempt)
    body = await store.get(owed.bucket, key)
    if body is None:
        return [_failed(arguments, _without_manifest(arguments))]
    try:
        manifest = _parsed(body, exited)
        files = await _confirmed(store, owed, manifest)
    except NotWhole as error:
        return [_failed(arguments, error.fault, error.missing)]
    same = {
        "run_id": exited.run_id, "case_id": owed.case_id, "attempt": exited.attempt,
        "bucket": owed.bucket, "manifest_key": key, "manifest_sha256": sha256(body).hexdigest(),
    }  # fmt: skip
    tasks = manifest.tasks
    collected = ResultsCollected(**same, files=files, measurements=manifest.measurements)
    succeeded = RunSucceeded(
        **same, job_id=exited.job_id, outputs=len(files), tasks_completed=tasks.completed,
        tasks_cached=tasks.cached, tasks_failed=tasks.failed,
        duration_seconds=manifest.duration_seconds,
    )  # fmt: skip
    return [collected, succeeded]


def _parsed(body: bytes, exited: RunExited) -> RunManifest:
    try:
        manifest = RunManifest.model_validate_json(body)
    except ValidationError as error:
        fault = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in fault["loc"]) or "the whole"
        raise _incomplete(
            f"the output manifest cannot be read ({where}: {fault['msg']})"
        ) from error
    told = (str(manifest.job_id), manifest.run_id, manifest.attempt)
    if told != (exited.job_id, exited.run_id, exited.attempt):
        raise _incomplete(f"the output manifest is that of the job {manifest.job_id}")
    if manifest.fault is not None:
        raise NotWhole(manifest.fault)
    return manifest


def _incomplete(fact: str, missing: Sequence[str] = ()) -> NotWhole:
    return NotWhole(
        Fault(reason_code="manifest incomplete", reason=f"{fact}; {AGAIN}"[:2_000]), missing
    )


async def _confirmed(
    store: ObjectStore, owed: Owed, manifest: RunManifest
) -> tuple[ResultFile, ...]:
    listed = {(one.kind, one.sample_id) for one in manifest.files}
    missing = [
        one.kind if sample is None else f"{one.kind} of {sample}"
        for one in owed.expected_outputs
        for sample in (owed.sample_ids if one.per == "sample" else (None,))
        if (one.kind, sample) not in listed
    ]
    if missing:
        raise _incomplete(f"the run left no {', '.join(missing[:5])}", missing)
    return tuple([await _confirm(store, owed.bucket, one) for one in manifest.files])


async def _confirm(store: ObjectStore, bucket: str, one: Listed) -> ResultFile:
    place = f"s3://{bucket}/{one.object_key}"
    try:
        head = await store.head(bucket, one.object_key)
    except ObjectGone as error:
        raise _incomplete(f"{place} is listed and is not there", [one.kind]) from error
    if head.size_bytes != one.size_bytes or head.metadata.get(SHA256) != one.sha256:
        raise _incomplete(f"{place} is not the file that is listed", [one.kind])
    return ResultFile(**dict(one), bucket=bucket, version_id=head.version_id)


def _without_manifest(arguments: Exit) -> Fault:
    code, number = arguments.exited.exit_code, arguments.exited.signal
    passes = number is not None or arguments.lost is not None or code == EXIT_PASSES
    if arguments.lost is not None:
        kind, fact = "lost", f"was lost ({arguments.lost.rstrip('.')})"
    elif number == "SIGKILL":
        kind, fact = "out of memory", "was killed, as a system does where memory runs out"
    elif number is not None:
        kind, fact = "exit code", f"was ended by {number} before it was done"
    elif code is None:
        kind, fact = "out of time", "was not done in time and was ended"
    elif code == 0:
        kind, fact = "manifest missing", "ended with exit code 0 and left no output manifest"
    else:
        kind, fact = "exit code", f"ended with exit code {code} and left no output manifest"
    reason = f"the run {fact}; read the end of what it wrote and {AGAIN}"
    return Fault(reason_code=kind, reason=reason[:2_000], may_pass=passes)


def _failed(arguments: Exit, found: Fault, missing: Sequence[str] = ()) -> RunFailed:
    owed, exited = arguments.owed, arguments.exited
    if found.exit_code is None:
        found = found.model_copy(update={"exit_code": exited.exit_code})
    if found.signal is None:
        found = found.model_copy(update={"signal": exited.signal})
    fault = judged(found, exited.error_tail.splitlines())
    return RunFailed(
        run_id=exited.run_id,
        case_id=owed.case_id,
        attempt=exited.attempt,
        reason_code=fault.reason_code,
        reason=fault.reason,
        will_retry=fault.may_pass and exited.attempt < owed.attempts_max,
        exit_code=fault.exit_code,
        signal=fault.signal,
        failed_process=fault.failed_process,
        failed_task_id=fault.failed_task_id,
        missing_outputs=tuple(missing)[:1_000],
        error_tail=exited.error_tail,
        failure_class=fault.failure_class,
        failure_rule=fault.rule,
        advice=fault.advice,
        evidence=fault.evidence,
    )


COLLECT_RESULTS = Processor(
    NAME,
    reads=topics.RUN,
    on=(RunExited, RunLost, RunCancelled, RunRequested),
    emits=(RunFailed,),
    again=(RunFailed,),  # as often as the request allows attempts
    decide=decide,
    evolve=evolve,
    state=Run,
    effects=(
        Call(
            READ,
            arguments=Exit,
            emits=(ResultsCollected, RunSucceeded, RunFailed),
            perform=read_manifest,
        ),
    ),
    about="says whether a run left all that it owes, by its manifest and by the store",
)
