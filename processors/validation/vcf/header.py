"""What the header of a VCF declares, and how what is found is told with its place."""

from __future__ import annotations

from dataclasses import dataclass, field

from genoflow.processors.validation.findings import NOWHERE, Findings, Where
from genoflow.processors.validation.rules import Rule
from genoflow.processors.validation.vcf.reserved import (
    Key,
    format_keys,
    info_keys,
    modification,
)

TOLD_MAX = 10_000  # names, 100 bytes each with their rule: 1 MB
QUOTED_CHARACTERS_MAX = 60


def quoted(text: str) -> str:
    """The text for a message: printable, and not longer than a line of one."""
    cut = text[:QUOTED_CHARACTERS_MAX]
    return ascii(cut) + ("…" if len(text) > len(cut) else "")


class Teller:
    """Adds findings at the place that was last set."""

    def __init__(self, findings: Findings) -> None:
        self.findings = findings
        self.where: Where = NOWHERE
        self._told: dict[Rule, set[str]] = {}
        self.told_count = 0

    def __call__(self, rule: Rule, message: str) -> None:
        """One more of this rule."""
        self.findings.add(rule, message, self.where)

    def once(self, rule: Rule, name: str, message: str) -> None:
        """One more of this rule, unless it was told of this name before."""
        told = self._told.setdefault(rule, set())
        if self.told_count < TOLD_MAX and name not in told:
            told.add(name)
            self.told_count += 1
            self.findings.add(rule, message, self.where)

    def names(self, rule: Rule) -> set[str]:
        """Those that it was told of."""
        return self._told.get(rule, set())


DECLARED_MAX = 100_000  # lines that are compared with each other, 600 bytes each: 60 MB
CONTIGS_MAX = 500_000  # 200 bytes each: 100 MB


@dataclass(slots=True)
class Header:
    """The declarations of a file, as far as they can be understood."""

    minor: int = 3  # of VCF 4
    infos: dict[str, Key] = field(default_factory=dict)
    formats: dict[str, Key] = field(default_factory=dict)
    filters: set[str] = field(default_factory=set)
    alts: set[str] = field(default_factory=set)
    contigs: dict[str, int | None] = field(default_factory=dict)
    assemblies: dict[str, None] = field(default_factory=dict)
    samples: list[str] = field(default_factory=list)
    columns: int = 8
    has_all_contigs: bool = True  # or more were declared than are held
    declared: int = 0  # lines with an ID
    lines: dict[str, dict[str, dict[str, str]]] = field(default_factory=dict)  # by kind and ID
    _info_keys: dict[str, Key] = field(default_factory=dict)
    _format_keys: dict[str, Key] = field(default_factory=dict)

    def settle(self) -> None:
        """Join what is declared with what the version reserves."""
        self._info_keys = {**info_keys(self.minor), **self.infos}
        self._format_keys = {**format_keys(self.minor), **self.formats}

    def info(self, key: str) -> Key | None:
        """What a key of INFO holds, declared or reserved."""
        return self._info_keys.get(key)

    def format(self, key: str) -> Key | None:
        """What a key of FORMAT holds, declared or reserved."""
        known = self._format_keys.get(key)
        return modification(key) if known is None and self.minor >= 5 else known
