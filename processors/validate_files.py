"""A file that landed for a sample is read whole, and is validated or rejected."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from pydantic import Field

from genoflow.events import topics
from genoflow.events.case_joined import CaseJoined
from genoflow.events.deadline_passed import DeadlinePassed
from genoflow.events.deadline_set import DeadlineSet
from genoflow.events.errors import Parked
from genoflow.events.event import Event
from genoflow.events.file_cleared import FileCleared
from genoflow.events.file_landed import FileLanded
from genoflow.events.file_quarantined import FileQuarantined
from genoflow.events.file_rejected import FileRejected
from genoflow.events.file_restored import FileRestored
from genoflow.events.read_set_registered import ReadSetRegistered
from genoflow.events.scan_requested import ScanRequested
from genoflow.events.stored_version import name_of
from genoflow.events.types import TEXT_CHARACTERS_MAX, Part
from genoflow.events.validated import Validated
from genoflow.events.validation_attempt_failed import ARCHIVED, ValidationAttemptFailed
from genoflow.processors.decision import NOTHING, Arguments, Decision, Effect
from genoflow.processors.ports import ByteAttempt, ObjectArchived, ObjectGone
from genoflow.processors.processor import Bytes, Processor, State
from genoflow.processors.scans import HEARD, NO_SCANS, Heard, Scans, heard, opens
from genoflow.processors.validation.engine import PythonEngine
from genoflow.processors.validation.findings import Findings
from genoflow.processors.validation.house import GONE
from genoflow.processors.validation.port import Expected, Measured, Refusal, Report, Validator
from genoflow.processors.validation.rules import Severity
from genoflow.processors.validation.telling import in_event, plain
from genoflow.processors.validation_waits import (
    ATTEMPTS_MAX,
    Wait,
    deadline,
    deadline_of,
    ended,
    tries,
    wait_of,
)

NAME = "validate-files"
PIECE_BYTES = 4 * 1024**2  # of what is stored; its text is taken in blocks of 1 MiB
ASKED_OF_SCAN = ("read_set_id", "bucket", "object_key", "version_id", "size_bytes", "etag")
READ_ROLES = ("R1", "R2", "I1", "I2")
# By words that the worker says when it gives up; what else it says is about the engine.
WHY = (
    ("is archived", ARCHIVED),
    ("s3://", "store unavailable"),
    ("memory_bytes_max", "out of memory"),
    ("not done within", "out of time"),
)


class File(Part):
    """A version of a file, as it landed."""

    bucket: str
    object_key: str
    version_id: str
    size_bytes: int
    etag: str = ""  # by which it is known where the store keeps no versions
    read_set_id: str | None
    role: str
    lane: int | None
    declared_md5: str | None
    declared_sha256: str | None

    @property
    def name(self) -> str:
        """Where it is, with its version."""
        return name_of(self)


class ReadSet(Part):
    """What its demultiplexing said of a read set."""

    read_set_id: str
    lane: int | None
    reads: int | None
    roles: tuple[str, ...]


class Known(State):
    """What is known of a sample's files, and what is expected of them."""

    files: tuple[File, ...] = ()
    read_sets: tuple[ReadSet, ...] = ()
    references: tuple[str, ...] = ()
    waits: tuple[Wait, ...] = ()
    scans: Scans = NO_SCANS


class Read(Arguments):
    """Which bytes to read, what they should be, and how often that was tried."""

    sample_id: str
    file: File
    lane: int | None
    reads: int | None
    references: tuple[str, ...]
    attempt: int = Field(ge=1)
    is_cleared: bool = False  # a virus scan has found nothing in it


def decide(state: Known, event: Event) -> Decision:
    """Read every version of a file once, whoever reports it; wait where it cannot be read now."""
    if isinstance(event, FileLanded):
        file = _file(event)
        if file is None or any(file.name == known.name for known in state.files):
            return NOTHING
        return _reading(state, event.key, file, 1)
    if isinstance(event, HEARD):
        return _after_scan(state, event)
    if isinstance(event, ValidationAttemptFailed):
        wait = wait_of(state.waits, event)
        if wait is None or wait.due_at is None:
            return NOTHING
        return Decision(events=(deadline(NAME, event, wait, wait.due_at),))
    assert isinstance(event, DeadlinePassed | FileRestored)
    wait = ended(state.waits, NAME, event)
    return _again(state, event.key, wait) if wait else NOTHING


