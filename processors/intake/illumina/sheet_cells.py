"""A sample sheet from bytes to numbered cells by section, in whichever dialect it was saved."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from genoflow.events.errors import Refused

SHEET_BYTES_MAX = 4 * 1024**2  # 4,000 rows of 200 bytes are 0.8 MB
SECTION = re.compile(r"\[([^\[\]]+)\]")
COMMA, SEPARATORS = ",", ",;\t"
KNOWN_COLUMN = "sampleid"  # every sheet has it: the row that holds it shows the separator


@dataclass(frozen=True, slots=True)
class Line:
    """One line that holds something: its number in the file, and its cells without blanks."""

    number: int
    cells: tuple[str, ...]


Sections = Mapping[str, tuple[Line, ...]]


def plain(name: str) -> str:
    """A column's or a setting's name as it is compared: Sample_ID, SampleID, sample id are one."""
    return "".join(c for c in name.casefold() if c.isalnum())


def read_cells(data: bytes) -> Sections:
    """The lines of every section by its name in lower case; Refused where this is no sheet."""
    if len(data) > SHEET_BYTES_MAX:
        raise Refused(
            f"the sheet has {len(data):,} bytes and may have {SHEET_BYTES_MAX:,}; "
            f"save the sheet alone, as CSV"
        )
    text = _decoded(data)
    found: dict[str, list[Line]] = {}
    lines: list[Line] | None = None
    for line in _lines(text, _separator_of(text)):
        header = SECTION.fullmatch(line.cells[0])
        if header is not None:
            name = header[1].strip().casefold()
            if name in found:
                raise Refused(
                    f"line {line.number}: a section of this name is there already; "
                    f"keep one of the two"
                )
            lines = found[name] = []
        elif lines is None:
            raise Refused(
                f"line {line.number}: stands before the first section; "
                f"begin the sheet with [Header]"
            )
        else:
            lines.append(line)
    if not found:
        raise Refused("the sheet is empty; save it again with its sections and rows")
    return {name: tuple(lines) for name, lines in found.items()}


def _decoded(data: bytes) -> str:
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        text = data.decode("utf-16", "replace")
    else:
        try:
            text = data.decode("utf-8-sig")
        except UnicodeDecodeError:
            # Older Excel saves in the code page of the machine. What is taken of a sheet is ASCII,
            # and any table reads those the same.
            text = data.decode("latin-1")
    if "\x00" in text:
        raise Refused("the sheet holds zero bytes, so it is no text; save it as CSV")
    # Line ends of Windows, of old Macs, and of both in one file.
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    first, _, rest = text.partition("\n")
    # Excel's own hint; its line is kept empty, so that the numbers stay those of the file.
    return f"\n{rest}" if re.fullmatch(r"sep=.", first.strip().casefold()) else text


def _separator_of(text: str) -> str:
    for line in text.split("\n"):
        for separator in SEPARATORS:
            cells = [cell.strip().strip('"') for cell in line.split(separator)]
            if len(cells) > 1 and KNOWN_COLUMN in map(plain, cells):
                return separator
    return COMMA


def _lines(text: str, separator: str) -> Iterator[Line]:
    reader = csv.reader(text.split("\n"), delimiter=separator, strict=True, skipinitialspace=True)
    number = 1  # of the line in which a row begins: a quoted cell may go over several
    try:
        for row in reader:
            cells = [cell.strip() for cell in row]
            while cells and not cells[-1]:
                cells.pop()
            if cells:
                yield Line(number, tuple(cells))
            number = reader.line_num + 1
    except csv.Error as error:
        raise Refused(
            f"line {number}: a quoted cell is not closed or goes on behind its quote ({error}); "
            f"mend the quotation marks"
        ) from error
