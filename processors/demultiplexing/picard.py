"""Picard: ExtractIlluminaBarcodes and IlluminaBasecallsToFastq, a lane after the other.

Picard counts mismatches over both indexes together, so it is given the smaller of the two limits:
it then claims no read that the sheet would not. It trims no adapters; that is left to the pipeline.
"""

from __future__ import annotations

import csv
import gzip
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from genoflow.events.demultiplex_requested import DemultiplexRequested
from genoflow.events.sample_sheet_row import SampleSheetRow
from genoflow.processors.demultiplexing.adapter import (
    Found,
    LibraryReads,
    NotDone,
    Undetermined,
    call,
    require,
)
from genoflow.processors.demultiplexing.barcodes import (
    Barcode,
    Segment,
    i5_as_read,
    lanes_of,
    segments,
    structure,
    unknown_barcodes,
)

TOOL = "picard"
MAIN = "picard.cmdline.PicardCommandLine"
JAVA_OUT_OF_MEMORY = 3  # the exit code of -XX:+ExitOnOutOfMemoryError
MIN_MISMATCH_DELTA = 1  # the best row has to be better than the next by this
UNMATCHED = "undetermined"


@dataclass(frozen=True, slots=True)
class Metric:
    """A row of Picard's barcode metrics: reads that passed the filter."""

    reads: int
    perfect: int


@dataclass(frozen=True, slots=True)
class Picard:
    """The port over Picard's own programs."""

    java: Path
    class_path: Sequence[Path]
    version: str
    memory_mb: int = 2_048  # per program; NUM_PROCESSORS tiles are held at once

    def needs(self, path: str) -> bool:
        """Base calls, where they lie, and the run's plan; no images and no logs."""
        return path in ("RunInfo.xml", "RunParameters.xml", "runParameters.xml") or (
            path.startswith("Data/Intensities/") and not path.endswith((".cif", ".cnf"))
        )

    def run(self, request: DemultiplexRequested, run_folder: Path, output: Path) -> Found:
        """Demultiplex lane by lane."""
        libraries: list[LibraryReads] = []
        undetermined: dict[int, Undetermined] = {}
        unknown: Counter[Barcode] = Counter()
        roles: tuple[str, ...] = ()
        for lane, rows in lanes_of(request).items():
            plan = segments(request, rows)
            roles = tuple(f"R{n}" for n in range(1, _count(plan, "T") + 1))
            work = _Lane(self, request, run_folder, output / f"L{lane:03}", lane, rows, plan, roles)
            found, rest = work.demultiplexed() if _count(plan, "B") else work.undivided()
            libraries += found
            if rest is not None:
                undetermined[lane] = rest
                unknown.update(work.unclaimed())
        claimed = {
            (row.lane, row.index1 or "", _i5(request, row)): row.sample_id for row in request.rows
        }
        mismatches = (request.barcode_mismatches_index1, request.barcode_mismatches_index2)
        return Found(
            TOOL, self.version, roles, libraries, undetermined,
            unknown_barcodes(unknown, claimed, mismatches),
        )  # fmt: skip

    def command(self, program: str, scratch: Path, **options: object) -> list[str]:
        """The command line of one of Picard's programs."""
        words = [word for name, value in options.items() for word in (f"--{name}", str(value))]
        return [
            str(self.java),
            f"-Xmx{self.memory_mb}m",
            "-XX:+UseSerialGC",
            "-XX:+ExitOnOutOfMemoryError",
            "-cp",
            ":".join(str(path) for path in self.class_path),
            MAIN,
            program,
            *words,
            *("--TMP_DIR", str(scratch)),
            *("--VERBOSITY", "WARNING"),
            *("--QUIET", "true"),
            *("--USE_JDK_DEFLATER", "true"),
            *("--USE_JDK_INFLATER", "true"),
        ]


def _count(plan: Sequence[Segment], letter: str) -> int:
    return sum(segment.letter == letter for segment in plan)


