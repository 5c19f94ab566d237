"""A small run on a MiSeq, told in events: what the tests of demultiplexing begin with."""

from __future__ import annotations

from typing import Any

from genoflow.events.demultiplex_completed import DemultiplexCompleted
from genoflow.events.demultiplex_requested import DemultiplexRequested
from genoflow.events.demultiplexed_library import DemultiplexedLibrary
from genoflow.events.read_cycles import ReadCycles
from genoflow.events.sample_sheet_amended import SampleSheetAmended
from genoflow.events.sample_sheet_attached import SampleSheetAttached
from genoflow.events.sample_sheet_row import SampleSheetRow
from genoflow.events.sequencing_run_completed import SequencingRunCompleted
from genoflow.events.sequencing_run_failed import SequencingRunFailed
from genoflow.events.sequencing_run_mirrored import SequencingRunMirrored
from genoflow.events.sequencing_run_started import SequencingRunStarted
from genoflow.processors.demultiplexing.names import read_set_id
from tests.spec import heard

RUN, CELL = "260301_M00123_0042_000000000-ABCDE", "000000000-ABCDE"
FOLDER = f"file:///runs/{RUN}"
READS = tuple(
    ReadCycles(number=number, cycles=cycles, is_index=is_index)
    for number, (cycles, is_index) in enumerate(
        ((20, False), (8, True), (8, True), (20, False)), start=1
    )
)
A, B, F = "AAAACCCC", "CCCCGGGG", "GGGGTTTT"
ROWS = tuple(
    SampleSheetRow(lane=1, sample_id=name, library_id=f"{name}_L", index1=index, index2=index)
    for name, index in (("A", A), ("B", B), ("F", F))
)


def sha(letter: str) -> str:
    """A checksum that is easy to tell from others."""
    return letter * 64


STARTED = heard(
    SequencingRunStarted(
        instrument_run_id=RUN, instrument_id="M00123", instrument_model="MiSeq",
        platform="illumina", flow_cell_id=CELL, lanes=1, reads=READS, run_folder=FOLDER,
        run_info_sha256=sha("0"),
    )
)  # fmt: skip
COMPLETED = heard(
    SequencingRunCompleted(
        instrument_run_id=RUN, marker="RTAComplete.txt", run_folder=FOLDER, file_count=9,
        total_bytes=9,
    )
)  # fmt: skip
FAILED = heard(
    SequencingRunFailed(
        instrument_run_id=RUN, reason_code="files missing", reason="two cycles are not there",
    )
)  # fmt: skip
ATTACHED = heard(
    SampleSheetAttached(
        instrument_run_id=RUN, revision=1, sheet_version="v2", sheet_uri=f"{FOLDER}/s.csv",
        sheet_sha256=sha("1"), rows=ROWS, i5_orientation="forward",
    )
)  # fmt: skip


def amended(revision: int = 2, rows: tuple[SampleSheetRow, ...] = ROWS) -> SampleSheetAmended:
    """A later sheet of the run."""
    same = {name: getattr(ATTACHED, name) for name in ("sheet_version", "sheet_uri")}
    return heard(
        SampleSheetAmended(
            instrument_run_id=RUN, revision=revision, replaces_sha256=sha("1"), reason="a swap",
            sheet_sha256=sha(str(revision)), rows=rows, i5_orientation="forward", **same,
        )
    )  # fmt: skip


def mirrored(manifest: str = "a") -> SequencingRunMirrored:
    """The run is safe, and its list of files has this checksum."""
    return heard(
        SequencingRunMirrored(
            instrument_run_id=RUN, bucket="raw", prefix=f"runs/{RUN}", file_count=9, total_bytes=9,
            manifest_key=f"runs/{RUN}.{manifest}", manifest_sha256=sha(manifest),
        )
    )  # fmt: skip


def requested(attempt: int = 1, **changes: Any) -> DemultiplexRequested:
    """What is asked for of this run, as request-demultiplex says it."""
    fields: dict[str, Any] = {
        "instrument_run_id": RUN, "attempt": attempt, "sheet_revision": attempt,
        "sheet_sha256": sha(str(attempt)), "adapter": "picard", "flow_cell_id": CELL,
        "reads": READS, "rows": ROWS, "i5_orientation": "forward",
        "barcode_mismatches_index1": 1, "barcode_mismatches_index2": 1, "bucket": "raw",
        "prefix": f"runs/{RUN}", "manifest_sha256": sha("a"), "output_bucket": "genoflow-raw",
        "output_prefix": f"reads/{RUN}/a{attempt}",
    }  # fmt: skip
    return heard(DemultiplexRequested(**fields | changes))


def library(row: SampleSheetRow, reads: int, attempt: int = 1) -> DemultiplexedLibrary:
    """What one row of the sheet gave."""
    named = read_set_id(row.library_id, CELL, row.lane, attempt) if reads else None
    return DemultiplexedLibrary(
        lane=row.lane, sample_id=row.sample_id, library_id=row.library_id, read_set_id=named,
        reads=reads,
    )  # fmt: skip


def completed(*libraries: DemultiplexedLibrary, attempt: int = 1, unknown: int = 0) -> Any:
    """A demultiplexing gave these libraries, and so many reads that no row claims."""
    total = sum(one.reads for one in libraries) + unknown
    return heard(
        DemultiplexCompleted(
            instrument_run_id=RUN, attempt=attempt, sheet_revision=attempt, tool="picard",
            tool_version="3.4.0", flow_cell_id=CELL, libraries=libraries,
            expected_roles=("R1", "R2"), reads_total=total, reads_undetermined=unknown,
            undetermined_fraction=unknown / total if total else 0.0,
        )
    )  # fmt: skip
