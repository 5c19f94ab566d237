"""Sample sheets v1 and v2: the columns of the allow-list, the settings, and all that is wrong."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from genoflow.events.errors import Refused
from genoflow.processors.intake.illumina.sheet_cells import Line, Sections, plain, read_cells

V1, V2 = "v1", "v2"
DATA = {V1: "data", V2: "bclconvert_data"}
SETTINGS = {V1: "settings", V2: "bclconvert_settings"}

LANE, SAMPLE, LIBRARY, INDEX1, INDEX2 = "lane", "sampleid", "libraryid", "index", "index2"
PROJECT, OVERRIDE = "sampleproject", "overridecycles"
MISMATCHES1, MISMATCHES2 = "barcodemismatchesindex1", "barcodemismatchesindex2"
ADAPTER1, ADAPTER2 = "adapterread1", "adapterread2"
# The allow-list: nothing else of a row is taken, and what else there is, is named.
COLUMNS = (LANE, SAMPLE, LIBRARY, INDEX1, INDEX2, PROJECT, OVERRIDE)
# Columns that say per row what an event says of the whole run.
RUN_COLUMNS = (MISMATCHES1, MISMATCHES2, ADAPTER1, ADAPTER2)
SPELT = {"index1": INDEX1, "adapter": ADAPTER1}  # other names of the same thing
MISMATCHES_DEFAULT = 1  # as bcl2fastq and BCL Convert have it
MISMATCHES_MAX = 2
COLUMN_CHARACTERS_MAX = 100
COLUMNS_LEFT_OUT_MAX = 100


@dataclass(frozen=True, slots=True)
class SheetLine:
    """One row as the sheet has it, by the columns of the allow-list."""

    number: int
    values: Mapping[str, str]

    def get(self, column: str) -> str:
        """The cell of a column; empty where there is none."""
        return self.values.get(column, "")


@dataclass(slots=True)
class Sheet:
    """What a sheet says, and what is wrong with its form; `rules` look at its meaning."""

    version: str
    lines: tuple[SheetLine, ...] = ()
    settings: dict[str, tuple[int, str]] = field(default_factory=dict)  # with their lines
    header: dict[str, str] = field(default_factory=dict)
    columns_left_out: tuple[str, ...] = ()
    problems: list[str] = field(default_factory=list)


def read_sheet(data: bytes) -> Sheet:
    """Everything that the bytes say; Refused where they are no sheet of either version."""
    sections = read_cells(data)
    header = {plain(line.cells[0]): _second(line) for line in sections.get("header", ())}
    sheet = Sheet(_version_of(sections, header), header=header)
    for line in sections.get(SETTINGS[sheet.version], ()):
        _take_setting(sheet, line)
    _take_rows(sheet, sections[DATA[sheet.version]])
    return sheet


def _second(line: Line) -> str:
    return line.cells[1] if len(line.cells) > 1 else ""


def _version_of(sections: Sections, header: Mapping[str, str]) -> str:
    stated = header.get("fileformatversion", "")
    has = {version for version, section in DATA.items() if section in sections}
    if not has:
        raise Refused(
            "the sheet has no section [Data] (v1) and no section [BCLConvert_Data] (v2); "
            "add the one with the samples"
        )
    if stated == "2" or (not stated and has == {V2}):
        if V2 not in has:
            raise Refused(
                "the header says FileFormatVersion 2 and there is no section [BCLConvert_Data]; "
                "rename [Data], or take the line out of the header"
            )
        return V2
    if stated not in {"", "1"}:
        raise Refused(
            "the header says a FileFormatVersion that is neither 1 nor 2; save the sheet as v2"
        )
    if len(has) == 2 or V1 not in has:
        raise Refused(
            "the sheet has a section [BCLConvert_Data] and its header does not say "
            "FileFormatVersion,2; say so, and keep no section [Data] beside it"
        )
    return V1


def _take_setting(sheet: Sheet, line: Line) -> None:
    name = SPELT.get(plain(line.cells[0]), plain(line.cells[0]))
    if name not in {OVERRIDE, *RUN_COLUMNS}:
        return
    value = _second(line)
    if name == OVERRIDE:
        # Semicolons of its own: Excel's separator may have cut it into cells.
        value = ";".join(cell for cell in line.cells[1:] if cell)
    if name in sheet.settings and sheet.settings[name][1] != value:
        sheet.problems.append(
            f"line {line.number}: the setting {line.cells[0][:40]} is there twice, with different "
            f"values; keep one"
        )
    if value:
        sheet.settings[name] = (line.number, value)


def _take_rows(sheet: Sheet, lines: tuple[Line, ...]) -> None:
    if not lines:
        sheet.problems.append("the section of samples is empty; add its header and its rows")
        return
    header, *rows = lines
    names = [SPELT.get(plain(cell), plain(cell)) for cell in header.cells]
    doubled = {name for name in names if name in COLUMNS and names.count(name) > 1}
    for name in sorted(doubled):
        sheet.problems.append(f"line {header.number}: column {name} is there twice; keep one")
    if SAMPLE not in names:
        sheet.problems.append(
            f"line {header.number}: there is no column Sample_ID; the first row of the section "
            f"names the columns, so add it there"
        )
        return
    sheet.columns_left_out = tuple(
        cell[:COLUMN_CHARACTERS_MAX]
        for cell, name in zip(header.cells, names, strict=True)
        if cell and name not in (*COLUMNS, *RUN_COLUMNS)
    )[:COLUMNS_LEFT_OUT_MAX]
    taken = []
    for row in rows:
        if len(row.cells) > len(names):
            sheet.problems.append(
                f"line {row.number}: has {len(row.cells)} cells and the header names "
                f"{len(names)}; put a cell that holds a separator in quotation marks"
            )
            continue
        values = dict(zip(names, row.cells, strict=False))
        taken.append(
            SheetLine(row.number, {n: values[n] for n in (*COLUMNS, *RUN_COLUMNS) if n in values})
        )
    if not rows:
        sheet.problems.append(f"line {header.number}: no row follows; add a row for each library")
    sheet.lines = tuple(taken)
    _settings_of_rows(sheet)


def _settings_of_rows(sheet: Sheet) -> None:
    """One value in all rows is the run's; an event has no place for one of each row."""
    for name in RUN_COLUMNS:
        values = {line.get(name) for line in sheet.lines} - {""}
        if not values:
            continue
        number = next(line.number for line in sheet.lines if line.get(name))
        stated = sheet.settings.get(name)
        if len(values) > 1 or (stated is not None and {stated[1]} != values):
            sheet.problems.append(
                f"line {number}: column {name} differs between rows or from the settings; "
                f"one value holds for the whole sheet, so write that one"
            )
        else:
            sheet.settings[name] = (number, values.pop())
