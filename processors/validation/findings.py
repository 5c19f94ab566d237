"""What was found in one file: which rule, where, and what stands there."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from genoflow.processors.validation.rules import Rule, Severity

# Of each rule: enough to see what they share, and a file of a hundred million broken lines is as
# short a report as any. All are counted.
FINDINGS_PER_RULE_MAX = 20
MESSAGE_CHARACTERS_MAX = 300


@dataclass(frozen=True, slots=True)
class Where:
    """A place in a file, by what is known of it; nothing is known of what concerns all of it."""

    line: int | None = None  # counted from 1
    record: int | None = None  # counted from 1; header lines are none
    byte: int | None = None  # of the stored bytes: where the block begins that holds it

    def __str__(self) -> str:
        parts = (("line", self.line), ("record", self.record), ("byte", self.byte))
        return ", ".join(f"{name} {value}" for name, value in parts if value is not None)


NOWHERE = Where()


@dataclass(frozen=True, slots=True)
class Finding:
    """One rule that a file breaks, at one place."""

    rule: Rule
    message: str
    where: Where = NOWHERE

    def as_json(self) -> dict[str, Any]:
        """As `genoflow validate --json` prints it."""
        return {
            "code": self.rule.code,
            "severity": str(self.rule.severity),
            "where": {
                "line": self.where.line, "record": self.where.record, "byte": self.where.byte,
            },
            "message": self.message,
            "remedy": self.rule.remedy,
        }  # fmt: skip


class Findings:
    """All of one file, in the order in which they were found."""

    def __init__(self) -> None:
        self.counts: Counter[Rule] = Counter()
        self._kept: list[Finding] = []

    def add(self, rule: Rule, message: str, where: Where = NOWHERE) -> None:
        """Count it, and keep it while there are few of its rule."""
        self.counts[rule] += 1
        if self.counts[rule] <= FINDINGS_PER_RULE_MAX:
            self._kept.append(Finding(rule, message[:MESSAGE_CHARACTERS_MAX], where))

    def is_full(self, rule: Rule) -> bool:
        """Whether one more of this rule is only counted: no message needs to be made for it."""
        return self.counts[rule] >= FINDINGS_PER_RULE_MAX

    def count(self, severity: Severity) -> int:
        """How many there are of this severity, kept or only counted."""
        return sum(n for rule, n in self.counts.items() if rule.severity == severity)

    def is_valid(self, *, strict: bool) -> bool:
        """Whether a file with these passes."""
        return not (self.count(Severity.ERROR) or (strict and self.count(Severity.VIOLATION)))

    def __iter__(self) -> Iterator[Finding]:
        return iter(self._kept)


class Broken(Exception):
    """What a reader raises where it cannot go on; whoever called it adds the finding."""

    def __init__(self, rule: Rule, message: str, where: Where = NOWHERE) -> None:
        super().__init__(message)
        self.rule = rule
        self.message = message
        self.where = where
