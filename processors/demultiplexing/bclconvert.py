"""BCL Convert as a command that the lab has installed: it is given a sheet of our own writing.

The sheet holds only what was requested, and each row has a name that no other row has, so what is
written can be told apart whatever the lab calls its samples.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from genoflow.events.demultiplex_requested import DemultiplexRequested
from genoflow.events.sample_sheet_row import SampleSheetRow
from genoflow.processors.demultiplexing.adapter import Found, NotDone, call
from genoflow.processors.demultiplexing.barcodes import Barcode, i5_as_read, i5_forward
from genoflow.processors.demultiplexing.reports import reports_in

TOOL = "bclconvert"
SHEET = "SampleSheet.genoflow.csv"
LEFT_OUT = ("Thumbnail_Images/", "Images/", "Logs/", "Analysis/")  # of no use, and most of a run
VERSION_SECONDS_MAX = 60.0  # it answers in one, and loads from a network drive at times
SAYS_REVERSED = "IsReverseComplement"  # with it in RunInfo, the program turns i5 around itself


@dataclass(frozen=True, slots=True)
class BclConvert:
    """The port over the lab's own command."""

    command: Sequence[str]

    def needs(self, path: str) -> bool:
        """Everything but images, logs, and what the instrument made of the run itself."""
        return not path.startswith(LEFT_OUT)

    def run(self, request: DemultiplexRequested, run_folder: Path, output: Path) -> Found:
        """Demultiplex all lanes in one call."""
        info = run_folder / "RunInfo.xml"
        if not info.is_file():
            raise NotDone(
                "input missing", "the copy of the run holds no RunInfo.xml; have it copied again"
            )
        turns = SAYS_REVERSED in info.read_text(encoding="utf-8")
        names = {row: f"GF{number}" for number, row in enumerate(request.rows, start=1)}
        sheet = output.parent / SHEET
        sheet.write_text(sheet_text(request, names, forward=turns), encoding="utf-8")
        command = [
            *self.command,
            *("--bcl-input-directory", str(run_folder)),
            *("--output-directory", str(output)),
            *("--sample-sheet", str(sheet)),
            "--force",
        ]
        call(TOOL, command)
        claimed: dict[Barcode, str] = {
            (row.lane, row.index1 or "", _i5(request, row, forward=turns)): row.sample_id
            for row in request.rows
        }
        return reports_in(TOOL, output).found(request, self._version(), names, claimed)

    def _version(self) -> str:
        try:
            asked = subprocess.run(
                [*self.command, "--version"], stdin=subprocess.DEVNULL, capture_output=True,
                text=True, errors="replace", timeout=VERSION_SECONDS_MAX, check=False,
            )  # fmt: skip
        except (OSError, subprocess.TimeoutExpired):
            return "not stated"
        found = re.findall(r"\d+\.\d+\.\d+", asked.stdout + asked.stderr)
        return found[-1] if found else "not stated"


def _i5(request: DemultiplexRequested, row: SampleSheetRow, *, forward: bool) -> str | None:
    if row.index2 is None:
        return None
    return i5_forward(request, row.index2) if forward else i5_as_read(request, row.index2)


def sheet_text(
    request: DemultiplexRequested, names: dict[SampleSheetRow, str], *, forward: bool
) -> str:
    """A version 2 sheet of these rows; `forward` where the program turns i5 around itself."""
    has_i7 = any(row.index1 for row in request.rows)
    has_i5 = any(row.index2 for row in request.rows)
    has_own = any(row.override_cycles for row in request.rows)
    settings = [
        ("OverrideCycles", None if has_own else request.override_cycles),
        ("BarcodeMismatchesIndex1", request.barcode_mismatches_index1 if has_i7 else None),
        ("BarcodeMismatchesIndex2", request.barcode_mismatches_index2 if has_i5 else None),
        ("AdapterRead1", request.adapter_read1),
        ("AdapterRead2", request.adapter_read2),
        ("CreateFastqForIndexReads", 0),
        ("FastqCompressionFormat", "gzip"),
    ]
    columns = ["Lane", "Sample_ID", "Index", "Index2", "OverrideCycles"]
    shown = [True, True, has_i7, has_i5, has_own]
    lines = ["[Header]", "FileFormatVersion,2", "[BCLConvert_Settings]"]
    lines += [f"{name},{value}" for name, value in settings if value is not None]
    lines += ["[BCLConvert_Data]", _line(columns, shown)]
    for row in request.rows:
        i5 = _i5(request, row, forward=forward)
        cycles = row.override_cycles or request.override_cycles
        lines.append(_line([str(row.lane), names[row], row.index1, i5, cycles], shown))
    return "\n".join(lines) + "\n"


def _line(cells: Sequence[str | None], shown: Sequence[bool]) -> str:
    return ",".join(cell or "" for cell, is_shown in zip(cells, shown, strict=True) if is_shown)
