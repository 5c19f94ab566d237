"""Sheets and run folders for tests of the porch of the sequencer, written by hand and small."""

from __future__ import annotations

import csv
import io
import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

PLAN = ((26, "N"), (8, "Y"), (8, "Y"), (26, "N"))  # cycles, and whether it reads an index
RUN_ID = "260301_M00001_0007_000000000-ABCDE"


@dataclass(frozen=True)
class Library:
    """One row, before it is written in some dialect; no lane means all of them."""

    sample: str
    index1: str
    index2: str = ""
    lane: int | None = None
    project: str = ""


@dataclass(frozen=True)
class Dialect:
    """How a program saves a sheet."""

    version: str = "v1"
    separator: str = ","
    end: str = "\n"
    encoding: str = "utf-8"
    quoted: bool = False
    trailing: bool = False
    blank_lines: bool = False


def sheet(
    libraries: Iterable[Library],
    dialect: Dialect = Dialect(),
    settings: Sequence[tuple[str, str]] = (),
    header: Sequence[tuple[str, str]] = (),
) -> bytes:
    """A sheet of these libraries in this dialect, with a column that nobody may take."""
    rows = list(libraries)
    v2 = dialect.version == "v2"
    lines: list[list[str]] = [["[Header]"]]
    lines += [["FileFormatVersion", "2"] if v2 else ["IEMFileVersion", "4"], *map(list, header)]
    lines += [[], ["[Reads]"], ["Read1Cycles", "26"] if v2 else ["26"], []]
    lines += [["[BCLConvert_Settings]" if v2 else "[Settings]"], *map(list, settings), []]
    lines.append(["[BCLConvert_Data]" if v2 else "[Data]"])
    with_lane = any(one.lane is not None for one in rows)
    names = ["Sample_ID", "Index" if v2 else "index", "Index2" if v2 else "index2"]
    lines.append([*(["Lane"] if with_lane else []), *names, "Sample_Project", "Description"])
    for one in rows:
        lane = [str(one.lane or "")] if with_lane else []
        lines.append([*lane, one.sample, one.index1, one.index2, one.project, "Ä, free; text"])
    if v2:
        lines += [[], ["[Cloud_Settings]"], ["GeneratedVersion", "1"]]
    return written(lines, dialect)


def written(lines: Sequence[Sequence[str]], dialect: Dialect) -> bytes:
    """These cells as bytes."""
    width = max(map(len, lines))
    out = io.StringIO()
    writer = csv.writer(
        out,
        delimiter=dialect.separator,
        lineterminator=dialect.end,
        quoting=csv.QUOTE_ALL if dialect.quoted else csv.QUOTE_MINIMAL,
    )
    for line in lines:
        cells = list(line)
        if dialect.trailing:
            cells += [""] * (width - len(cells))
        if dialect.blank_lines and line and line[0].startswith("["):
            out.write(dialect.end)
        writer.writerow(cells) if cells else out.write(dialect.end)
    return out.getvalue().encode(dialect.encoding)


DIALECTS = [
    Dialect(version, separator, end, encoding, quoted, trailing, blank)
    for version in ("v1", "v2")
    for separator, end, encoding, quoted, trailing, blank in (
        (",", "\n", "utf-8", False, False, False),
        (",", "\r\n", "utf-8-sig", False, True, False),
        (";", "\r\n", "utf-8-sig", False, True, False),
        (";", "\r\n", "latin-1", False, False, True),
        (",", "\r\n", "utf-8", True, False, True),
        (";", "\n", "utf-8", True, True, False),
        ("\t", "\r\n", "utf-16", False, False, False),
        (",", "\r", "latin-1", False, True, True),
    )
]


def random_libraries(seed: int, lanes: int) -> list[Library]:
    """Libraries whose pairs differ in five bases of i7 at least."""
    source = random.Random(seed)
    per_lane = source.choice([True, False])
    indexes: list[str] = []
    while len(indexes) < 12:
        made = "".join(source.choices("ACGT", k=8))
        if all(sum(a != b for a, b in zip(made, other, strict=True)) > 4 for other in indexes):
            indexes.append(made)
    return [
        Library(
            f"S-{seed}-{number}", index, "".join(source.choices("ACGT", k=8)),
            source.randint(1, lanes) if per_lane else None, source.choice(["", "P1", "P.2"]),
        )
        for number, index in enumerate(indexes)
    ]  # fmt: skip


def run_info(
    run_id: str = RUN_ID,
    instrument: str = "M00001",
    lanes: int = 1,
    plan: Sequence[tuple[int, str]] = PLAN,
    tiles: int = 1,
    surfaces: int = 1,
    attributes: str = "",
) -> bytes:
    """RunInfo.xml as current instruments write it."""
    reads = "".join(
        f'<Read Number="{number}" NumCycles="{cycles}" IsIndexedRead="{index}" '
        f"{attributes if index == 'Y' and number == 3 else ''}/>"
        for number, (cycles, index) in enumerate(plan, start=1)
    )
    return (
        f'<?xml version="1.0"?>\n<RunInfo Version="2"><Run Id="{run_id}" Number="7">'
        f"<Flowcell>000000000-ABCDE</Flowcell><Instrument>{instrument}</Instrument>"
        f"<Date>260301</Date><Reads>{reads}</Reads><FlowcellLayout "
        f'LaneCount="{lanes}" SurfaceCount="{surfaces}" SwathCount="1" TileCount="{tiles}"/>'
        f"</Run></RunInfo>\n"
    ).encode()


def run_files(
    plan: Sequence[tuple[int, str]] = PLAN, info: bytes | None = None, sheet_data: bytes = b""
) -> dict[str, bytes]:
    """A whole MiSeq folder of one lane and one tile, without its marker."""
    base = "Data/Intensities/BaseCalls/L001"
    files = {
        "RunInfo.xml": info or run_info(plan=plan),
        "runParameters.xml": b"<RunParameters><Setup><ApplicationName>MiSeq Control Software"
        b"</ApplicationName></Setup></RunParameters>",
        f"{base}/s_1_1101.filter": b"f" * 12,
        "InterOp/TileMetricsOut.bin": b"t",
    }
    for cycle in range(1, sum(cycles for cycles, _ in plan) + 1):
        files[f"{base}/C{cycle}.1/s_1_1101.bcl"] = bytes([cycle % 251]) * 20
    return files | ({"SampleSheet.csv": sheet_data} if sheet_data else {})
