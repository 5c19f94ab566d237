"""`genoflow run cost import | prices`: what runs cost, by bills and by a table."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from genoflow.deploy.commands.options import AS, DRY_RUN
from genoflow.deploy.settings import read_settings
from genoflow.deploy.wiring import open_log

if TYPE_CHECKING:
    from genoflow.deploy.cost_bill import Bill


@click.group()
def cost() -> None:
    """Bring in what runs cost, and show by which prices that is estimated."""


@cost.command()
def prices() -> None:
    """Print the table that comes with the package; name your own in GENOFLOW_PRICES."""
    from genoflow.deploy.price_table import shipped_prices

    click.echo(shipped_prices(), nl=False)


@cost.command("import")
@click.argument(
    "file", type=click.Path(exists=True, dir_okay=False, path_type=Path), metavar="FILE"
)
@AS
@DRY_RUN
def import_(file: Path, person: str | None, dry_run: bool) -> None:
    """Say what runs cost by FILE, a Cost and Usage Report of AWS (.csv or .csv.gz).

    Each run and month is one fact; a later report of the same month takes its place.
    """
    from genoflow.deploy.cost_bill import read_bill

    click.echo(asyncio.run(_import(read_bill(file), person, dry_run)))


async def _import(bill: Bill, person: str | None, dry_run: bool) -> str:
    from genoflow.deploy.people import append_said, said_by
    from genoflow.deploy.subject import LogSubjects
    from genoflow.events import topics
    from genoflow.events.run_requested import RunRequested

    settings, now = read_settings(), datetime.now(UTC)
    async with open_log(settings) as log:
        requests = LogSubjects(log).every(topics.RUN, RunRequested)
        asked = {event.run_id: event async for event in requests if type(event) is RunRequested}
        known = set(asked)
        facts = bill.facts(known)
        for fact in facts:
            said = said_by(person, fact, now, asked[fact.run_id])
            await append_said(log, said, settings.person_patterns, dry_run=dry_run)
    total, left = sum(one.cost_usd for one in facts), bill.left_out(known)
    verb = "would be" if dry_run else "are"
    return (
        f"{len(facts):,} costs of runs {verb} recorded, {total:,.2f} USD; left out: "
        f"{left.lines:,} lines of runs that nobody has heard of, {left.usd:,.2f} USD, and "
        f"{bill.of_none.lines:,} of no run, {bill.of_none.usd:,.2f} USD"
    )
