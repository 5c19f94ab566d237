"""What a report of quality holds, wherever its facts come from: the log, the rows, or files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

Verdict = Literal["pass", "warn", "fail", "not judged"]
Bounds = tuple[float | None, float | None, float | None, float | None]
FILES_MAX = 200  # of one page: a file of reads of 150 bases takes 150 kB, so 30 MB


@dataclass(frozen=True, slots=True)
class Judgement:
    """One metric beside what was required of it."""

    metric: str
    value: float | None  # None where nobody could tell it
    unit: str
    verdict: str
    required_min: float | None = None
    required_max: float | None = None
    warn_min: float | None = None
    warn_max: float | None = None
    measured_on: str | None = None
    words: tuple[str | None, str | None] = (None, None)  # what was declared, and what was found
    why: str = ""  # there is no value

    @property
    def bounds(self) -> Bounds:
        """In the order in which they grow."""
        return self.required_min, self.warn_min, self.warn_max, self.required_max


@dataclass(frozen=True, slots=True)
class FileTold:
    """One file: what it is, whether it holds to its format, and what was measured of it."""

    name: str
    format: str | None = None
    is_valid: bool | None = None  # None where nobody has said it
    facts: Sequence[tuple[str, object]] = ()
    counts: Mapping[str, int] = field(default_factory=dict)  # of findings, by severity
    findings: Sequence[Mapping[str, Any]] = ()
    metrics: Mapping[str, Any] = field(default_factory=dict)
    is_read: bool = True  # for this report: only then are there curves


@dataclass(frozen=True, slots=True)
class Fact:
    """An event on which the report rests."""

    type: str
    event_id: str
    at: str
    place: str = ""  # on the log
    by: str = ""


@dataclass(frozen=True, slots=True)
class Share:
    """One part of a run: a library, and the reads that it got."""

    name: str
    reads: int


@dataclass(frozen=True, slots=True)
class Report:
    """Everything that a page and the files for MultiQC are made of."""

    title: str
    subject: str = ""  # the sample or run; empty where files alone are told
    verdict: Verdict | None = None  # None where nothing was judged
    reason: str | None = None
    about: Sequence[tuple[str, object]] = ()
    judged: Sequence[Judgement] = ()
    files: Sequence[FileTold] = ()
    shares: Sequence[Share] = ()
    facts: Sequence[Fact] = ()
    notes: Sequence[str] = ()  # what the reader has to know about the report itself


def judgement(plain: Mapping[str, Any], warned: Mapping[str, Any] | None = None) -> Judgement:
    """A judged metric as the log and the rows tell it, with the warnings of its threshold."""
    # A metric that was asked for and could not be told stands there as 0.0 without a verdict.
    is_missing = (plain["verdict"], plain["value"]) == ("not judged", 0.0)
    warned = warned or {}
    return Judgement(
        metric=plain["metric"],
        value=None if is_missing else plain["value"],
        unit=plain["unit"],
        verdict=plain["verdict"],
        required_min=plain.get("required_min"),
        required_max=plain.get("required_max"),
        warn_min=warned.get("warn_min"),
        warn_max=warned.get("warn_max"),
        measured_on=plain.get("measured_on"),
        words=(plain.get("declared"), plain.get("found")),
        why="is not told of what these files hold" if is_missing else "",
    )


def verdict_of(judged: Sequence[Judgement], *, passed: bool | None) -> Verdict | None:
    """The verdict as one word: a pass with warnings is a warning; None where there is none."""
    if passed is None:
        return None
    if not passed:
        return "fail"
    return "warn" if any(one.verdict == "warn" for one in judged) else "pass"
