"""A version of a file: where it is, what was found in it, and what it waits for."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from genoflow.deploy.asking.subject import A_WORKER, Answer
from genoflow.events.event import Event
from genoflow.events.file_assigned import FileAssigned
from genoflow.events.file_checksum_mismatched import FileChecksumMismatched
from genoflow.events.file_checksummed import FileChecksummed
from genoflow.events.file_landed import FileLanded, unassigned_key
from genoflow.events.file_rejected import FileRejected
from genoflow.events.validated import Validated
from genoflow.events.validation_attempt_failed import ValidationAttemptFailed

Verdict = Validated | FileRejected | ValidationAttemptFailed | FileChecksumMismatched


class FileName(NamedTuple):
    """By what a version of a file is told apart."""

    bucket: str
    object_key: str
    version_id: str

    def __str__(self) -> str:
        return f"{self.bucket}/{self.object_key}@{self.version_id}"


@dataclass(slots=True)
class File:
    """What is known of one version."""

    name: FileName
    subject: str  # the key under which it stands
    at: datetime
    order: int  # which event of its subject named it first
    role: str | None = None
    lane: int | None = None
    read_set_id: str | None = None
    size_bytes: int | None = None
    landed: FileLanded | None = None
    assigned: FileAssigned | None = None
    checksums: FileChecksummed | FileChecksumMismatched | None = None
    verdict: Verdict | None = None
    verdict_at: datetime | None = None

    @property
    def part(self) -> str:
        """What it is to its read set, such as R2 of lane 1."""
        role = self.role or "a file without a role"
        return role if self.lane is None else f"{role} of lane {self.lane}"

    @property
    def is_valid(self) -> bool:
        """Whether it was read, and is what its role says."""
        return isinstance(self.verdict, Validated)

    @property
    def is_refused(self) -> bool:
        """Whether the file itself is at fault, so that it has to be sent again."""
        return isinstance(self.verdict, FileRejected | FileChecksumMismatched)

    @property
    def is_of_no_sample(self) -> bool:
        """Whether it stands under its own name, since its metadata named no sample."""
        return self.subject == unassigned_key(self.name.bucket, self.name.object_key)

    @property
    def is_unassigned(self) -> bool:
        """Whether nobody has said whose it is."""
        return self.is_of_no_sample and self.assigned is None


Files = dict[FileName, File]


def take(files: Files, event: Any, order: int = 0) -> FileName:
    """Fold an event about a file into the files of its subject, and tell which file it is."""
    assert isinstance(event, Event)
    about: Any = event
    at = event.envelope.occurred_at
    name = FileName(about.bucket, about.object_key, about.version_id)
    file = files.setdefault(name, File(name, event.key, at, order))
    for known in ("role", "lane", "read_set_id", "size_bytes"):
        value = getattr(event, known, None)
        if value is not None:
            setattr(file, known, value)
    if isinstance(event, FileLanded):
        file.landed = file.landed or event
    elif isinstance(event, FileAssigned):
        file.assigned = file.assigned or event
    elif isinstance(event, FileChecksummed):
        file.checksums = event
    elif isinstance(event, FileChecksumMismatched):
        file.checksums = event
        if file.verdict is None:  # whoever validates has computed them too
            file.verdict, file.verdict_at = event, at
    elif not (file.is_valid and isinstance(event, ValidationAttemptFailed)):
        file.verdict, file.verdict_at = about, at
    return name


TAKES: tuple[type[Event], ...] = (
    FileLanded,
    FileAssigned,
    FileChecksummed,
    FileChecksumMismatched,
    Validated,
    ValidationAttemptFailed,
    FileRejected,
)


def word(file: File) -> str:
    """Its state in a word or two."""
    if file.is_unassigned:
        return "unassigned"
    if file.assigned is not None:
        return "assigned"
    if file.verdict is None:
        return "landed"
    words = {Validated: "valid", FileRejected: "rejected", FileChecksumMismatched: "mismatched"}
    return words.get(type(file.verdict), "tried")


def why(file: File) -> Answer:
    """What it waits for, or what was found."""
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
    return _judged(file)


def _judged(file: File) -> Answer:
    verdict = file.verdict
    if isinstance(verdict, FileRejected):
        return Answer(
            f"was rejected: {verdict.reason_code}{_place(verdict)} ({verdict.reason.rstrip('.')})",
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
        return Answer("is valid", file.verdict_at, is_waiting=False)
    if file.landed is not None and file.subject == file.landed.instrument_run_id:
        says = f"is a file of run {file.subject} and of no sample: nothing waits for it"
        return Answer(says, file.at, is_waiting=False)
    return Answer("waits to be validated", file.at, A_WORKER)


def _place(verdict: FileRejected) -> str:
    places = []
    if verdict.at_byte is not None:
        places.append(f"byte {verdict.at_byte:,}")
    if verdict.at_record is not None:
        places.append(f"record {verdict.at_record:,}")
    return f" at {', '.join(places)}" if places else ""


def _mismatch(verdict: FileChecksumMismatched) -> str:
    if verdict.size_bytes != verdict.stored_size_bytes:
        return f"{verdict.size_bytes:,} bytes were read of {verdict.stored_size_bytes:,}"
    wrong = "md5" if verdict.declared_md5 not in (None, verdict.md5) else "sha256"
    return f"its {wrong} is not the one that was declared"


def facts(file: File) -> dict[str, Any]:
    """All that matters of it, for `show`."""
    found: dict[str, Any] = {
        "file": str(file.name), "subject": file.subject, "state": word(file),
        "role": file.role, "lane": file.lane,
        "size_bytes": file.size_bytes, "read_set": file.read_set_id,
    }  # fmt: skip
    summed: Any = file.verdict if file.is_valid else file.checksums
    found |= {"md5": getattr(summed, "md5", None), "sha256": getattr(summed, "sha256", None)}
    if file.verdict is not None:
        found |= {"verdict": why(file).says, "verdict_at": file.verdict_at}
    if isinstance(file.verdict, Validated):
        found |= {"reads": file.verdict.reads, "bases": file.verdict.bases}
    return found
