"""What the instrument has demultiplexed itself: no program is run, its own reports are read."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from genoflow.events.demultiplex_requested import DemultiplexRequested
from genoflow.processors.demultiplexing.adapter import Found, NotDone
from genoflow.processors.demultiplexing.barcodes import Barcode
from genoflow.processors.demultiplexing.reports import STATS, reports_in

TOOL = "on-instrument"
ANALYSIS = "Analysis"  # below it one numbered folder for each analysis; the last one counts


@dataclass(frozen=True, slots=True)
class OnInstrument:
    """The port over a folder that the instrument filled."""

    def needs(self, path: str) -> bool:
        """The instrument's own analysis and nothing else."""
        return path.startswith(f"{ANALYSIS}/")

    def run(self, request: DemultiplexRequested, run_folder: Path, _output: Path) -> Found:
        """Read what the last analysis reports."""
        folders = [one for one in (run_folder / ANALYSIS).glob("*") if one.name.isdecimal()]
        done = [one for one in folders if next(one.rglob(STATS), None) is not None]
        if not done:
            raise NotDone(
                "input missing",
                f"the copy of the run holds no {ANALYSIS}/<number>/…/{STATS}: the instrument has "
                f"not demultiplexed it; start that on the instrument and have the run copied "
                f"again, or choose another adapter in GENOFLOW_DEMULTIPLEXER",
            )
        newest = max(done, key=lambda one: int(one.name))
        names = {row: row.sample_id for row in request.rows}
        claimed: dict[Barcode, str] = {
            (row.lane, row.index1 or "", row.index2): row.sample_id for row in request.rows
        }
        return reports_in(TOOL, newest).found(request, "not stated", names, claimed)
