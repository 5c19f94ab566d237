"""`genoflow run cancel | retry | again | priority | cost`: what a person decides, and bills."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

from genoflow.deploy.commands.ask import run
from genoflow.deploy.commands.options import AS, DRY_RUN, REASON, REQUEST_ID
from genoflow.deploy.commands.run_budget import budget, show
from genoflow.deploy.commands.run_cost import cost
from genoflow.deploy.commands.run_look import explain, logs, watch
from genoflow.deploy.commands.run_submit import submit
from genoflow.deploy.settings import read_settings
from genoflow.deploy.wiring import open_log

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from genoflow.events.event import Event

__all__ = ["budget", "explain", "logs", "run", "show", "submit", "watch"]
run.add_command(cost)


@run.command()
@click.argument("name", metavar="RUN")
@REASON
@REQUEST_ID
@AS
@DRY_RUN
def cancel(
    name: str, reason: str, request_id: str | None, person: str | None, dry_run: bool
) -> None:
    """End RUN: its job is stopped, and what it leaves does not count."""
    from genoflow.deploy.run_desk import cancelled

    _decide(cancelled, name, dry_run, reason=reason, request_id=request_id, person=person)


@run.command()
@click.argument("name", metavar="RUN")
@REASON
@REQUEST_ID
@AS
@DRY_RUN
def retry(
    name: str, reason: str, request_id: str | None, person: str | None, dry_run: bool
) -> None:
    """Let RUN go on that failed, from the step that failed, when what stopped it is mended.

    It stays as it was asked for; `again` asks for another one, with the newest editions.
    """
    from genoflow.deploy.run_desk import retried

    _decide(retried, name, dry_run, reason=reason, request_id=request_id, person=person)


@run.command()
@click.argument("name", metavar="RUN")
@REASON
@REQUEST_ID
@AS
@DRY_RUN
def again(
    name: str, reason: str, request_id: str | None, person: str | None, dry_run: bool
) -> None:
    """Ask for RUN once more, when what stopped it is mended.

    The new run takes its place, with the newest editions of pipeline, reference and profile.
    """
    from genoflow.deploy.run_desk import again as asked_again

    _decide(asked_again, name, dry_run, reason=reason, request_id=request_id, person=person)


run.add_command(again, "rerun")


@run.command()
@click.argument("name", metavar="RUN")
@click.argument("wanted", metavar="high|normal|low", type=click.Choice(["high", "normal", "low"]))
@REASON
@REQUEST_ID
@AS
@DRY_RUN
def priority(
    name: str,
    wanted: str,
    reason: str,
    request_id: str | None,
    person: str | None,
    dry_run: bool,
) -> None:
    """Let the case of RUN go before others, or behind them; its job moves as long as it waits.

    `genoflow run why RUN` tells what came of it. A job that works already goes on where it is.
    """
    from genoflow.deploy.run_desk import ranked

    said = {"reason": reason, "request_id": request_id, "person": person}
    _decide(ranked, name, dry_run, priority=wanted, **said)


def _decide(
    decided: Callable[..., Awaitable[Event]], name: str, dry_run: bool, **said: Any
) -> None:
    from genoflow.deploy.people import append_said
    from genoflow.deploy.subject import LogSubjects
    from genoflow.events.printable import printable

    settings = read_settings()

    async def decide() -> str:
        async with open_log(settings) as log:
            fact = await decided(LogSubjects(log), name, at=datetime.now(UTC), **said)
            place = await append_said(log, fact, settings.person_patterns, dry_run=dry_run)
        return f"{fact.type()} {name}: {said['reason']} ({place})"

    click.echo(printable(asyncio.run(decide())))
