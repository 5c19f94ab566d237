"""A bill of AWS as Cost and Usage Reports write it: what each run cost in each month.

A line belongs to the run that its tag `genoflow:run` names. Both layouts are read: the older one,
with a column for each tag, and CUR 2.0 with one column of tags as JSON.
"""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from pathlib import Path
from uuid import UUID

from genoflow.events.errors import Refused
from genoflow.events.run_cost_recorded import RunCostRecorded

BYTES_MAX = 2_000_000_000  # packed or not: a month of 10 million lines has 1.5 GB
SOURCE = "aws-cur"
# The same columns, as the older layout, Athena and CUR 2.0 call them.
COST = ("lineItem/UnblendedCost", "line_item_unblended_cost")
CURRENCY = ("lineItem/CurrencyCode", "line_item_currency_code")
PERIOD = ("bill/BillingPeriodStartDate", "bill_billing_period_start_date")
RUN_TAG = ("resourceTags/user:genoflow:run", "resource_tags_user_genoflow_run")
TAGS = ("resource_tags",)
RUN_IN_TAGS = ("user_genoflow_run", "user:genoflow:run", "genoflow:run")


@dataclass(slots=True)
class Sum:
    """What some lines come to."""

    usd: Decimal = Decimal(0)
    lines: int = 0

    def add(self, usd: Decimal) -> None:
        """One more line."""
        self.usd += usd
        self.lines += 1


@dataclass(slots=True)
class Bill:
    """What was read of one file."""

    sha256: str
    of_runs: dict[tuple[UUID, str], Sum] = field(default_factory=dict)  # by run and month
    of_none: Sum = field(default_factory=Sum)  # lines that name no run

    def facts(self, known: set[UUID], source: str = SOURCE) -> list[RunCostRecorded]:
        """A fact for each run that is known and each month, in the order of their ids."""
        return [
            RunCostRecorded(
                run_id=run_id, source=source, month=month, cost_usd=found.usd,
                lines=found.lines, document_sha256=self.sha256,
            )
            for (run_id, month), found in sorted(self.of_runs.items())
            if run_id in known and found.usd >= 0
        ]  # fmt: skip

    def left_out(self, known: set[UUID]) -> Sum:
        """Lines of runs that nobody has heard of, and of those that were paid back whole."""
        some = [
            found
            for (run_id, _), found in self.of_runs.items()
            if run_id not in known or found.usd < 0
        ]
        return Sum(sum((one.usd for one in some), Decimal(0)), sum(one.lines for one in some))


def read_bill(path: Path) -> Bill:
    """The sums of a file, packed or not; Refused says which line is none, and nothing counts."""
    try:
        with path.open("rb") as file:
            bill = Bill(hashlib.file_digest(file, "sha256").hexdigest())
        for run, month, usd in _lines(path):
            found = bill.of_none
            if run is not None:
                found = bill.of_runs.setdefault((run, month), Sum())
            found.add(usd)
    except (OSError, EOFError, UnicodeDecodeError, csv.Error) as error:
        raise Refused(f"{path}: cannot be read as CSV ({error}); fetch the file again") from error
    for found in bill.of_runs.values():
        found.usd = found.usd.quantize(Decimal("0.000001"))
    return bill


def _lines(path: Path) -> Iterator[tuple[UUID | None, str, Decimal]]:
    opened = gzip.open if path.suffix == ".gz" else io.open
    with opened(path, "rt", encoding="utf-8", newline="") as file:
        rows = csv.DictReader(file)
        names = rows.fieldnames or ()
        cost, currency, period = (_column(path, names, one) for one in (COST, CURRENCY, PERIOD))
        tag = next((one for one in RUN_TAG if one in names), None)
        if tag is None and TAGS[0] not in names:
            raise Refused(
                f"{path}: has no column of the tag genoflow:run; activate it as a cost allocation "
                f"tag, and fetch a report that was made after that"
            )
        for row in rows:
            place = f"{path}:{rows.line_num}"
            if row[currency] != "USD":
                raise Refused(f"{place}: is in {row[currency]!r}; costs are kept in USD alone")
            run = _run(place, row[tag] if tag else _tagged(place, row))
            yield run, _month(place, row[period]), _usd(place, row[cost])


def _column(path: Path, names: object, wanted: tuple[str, ...]) -> str:
    found = next((one for one in wanted if one in (names or ())), None)  # type: ignore[operator]
    if found is None:
        raise Refused(
            f"{path}: has no column {wanted[0]}; export the report as CSV, with its line items"
        )
    return found


def _tagged(place: str, row: Mapping[str, str]) -> str:
    try:
        tags = json.loads(row[TAGS[0]] or "{}")
    except ValueError as error:
        raise Refused(f"{place}: its tags are no JSON ({error}); fetch the file again") from error
    known = tags if isinstance(tags, dict) else {}
    return str(next((known[one] for one in RUN_IN_TAGS if known.get(one)), ""))


def _run(place: str, text: str | None) -> UUID | None:
    try:
        return UUID(text) if text else None
    except ValueError as error:
        raise Refused(f"{place}: the tag genoflow:run holds {text!r}, which is no run") from error


def _month(place: str, text: str | None) -> str:
    month = (text or "")[:7]
    if len(month) != 7 or month[4] != "-":
        raise Refused(f"{place}: its billing period begins at {text!r}, which is no date")
    return month


def _usd(place: str, text: str | None) -> Decimal:
    try:
        found = Decimal(text or "")
    except InvalidOperation as error:
        raise Refused(f"{place}: its cost is {text!r}, which is no number") from error
    if not found.is_finite():
        raise Refused(f"{place}: its cost is {text!r}, which is no number")
    return found
