"""What BCL Convert reports, wherever it ran: its tables, and the files that they name."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from genoflow.events.demultiplex_requested import DemultiplexRequested
from genoflow.events.sample_sheet_row import SampleSheetRow
from genoflow.processors.demultiplexing.adapter import (
    Found,
    LibraryReads,
    NotDone,
    Undetermined,
    require,
)
from genoflow.processors.demultiplexing.barcodes import Barcode, unknown_barcodes

STATS = "Demultiplex_Stats.csv"
FILES = "fastq_list.csv"
UNKNOWN = "Top_Unknown_Barcodes.csv"
QUALITY = "Quality_Metrics.csv"
UNDETERMINED = "Undetermined"
AGAIN = "have the run demultiplexed and copied again"


@dataclass(frozen=True, slots=True)
class Counted:
    """A line of the counts."""

    lane: int
    sample: str
    index1: str
    reads: int
    perfect: int


@dataclass(frozen=True, slots=True)
class Written:
    """A line of the list of files."""

    lane: int
    sample: str
    index1: str
    names: tuple[str, ...]  # of read 1, and of read 2 where there is one


def read_stats(text: str) -> list[Counted]:
    """Reads of each sample in each lane, the undetermined among them."""
    return [
        Counted(
            int(row["lane"]), row["sampleid"], _i7(row["index"], "-"), int(row["# reads"]),
            int(row.get("# perfect index reads") or 0),
        )
        for row in _table(STATS, text, "lane", "sampleid", "index", "# reads")
    ]  # fmt: skip


def read_files(text: str) -> list[Written]:
    """Which files hold whose reads."""
    return [
        Written(
            int(row["lane"]), row["rgsm"], _i7(row["rgid"], "."),
            tuple(Path(name).name for name in (row["read1file"], row["read2file"]) if name),
        )
        for row in _table(FILES, text, "rgid", "rgsm", "lane", "read1file", "read2file")
    ]  # fmt: skip


def read_unknown(text: str) -> dict[Barcode, int]:
    """How often each of the most frequent unknown barcodes was read."""
    return {
        (int(row["lane"]), row["index"], row.get("index2") or None): int(row["# reads"])
        for row in _table(UNKNOWN, text, "lane", "index", "# reads")
        if row["index"]
    }


def read_quality(text: str) -> dict[tuple[int, str], tuple[int, int]]:
    """Bases of each sample in each lane, and those of quality 30 or more; index reads left out."""
    found: dict[tuple[int, str], tuple[int, int]] = {}
    for row in _table(QUALITY, text, "lane", "sampleid", "readnumber", "yield", "yieldq30"):
        if row["readnumber"].isdecimal():
            place = (int(row["lane"]), row["sampleid"])
            bases, good = found.get(place, (0, 0))
            found[place] = (bases + int(row["yield"]), good + int(row["yieldq30"]))
    return found


def _i7(text: str, separator: str) -> str:
    return text.partition(separator)[0]


def _table(name: str, text: str, *needed: str) -> Iterator[dict[str, str]]:
    lines = [line for line in text.splitlines() if line.strip(", ")]
    reader = csv.reader(lines)
    header = [cell.strip().lstrip("\ufeff").lower() for cell in next(reader, [])]
    missing = [column for column in needed if column not in header]
    if missing:
        raise NotDone("output missing", f"{name} has no column {', '.join(missing)}; {AGAIN}")
    for number, cells in enumerate(reader, start=2):
        row = dict(zip(header, cells, strict=False))
        if len(row) < len(header):
            raise NotDone("output missing", f"{name} line {number} is cut off; {AGAIN}")
        yield row


@dataclass(frozen=True, slots=True)
class Reports:
    """The four tables of one demultiplexing, and the FASTQ files by their names."""

    tool: str
    tables: Mapping[str, Path]
    fastqs: Mapping[str, Path]

    def text(self, name: str) -> str:
        """A table that has to be there."""
        path = self.tables.get(name)
        if path is None:
            raise NotDone("output missing", f"{self.tool}: there is no {name}; {AGAIN}")
        return path.read_text(encoding="utf-8")

    def found(
        self,
        request: DemultiplexRequested,
        version: str,
        names: Mapping[SampleSheetRow, str],
        claimed: Mapping[Barcode, str],
    ) -> Found:
        """All that they say of these rows, which they know by these names."""
        counted, written = read_stats(self.text(STATS)), read_files(self.text(FILES))
        quality = read_quality(self.text(QUALITY)) if QUALITY in self.tables else {}
        unknown = read_unknown(self.text(UNKNOWN)) if UNKNOWN in self.tables else {}
        roles = ("R1", "R2") if any(len(one.names) > 1 for one in written) else ("R1",)
        libraries = [
            self._library(row, names, counted, written, roles, quality) for row in request.rows
        ]
        undetermined = {
            one.lane: Undetermined(one.reads, self._files(one, written, roles) if one.reads else {})
            for one in counted
            if one.sample == UNDETERMINED
        }
        mismatches = (request.barcode_mismatches_index1, request.barcode_mismatches_index2)
        return Found(
            self.tool, version, roles, libraries, undetermined,
            unknown_barcodes(unknown, claimed, mismatches),
        )  # fmt: skip

    def _library(
        self,
        row: SampleSheetRow,
        names: Mapping[SampleSheetRow, str],
        counted: Sequence[Counted],
        written: Sequence[Written],
        roles: tuple[str, ...],
        quality: Mapping[tuple[int, str], tuple[int, int]],
    ) -> LibraryReads:
        of_row = [one for one in counted if (one.lane, one.sample) == (row.lane, names[row])]
        if len(of_row) > 1:  # one sample with several barcodes in this lane
            of_row = [one for one in of_row if one.index1 == row.index1]
        if len(of_row) != 1:
            raise NotDone(
                "output missing",
                f"{self.tool}: {STATS} counts {names[row]} in lane {row.lane} {len(of_row)} times; "
                f"see whether it followed the same sheet, then {AGAIN}",
            )
        [one] = of_row
        same_name = [name for other, name in names.items() if other.lane == row.lane]
        bases, good = quality.get((row.lane, names[row]), (0, 0))
        alone = same_name.count(names[row]) == 1 and bases > 0
        return LibraryReads(
            row, one.reads, self._files(one, written, roles) if one.reads else {},
            bases if alone else None, min(1.0, one.perfect / one.reads) if one.reads else None,
            min(1.0, good / bases) if alone else None,
        )  # fmt: skip

    def _files(
        self, one: Counted, written: Sequence[Written], roles: tuple[str, ...]
    ) -> dict[str, Path]:
        listed = [w for w in written if (w.lane, w.sample) == (one.lane, one.sample)]
        if len(listed) > 1:
            listed = [w for w in listed if w.index1 == one.index1]
        if len(listed) != 1 or len(listed[0].names) != len(roles):
            raise NotDone(
                "output missing",
                f"{self.tool}: {FILES} does not list the files of {one.sample} in lane {one.lane} "
                f"once; {AGAIN}",
            )
        return {
            role: require(self.fastqs.get(name, Path(name)), self.tool)
            for role, name in zip(roles, listed[0].names, strict=True)
        }


def reports_in(tool: str, folder: Path) -> Reports:
    """Whatever tables and files of reads lie anywhere below a folder."""
    tables = {
        path.name: path
        for path in sorted(folder.rglob("*.csv"))
        if path.name in (STATS, FILES, UNKNOWN, QUALITY)
    }
    fastqs = {path.name: path for path in sorted(folder.rglob("*.fastq.gz"))}
    return Reports(tool, tables, fastqs)
