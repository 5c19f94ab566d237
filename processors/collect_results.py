"""A run that has exited is judged by its manifest and by the store, never by its exit code."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256

from pydantic import ValidationError

from genoflow.events import topics
from genoflow.events.errors import Parked
from genoflow.events.event import Event
from genoflow.events.expected_output import ExpectedOutput
from genoflow.events.result_file import ResultFile
from genoflow.events.results_collected import ResultsCollected
from genoflow.events.run_exited import RunExited
from genoflow.events.run_failed import RunFailed
from genoflow.events.run_requested import RunRequested
from genoflow.events.run_succeeded import RunSucceeded
from genoflow.events.types import Part
from genoflow.processors.decision import NOTHING, Arguments, Decision, Effect
from genoflow.processors.intake.landing import SHA256
from genoflow.processors.ports import Attempt, ObjectGone, ObjectStore
from genoflow.processors.processor import Call, Processor, State
from genoflow.processors.running.manifest import Fault, Listed, RunManifest
from genoflow.processors.running.names import manifest_key

NAME = "collect-results"
READ = "read-manifest"
AGAIN = "mend that, then have the case run again"


class Owed(Part):
    """What a run owes, and where it leaves it."""

    case_id: str
    bucket: str
    output_prefix: str
    sample_ids: tuple[str, ...]
    expected_outputs: tuple[ExpectedOutput, ...]


class Run(State):
    """What is known of a run before its end."""

    owed: Owed | None = None
    ended: tuple[int, ...] = ()  # the attempts that have exited


class Exit(Arguments):
    """A run that has exited."""

    owed: Owed
    exited: RunExited


def decide(state: Run, event: RunExited) -> Decision:
    """Read what this attempt left, once."""
    if state.owed is None or event.attempt in state.ended:
        return NOTHING
    exited = Exit(owed=state.owed, exited=RunExited(**dict(event)))
    return Decision(effects=(Effect(READ, exited),))


def evolve(state: Run, event: Event) -> Run:
    """Keep what is owed, and which attempts have exited."""
    if isinstance(event, RunRequested):
        if state.owed is not None:
            return state
        owed = Owed(
            case_id=event.case_id,
            bucket=event.bucket,
            output_prefix=event.output_prefix,
            sample_ids=tuple(one.sample_id for one in event.members),
            expected_outputs=event.expected_outputs,
        )
        return state.model_copy(update={"owed": owed})
    assert isinstance(event, RunExited)
    if event.attempt in state.ended:
        return state
    return state.model_copy(update={"ended": (*state.ended, event.attempt)})


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
        return [_failed(arguments, _without_manifest(exited))]
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


def _without_manifest(exited: RunExited) -> Fault:
    code, number = exited.exit_code, exited.signal
    if number == "SIGKILL":
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
    return Fault(reason_code=kind, reason=reason)


def _failed(arguments: Exit, fault: Fault, missing: Sequence[str] = ()) -> RunFailed:
    owed, exited = arguments.owed, arguments.exited
    return RunFailed(
        run_id=exited.run_id,
        case_id=owed.case_id,
        attempt=exited.attempt,
        reason_code=fault.reason_code,
        reason=fault.reason,
        will_retry=False,
        exit_code=fault.exit_code if fault.exit_code is not None else exited.exit_code,
        signal=exited.signal,
        failed_process=fault.failed_process,
        failed_task_id=fault.failed_task_id,
        missing_outputs=tuple(missing)[:1_000],
        error_tail=exited.error_tail,
    )


COLLECT_RESULTS = Processor(
    NAME,
    reads=topics.RUN,
    on=(RunExited,),
    folds=(RunRequested,),
    emits=(),
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
