"""A version of a file, folded from the events of its subject: where it is and what was found."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from genoflow.events.duplicate_file_detected import ANOTHER_SAMPLE, DuplicateFileDetected
from genoflow.events.event import Event
from genoflow.events.file_assigned import FileAssigned
from genoflow.events.file_checksum_mismatched import FileChecksumMismatched
from genoflow.events.file_checksummed import FileChecksummed
from genoflow.events.file_cleared import FileCleared
from genoflow.events.file_deleted import ERASED, FileDeleted
from genoflow.events.file_landed import FileLanded, unassigned_key
from genoflow.events.file_quarantined import FileQuarantined
from genoflow.events.file_rejected import FileRejected
from genoflow.events.file_restore_awaited import FileRestoreAwaited
from genoflow.events.file_restored import FileRestored
from genoflow.events.file_tier_changed import FileTierChanged
from genoflow.events.identity import external_id
from genoflow.events.scan_requested import ScanRequested
from genoflow.events.topics import SAMPLE
from genoflow.events.validated import Validated
from genoflow.events.validation_attempt_failed import ARCHIVED, ValidationAttemptFailed
from genoflow.projections.row import Row

OF_SAMPLE, OF_RUN, UNASSIGNED = "sample", "sequencing run", "unassigned"
ANOTHER_TRY, A_PERSON, A_SCAN = "another try", "a person", "a virus scan"
RESTORE = "its restore from the archive"
QUARANTINED = "quarantined"
REFUSED = ("rejected", "mismatched", QUARANTINED)  # the file is at fault, and has to be sent again


@dataclass(frozen=True, slots=True)
class FileRow(Row):
    """One version of a file, under the subject that it landed for."""

    file_id: UUID  # of the subject and the version: an object's name is too long for an index
    place: str  # OF_SAMPLE, OF_RUN or UNASSIGNED
    subject: str
    bucket: str
    object_key: str
    version_id: str
    state: str
    since: datetime
    waits_for: str | None = None
    reason: str | None = None
    sample_id: str | None = None
    assigned_to: str | None = None  # the sample under which it landed once more
    instrument_run_id: str | None = None
    read_set_id: str | None = None
    role: str | None = None
    lane: int | None = None
    size_bytes: int | None = None
    md5: str | None = None
    sha256: str | None = None
    declared_md5: str | None = None
    declared_sha256: str | None = None
    format: str | None = None
    compression: str | None = None
    reads: int | None = None
    bases: int | None = None
    errors: int | None = None  # found in it; what breaks a must; what is worth knowing
    violations: int | None = None
    notes: int | None = None
    is_strict: bool | None = None  # whether violations reject it, too
    validation_seconds: float | None = None  # how long its verdict took
    upload_id: UUID | None = None  # of FileLanded
    landed_at: datetime | None = None
    landed_by: str | None = None  # whoever brought it, or for whom a program did
    deleted_at: datetime | None = None
    deletion: str | None = None  # hidden behind a mark of deletion, or erased
    deleted_by_rule: str | None = None  # of retention; none where nobody of ours did it
    is_cleared: bool | None = None  # whether a virus scan found nothing; none: it has no verdict
    scanned_by: str | None = None  # whose verdict that is
    duplicate: str | None = None  # the same bytes stand elsewhere: same sample or another sample
    duplicate_of: str | None = None  # the other file, heard of last
    duplicate_sample_id: str | None = None  # whose that one is
    storage_class: str | None = None  # none where it was never told to be any but the first
    restored_until: datetime | None = None  # when the copy goes that was made of an archived one

    @property
    def part(self) -> str:
        """What it is to its read set, such as R2 of lane 1."""
        role = self.role or "a file without a role"
        return role if self.lane is None else f"{role} of lane {self.lane}"


KnownFiles = dict[UUID, FileRow]
Fields = dict[str, Any]  # what changes of a row


def take(files: KnownFiles, topic: str, event: Event) -> FileRow:
    """Fold an event about a file into the files of its subject, and tell how it stands now."""
    about: Any = event
    file_id = id_of(topic, event)
    before = files.get(file_id) or _unheard(
        file_id, topic, event, about.bucket, about.object_key, about.version_id
    )
    fields = {
        field: value
        for field in ("role", "lane", "read_set_id", "size_bytes")
        if (value := getattr(event, field, None)) is not None
    } | USES[type(event)](before, event)
    now = fields.get("state", before.state), fields.get("waits_for", before.waits_for)
    if now != (before.state, before.waits_for):
        fields["since"] = event.envelope.occurred_at
    files[file_id] = replace(before, **fields)
    return files[file_id]


def id_of(topic: str, event: Event) -> UUID:
    """The version of a file, under its subject, that an event is about."""
    about: Any = event
    name = (about.bucket, about.object_key, about.version_id)
    return external_id("file", topic, event.key, *name)


def _unheard(
    file_id: UUID, topic: str, event: Event, bucket: str, object_key: str, version_id: str
) -> FileRow:
    place, state, waits_for = OF_SAMPLE, "landed", "validation"
    if topic != SAMPLE.name:
        place, waits_for = OF_RUN, ""
    elif event.key == unassigned_key(bucket, object_key):
        place, state, waits_for = UNASSIGNED, "unassigned", "its sample"
    return FileRow(
        file_id, place, event.key, bucket, object_key, version_id, state,
        event.envelope.occurred_at, waits_for or None,
        sample_id=event.key if place is OF_SAMPLE else None,
        instrument_run_id=event.key if place is OF_RUN else None,
    )  # fmt: skip


# -- what each event changes of a file


def _judged(
    file: FileRow, state: str, waits_for: str | None = None, reason: str | None = None
) -> Fields:
    if file.place == UNASSIGNED or file.state == QUARANTINED:
        return {}  # what was found in it counts where it lands for a sample, or not at all
    return {"state": state, "waits_for": waits_for, "reason": reason}


def _landed(file: FileRow, event: FileLanded) -> Fields:
    if file.upload_id is not None:
        return {}
    return {
        "upload_id": event.envelope.event_id,
        "landed_at": event.envelope.occurred_at,
        "landed_by": event.envelope.actor.on_behalf_of or event.envelope.actor.id,
        "instrument_run_id": event.instrument_run_id or file.instrument_run_id,
        "declared_md5": event.declared_md5,
        "declared_sha256": event.declared_sha256,
    }


def _assigned(file: FileRow, event: FileAssigned) -> Fields:
    if file.assigned_to is not None or file.state == QUARANTINED:
        return {}
    told = {"state": "assigned", "waits_for": None, "reason": event.reason}
    return told | {"assigned_to": event.sample_id}


def _scan_asked(file: FileRow, _event: ScanRequested) -> Fields:
    return {"waits_for": A_SCAN} if file.state == "landed" and not file.is_cleared else {}


def _cleared(file: FileRow, event: FileCleared) -> Fields:
    if file.state == QUARANTINED:
        return {}
    told = {"waits_for": "validation"} if file.waits_for == A_SCAN else {}
    return told | {"is_cleared": True, "scanned_by": event.scanner}


def _quarantined(_file: FileRow, event: FileQuarantined) -> Fields:
    told = {"state": QUARANTINED, "waits_for": None, "reason": event.reason}
    return told | {"is_cleared": False, "scanned_by": event.scanner}


def _duplicate(file: FileRow, event: DuplicateFileDetected) -> Fields:
    if file.duplicate == ANOTHER_SAMPLE and event.manner != ANOTHER_SAMPLE:
        return {}  # what may be a swap is not hidden by a note
    other = f"{event.other_bucket}/{event.other_object_key}@{event.other_version_id}"
    sample_id = event.other_sample_id
    return {"duplicate": event.manner, "duplicate_of": other, "duplicate_sample_id": sample_id}


def _checksummed(file: FileRow, event: FileChecksummed) -> Fields:
    return {} if file.state == "valid" else {"md5": event.md5, "sha256": event.sha256}


def _mismatched(file: FileRow, event: FileChecksumMismatched) -> Fields:
    if file.state == "valid":
        return {}
    found = {"md5": event.md5, "sha256": event.sha256}
    if file.state != "landed":  # whoever validates has computed them too
        return found
    if event.size_bytes != event.stored_size_bytes:
        reason = f"{event.size_bytes:,} bytes were read of {event.stored_size_bytes:,}"
    else:
        wrong = "md5" if event.declared_md5 not in (None, event.md5) else "sha256"
        reason = f"its {wrong} is not the one that was declared"
    return found | _judged(file, "mismatched", None, reason)


def _counted(event: Validated | FileRejected) -> Fields:
    return {
        "errors": event.errors if isinstance(event, FileRejected) else 0,
        "violations": event.violations,
        "notes": event.notes,
        "is_strict": event.is_strict,
        "validation_seconds": event.duration_seconds,
    }


def _validated(file: FileRow, event: Validated) -> Fields:
    found = _counted(event) | {
        "md5": event.md5,
        "sha256": event.sha256,
        "format": event.format,
        "compression": event.compression,
        "reads": event.reads,
        "bases": event.bases,
    }
    return found | _judged(file, "valid")


def _rejected(file: FileRow, event: FileRejected) -> Fields:
    found = _counted(event)
    if event.format is not None:
        found["format"] = event.format
    return found | _judged(file, "rejected", None, f"{event.reason_code}: {event.reason}")


def _tried(file: FileRow, event: ValidationAttemptFailed) -> Fields:
    if file.state == "valid":
        return {}
    by_itself = RESTORE if event.reason_code == ARCHIVED else ANOTHER_TRY
    waits_for = A_PERSON if event.attempt >= event.attempts_max else by_itself
    tries = f"try {event.attempt} of {event.attempts_max}"
    return _judged(file, "tried", waits_for, f"{tries}: {event.reason_code}: {event.reason}")


def _deleted(file: FileRow, event: FileDeleted) -> Fields:
    if file.deletion == ERASED:
        # The store's own message may be told before the word of whoever did it by a rule.
        has_rule = file.deleted_by_rule is not None or event.manner != ERASED
        return {} if has_rule else {"deleted_by_rule": event.rule}
    # What was found in it stays so. But nobody can read it any more, or is to wait for it.
    return {
        "deleted_at": event.envelope.occurred_at,
        "deletion": event.manner,
        "deleted_by_rule": event.rule,
        "waits_for": None,
    }


def _moved(_: FileRow, event: FileTierChanged) -> Fields:
    return {"storage_class": event.storage_class}


def _awaited(file: FileRow, event: FileRestoreAwaited) -> Fields:
    fields: Fields = {"storage_class": event.storage_class}
    if file.state != "tried":
        return fields
    by = f"{event.expected_by:%Y-%m-%d %H:%M} UTC"
    said = f"lies in {event.storage_class}, and is asked back: expected by {by}"
    return fields | _judged(file, "tried", RESTORE, said)


def _restored(file: FileRow, event: FileRestored) -> Fields:
    fields: Fields = {
        "storage_class": event.storage_class, "restored_until": event.restored_until,
    }  # fmt: skip
    if file.state != "tried" or file.waits_for != RESTORE:
        return fields
    return fields | _judged(file, "tried", ANOTHER_TRY, f"restored from {event.storage_class}")


USES: Mapping[type[Event], Callable[[FileRow, Any], Fields]] = {
    FileLanded: _landed,
    FileAssigned: _assigned,
    FileChecksummed: _checksummed,
    FileChecksumMismatched: _mismatched,
    Validated: _validated,
    FileRejected: _rejected,
    FileDeleted: _deleted,
    ScanRequested: _scan_asked,
    FileCleared: _cleared,
    FileQuarantined: _quarantined,
    DuplicateFileDetected: _duplicate,
    ValidationAttemptFailed: _tried,
    FileTierChanged: _moved,
    FileRestoreAwaited: _awaited,
    FileRestored: _restored,
}
