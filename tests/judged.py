"""What the validator says of bytes, in the words in which tests compare it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from genoflow.processors.validation.engine import PythonEngine
from genoflow.processors.validation.port import Expected, Measured, Report

ENGINE = PythonEngine()


class Passed(NamedTuple):
    """A report on a file that passes."""

    measured: Measured
    compression: str
    size_bytes: int
    md5: str
    sha256: str


class Refused(NamedTuple):
    """A report on a file that is rejected, as FileRejected tells it."""

    reason_code: str
    reason: str
    at_byte: int | None
    at_record: int | None
    size_bytes: int
    md5: str
    sha256: str


def report(pieces: Iterable[bytes], expected: Expected) -> Report:
    """What one read of the bytes told."""
    return ENGINE.validate(pieces, expected)


def judged(
    pieces: Iterable[bytes], expected: Expected, *, strict: bool = False
) -> Passed | Refused:
    """Whether they pass, and with what."""
    told = report(pieces, expected)
    refusal = told.refusal(strict=strict)
    if refusal is None:
        assert told.measured is not None
        return Passed(told.measured, told.compression, told.size_bytes, told.md5, told.sha256)
    return Refused(
        refusal.reason_code, refusal.reason, refusal.where.byte, refusal.where.record,
        told.size_bytes, told.md5, told.sha256,
    )  # fmt: skip
