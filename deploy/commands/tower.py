"""`genoflow tower`: the watchtower, kept going, and what it has counted."""

from __future__ import annotations

import asyncio
import sys
from importlib.util import find_spec

import click

from genoflow.deploy.settings import read_settings
from genoflow.events.errors import Refused


@click.group(invoke_without_command=True)
@click.option("--once", is_flag=True, help="do not start again after an error that passes")
@click.option("--again", type=click.IntRange(0), default=0, hidden=True)  # for its figures
@click.pass_context
def tower(context: click.Context, once: bool, again: int) -> int | None:
    """Watch the whole log: count by stage, learn how long things take, say what is late.

    One process keeps the tower and others stand by; run it twice, and the second goes on when the
    first dies. What it says are alerts, by the rules in the catalog. Exit codes are those of
    `genoflow work`.
    """
    if context.invoked_subcommand is not None:
        return None
    if find_spec("faust") is None:
        raise Refused(
            "genoflow tower: its libraries are not installed; `pip install 'genoflow[tower]'`"
        )
    settings = read_settings()
    if once:
        from genoflow.deploy.tower import tower_once

        return tower_once(settings, settings.home / "tower", again=again)
    from genoflow.deploy.work_keeper import keep

    def command(again: int) -> tuple[str, ...]:
        words = ("-m", "genoflow.deploy.cli", "tower", "--once", "--again", str(again))
        return (sys.executable, *words)

    return asyncio.run(keep(command, lambda text: click.echo(f"genoflow: {text}", err=True)))
