"""A generated run as its events would tell it: what a watcher says of such a folder."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from genoflow.deploy.generate.libraries import Run
from genoflow.deploy.generate.run_folder import File
from genoflow.deploy.generate.sheets import Sheet
from genoflow.events.demultiplex_requested import DemultiplexRequested
from genoflow.events.read_cycles import ReadCycles
from genoflow.events.sample_sheet_row import SampleSheetRow

BUCKET, READS_BUCKET = "raw", "genoflow-raw"


def reads_of(run: Run) -> tuple[ReadCycles, ...]:
    """The plan of the run, as RunInfo has it."""
    indexes = 0
    found = []
    for number, (cycles, is_index) in enumerate(run.cycles, start=1):
        indexes += is_index
        turned = is_index and indexes == 2 and run.instrument.i5_reversed
        found.append(
            ReadCycles(
                number=number, cycles=cycles, is_index=is_index, is_reverse_complemented=turned
            )
        )
    return tuple(found)


def rows_of(sheet: Sheet) -> tuple[SampleSheetRow, ...]:
    """The rows of a sheet, as it spells them."""
    return tuple(
        SampleSheetRow(
            lane=row.lane, sample_id=row.sample_id, library_id=row.library_id, index1=row.index1,
            index2=row.index2, project_id=row.project,
        )
        for row in sheet.rows
    )  # fmt: skip


def manifest_of(files: Iterable[File]) -> bytes:
    """The list of a mirrored run's files: path, size and checksum on one line each."""
    return "".join(
        f"{file.path}\t{len(file.content)}\t{hashlib.sha256(file.content).hexdigest()}\n"
        for file in files
    ).encode()


def request_of(
    run: Run, sheet: Sheet, manifest: bytes = b"", *, turned: bool, attempt: int = 1
) -> DemultiplexRequested:
    """What is asked for of this run; `turned` where the sheet spells i5 reversed."""
    return DemultiplexRequested(
        instrument_run_id=run.run_id, attempt=attempt, sheet_revision=attempt,
        sheet_sha256="1" * 64, adapter="picard", flow_cell_id=run.flow_cell, reads=reads_of(run),
        rows=rows_of(sheet), override_cycles=sheet.override_cycles,
        i5_orientation="reverse complement" if turned else "forward",
        barcode_mismatches_index1=1, barcode_mismatches_index2=1, bucket=BUCKET,
        prefix=f"runs/{run.run_id}", manifest_sha256=hashlib.sha256(manifest).hexdigest(),
        output_bucket=READS_BUCKET, output_prefix=f"reads/{run.run_id}/a{attempt}",
    )  # fmt: skip
