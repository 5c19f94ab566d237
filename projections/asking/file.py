"""A version of a file: where it is, what was found in it, and what it waits for."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, NamedTuple

from genoflow.events.duplicate_file_detected import ANOTHER_SAMPLE
from genoflow.events.event import Event
from genoflow.events.file_assigned import FileAssigned
from genoflow.events.file_checksum_mismatched import FileChecksumMismatched
from genoflow.events.file_deleted import HIDDEN
from genoflow.events.file_landed import FileLanded
from genoflow.events.file_quarantined import FileQuarantined
from genoflow.events.file_rejected import FileRejected
from genoflow.events.file_restore_awaited import FileRestoreAwaited
from genoflow.events.file_restored import FileRestored
from genoflow.events.sample_listed import SampleListed
from genoflow.events.sample_unlisted import SampleUnlisted
from genoflow.events.stored_version import name_of
from genoflow.events.topics import Topic
from genoflow.events.validated import Validated
from genoflow.events.validation_attempt_failed import ValidationAttemptFailed
from genoflow.projections import file_state
from genoflow.projections.asking.subject import A_WORKER, Answer
from genoflow.projections.file_state import (
    A_SCAN,
    OF_RUN,
    QUARANTINED,
    REFUSED,
    UNASSIGNED,
    FileRow,
)
from genoflow.projections.words import listed

Verdict = (
    Validated
    | FileRejected
    | ValidationAttemptFailed
    | FileChecksumMismatched
    | FileQuarantined
    | FileRestoreAwaited
    | FileRestored
)


class FileName(NamedTuple):
    """By what a version of a file is told apart."""

    bucket: str
    object_key: str
    version_id: str

    def __str__(self) -> str:
        return name_of(self)


@dataclass(slots=True)
class File:
    """What is known of one version: its row, and the events that say more than rows hold."""

    row: FileRow
    at: datetime
    order: int  # which event of its subject named it first
    landed: FileLanded | None = None
    assigned: FileAssigned | None = None
    verdict: Verdict | None = None  # because of which it stands as it does
    unlisted: SampleUnlisted | None = None  # the run that it names does not know its sample

    @property
    def name(self) -> FileName:
        """By what it is told apart."""
        return FileName(self.row.bucket, self.row.object_key, self.row.version_id)

    @property
    def verdict_at(self) -> datetime | None:
        """When it was judged last."""
        return self.verdict.envelope.occurred_at if self.verdict else None

    @property
    def is_valid(self) -> bool:
        """Whether it was read, and is what its role says."""
        return self.row.state == "valid"

    @property
    def is_refused(self) -> bool:
        """Whether the file itself is at fault, so that it has to be sent again."""
        return self.row.state in REFUSED

    @property
    def is_of_no_sample(self) -> bool:
        """Whether it stands under its own name, since its metadata named no sample."""
        return self.row.place == UNASSIGNED

    @property
    def is_unassigned(self) -> bool:
        """Whether nobody has said whose it is."""
        return self.row.state == "unassigned"


Files = dict[FileName, File]
A_SCANNER = "see that the scanner runs: `genoflow doctor`; `genoflow parked list` names tries"


def take(files: Files, topic: Topic, event: Any, order: int = 0) -> FileName:
    """Fold an event about a file into the files of its subject, and tell which file it is."""
    name = FileName(event.bucket, event.object_key, event.version_id)
    before = {files[name].row.file_id: files[name].row} if name in files else {}
    return note(files, file_state.take(before, topic.name, event), event, order)


def compare(files: Files, events: Iterable[Event]) -> None:
    """Note on each file of a sample what was said last of the sample and the run it names."""
    unlisted: dict[str, SampleUnlisted] = {}
    for event in events:
        if isinstance(event, SampleUnlisted):
            unlisted[event.instrument_run_id] = event
        elif isinstance(event, SampleListed):
            unlisted.pop(event.instrument_run_id, None)
    for file in files.values():
        file.unlisted = unlisted.get(file.row.instrument_run_id or "")


def note(files: Files, row: FileRow, event: Any, order: int) -> FileName:
    """The same where the row is folded already."""
    name = FileName(row.bucket, row.object_key, row.version_id)
    file = files.setdefault(name, File(row, event.envelope.occurred_at, order))
    file.row = row
    if isinstance(event, FileLanded):
        file.landed = file.landed or event
    elif isinstance(event, FileAssigned):
        file.assigned = file.assigned or event
    elif JUDGES.get(type(event)) == row.state and not (
        # Whoever validates has computed checksums, too: what they say is no other verdict.
        file.verdict is not None and isinstance(event, FileChecksumMismatched)
    ):
        file.verdict = event
    return name


JUDGES: dict[type[Event], str] = {
    Validated: "valid", ValidationAttemptFailed: "tried", FileRejected: "rejected",
    FileChecksumMismatched: "mismatched", FileQuarantined: QUARANTINED,
    FileRestoreAwaited: "tried", FileRestored: "tried",
}  # fmt: skip
TAKES: tuple[type[Event], ...] = tuple(file_state.USES)


def word(file: File) -> str:
    """Its state in a word or two."""
    return file.row.state


def why(file: File) -> Answer:
    """What it waits for, or what was found."""
    if isinstance(file.verdict, FileQuarantined):
        return _quarantined(file.verdict)
    if file.row.deletion is not None:
        return _deleted(file)
    if file.is_unassigned:
        return Answer(
            "waits for its sample: its metadata does not say whose it is", file.at,
            f"say whose it is: `genoflow file assign {file.name.bucket}/{file.name.object_key} "
            f"--sample SAMPLE --read-set ID --role ROLE --reason WHY`",
        )  # fmt: skip
    if file.assigned is not None:
        whose = file.assigned.sample_id
        return Answer(
            f"belongs to {whose}: {file.assigned.reason}", file.assigned.envelope.occurred_at,
            f"ask `genoflow sample why {whose}`", is_waiting=False,
        )  # fmt: skip
    verdict = file.verdict
    if isinstance(verdict, FileRestoreAwaited | FileRestored):
        answer = _archived(file, verdict)
    else:
        answer = _judged(file)
    if file.row.duplicate is not None:
        answer = replace(answer, says=f"{answer.says}, and {_same_bytes(file.row)}")
    if file.unlisted is not None:
        answer = replace(answer, says=f"{answer.says}, and {_unlisted(file.unlisted)}")
    return answer


def _unlisted(event: SampleUnlisted) -> str:
    return (
        f"names run {event.instrument_run_id}, whose sheet (revision {event.sheet_revision}) does "
        f"not hold sample {event.claimed_sample_id}"
    )


def _same_bytes(row: FileRow) -> str:
    if row.duplicate == ANOTHER_SAMPLE:
        return (
            f"holds the very bytes of {row.duplicate_of}, a file of sample "
            f"{row.duplicate_sample_id}: one of the two is not what its label says"
        )
    return f"holds the very bytes of {row.duplicate_of}, of the same sample"


def _quarantined(verdict: FileQuarantined) -> Answer:
    return Answer(
        f"is in quarantine: {verdict.scanner} found {listed(verdict.threats)} in it",
        verdict.envelope.occurred_at,
        "nobody reads it; ask who sent it, and have it sent again from a clean source",
    )


def _deleted(file: File) -> Answer:
    row = file.row
    if row.deletion == HIDDEN:
        return Answer(
            "was deleted in the object store: a mark of deletion hides it, and its bytes are kept",
            row.deleted_at, "take the mark away there to have it back", is_waiting=False,
        )  # fmt: skip
    why_so = f"by the rule {row.deleted_by_rule}" if row.deleted_by_rule else "in the object store"
    return Answer(f"was erased {why_so}: its bytes are gone", row.deleted_at, is_waiting=False)


def _judged(file: File) -> Answer:
    verdict = file.verdict
    if isinstance(verdict, FileRejected):
        return Answer(
            f"was rejected: {verdict.reason_code}{_place(verdict)} "
            f"({verdict.reason.rstrip('.')}){_beside(file.row, ', which is one of {}')}",
            file.verdict_at, "send it again",
        )  # fmt: skip
    if isinstance(verdict, FileChecksumMismatched):
        return Answer(
            f"does not hold what was announced: {_mismatch(verdict)}", file.verdict_at,
            "send it again",
        )  # fmt: skip
    if isinstance(verdict, ValidationAttemptFailed):
        is_last = verdict.attempt >= verdict.attempts_max
        return Answer(
            f"could not be validated in try {verdict.attempt} of {verdict.attempts_max}: "
            f"{verdict.reason_code} ({verdict.reason.rstrip('.')})",
            file.verdict_at,
            "a person has to look at it" if is_last else "it is tried again by itself",
        )
    if isinstance(verdict, Validated):
        says = f"is valid{_beside(file.row, ', with {}')}"
        return Answer(says, file.verdict_at, is_waiting=False)
    if file.row.place == OF_RUN:
        says = f"is a file of run {file.row.subject} and of no sample: nothing waits for it"
        return Answer(says, file.at, is_waiting=False)
    is_scanned = file.row.waits_for == A_SCAN
    says = "waits for the verdict of a virus scan" if is_scanned else "waits to be validated"
    return Answer(says, file.at, A_SCANNER if is_scanned else A_WORKER)


def _archived(file: File, verdict: FileRestoreAwaited | FileRestored) -> Answer:
    if isinstance(verdict, FileRestored):
        says = f"was restored from {verdict.storage_class}, and waits to be validated"
        return Answer(says, file.verdict_at, A_WORKER)
    by = f"{verdict.expected_by:%Y-%m-%d %H:%M} UTC"
    return Answer(
        f"waits for its restore from {verdict.storage_class}, which is expected by {by}",
        file.row.since, "it is validated by itself once the store has restored it",
    )  # fmt: skip


def _place(verdict: FileRejected) -> str:
    places = []
    if verdict.at_byte is not None:
        places.append(f"byte {verdict.at_byte:,}")
    if verdict.at_record is not None:
        places.append(f"record {verdict.at_record:,}")
    return f" at {', '.join(places)}" if places else ""


def _beside(row: FileRow, words: str) -> str:
    """How many findings there are, where there are more than the one that is told."""
    counts = {"error": row.errors, "violation": row.violations, "note": row.notes}
    told = [f"{n:,} {word}{'s' * (n > 1)}" for word, n in counts.items() if n]
    alone = row.state == "rejected" and sum(n or 0 for n in counts.values()) <= 1
    return "" if alone or not told else words.format(listed(told))


def _mismatch(verdict: FileChecksumMismatched) -> str:
    if verdict.size_bytes != verdict.stored_size_bytes:
        return f"{verdict.size_bytes:,} bytes were read of {verdict.stored_size_bytes:,}"
    wrong = "md5" if verdict.declared_md5 not in (None, verdict.md5) else "sha256"
    return f"its {wrong} is not the one that was declared"


def facts(file: File) -> dict[str, Any]:
    """All that matters of it, for `show`."""
    row = file.row
    found: dict[str, Any] = {
        "file": str(file.name), "subject": row.subject, "state": row.state, "role": row.role,
        "lane": row.lane, "size_bytes": row.size_bytes, "read_set": row.read_set_id,
        "md5": row.md5, "sha256": row.sha256,
    }  # fmt: skip
    if row.deletion is not None:
        found |= {"deleted": row.deletion, "deleted_at": row.deleted_at}
    if row.duplicate is not None:
        found |= {"duplicate": row.duplicate, "duplicate_of": row.duplicate_of}
    if file.unlisted is not None:
        found |= {"unlisted_in": file.unlisted.instrument_run_id}
    if row.storage_class is not None:
        found |= {"storage_class": row.storage_class, "restored_until": row.restored_until}
    if file.verdict is not None:
        found |= {"verdict": why(file).says, "verdict_at": file.verdict_at}
    if file.is_valid:
        found |= {"reads": row.reads, "bases": row.bases}
    if isinstance(file.verdict, Validated | FileRejected) and file.verdict.findings:
        counts = {"errors": row.errors, "violations": row.violations, "notes": row.notes}
        found |= {**counts, "findings": [one.model_dump() for one in file.verdict.findings]}
    return found
