"""`genoflow demultiplex again`: what a person decides about a demultiplexing that failed."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import click

from genoflow.deploy.commands.options import AS, DRY_RUN
from genoflow.deploy.settings import read_settings
from genoflow.deploy.wiring import open_log


@click.group()
def demultiplex() -> None:
    """Decide about a demultiplexing that failed."""


@demultiplex.command()
@click.argument("run", metavar="RUN")
@click.option("--reason", required=True, help="what was mended")
@AS
@DRY_RUN
def again(run: str, reason: str, person: str | None, dry_run: bool) -> None:
    """Try RUN once more by the same sheet, after what made it fail was mended.

    An amended sheet, and a new copy of the run, need no such word: they are tried by themselves.
    """
    asyncio.run(_again(run, reason, person, dry_run))


async def _again(run: str, reason: str, person: str | None, dry_run: bool) -> None:
    from genoflow.deploy.demultiplex_desk import reopened
    from genoflow.deploy.people import append_said
    from genoflow.deploy.subject import LogSubjects
    from genoflow.events import topics
    from genoflow.events.printable import printable

    settings = read_settings()
    async with open_log(settings) as log:
        story = (await LogSubjects(log).events_of(topics.SEQUENCING_RUN, [run]))[run]
        fact = reopened(run, story, reason=reason, person=person, at=datetime.now(UTC))
        place = await append_said(log, fact, settings.person_patterns, dry_run=dry_run)
    click.echo(printable(f"{run}: attempt {fact.attempt + 1} is asked for ({place})"))
