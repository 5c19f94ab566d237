"""Two files that say the same or are at fault: an index and the file that it is of."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from genoflow.processors.validation.findings import Broken, Findings
from genoflow.processors.validation.port import Report

# Adds what parts them; Broken where it cannot go on.
Holder = Callable[[Path, Path, Findings], None]
HOLDERS: dict[str, Holder] = {}  # by the format of the index


def hold(report: Report, index: Path, of: Path) -> None:
    """Add to the report on an index what parts it from the file that it is of."""
    holder = HOLDERS.get(report.format or "")
    if holder is None or report.measured is None:
        return
    try:
        holder(index, of, report.findings)
    except Broken as broken:
        report.findings.add(broken.rule, broken.message, broken.where)
