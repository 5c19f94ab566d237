"""A budget by the command line: set, shown with what runs cost, and lifted."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

from genoflow.deploy.addresses import Addresses
from genoflow.events.budget_lifted import BudgetLifted
from genoflow.events.budget_set import BudgetSet
from tests.budget_facts import PROJECT, charged
from tests.e2e.workers import fails, happens, said, settings_of, succeeds


def test_a_budget_is_set_shown_and_lifted(stack: Addresses, suffix: str, tmp_path: Path) -> None:
    settings = settings_of(stack, suffix, tmp_path)
    month = f"{datetime.now(UTC):%Y-%m}"
    succeeds(settings, "topics", "apply")
    why = ("--reason", "as agreed", "--as", "kim")
    shown = succeeds(settings, "run", "cost", "show")
    assert f"no runs were charged in {month}" in shown
    tried = succeeds(settings, "run", "cost", "budget", PROJECT, "100", *why, "--dry-run")
    assert "would be set to 100.00 USD a month" in tried
    assert said(settings, BudgetSet, PROJECT) == []
    told = succeeds(settings, "run", "cost", "budget", PROJECT, "100", "--warn", "90", *why)
    assert told.strip() == f"{PROJECT}: the budget is set to 100.00 USD a month, from {month} on"
    [fact] = said(settings, BudgetSet, PROJECT)
    assert (fact.envelope.actor.id, fact.warn_percent) == ("kim", (90,))
    happens(
        settings, charged(1, 45.5, month=month, is_billed=True), charged(2, 36, month=month),
        charged(3, None, month=month), charged(4, 1_200, month=month, project_id="P2"),
    )  # fmt: skip
    shown = succeeds(settings, "run", "cost", "show", "--month", month)
    rows = [line.split() for line in shown.splitlines()[2:]]
    assert rows == [
        [PROJECT, "100.00", "81.50", "81.5", "%", "45.50", "36.00", "3", "1", "-", "-"],
        ["P2", "-", "1,200.00", "-", "0.00", "1,200.00", "1", "0", "-", "-"],
    ]
    found = json.loads(succeeds(settings, "run", "cost", "show", "--project", PROJECT, "--json"))
    assert [(one["project_id"], one["spent_usd"]) for one in found] == [(PROJECT, "81.500000")]
    assert "lifted" in succeeds(settings, "run", "cost", "budget", PROJECT, "0", *why)
    assert [one.from_month for one in said(settings, BudgetLifted, PROJECT)] == [month]
    again = fails(settings, "run", "cost", "budget", PROJECT, "0", *why)
    assert "has no budget that could be lifted" in again
