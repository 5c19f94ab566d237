"""Bills of AWS: what each run cost by the two layouts, and what is no bill."""

from __future__ import annotations

import gzip
import json
from decimal import Decimal
from pathlib import Path

import pytest

from genoflow.deploy.cost_bill import Bill, read_bill
from genoflow.events.errors import Refused
from tests.run_facts import EARLIER_ID, LATER_ID, RUN_ID

COST, CURRENCY = "lineItem/UnblendedCost", "lineItem/CurrencyCode"
PERIOD, TAG = "bill/BillingPeriodStartDate", "resourceTags/user:genoflow:run"
HEADER = ",".join((PERIOD, CURRENCY, COST, TAG))
MARCH, APRIL = "2026-03-01T00:00:00Z", "2026-04-01T00:00:00Z"
LINES = (
    f"{MARCH},USD,0.1,{RUN_ID}", f"{MARCH},USD,0.2000000001,{RUN_ID}", f"{APRIL},USD,4,{RUN_ID}",
    f"{MARCH},USD,7,{LATER_ID}", f"{MARCH},USD,9,", f"{MARCH},USD,-1,{EARLIER_ID}",
)  # fmt: skip


def read(tmp_path: Path, *lines: str, header: str = HEADER, name: str = "cur.csv") -> Bill:
    path, text = tmp_path / name, "\n".join((header, *lines)) + "\n"
    path.write_bytes(gzip.compress(text.encode()) if name.endswith(".gz") else text.encode())
    return read_bill(path)


@pytest.mark.parametrize("name", ["cur.csv", "cur.csv.gz"])
def test_each_run_and_month_is_a_fact_and_what_is_left_out_is_told(
    tmp_path: Path, name: str
) -> None:
    bill = read(tmp_path, *LINES, name=name)
    facts = bill.facts({RUN_ID, EARLIER_ID})
    assert [(one.run_id, one.month, one.cost_usd, one.lines) for one in facts] == [
        (RUN_ID, "2026-03", Decimal("0.300000"), 2), (RUN_ID, "2026-04", Decimal(4), 1),
    ]  # fmt: skip
    left = bill.left_out({RUN_ID, EARLIER_ID})
    assert (left.usd, left.lines) == (Decimal(6), 2)  # 7 of nobody's run, 1 that was paid back
    assert (bill.of_none.usd, bill.of_none.lines) == (Decimal(9), 1)


def test_the_same_bill_is_the_same_facts_and_a_later_one_is_others(tmp_path: Path) -> None:
    first, again = (read(tmp_path, *LINES).facts({RUN_ID}) for _ in range(2))
    later = read(tmp_path, *LINES, f"{MARCH},USD,1,{RUN_ID}").facts({RUN_ID})
    ids = [[one.external_id() for one in facts] for facts in (first, again, later)]
    assert ids[0] == ids[1]
    assert not set(ids[0]) & set(ids[2])


def test_the_newer_layout_has_its_tags_as_json(tmp_path: Path) -> None:
    tags = json.dumps({"user_genoflow_run": str(RUN_ID), "user_team": "lab"}).replace('"', '""')
    header = (
        "bill_billing_period_start_date,line_item_currency_code,line_item_unblended_cost,"
        "resource_tags"
    )
    bill = read(tmp_path, f'{MARCH},USD,2,"{tags}"', f"{MARCH},USD,3,", header=header)
    [fact] = bill.facts({RUN_ID})
    assert (fact.cost_usd, bill.of_none.usd) == (Decimal(2), Decimal(3))
    with pytest.raises(Refused, match=r"cur.csv:2: its tags are no JSON"):
        read(tmp_path, f"{MARCH},USD,2,x", header=header)


@pytest.mark.parametrize(
    ("line", "header", "words"),
    [
        (LINES[0], HEADER.replace(TAG, "other"), "activate it as a cost allocation tag"),
        (LINES[0], HEADER.replace(COST, "other"), f"has no column {COST}"),
        ("", "", f"has no column {COST}"),
        (f"{MARCH},EUR,1,{RUN_ID}", HEADER, "cur.csv:2: is in 'EUR'"),
        (f"{MARCH},USD,much,{RUN_ID}", HEADER, "'much', which is no number"),
        (f"{MARCH},USD,NaN,{RUN_ID}", HEADER, "'NaN', which is no number"),
        (f"{MARCH},USD,1,run-7", HEADER, "'run-7', which is no run"),
        (f"March,USD,1,{RUN_ID}", HEADER, "'March', which is no date"),
        (f"{MARCH},USD", HEADER, "is None, which is no number"),
    ],
)
def test_what_is_no_bill_is_refused_with_its_place(
    tmp_path: Path, line: str, header: str, words: str
) -> None:
    with pytest.raises(Refused) as caught:
        read(tmp_path, line, header=header)
    assert words in str(caught.value)


def test_bytes_that_are_no_text_are_refused(tmp_path: Path) -> None:
    for name, body in (("cur.csv", b"\xff\xfe\x00"), ("cur.csv.gz", b"no gzip")):
        path = tmp_path / name
        path.write_bytes(body)
        with pytest.raises(Refused, match="cannot be read as CSV"):
            read_bill(path)
