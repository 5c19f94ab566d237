"""A sheet against its run: the fields of SampleSheetAttached, or every reason against it."""

from __future__ import annotations

import functools
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from genoflow.events.errors import Refused
from genoflow.processors.intake.illumina import sheet as columns
from genoflow.processors.intake.illumina.instruments import Instrument
from genoflow.processors.intake.illumina.orientation import i5_orientation
from genoflow.processors.intake.illumina.override_cycles import faults_of
from genoflow.processors.intake.illumina.rows import Person, override_of, placed
from genoflow.processors.intake.illumina.rules import Mismatches, problems_of
from genoflow.processors.intake.illumina.run_info import RunInfo
from genoflow.processors.intake.illumina.sheet import MISMATCHES_DEFAULT, Sheet, read_sheet

PROBLEMS_MAX = 100  # as SampleSheetRefused can hold
PROBLEM_CHARACTERS_MAX = 2_000
ADAPTER = re.compile(r"[ACGTN]{1,100}")
SHEETS_KEPT_MAX = 64  # one for each folder that is looked at again and again


@dataclass(frozen=True, slots=True)
class SheetRead:
    """What a sheet comes to: fields of an attached sheet, or problems; never both."""

    sha256: str
    fields: Mapping[str, Any]
    problems: tuple[str, ...]


@functools.lru_cache(maxsize=SHEETS_KEPT_MAX)
def attach(data: bytes, info: RunInfo, instrument: Instrument, person: Person) -> SheetRead:
    """The fields that the sheet gives, or all problems at once, each with its line and way out."""
    sha256 = hashlib.sha256(data).hexdigest()
    try:
        sheet = read_sheet(data)
    except Refused as error:
        return SheetRead(sha256, MappingProxyType({}), (str(error),))
    fields = _fields(sheet, info, instrument, person)
    if sheet.problems:
        return SheetRead(sha256, MappingProxyType({}), _bounded(sheet.problems))
    return SheetRead(sha256, MappingProxyType(fields), ())


def _fields(sheet: Sheet, info: RunInfo, instrument: Instrument, person: Person) -> dict[str, Any]:
    mismatches = _mismatches(sheet)
    override = _override(sheet, info)
    adapters = {name: _adapter(sheet, name) for name in (columns.ADAPTER1, columns.ADAPTER2)}
    rows = placed(sheet, info, person)
    sheet.problems += problems_of(rows, mismatches)
    if override:
        sheet.problems += _against_rows(override, info, rows)
    stated = sheet.header.get("indexorientation", "") or None
    return {
        "sheet_version": sheet.version,
        "rows": tuple(one.row for one in rows),
        "override_cycles": override or None,
        "i5_orientation": i5_orientation(sheet.version, stated, info, instrument),
        "barcode_mismatches_index1": mismatches[0],
        "barcode_mismatches_index2": mismatches[1],
        "adapter_read1": adapters[columns.ADAPTER1],
        "adapter_read2": adapters[columns.ADAPTER2],
        "columns_left_out": tuple(
            "(withheld)" if person(name) is not None else name for name in sheet.columns_left_out
        ),
    }


def _against_rows(override: str, info: RunInfo, rows: tuple[Any, ...]) -> list[str]:
    """The run's own OverrideCycles against the indexes of the rows that have none of their own."""
    said: dict[str, str] = {}
    for one in rows:
        if one.row.override_cycles is None:
            for fault in faults_of(override, info, one.indexes):
                said.setdefault(fault, f"line {one.number}: {fault}")
    return list(said.values())


def _override(sheet: Sheet, info: RunInfo) -> str:
    number, text = sheet.settings.get(columns.OVERRIDE, (0, ""))
    override = override_of(text)
    if not override:
        return ""
    faults = [f"line {number}: {fault}" for fault in faults_of(override, info, ())]
    sheet.problems += faults
    return "" if faults else override


def _mismatches(sheet: Sheet) -> Mismatches:
    found = []
    for name, words in (
        (columns.MISMATCHES1, "BarcodeMismatchesIndex1"),
        (columns.MISMATCHES2, "BarcodeMismatchesIndex2"),
    ):
        number, text = sheet.settings.get(name, (0, str(MISMATCHES_DEFAULT)))
        if text in {str(n) for n in range(columns.MISMATCHES_MAX + 1)}:
            found.append(int(text))
            continue
        sheet.problems.append(
            f"line {number}: {words} is not 0, 1 or {columns.MISMATCHES_MAX}; write one of these"
        )
        found.append(MISMATCHES_DEFAULT)
    return found[0], found[1]


def _adapter(sheet: Sheet, name: str) -> str | None:
    number, text = sheet.settings.get(name, (0, ""))
    if not text and name == columns.ADAPTER2 and sheet.version == columns.V1:
        # bcl2fastq trims both reads by the one adapter where there is no other.
        return _adapter(sheet, columns.ADAPTER1)
    if not text:
        return None
    if ADAPTER.fullmatch(text.upper()) is None:
        problem = (
            f"line {number}: the adapter is not one sequence of A, C, G, T and N of at most 100 "
            f"bases; write a single sequence for each read, or none"
        )
        if problem not in sheet.problems:
            sheet.problems.append(problem)
        return None
    return text.upper()


def _bounded(problems: list[str]) -> tuple[str, ...]:
    short = [problem[:PROBLEM_CHARACTERS_MAX] for problem in problems]
    if len(short) <= PROBLEMS_MAX:
        return tuple(short)
    kept = short[: PROBLEMS_MAX - 1]
    return (*kept, f"{len(short) - len(kept)} more problems; mend these first")