def _again(state: Known, sample_id: str, wait: Wait) -> Decision:
    file = next((one for one in state.files if deadline_of(one.name) == wait.deadline), None)
    return _reading(state, sample_id, file, wait.attempt + 1) if file else NOTHING


def _after_scan(state: Known, event: Heard) -> Decision:
    file = next((one for one in state.files if one.name == name_of(event)), None)
    if file is None or not opens(state.scans, event):
        return NOTHING
    return _reading(_scanned(state, event), event.key, file, tries(state.waits, file.name) + 1)


def evolve(state: Known, event: Event) -> Known:
    """Remember versions, what is expected of them, and what is waited for."""
    if isinstance(event, FileLanded):
        return _with_file(state, event)
    if isinstance(event, ReadSetRegistered):
        return _with_read_set(state, event)
    if isinstance(event, CaseJoined):
        return _with_reference(state, event)
    if isinstance(event, HEARD):
        return _scanned(state, event)
    if isinstance(event, ValidationAttemptFailed):
        return _with_wait(state, wait_of(state.waits, event))
    assert isinstance(event, DeadlinePassed | FileRestored)
    over = ended(state.waits, NAME, event)
    changes = {"due_at": None, "until_restored": False}
    return _with_wait(state, over and over.model_copy(update=changes))


def _scanned(state: Known, event: Heard) -> Known:
    return state.model_copy(update={"scans": heard(state.scans, event)})


def _with_file(state: Known, event: FileLanded) -> Known:
    file = _file(event)
    if file is None or any(file.name == known.name for known in state.files):
        return state
    return state.model_copy(update={"files": (*state.files, file)})


def _with_reference(state: Known, event: CaseJoined) -> Known:
    if event.reference in state.references:
        return state
    return state.model_copy(update={"references": (*state.references, event.reference)})


def _with_wait(state: Known, changed: Wait | None) -> Known:
    if changed is None:
        return state
    others = tuple(wait for wait in state.waits if wait.deadline != changed.deadline)
    return state.model_copy(update={"waits": (*others, changed)})


def _file(event: FileLanded) -> File | None:
    """The file, where it is known whose and what it is; else it waits for FileAssigned."""
    if event.sample_id is None or event.role is None:
        return None
    return File(**{name: getattr(event, name) for name in File.model_fields})


def _with_read_set(state: Known, event: ReadSetRegistered) -> Known:
    if any(event.read_set_id == known.read_set_id for known in state.read_sets):
        return state
    added = ReadSet(
        read_set_id=event.read_set_id,
        lane=event.lane,
        reads=event.reads,
        roles=tuple(expected.role for expected in event.expected_files),
    )
    return state.model_copy(update={"read_sets": (*state.read_sets, added)})


def _reading(state: Known, sample_id: str, file: File, attempt: int) -> Decision:
    if file.name in state.scans.quarantined:
        return NOTHING
    of_it = (known for known in state.read_sets if known.read_set_id == file.read_set_id)
    read_set = next(of_it, None)
    lane, reads = file.lane, None
    if read_set is not None:
        lane = read_set.lane or lane
        # What was counted is one file's only where its role is in one file.
        if file.role in READ_ROLES and read_set.roles.count(file.role) == 1:
            reads = read_set.reads
    arguments = Read(
        sample_id=sample_id,
        file=file,
        lane=lane,
        reads=reads,
        references=state.references,
        attempt=attempt,
        is_cleared=file.name in state.scans.cleared,
    )
    return Decision(effects=(Effect("validate", arguments, lane=file.name),))


# -- attempts that failed


def attempt_failed(arguments: Read, reason: str) -> Sequence[Event]:
    """The store or the engine failed for as long as a worker tries; the last time a person is
    asked."""
    if arguments.attempt >= ATTEMPTS_MAX:
        raise Parked(f"{reason}; attempt {arguments.attempt} of {ATTEMPTS_MAX}, requeue it")
    code = next((code for words, code in WHY if words in reason), "engine failed")
    file = arguments.file
    return [
        ValidationAttemptFailed(
            sample_id=arguments.sample_id,
            read_set_id=file.read_set_id,
            bucket=file.bucket,
            object_key=file.object_key,
            version_id=file.version_id,
            attempt=arguments.attempt,
            attempts_max=ATTEMPTS_MAX,
            reason_code=code,
            reason=reason[:TEXT_CHARACTERS_MAX],
        )
    ]


