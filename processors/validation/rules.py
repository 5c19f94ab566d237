"""What a file is held to: a rule for every "must", with its severity, its way out, an example."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    """How bad it is; by default errors reject a file, and `--strict` rejects violations too."""

    ERROR = "error"  # the bytes cannot be trusted, or not be parsed
    VIOLATION = "violation"  # a "must" of the specification is broken
    NOTE = "note"  # legal, and worth knowing


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule; the modules of a format list theirs in `RULES`, and docs/validation.md all."""

    code: str  # format and fact, such as `vcf-qual-not-a-number`; never changed once released
    severity: Severity
    section: str  # where the specification says so, such as `VCF 4.3, 1.6.1`; empty: the house's
    asks: str  # what has to hold, in one sentence
    remedy: str  # what to do about a file that breaks it
    example: str  # what breaks it: the text itself, or of binary formats what is done to the bytes
    kind: str = "malformed record"  # the reason code of FileRejected
