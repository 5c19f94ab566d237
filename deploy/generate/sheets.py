"""Sample sheets of both versions, in the spellings that labs send."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from dataclasses import dataclass, replace

from genoflow.deploy.generate.genome import reverse_complement
from genoflow.deploy.generate.instruments import Instrument
from genoflow.deploy.generate.libraries import Run
from genoflow.deploy.generate.reads import ADAPTERS
from genoflow.events.errors import Refused

VERSIONS = ("v1", "v2")
BOM = "\ufeff"  # Excel puts it before what it calls UTF-8
V1_COLUMNS = (
    "Lane", "Sample_ID", "Sample_Name", "Sample_Plate", "Sample_Well", "I7_Index_ID", "index",
    "I5_Index_ID", "index2", "Sample_Project", "Description",
)  # fmt: skip
V2_COLUMNS = ("Lane", "Sample_ID", "Index", "Index2", "Sample_Project")
Cells = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Dialect:
    """How the same cells look as bytes."""

    about: str
    separator: str = ","
    line_end: str = "\n"
    bom: bool = False
    padded: bool = False  # every line as wide as the widest, as spreadsheets save it
    quoted: bool = False
    lane_column: bool = True


DIALECTS = {
    "plain": Dialect("commas and line feeds"),
    "windows": Dialect("CRLF and trailing commas, as saved by Excel", line_end="\r\n", padded=True),
    "excel": Dialect(
        "semicolons, BOM and CRLF, as saved by Excel where the comma is the decimal sign",
        separator=";", line_end="\r\n", bom=True, padded=True,
    ),
    "quoted": Dialect("every cell in quotes", quoted=True),
    "no-lanes": Dialect("without the column Lane: each row means all lanes", lane_column=False),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class SheetRow:
    """A library in a lane, as the sheet spells it."""

    lane: int
    sample_id: str
    library_id: str
    index1: str
    index2: str
    project: str


@dataclass(frozen=True, slots=True)
class Sheet:
    """A sheet before it is written; faults change it here."""

    version: str
    rows: tuple[SheetRow, ...]
    override_cycles: str | None = None
    dialect: Dialect = DIALECTS["plain"]


def i5_is_turned(instrument: Instrument, version: str) -> bool:
    """Whether a sheet of this version spells i5 as the reverse complement for this instrument.

    Version 1 spells it as it is read. Version 2 spells it forward where RunInfo marks the read as
    reversed, because BCL Convert then turns it around itself; elsewhere as it is read.
    """
    if version == "v2" and instrument.says_reversed:
        return False
    return instrument.i5_reversed


def sheet_of(run: Run, version: str, dialect: Dialect = DIALECTS["plain"]) -> Sheet:
    """The right sheet of a run."""
    turned = i5_is_turned(run.instrument, version)
    rows = tuple(
        SheetRow(
            library.lane, library.sample_id, library.library_id, library.index1,
            reverse_complement(library.index2) if turned else library.index2, library.project,
        )
        for library in run.libraries
    )  # fmt: skip
    cycles = f"Y{run.read_bases};I{run.index_bases};I{run.index_bases};Y{run.read_bases}"
    return Sheet(version, rows, cycles if version == "v2" else None, dialect)


def sheet_bytes(sheet: Sheet, run: Run) -> bytes:
    """The sheet as its file holds it."""
    lines = _v1(sheet, run) if sheet.version == "v1" else _v2(sheet, run)
    dialect = sheet.dialect
    width = max(len(line) for line in lines) if dialect.padded else 0
    file = io.StringIO()
    writer = csv.writer(
        file, delimiter=dialect.separator, lineterminator=dialect.line_end,
        quoting=csv.QUOTE_ALL if dialect.quoted else csv.QUOTE_MINIMAL,
    )  # fmt: skip
    writer.writerows((*line, *("",) * (width - len(line))) for line in lines)
    return ((BOM if dialect.bom else "") + file.getvalue()).encode()


def _rows(sheet: Sheet, run: Run) -> Iterable[SheetRow]:
    if sheet.dialect.lane_column:
        return sheet.rows
    # One row for all lanes is true only where all lanes hold the same.
    by_lane = [[replace(r, lane=0) for r in sheet.rows if r.lane == lane] for lane in run.lanes]
    if any(rows != by_lane[0] for rows in by_lane):
        raise Refused(
            f"{run.run_id}: a sheet without lanes says that each lane holds every library, and "
            "here they differ; choose another dialect"
        )
    return by_lane[0]


def _table(sheet: Sheet, columns: Cells, rows: Iterable[Cells]) -> list[Cells]:
    table = [columns, *rows]
    return table if sheet.dialect.lane_column else [line[1:] for line in table]


def _v1(sheet: Sheet, run: Run) -> list[Cells]:
    rows = (
        (
            str(row.lane), row.sample_id, row.library_id, "", "", f"i7-{row.index1}", row.index1,
            f"i5-{row.index2}", row.index2, row.project, "",
        )
        for row in _rows(sheet, run)
    )  # fmt: skip
    settings = [("Adapter", ADAPTERS[0]), ("AdapterRead2", ADAPTERS[1])]
    if sheet.override_cycles:
        settings.append(("OverrideCycles", sheet.override_cycles))
    return [
        ("[Header]",), ("IEMFileVersion", "4"), ("Date", f"{run.day:%Y-%m-%d}"),
        ("Workflow", "GenerateFASTQ"), ("Application", "FASTQ Only"), ("Chemistry", "Amplicon"), (),
        ("[Reads]",), (str(run.read_bases),), (str(run.read_bases),), (),
        ("[Settings]",), *settings, (),
        ("[Data]",), *_table(sheet, V1_COLUMNS, rows),
    ]  # fmt: skip


def _v2(sheet: Sheet, run: Run) -> list[Cells]:
    rows = list(_rows(sheet, run))
    table = [(str(r.lane), r.sample_id, r.index1, r.index2, r.project) for r in rows]
    settings = [("SoftwareVersion", "4.2.7")]
    if sheet.override_cycles:
        settings.append(("OverrideCycles", sheet.override_cycles))
    settings += [
        ("BarcodeMismatchesIndex1", "1"), ("BarcodeMismatchesIndex2", "1"),
        ("AdapterRead1", ADAPTERS[0]), ("AdapterRead2", ADAPTERS[1]),
    ]  # fmt: skip
    libraries = dict.fromkeys((row.sample_id, row.project, row.library_id) for row in rows)
    return [
        ("[Header]",), ("FileFormatVersion", "2"), ("RunName", run.run_id),
        ("InstrumentType", run.instrument.model),
        *([] if i5_is_turned(run.instrument, "v2") else [("IndexOrientation", "Forward")]), (),
        ("[Reads]",), ("Read1Cycles", str(run.read_bases)), ("Read2Cycles", str(run.read_bases)),
        ("Index1Cycles", str(run.index_bases)), ("Index2Cycles", str(run.index_bases)), (),
        ("[BCLConvert_Settings]",), *settings, (),
        ("[BCLConvert_Data]",), *_table(sheet, V2_COLUMNS, table), (),
        ("[Cloud_Data]",), ("Sample_ID", "ProjectName", "LibraryName"), *libraries,
    ]  # fmt: skip
