"""What a validator is asked and what it answers; nothing here knows where bytes come from."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Protocol

from genoflow.events.file_metrics import FileMetrics

# What to do about each kind of fault: the second half of every reason.
WAYS_OUT = {
    "truncated": "send it again whole, and compare its size before and after",
    "checksum mismatch": "send it again; if it differs again, compute the checksum where the file "
    "was made",
    "not this format": "send the file that its role asks for, or send it under its own role",
    "malformed record": "write it anew with the program that made it, and send that",
    "empty": "send it again, or invalidate its read set if there is nothing to send",
    "mates differ": "send each mate under its own role",
    "wrong build": "send it made with the build of the order, or correct the order",
    "wrong sample": "send it for the sample that it is of, or correct what was registered",
    "gone": "send it again",
    "unreadable": "send it again; if it fails again, write it anew where it was made",
}


@dataclass(frozen=True, slots=True)
class Expected:
    """What is known of a file before it is read; None is not known, and is not compared."""

    role: str
    size_bytes: int | None = None
    sample_id: str | None = None
    lane: int | None = None
    reads: int | None = None  # in this one file: clusters, not mates
    declared_md5: str | None = None
    declared_sha256: str | None = None
    references: tuple[str, ...] = ()  # the builds that the orders name; one of them fits


@dataclass(frozen=True, slots=True)
class Measured:
    """What the records of a file are, apart from its bytes as they are stored."""

    format: str
    metrics: FileMetrics = field(default_factory=FileMetrics)
    reads: int | None = None
    bases: int | None = None
    read_names_sha256: str | None = None
    reference: str | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """The file is whole, readable and as expected."""

    measured: Measured
    compression: str
    size_bytes: int
    md5: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Finding:
    """The file is at fault; its checksums are known where it was read to its end."""

    reason_code: str
    reason: str
    at_byte: int | None = None  # as stored
    at_record: int | None = None  # counted from 1
    size_bytes: int | None = None
    md5: str | None = None
    sha256: str | None = None


class Validator(Protocol):
    """Reads a file once from its first byte to its last and says what it is."""

    name: str
    version: str

    def validate(self, pieces: Iterable[bytes], expected: Expected) -> Found | Finding:
        """Found or Finding, whatever the bytes are.

        What `pieces` raises passes through; Retry where the machine lacks room for the work.
        """


class Fault(Exception):
    """What a reader of one format raises on its way out; a validator makes a Finding of it."""

    def __init__(
        self, code: str, reason: str, at_byte: int | None = None, at_record: int | None = None
    ) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason
        self.at_byte = at_byte
        self.at_record = at_record
