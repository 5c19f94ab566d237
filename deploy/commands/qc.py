"""`genoflow qc override | top-up`: what a person decides about reads that failed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from genoflow.deploy.commands.options import AS, DRY_RUN, REQUEST_ID
from genoflow.deploy.settings import read_settings
from genoflow.deploy.wiring import open_log

if TYPE_CHECKING:
    from genoflow.events.event import Event

ROUND = click.option("--round", "number", type=int, help="this one; the last one otherwise")
TOLD = ("round", "failed_metrics", "reads_wanted", "reason")
Decided = Callable[["list[Event]"], "Event"]


@click.group()
def qc() -> None:
    """Decide about reads that failed: let them go on, or ask for more."""


@qc.command()
@click.argument("sample", metavar="SAMPLE")
@click.option("--reason", required=True, help="why it is safe")
@click.option("--role", default="operator", show_default=True, help="in which role you decide")
@REQUEST_ID
@ROUND
@AS
@DRY_RUN
def override(
    sample: str,
    reason: str,
    role: str,
    request_id: str | None,
    number: int | None,
    person: str | None,
    dry_run: bool,
) -> None:
    """Let SAMPLE go on although its reads, or its run, failed.

    It concerns the last round, unless one is named: two orders that ask for different things have
    a round each. Mates that differ and samples without reads cannot be
    overridden: no run can take them.
    """
    from genoflow.deploy.qc_desk import overridden

    def decided(story: list[Event]) -> Event:
        return overridden(
            sample, story, reason=reason, role=role, person=person, request_id=request_id,
            number=number, at=datetime.now(UTC),
        )  # fmt: skip

    asyncio.run(_decide(sample, decided, dry_run))


@qc.command(name="top-up")
@click.argument("sample", metavar="SAMPLE")
@click.option("--reason", required=True, help="why more reads can mend it")
@click.option("--reads", type=click.IntRange(min=1), help="how many; else the estimate of QC")
@click.option("--library", "library_id", help="to sequence again; else a new preparation")
@ROUND
@AS
@DRY_RUN
def top_up(
    sample: str,
    reason: str,
    reads: int | None,
    library_id: str | None,
    number: int | None,
    person: str | None,
    dry_run: bool,
) -> None:
    """Ask the laboratory for more reads of SAMPLE; the next round is judged on all of them."""
    from genoflow.deploy.qc_desk import topped_up

    def decided(story: list[Event]) -> Event:
        return topped_up(
            sample, story, reason=reason, reads=reads, library_id=library_id, person=person,
            number=number, at=datetime.now(UTC),
        )  # fmt: skip

    asyncio.run(_decide(sample, decided, dry_run))


async def _decide(sample: str, decided: Decided, dry_run: bool) -> None:
    from genoflow.deploy.event_lines import printable
    from genoflow.deploy.people import append_said
    from genoflow.deploy.qc_desk import qc_of

    settings = read_settings()
    async with open_log(settings) as log:
        fact = decided(await qc_of(log, sample))
        place = await append_said(log, fact, settings.person_patterns, dry_run=dry_run)
    click.echo(printable(f"{fact.type()} {sample}: {_told(fact)} ({place})"))


def _told(fact: Event) -> str:
    said = {name: value for name, value in fact.payload().items() if name in TOLD}
    texts = {
        name: ", ".join(value) if isinstance(value, list) else value for name, value in said.items()
    }
    return "; ".join(f"{name.replace('_', ' ')} {text}" for name, text in texts.items())
