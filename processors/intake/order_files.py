"""Orders in files, as JSON or as a table with one row a member; what they say is checked elsewhere.

A file of JSON holds one order or a list of them. A table holds the fields of the case and of the
member in one row, under their own names; rows with one `case_id` are one order, and a field of the
case may be left empty after its first row.
"""

from __future__ import annotations

import csv
import io
import json
from dataclasses import dataclass
from typing import Any

from genoflow.events.errors import Refused
from genoflow.processors.intake.orders import CASE_FIELDS, MEMBER_FIELDS, Problem

ORDERS_MAX = 1_000  # of one file: a lab's month; each is read against the log before it is placed
CHARACTERS_MAX = 10_000_000  # 1,000 orders of 100 members of 100 characters


@dataclass(frozen=True, slots=True)
class OrderDocument:
    """An order as it was written down, not checked, and where."""

    place: str
    document: Any
    lines: tuple[int, ...] = ()  # of a table: the line of each member

    def named(self, problem: Problem) -> str:
        """A problem of this order, with the file and the line in which it is found."""
        parts = problem.place.split(".")
        place = problem.place
        if self.lines and len(parts) > 1 and parts[0] == "members":
            place = f"line {self.lines[int(parts[1])]}, {'.'.join(parts[2:])}"
        return f"{self.place}: {place}: {problem.fact}"


def read_documents(text: str, name: str) -> list[OrderDocument]:
    """The orders of a file; Refused where it is neither JSON nor such a table."""
    if len(text) > CHARACTERS_MAX:
        raise Refused(f"{name}: is longer than {CHARACTERS_MAX:,} characters; place it in parts")
    text = text.removeprefix("\ufeff")
    found = _json(text, name) if text.lstrip()[:1] in ("{", "[") else _table(text, name)
    if not found:
        raise Refused(f"{name}: holds no order; write a JSON object, or a table with a case_id")
    if len(found) > ORDERS_MAX:
        raise Refused(f"{name}: holds more than {ORDERS_MAX:,} orders; place them in parts")
    return found


def _json(text: str, name: str) -> list[OrderDocument]:
    try:
        found = json.loads(text)
    except (json.JSONDecodeError, RecursionError) as error:
        raise Refused(f"{name}: is no JSON ({error}); mend it there") from error
    if isinstance(found, dict):
        return [OrderDocument(name, found)]
    return [OrderDocument(f"{name} order {n}", one) for n, one in enumerate(found, start=1)]


def _table(text: str, name: str) -> list[OrderDocument]:
    heading = text.partition("\n")[0]
    delimiter = max(",;\t", key=heading.count)  # as Excel writes it in this country
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        names = [column.strip() for column in next(rows, [])]
        _check(names, name)
        orders: dict[str, OrderDocument] = {}
        for row in rows:
            if any(cell.strip() for cell in row):
                _add(orders, names, row, name, rows.line_num)
    except csv.Error as error:
        raise Refused(f"{name} line {rows.line_num}: is no row of a table ({error})") from error
    return list(orders.values())


def _check(names: list[str], name: str) -> None:
    known = (*CASE_FIELDS, *MEMBER_FIELDS)
    if "case_id" not in names:
        raise Refused(f"{name} line 1: names no column case_id; the columns are {', '.join(known)}")
    wrong = [n for n, column in enumerate(names) if column in names[:n] or column not in known]
    if wrong:  # by its number: a file without a heading begins with values, perhaps of a person
        raise Refused(
            f"{name} line 1: column {wrong[0] + 1} has a name that is unknown or there twice; "
            f"the columns are {', '.join(known)}"
        )


def _add(
    orders: dict[str, OrderDocument], names: list[str], row: list[str], name: str, line: int
) -> None:
    if len(row) > len(names):
        raise Refused(f"{name} line {line}: has {len(row)} cells for {len(names)} columns")
    cells = {column: cell.strip() for column, cell in zip(names, row, strict=False) if cell.strip()}
    case = cells.get("case_id", "")
    if not case:
        raise Refused(f"{name} line {line}: has no case_id; say to which case this member belongs")
    before = orders.get(case, OrderDocument(name, {"case_id": case, "members": []}))
    document = before.document
    for column in CASE_FIELDS:
        if column in cells and document.setdefault(column, cells[column]) != cells[column]:
            raise Refused(
                f"{name} line {line}: {column} is not what line {before.lines[0]} says of the same "
                f"case; make them agree, or leave it empty here"
            )
    document["members"].append({c: cells[c] for c in MEMBER_FIELDS if c in cells})
    orders[case] = OrderDocument(name, document, (*before.lines, line))
