"""`genoflow results show | provenance | release | withdraw`: what holds, from what, and why."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

from genoflow.deploy.commands.ask import AS_JSON, answered, print_facts
from genoflow.deploy.commands.options import DRY_RUN, REQUEST_ID
from genoflow.deploy.commands.provenance import provenance
from genoflow.deploy.settings import read_settings
from genoflow.deploy.wiring import open_log

if TYPE_CHECKING:
    from collections.abc import Callable

    from genoflow.events.event import Event

BY = click.option(
    "--by", "--as", "person", help="who decides; the account that runs this otherwise"
)
ROLE = click.option("--role", required=True, help="in which role you decide")
RUN = click.argument("run", metavar="RUN")


@click.group()
def results() -> None:
    """Show results as they hold now; release those that are held, withdraw those that are wrong."""


results.add_command(provenance)


@results.command()
@click.argument("name", metavar="RUN|CASE")
@AS_JSON
def show(name: str, as_json: bool) -> None:
    """Show the files that hold now with their checksums, reasons of a hold, and what changed.

    Of a case it is the run whose results count, or else its newest run.
    """
    from genoflow.projections.asking.results import about_results

    async def ask() -> dict[str, Any]:
        return await answered(lambda answers: about_results(answers.source, name))

    print_facts(asyncio.run(ask()), as_json)


@results.command()
@RUN
@click.option("--reason", required=True, help="why they are right all the same")
@ROLE
@REQUEST_ID
@BY
@DRY_RUN
def release(run: str, **words: Any) -> None:
    """Publish the results of RUN although its checks hold them back."""
    from genoflow.deploy.results_desk import released

    asyncio.run(_decide(released, run, **words))


@results.command()
@RUN
@click.option(
    "--reason-code", required=True, type=click.Choice(["withdrawn", "wrong"]),
    help="withdrawn: consent or order was taken back; wrong: they are not right",
)  # fmt: skip
@click.option("--reason", required=True, help="why nobody may use them")
@ROLE
@REQUEST_ID
@BY
@DRY_RUN
def withdraw(run: str, **words: Any) -> None:
    """Declare the published results of RUN void; the files stay where they are."""
    from genoflow.deploy.results_desk import taken_back

    asyncio.run(_decide(taken_back, run, **words))


async def _decide(decided: Callable[..., Event], run: str, *, dry_run: bool, **said: Any) -> None:
    from genoflow.deploy.people import append_said
    from genoflow.deploy.subject import LogSubjects
    from genoflow.events import topics
    from genoflow.events.printable import printable

    settings = read_settings()
    key = run.lower()
    async with open_log(settings) as log:
        story = (await LogSubjects(log).events_of(topics.RUN, [key]))[key]
        fact: Any = decided(run, story, **said, at=datetime.now(UTC))
        place = await append_said(log, fact, settings.person_patterns, dry_run=dry_run)
    count = len(fact.files if hasattr(fact, "files") else fact.changes)
    files = f"{count:,} file{'' if count == 1 else 's'}"
    click.echo(printable(f"{fact.type()} {key}: {files}; {fact.reason} ({place})"))
