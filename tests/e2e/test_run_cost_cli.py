"""A bill by the command line: brought in, shown beside the run, and refused where it is none."""

from __future__ import annotations

import json
from pathlib import Path

from genoflow.deploy.addresses import Addresses
from genoflow.events.run_cost_recorded import RunCostRecorded
from genoflow.processors.running.prices import Prices
from tests.e2e.workers import fails, happens, said, settings_of, succeeds
from tests.run_facts import RUN_ID, requested
from tests.unit.test_cost_bill import HEADER, LINES

RUN = str(RUN_ID)


def test_a_bill_is_brought_in_once_and_shown_beside_the_run(
    stack: Addresses, suffix: str, tmp_path: Path
) -> None:
    settings = settings_of(stack, suffix, tmp_path)
    succeeds(settings, "topics", "apply")
    happens(settings, requested())
    bill = tmp_path / "cur.csv"
    bill.write_text("\n".join((HEADER, *LINES)) + "\n")
    tried = succeeds(settings, "run", "cost", "import", str(bill), "--dry-run")
    assert "2 costs of runs would be recorded, 4.30 USD; left out: 2 lines" in tried
    assert said(settings, RunCostRecorded, RUN) == []
    for _ in range(2):
        told = succeeds(settings, "run", "cost", "import", str(bill), "--as", "kim")
        assert "and 1 of no run, 9.00 USD" in told
    facts = said(settings, RunCostRecorded, RUN)
    assert {one.envelope.actor.id for one in facts} == {"kim"}
    assert len({one.envelope.event_id for one in facts}) == 2
    shown = json.loads(succeeds(settings, "run", "show", RUN, "--json"))
    assert shown["billed_cost_usd"] == "4.30"
    assert [one["month"] for one in shown["bills"]] == ["2026-03", "2026-04"]
    bill.write_text("a,b\n1,2\n")
    assert "export the report as CSV" in fails(settings, "run", "cost", "import", str(bill))
    assert Prices.model_validate_json(succeeds(settings, "run", "cost", "prices")).launchers