def _i5(request: DemultiplexRequested, row: SampleSheetRow) -> str | None:
    return None if row.index2 is None else i5_as_read(request, row.index2)


@dataclass(frozen=True, slots=True)
class _Lane:
    picard: Picard
    request: DemultiplexRequested
    run_folder: Path
    output: Path
    lane: int
    rows: Sequence[SampleSheetRow]
    plan: Sequence[Segment]
    roles: tuple[str, ...]

    def demultiplexed(self) -> tuple[list[LibraryReads], Undetermined | None]:
        self.output.mkdir(parents=True, exist_ok=True)
        metrics = self._extract()
        self._to_fastq()
        libraries = []
        for number, row in enumerate(self.rows):
            metric = metrics.get(self._barcode(row))
            if metric is None:
                raise NotDone(
                    "output missing",
                    f"{TOOL} counted nothing for {row.library_id} in lane {self.lane}; read what "
                    f"it wrote and mend it, then `genoflow demultiplex again`",
                )
            libraries.append(self._library(row, metric.reads, metric.perfect, f"r{number}"))
        rest = metrics.get("N" * len(self._barcode(self.rows[0])), Metric(0, 0)).reads
        return libraries, Undetermined(rest, self._files(UNMATCHED) if rest else {})

    def undivided(self) -> tuple[list[LibraryReads], Undetermined | None]:
        """A lane of one library without an index: every read is its own."""
        if len(self.rows) > 1:
            raise NotDone(
                "tool failed",
                f"lane {self.lane}: {len(self.rows)} rows and none has an index; give them "
                f"indexes in the sheet, or leave one",
            )
        self.output.mkdir(parents=True, exist_ok=True)
        self._basecalls(OUTPUT_PREFIX=self.output / "r0")
        reads = count_reads(require(self.output / "r0.1.fastq.gz", TOOL))
        return [self._library(self.rows[0], reads, None, "r0")], None

    def _barcode(self, row: SampleSheetRow) -> str:
        return f"{row.index1 or ''}{_i5(self.request, row) or ''}"

    def _library(
        self, row: SampleSheetRow, reads: int, perfect: int | None, prefix: str
    ) -> LibraryReads:
        cycles = sum(segment.cycles for segment in self.plan if segment.letter == "T")
        share = perfect / reads if reads and perfect is not None else None
        files = self._files(prefix) if reads else {}
        return LibraryReads(row, reads, files, reads * cycles, share)

    def _files(self, prefix: str) -> dict[str, Path]:
        return {
            role: require(self.output / f"{prefix}.{number}.fastq.gz", TOOL)
            for number, role in enumerate(self.roles, start=1)
        }

    def _extract(self) -> dict[str, Metric]:
        names = self._columns("barcode_sequence_1", "barcode_sequence_2")
        rows = [(*self._parts(row), f"r{n}", f"r{n}") for n, row in enumerate(self.rows)]
        barcodes = self.output / "barcodes.txt"
        _write(barcodes, [(*names, "barcode_name", "library_name"), *rows])
        tolerated = self.request.barcode_mismatches_index1
        if len(names) > 1:
            tolerated = min(tolerated, self.request.barcode_mismatches_index2)
        self._call(
            "ExtractIlluminaBarcodes",
            BARCODE_FILE=barcodes,
            METRICS_FILE=self.output / "metrics.txt",
            OUTPUT_DIR=self.output,
            MAX_MISMATCHES=tolerated,
            MAX_NO_CALLS=tolerated,
            MIN_MISMATCH_DELTA=MIN_MISMATCH_DELTA,
            COMPRESS_OUTPUTS="true",
            NUM_PROCESSORS=0,
        )
        text = require(self.output / "metrics.txt", TOOL).read_text(encoding="utf-8")
        return read_metrics(text)

    def _to_fastq(self) -> None:
        names = self._columns("BARCODE_1", "BARCODE_2")
        rows = [(self.output / f"r{n}", *self._parts(row)) for n, row in enumerate(self.rows)]
        nobody = (self.output / UNMATCHED, *("N" for _ in names))
        parameters = self.output / "outputs.txt"
        _write(parameters, [("OUTPUT_PREFIX", *names), *rows, nobody])
        self._basecalls(MULTIPLEX_PARAMS=parameters, BARCODES_DIR=self.output)

    def _basecalls(self, **options: object) -> None:
        self._call(
            "IlluminaBasecallsToFastq",
            RUN_BARCODE=self.request.instrument_run_id,
            MACHINE_NAME=_machine(self.request.instrument_run_id),
            FLOWCELL_BARCODE=self.request.flow_cell_id,
            READ_NAME_FORMAT="CASAVA_1_8",
            INCLUDE_NON_PF_READS="false",
            COMPRESS_OUTPUTS="true",
            NUM_PROCESSORS=0,
            **options,
        )

    def _call(self, program: str, **options: object) -> None:
        folder = self.run_folder / "Data/Intensities/BaseCalls"
        if not folder.is_dir():
            raise NotDone(
                "input missing",
                "the copy of the run holds no Data/Intensities/BaseCalls; have the run copied "
                "again",
            )
        command = self.picard.command(
            program,
            self.output,
            BASECALLS_DIR=folder,
            LANE=self.lane,
            READ_STRUCTURE=structure(self.plan),
            **options,
        )
        call(f"{TOOL} {program}", command, out_of_memory=JAVA_OUT_OF_MEMORY)

    def _columns(self, first: str, second: str) -> tuple[str, ...]:
        return (first, second)[: _count(self.plan, "B")]

    def _parts(self, row: SampleSheetRow) -> tuple[str, ...]:
        parts = (row.index1, _i5(self.request, row))
        return tuple(part for part in parts if part)

    def unclaimed(self) -> Counter[Barcode]:
        """Every barcode that no row claims, as it was read, and how often."""
        names = range(1, _count(self.plan, "B") + 1)
        paths = [self.output / f"{UNMATCHED}.barcode_{number}.fastq.gz" for number in names]
        if not all(path.is_file() for path in paths):
            return Counter()
        found: Counter[Barcode] = Counter()
        for barcode in zip(*(_bases(path) for path in paths), strict=True):
            found[self.lane, barcode[0], barcode[1] if len(barcode) > 1 else None] += 1
        return found


