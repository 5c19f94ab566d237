"""`genoflow run cost budget | show`: what the runs of a project may cost, and what they do."""

from __future__ import annotations

import asyncio
import json
from dataclasses import asdict, replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import click

from genoflow.deploy.commands.ask import AS_JSON, to_stderr
from genoflow.deploy.commands.options import Decision, deciding
from genoflow.deploy.commands.run_cost import cost
from genoflow.deploy.settings import read_settings
from genoflow.deploy.wiring import open_log

if TYPE_CHECKING:
    from genoflow.projections.budget_months import BudgetMonth

USD_MAX = 1_000_000_000.0
WARN_PERCENT = (80, 100)  # early enough to ask, and when it is spent
HEADINGS = (
    "project", "budget", "spent", "share", "billed", "estimated", "runs", "no price", "under way",
    "told",
)  # fmt: skip


@cost.command()
@click.argument("project", metavar="PROJECT")
@click.argument("usd", metavar="USD", type=click.FloatRange(0, USD_MAX))
@click.option(
    "--warn", type=click.IntRange(1, 1_000), multiple=True, default=WARN_PERCENT,
    show_default=True, help="tell when so many percent are spent; may be said several times",
)  # fmt: skip
@deciding("admin")
def budget(project: str, usd: float, warn: tuple[int, ...], decision: Decision) -> None:
    """Let the runs of PROJECT cost USD in each month, from this one on; 0 lifts that.

    Nothing is stopped by it: who subscribed to BudgetReached is told, and `show` tells.
    """
    click.echo(asyncio.run(_budget(project, Decimal(str(usd)), warn, decision)))


async def _budget(project: str, usd: Decimal, warn: tuple[int, ...], decision: Decision) -> str:
    from genoflow.api.desks import BudgetWanted
    from genoflow.deploy.budget_desk import budget_said
    from genoflow.deploy.people import append_said
    from genoflow.deploy.subject import LogSubjects
    from genoflow.events.printable import printable

    settings = read_settings()
    wanted = BudgetWanted(project, f"{datetime.now(UTC):%Y-%m}", usd, warn)
    async with open_log(settings) as log:
        fact, is_new = await budget_said(LogSubjects(log), wanted, decision.decided())
        if is_new:
            await append_said(log, fact, settings.person_patterns, dry_run=decision.dry_run)
    verb = "would be" if decision.dry_run else "is" if is_new else "was already"
    said = "lifted" if not usd else f"set to {usd:,.2f} USD a month"
    return printable(f"{project}: the budget {verb} {said}, from {fact.from_month} on")


@cost.command()
@click.option("--project", help="this one alone")
@click.option(
    "--month", type=click.DateTime(["%Y-%m"]), help="a calendar month (UTC); this one otherwise"
)
@AS_JSON
def show(project: str | None, month: datetime | None, as_json: bool) -> None:
    """Show what the runs of each project cost in a month, beside its budget."""
    chosen = f"{month or datetime.now(UTC):%Y-%m}"
    months = asyncio.run(_months(chosen, project))
    if as_json:
        click.echo(json.dumps([_plain(one) for one in months], indent=2))
        return
    if not months:
        click.echo(f"no runs were charged in {chosen}, and no project has a budget")
        return
    _print_table(months)


async def _months(month: str, project: str | None) -> list[BudgetMonth]:
    from genoflow.deploy.answers import open_rows
    from genoflow.deploy.subject import LogSubjects
    from genoflow.events import topics
    from genoflow.projections.budget_months import months_told

    async with (
        open_log(settings := read_settings()) as log,
        open_rows(settings, log, to_stderr) as connection,
    ):
        if connection is not None:
            return await _from_rows(connection, month, project)
        events = LogSubjects(log).every(topics.BUDGET)
        return await months_told(events, month=month, project_id=project)


async def _from_rows(connection: Any, month: str, project: str | None) -> list[BudgetMonth]:
    from genoflow.projections.budgets import list_months, under_way
    from genoflow.projections.paging import LIMIT_MAX

    found: list[BudgetMonth] = []
    while not found or len(found) % LIMIT_MAX == 0:
        after = [found[-1].project_id] if found else None
        some = await list_months(
            connection, month=month, project_id=project, after=after, limit=LIMIT_MAX
        )
        if not some:
            break
        found += some
    if month != f"{datetime.now(UTC):%Y-%m}":
        return found
    working = await under_way(connection)
    nothing = (0, Decimal(0))
    return [
        replace(one, runs_under_way=runs, under_way_usd=usd)
        for one in found
        for runs, usd in [working.get(one.project_id, nothing)]
    ]


def _plain(one: BudgetMonth) -> dict[str, Any]:
    told = asdict(one) | {"spent_usd": one.spent_usd, "share_percent": one.share_percent}
    return {
        name: f"{value:f}" if isinstance(value, Decimal) else value for name, value in told.items()
    }


def _print_table(months: list[BudgetMonth]) -> None:
    from genoflow.events.printable import printable

    click.echo(f"{months[0].month}, in USD")
    rows = [HEADINGS, *(_cells(one) for one in months)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        first, *others = zip(row, widths, strict=True)
        cells = [first[0].ljust(first[1]), *(cell.rjust(width) for cell, width in others)]
        click.echo(printable("  ".join(cells).rstrip()))


def _cells(one: BudgetMonth) -> tuple[str, ...]:
    under_way = "-"
    if one.runs_under_way is not None and one.under_way_usd is not None:
        under_way = f"{one.runs_under_way:,}: {_usd(one.under_way_usd)}"
    share = "-" if one.share_percent is None else f"{one.share_percent:g} %"
    return (
        one.project_id, _usd(one.month_usd), _usd(one.spent_usd), share, _usd(one.billed_usd),
        _usd(one.estimated_usd), f"{one.runs:,}", f"{one.runs_unpriced:,}", under_way,
        ", ".join(f"{percent} %" for percent in one.reached) or "-",
    )  # fmt: skip


def _usd(value: Decimal | None) -> str:
    return "-" if value is None else f"{value:,.2f}"