# -- the effect, in a process of its own


def validate(arguments: Read, attempt: ByteAttempt) -> Sequence[Event]:
    """Read the bytes once, and say what they are; where they are scanned, only after that."""
    if attempt.scanner is not None and not arguments.is_cleared:
        file, sample_id = arguments.file, arguments.sample_id
        named = {name: getattr(file, name) for name in ASKED_OF_SCAN}
        return [ScanRequested(sample_id=sample_id, **named)]
    try:
        return [verdict(arguments, attempt, PythonEngine())]
    except ObjectArchived as error:
        return attempt_failed(arguments, str(error))


def verdict(arguments: Read, attempt: ByteAttempt, engine: Validator) -> Event:
    """What this engine says of the file."""
    file = arguments.file
    expected = Expected(
        role=file.role,
        size_bytes=file.size_bytes,
        sample_id=arguments.sample_id,
        lane=arguments.lane,
        reads=arguments.reads,
        declared_md5=file.declared_md5,
        declared_sha256=file.declared_sha256,
        references=arguments.references,
    )
    begun_at = time.monotonic()
    try:
        report = engine.validate(attempt.pieces(file, PIECE_BYTES), expected)
    except ObjectGone as error:
        report = _gone(file, str(error))
    seconds = time.monotonic() - begun_at
    strict = attempt.strict_validation
    refusal = report.refusal(strict=strict)
    told = in_event(report, strict=strict) | {
        "engine": engine.name, "engine_version": engine.version, "duration_seconds": seconds,
    }  # fmt: skip
    if refusal is not None or report.measured is None:
        assert refusal is not None, "a reader that could not go on has said why"
        return _rejected(arguments, report, refusal, told)
    return _validated(arguments, report, report.measured, told)


def _gone(file: File, said: str) -> Report:
    findings = Findings()
    findings.add(GONE, said)
    return Report("none", file.size_bytes, "", "", findings)


def _validated(
    arguments: Read, report: Report, measured: Measured, told: dict[str, Any]
) -> Validated:
    file = arguments.file
    return Validated(
        sample_id=arguments.sample_id,
        read_set_id=file.read_set_id,
        role=file.role,
        lane=arguments.lane,
        bucket=file.bucket,
        object_key=file.object_key,
        version_id=file.version_id,
        size_bytes=report.size_bytes,
        md5=report.md5,
        sha256=report.sha256,
        format=measured.format,
        compression=report.compression,
        reads=measured.reads,
        bases=measured.bases,
        read_names_sha256=measured.read_names_sha256,
        reference=measured.reference,
        metrics=measured.metrics,
        **told,
    )


def _rejected(
    arguments: Read, report: Report, refusal: Refusal, told: dict[str, Any]
) -> FileRejected:
    file = arguments.file
    return FileRejected(
        sample_id=arguments.sample_id,
        read_set_id=file.read_set_id,
        role=file.role,
        bucket=file.bucket,
        object_key=file.object_key,
        version_id=file.version_id,
        size_bytes=report.size_bytes,
        reason_code=refusal.reason_code,
        reason=plain(refusal.reason)[:TEXT_CHARACTERS_MAX],
        at_byte=refusal.where.byte,
        at_record=refusal.where.record,
        declared_md5=file.declared_md5,
        found_md5=report.md5 or None,
        declared_sha256=file.declared_sha256,
        found_sha256=report.sha256 or None,
        format=report.format,
        errors=report.findings.count(Severity.ERROR),
        **told,
    )


VALIDATE_FILES = Processor(
    NAME,
    reads=topics.SAMPLE,
    on=(
        FileLanded,
        ScanRequested,
        FileCleared,
        ValidationAttemptFailed,
        FileRestored,
        DeadlinePassed,
    ),
    folds=(ReadSetRegistered, CaseJoined, FileQuarantined),
    emits=(DeadlineSet,),
    # Once for each of a file's attempts, of which there are four; a scan is asked for before one.
    again=(DeadlineSet, ValidationAttemptFailed, ScanRequested),
    decide=decide,
    evolve=evolve,
    state=Known,
    state_version=2,
    effects=(
        Bytes(
            "validate",
            arguments=Read,
            emits=(Validated, FileRejected, ValidationAttemptFailed, ScanRequested),
            perform=validate,
            gives_up=attempt_failed,
        ),
    ),
    about="reads every file of a sample whole: validated, or rejected with its reason and place",
)