def _machine(instrument_run_id: str) -> str:
    """The instrument's serial number, the second part of every Illumina run id."""
    parts = instrument_run_id.split("_")
    return parts[1] if len(parts) > 1 else instrument_run_id


def read_metrics(text: str) -> dict[str, Metric]:
    """Reads of each barcode, from Picard's metrics file; those of no row stand under N."""
    lines = text.splitlines()
    start = next((n for n, line in enumerate(lines) if line.startswith("BARCODE\t")), None)
    if start is None:
        raise NotDone(
            "output missing",
            f"{TOOL}: its barcode metrics have no table; read what it wrote and mend it, then "
            f"`genoflow demultiplex again`",
        )
    table = (line for line in lines[start:] if line)
    return {
        row["BARCODE_WITHOUT_DELIMITER"]: Metric(
            int(row["PF_READS"]), int(row["PF_PERFECT_MATCHES"])
        )
        for row in csv.DictReader(table, delimiter="\t")
    }


def count_reads(path: Path) -> int:
    """How many reads a gzipped FASTQ holds."""
    return sum(1 for _ in _bases(path))


def _bases(path: Path) -> Iterator[str]:
    with gzip.open(path, "rt", encoding="ascii") as file:
        for number, line in enumerate(file):
            if number % 4 == 1:
                yield line.rstrip("\n")


def _write(path: Path, rows: Sequence[Sequence[object]]) -> None:
    lines = ("\t".join(str(cell) for cell in row) + "\n" for row in rows)
    path.write_text("".join(lines), encoding="utf-8")
