"""Two files that say the same or are at fault: an index and the file that it is of."""

from __future__ import annotations

from pathlib import Path

from genoflow.processors.validation.findings import Broken
from genoflow.processors.validation.indexes.held import hold_index
from genoflow.processors.validation.port import Report

INDEXES = ("BAI", "CSI", "TBI", "CRAI")


def hold(report: Report, index: Path, of: Path) -> None:
    """Add to the report on an index what parts it from the file that it is of."""
    if report.format not in INDEXES or report.measured is None:
        return
    try:
        hold_index(index, of, report.findings)
    except Broken as broken:
        report.findings.add(broken.rule, broken.message, broken.where)
