"""`genoflow top`: what the lab does at this moment, live or once."""

from __future__ import annotations

import asyncio
import logging
import sys
from importlib.util import find_spec
from typing import TYPE_CHECKING
from uuid import UUID

import click

from genoflow.deploy.commands.options import WHO_DECIDES, Decision
from genoflow.deploy.settings import Settings, read_settings
from genoflow.events.errors import Refused

if TYPE_CHECKING:
    from genoflow.deploy.top.shown import Shown

EVERY_SECONDS = 2.0  # workers say how far they are as often
EVERY_SECONDS_MIN = 0.5  # a look takes some tenths of a second
WIDTH_MIN = 80


@click.command()
@click.option("--once", is_flag=True, help="print it once, as text")
@click.option("--json", "as_json", is_flag=True, help="with --once: one document for programs")
@click.option(
    "--every", "every_seconds", type=click.FloatRange(EVERY_SECONDS_MIN, 3_600),
    default=EVERY_SECONDS, show_default=True, help="look again after so many seconds",
)  # fmt: skip
@click.option("--role", default="operator", show_default=True, help="in which you take alerts up")
@click.option("--as", "person", help=WHO_DECIDES)
def top(once: bool, as_json: bool, every_seconds: float, role: str, person: str | None) -> None:
    """Show stages, rates, what is stuck and why, alerts, lag and workers, and keep showing it.

    It reads the log alone: what `genoflow tower` has counted, alerts, rules, and what workers say.
    """
    if as_json and not once:
        raise click.UsageError("--json is for --once: a live screen is no document")
    for library in ("ddsketch",) if once else ("ddsketch", "textual"):
        if find_spec(library) is None:
            raise Refused(
                f"genoflow top: {library} is not installed; `pip install 'genoflow[top]'`"
            )
    settings = read_settings()
    if once:
        _print(asyncio.run(_once(settings)), as_json)
        return
    if not sys.stdout.isatty():
        raise click.UsageError("a live screen needs a terminal; --once prints it into a pipe")
    from genoflow.deploy.top.reading import looking
    from genoflow.deploy.top.screen import Top

    # What a client says of its broker is a line of the screen; written over it, it is dirt.
    logging.getLogger().handlers[:] = [logging.NullHandler()]

    async def acknowledge(alert_id: UUID, reason: str) -> str:
        from genoflow.deploy.alert_desk import acknowledged
        from genoflow.deploy.commands.alerts import say_of_alert

        decision = Decision(reason, role, None, False, person, "--as")
        fact, is_new = await say_of_alert(acknowledged, alert_id, decision)
        who = fact.envelope.actor.id if fact.envelope else "-"
        return f"{alert_id}: is {'' if is_new else 'already '}acknowledged by {who}"

    Top(looking(settings), every_seconds, acknowledge).run()


async def _once(settings: Settings) -> Shown:
    from genoflow.deploy.top.reading import looking

    async with looking(settings)() as look:
        return await look()


def _print(shown: Shown, as_json: bool) -> None:
    if as_json:
        click.echo(shown.model_dump_json(indent=2))
        return
    from rich.console import Console

    from genoflow.deploy.top.plain import print_shown

    console = Console(highlight=False)
    console.width = max(console.width, WIDTH_MIN)
    print_shown(shown, console)
