"""`genoflow replay reprocess`: work asked for again about the subjects that a condition names."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from genoflow.deploy.commands.options import AS, REASON
from genoflow.deploy.commands.replay import replay
from genoflow.deploy.settings import Settings, read_settings
from genoflow.deploy.wiring import open_log, open_postgres

if TYPE_CHECKING:
    from genoflow.deploy.replay.reprocess import Plan

__all__ = ["replay"]

LIMIT_DEFAULT = 100  # what somebody can look through before it is appended
LIMIT_MAX = 10_000  # as SUBJECTS_MAX of the selection
EXAMPLES_DEFAULT = 3
EXAMPLES_MAX = 100
GROUPS_MAX = 20  # a screen; --json has them all


class _Asked(NamedTuple):
    kind: str
    where: str
    at_position: str | None
    limit: int
    reason: str
    person: str | None
    is_appended: bool
    is_recorded: bool


@replay.command()
@click.argument("kind", metavar="run|demultiplex|top-up")
@click.option("--where", required=True, help='"state = failed and since >= 2026-01-01"')
@REASON
@click.option(
    "--limit", type=click.IntRange(1, LIMIT_MAX), default=LIMIT_DEFAULT, show_default=True,
    help="subjects at most, by their ids",
)  # fmt: skip
@click.option("--at-position", help="choose as the rows stood there; what a run before printed")
@click.option("--append", "is_appended", is_flag=True, help="do it; else it is only shown")
@click.option("--record", is_flag=True, help="write onto the log that it was done, and how much")
@click.option(
    "--examples", type=click.IntRange(0, EXAMPLES_MAX), default=EXAMPLES_DEFAULT,
    show_default=True, help="of each group",
)  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="for programs")
@AS
def reprocess(
    kind: str, where: str, reason: str, limit: int, at_position: str | None, is_appended: bool,
    record: bool, examples: int, as_json: bool, person: str | None,
) -> None:  # fmt: skip
    """Ask for work again about every subject of which --where is so.

    Subjects come from the read models, at a position that is printed. What may be asked about each
    is decided as `genoflow run again`, `demultiplex again` and `qc top-up` do. After an
    interruption, the same command with --at-position appends what is missing, and nothing twice.
    """
    from genoflow.events.printable import printable

    asked = _Asked(kind, where, at_position, limit, reason, person, is_appended, record)
    plan, appended = asyncio.run(_reprocess(read_settings(), asked))
    if as_json:
        click.echo(json.dumps(_as_plain(plan, appended), indent=2))
        return
    for line in _lines(plan, appended, examples):
        click.echo(printable(line))


async def _reprocess(settings: Settings, asked: _Asked) -> tuple[Plan, int | None]:
    from genoflow.deploy.projecting import standings
    from genoflow.deploy.replay.chosen import select
    from genoflow.deploy.replay.progress import progress_on
    from genoflow.deploy.replay.records import Minutes
    from genoflow.deploy.replay.reprocess import Said, append, kind_named, planned
    from genoflow.deploy.subject import LogSubjects

    kind = kind_named(asked.kind)
    async with open_log(settings) as log:
        async with open_postgres(settings) as connection:
            behind = max(one.lag for one in await standings(log, connection))
            if behind:
                click.echo(
                    f"genoflow: rows are up to {behind:,} records behind the log; "
                    f"`genoflow project --once` brings them to its end", err=True,
                )  # fmt: skip
            selection = await select(
                connection, kind.rows, asked.where, at_position=asked.at_position,
                limit=asked.limit,
            )  # fmt: skip
        said = Said(asked.reason, asked.person, datetime.now(UTC))
        with progress_on(sys.stderr, what="subjects") as progress:
            plan = await planned(LogSubjects(log), kind, selection, said, progress)
        if not asked.is_appended:
            return plan, None
        minutes = Minutes(log, settings.person_patterns, asked.person)
        if asked.is_recorded:
            await minutes.begin_to_ask(f"reprocess-{kind.word}")
        # A line before the first request: who interrupts it knows where to go on.
        click.echo(f"genoflow: --at-position {selection.position}", err=True)
        with progress_on(sys.stderr, what="requests") as progress:
            appended = await append(log, plan, settings.person_patterns, progress)
        if asked.is_recorded:
            number = len(plan.requests)
            await minutes.end_of_asking(number, appended, is_whole=selection.is_whole)
        return plan, appended


def _lines(plan: Plan, appended: int | None, examples: int) -> Iterator[str]:
    chosen, asked = len(plan.requests), len(plan.facts)
    more = "" if plan.selection.is_whole else "; there are more, which --limit left out"
    yield f"{chosen:,} chosen at position {plan.selection.position}{more}"
    groups = plan.groups()
    for words, some in groups[:GROUPS_MAX]:
        yield f"{len(some):>7,}  {words}"
        if examples:
            names = ", ".join(one.subject.key for one in some[:examples])
            yield f"         {names}{', …' if len(some) > examples else ''}"
    if len(groups) > GROUPS_MAX:
        yield f"         … and {len(groups) - GROUPS_MAX:,} groups more; --json has them all"
    if appended is None:
        yield f"{asked:,} would be asked about; nothing was appended, --append does it"
    else:
        yield f"{appended:,} were asked about"


def _as_plain(plan: Plan, appended: int | None) -> dict[str, Any]:
    return {
        "kind": plan.kind.word,
        "position": plan.selection.position,
        "is_whole": plan.selection.is_whole,
        "appended": appended,
        "requests": [
            {
                "subject": one.subject.key, "state": one.subject.state,
                "why": one.subject.reason, "refused": one.refusal,
                "type": one.fact.type() if one.fact else None,
                "event_id": str(one.fact.envelope.event_id) if one.fact else None,
            }
            for one in plan.requests
        ],
    }  # fmt: skip
