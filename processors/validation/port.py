"""What a validator is asked and what it answers; nothing here knows where bytes come from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from genoflow.events.file_metrics import FileMetrics
from genoflow.processors.validation.findings import Findings, Where
from genoflow.processors.validation.rules import Severity
from genoflow.processors.validation.targets import Target

CONTRADICTED = "checksum mismatch"
DAMAGE = ("malformed record", "unreadable")  # what a contradicted checksum explains


@dataclass(frozen=True, slots=True)
class Expected:
    """What is known of a file before it is read; None is not known, and is not compared."""

    role: str = ""  # what it is to its read set; "": not known, and any format that is read will do
    size_bytes: int | None = None
    sample_id: str | None = None
    lane: int | None = None
    reads: int | None = None  # in this one file: clusters, not mates
    declared_md5: str | None = None
    declared_sha256: str | None = None
    references: tuple[str, ...] = ()  # the builds that the orders name; one of them fits
    instrument: str | None = None  # as read names and @RG PU say it
    flow_cell: str | None = None
    reference_path: Path | None = None  # a FASTA with its .fai on this machine
    targets: tuple[Target, ...] = ()  # of which coverage is told apart
    named: str = ""  # the format that its name speaks of: believed only of a file without bytes
    checksums: Mapping[str, str] = field(default_factory=dict)  # of the store, by kind, as it says
    part_sizes: tuple[int, ...] = ()  # of an object that was uploaded in parts


@dataclass(frozen=True, slots=True)
class Measured:
    """What the records of a file are, apart from its bytes as they are stored."""

    format: str
    metrics: FileMetrics = field(default_factory=FileMetrics)
    reads: int | None = None
    bases: int | None = None
    read_names_sha256: str | None = None
    reference: str | None = None
    version: str | None = None  # of the format, as the file says it
    details: Mapping[str, object] = field(default_factory=dict)  # what no event carries


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a file is rejected, in the words of FileRejected: what explains it best, and where."""

    reason_code: str
    reason: str
    where: Where


@dataclass(frozen=True, slots=True)
class Report:
    """All that one read of a file told, whether it passes or not."""

    compression: str
    size_bytes: int
    md5: str
    sha256: str
    findings: Findings
    format: str | None = None  # as found in the bytes; None where they are of none
    measured: Measured | None = None  # None where its reader could not go on to its end

    @property
    def version(self) -> str | None:
        """Of the format, as the file says it."""
        return self.measured.version if self.measured else None

    def is_valid(self, *, strict: bool) -> bool:
        """Whether it was read to its end without errors, and where it is strict violations."""
        return self.measured is not None and self.findings.is_valid(strict=strict)

    def refusal(self, *, strict: bool) -> Refusal | None:
        """Why it is rejected; None where it passes."""
        if self.is_valid(strict=strict):
            return None
        worst = next(one for one in Severity if self.findings.count(one))
        rejecting = [one for one in self.findings if one.rule.severity is worst]
        first, said = rejecting[0], rejecting[0].message
        # A contradicted checksum is the better explanation of damage; a cut explains itself.
        other = next((one for one in rejecting if one.rule.kind == CONTRADICTED), None)
        cause = first
        if other is not None and first.rule.kind in DAMAGE:
            cause, said = other, f"{other.message}; {first.message}"
        return Refusal(cause.rule.kind, f"{said}; {cause.rule.remedy}", first.where)


class Validator(Protocol):
    """Reads a file once from its first byte to its last and says what it is."""

    name: str
    version: str

    def validate(self, pieces: Iterable[bytes], expected: Expected) -> Report:
        """A report, whatever the bytes are.

        What `pieces` raises passes through; Retry where the machine lacks room for the work.
        """
