"""`genoflow lims pull`: orders out of the lab's information system."""

from __future__ import annotations

import asyncio
import json
from dataclasses import asdict
from datetime import UTC, datetime

import click

from genoflow.deploy.commands.options import DRY_RUN
from genoflow.deploy.settings import read_settings
from genoflow.deploy.wiring import open_log
from genoflow.events.errors import Refused


@click.group()
def lims() -> None:
    """Fetch orders from the lab's information system; `genoflow work` tells it what became."""


@lims.command()
@click.option("--json", "as_json", is_flag=True, help="for programs")
@DRY_RUN
def pull(as_json: bool, dry_run: bool) -> int:
    """Place every order that is released there; what stands already changes nothing.

    Each order is checked by itself. The exit code is 1 where one was refused.
    """
    from genoflow.deploy.lims import OPENED, REFUSED, open_lims
    from genoflow.deploy.lims import pull as pulled
    from genoflow.events.printable import printable

    settings = read_settings()

    async def run() -> int:
        system = open_lims(settings)
        if system is None:
            raise Refused("GENOFLOW_LIMS: is not set; name the address of the LIMS")
        async with open_log(settings) as log:
            found = await pulled(
                log, system, settings.person_patterns, datetime.now(UTC), dry_run=dry_run
            )
        if as_json:
            rows = [asdict(one) for one in found]
            click.echo(json.dumps({"orders": rows}, indent=2, ensure_ascii=False))
        for one in () if as_json else found:
            verb = "would be opened" if dry_run and one.outcome == OPENED else one.outcome
            click.echo(printable(f"{one.case_id} ({one.place}): {verb}"))
            for reason in one.reasons:
                click.echo(printable(f"  {reason}"))
        if not found and not as_json:
            click.echo("no order is released there")
        return 1 if any(one.outcome == REFUSED for one in found) else 0

    return asyncio.run(run())
