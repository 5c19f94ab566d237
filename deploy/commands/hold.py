"""`genoflow hold place | release | list`: whose files are kept, whatever the rules say."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

import click

from genoflow.deploy.commands.options import Decision, deciding
from genoflow.deploy.settings import read_settings
from genoflow.deploy.wiring import open_log

if TYPE_CHECKING:
    from genoflow.api.desks import Decided
    from genoflow.deploy.hold_desk import Hold
    from genoflow.deploy.subject import LogSubjects

DECIDING = deciding("admin")
Say = Callable[["LogSubjects", str, str, "Decided"], Awaitable["tuple[Hold, bool]"]]


@click.group()
def hold() -> None:
    """Place and release legal holds: as long as one stands, nothing of the sample is deleted."""


@hold.command()
@click.argument("sample", metavar="SAMPLE")
@click.argument("hold_id", metavar="HOLD")
@DECIDING
def place(sample: str, hold_id: str, decision: Decision) -> None:
    """Keep everything of SAMPLE, and of runs that took it, under the name HOLD."""
    from genoflow.deploy.hold_desk import placed

    said = asyncio.run(_say(placed, sample, hold_id, decision))
    click.echo(f"{sample}: the hold {hold_id} {'was placed' if said else 'stands already'}")


@hold.command()
@click.argument("sample", metavar="SAMPLE")
@click.argument("hold_id", metavar="HOLD")
@DECIDING
def release(sample: str, hold_id: str, decision: Decision) -> None:
    """Let the rules of retention count again for SAMPLE, unless another hold stands."""
    from genoflow.deploy.hold_desk import released

    said = asyncio.run(_say(released, sample, hold_id, decision))
    click.echo(f"{sample}: the hold {hold_id} {'was released' if said else 'is over already'}")


async def _say(say: Say, sample: str, hold_id: str, decision: Decision) -> bool:
    from genoflow.deploy.people import append_said
    from genoflow.deploy.subject import LogSubjects

    settings = read_settings()
    async with open_log(settings) as log:
        fact, is_new = await say(LogSubjects(log), sample, hold_id, decision.decided())
        if is_new:
            await append_said(log, fact, settings.person_patterns, dry_run=decision.dry_run)
    return is_new


@hold.command(name="list")
@click.argument("samples", metavar="SAMPLE", nargs=-1, required=True)
def list_holds(samples: tuple[str, ...]) -> None:
    """Show the holds that stand on these samples."""
    asyncio.run(_list(samples))


async def _list(samples: tuple[str, ...]) -> None:
    from genoflow.deploy.hold_desk import holds_of
    from genoflow.deploy.subject import LogSubjects
    from genoflow.events import topics
    from genoflow.events.printable import printable

    async with open_log(read_settings()) as log:
        stories = await LogSubjects(log).events_of(topics.SAMPLE, samples)
    for sample, story in stories.items():
        standing = holds_of(story)
        for name, one in standing.items():
            since = f"{one.envelope.occurred_at:%Y-%m-%d}"
            who = one.envelope.actor.id
            click.echo(printable(f"{sample}  {name}  since {since} by {who}: {one.reason}"))
        if not standing:
            click.echo(f"{sample}  no hold")
