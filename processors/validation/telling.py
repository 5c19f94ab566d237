"""What is told of a report: the worst of its findings in an event, and the whole of it as JSON."""

from __future__ import annotations

from collections import Counter
from typing import Any, cast

from genoflow.events.file_finding import FILE_FINDINGS_MAX, FileFinding
from genoflow.events.metric_names import CONTRACT_NAMES
from genoflow.events.metric_registry import OF_CONTRACT, units_of, why_unknown
from genoflow.processors.validation.findings import Finding, Findings
from genoflow.processors.validation.port import Measured, Report
from genoflow.processors.validation.rules import Rule, Severity

# Of a file alone nobody knows the genome but by its header: coverage is what was counted there.
COVERAGE, DEPTH = "coverage_mean", "depth_mean"
SEVERITIES = tuple(Severity)  # the worst first


def worst_first(findings: Findings) -> list[Finding]:
    """Errors, violations, notes; of each the first ones of every rule before more of the same."""
    met: Counter[Rule] = Counter()
    ranked = []
    for number, one in enumerate(findings):
        met[one.rule] += 1
        ranked.append((SEVERITIES.index(one.rule.severity), met[one.rule], number, one))
    return [one for *_, one in sorted(ranked, key=lambda rank: rank[:3])]


def in_event(report: Report, *, strict: bool) -> dict[str, Any]:
    """The fields that Validated and FileRejected share."""
    findings = report.findings
    return {
        "findings": tuple(_told(one) for one in worst_first(findings)[:FILE_FINDINGS_MAX]),
        "violations": findings.count(Severity.VIOLATION),
        "notes": findings.count(Severity.NOTE),
        "is_strict": strict,
    }


def _told(one: Finding) -> FileFinding:
    where = one.where
    return FileFinding(
        code=one.rule.code,
        severity=one.rule.severity.value,
        message=plain(one.message) or one.rule.asks,
        line=where.line,
        record=where.record,
        byte=where.byte,
    )


def plain(text: str) -> str:
    """The same without what an event cannot hold: U+0000, and halves of characters."""
    return text.replace("\x00", "").encode("utf-8", "replace").decode()


def as_json(name: str, report: Report, *, strict: bool) -> dict[str, Any]:
    """One line of `genoflow validate --json`."""
    count = report.findings.count
    return {
        "file": name,
        "format": report.format,
        "version": report.version,
        "compression": report.compression,
        "size_bytes": report.size_bytes,
        "valid": report.is_valid(strict=strict),
        "counts": {f"{severity.value}s": count(severity) for severity in SEVERITIES},
        "findings": [one.as_json() for one in report.findings],
        "md5": report.md5,
        "sha256": report.sha256,
        "metrics": _metrics(report.measured) if report.measured else {},
    }


def _metrics(measured: Measured) -> dict[str, Any]:
    """What was measured under its names; what does not apply to the format is left out."""
    known = measured.metrics.model_dump(exclude_none=True)
    counted = {
        "reads": measured.reads, "bases": measured.bases, "reference": measured.reference,
        "read_names_sha256": measured.read_names_sha256,
    }  # fmt: skip
    known |= {name: value for name, value in counted.items() if value is not None}
    details = dict(measured.details)
    why = cast("dict[str, str]", details.pop("unknown", {}))
    contract = {name: _of_contract(name, known) for name in units_of(OF_CONTRACT)}
    told = known | contract | details
    unknown = {name: why_unknown(name) for name, value in told.items() if value is None}
    return told | {"unknown": unknown | why}


def _of_contract(name: str, known: dict[str, Any]) -> float | None:
    """A metric under the name and in the unit of the REST contract."""
    alias = CONTRACT_NAMES.get(name)
    if alias is None:
        return None
    value = known.get(DEPTH if name == COVERAGE else alias.metric)
    return None if value is None else value * alias.times
