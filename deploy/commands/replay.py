"""`genoflow replay decide | subscriber`: the log once more, for a decider or for a reader."""

from __future__ import annotations

import asyncio
import json
import sys
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path
from typing import IO, TYPE_CHECKING, NamedTuple

import click

from genoflow.deploy.commands.events import Time
from genoflow.deploy.commands.options import AS
from genoflow.deploy.settings import read_settings
from genoflow.deploy.wiring import open_log
from genoflow.events.errors import Refused

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from genoflow.deploy.replay.decide import Report, Teller
    from genoflow.deploy.settings import Settings
    from genoflow.events.codec import Codec
    from genoflow.events.qc_profile_published import QcProfilePublished
    from genoflow.processors.processor import Processor

EXIT_DIFFERENT = 3  # the replay is done, and something is decided otherwise
EXAMPLES_DEFAULT = 3
EXAMPLES_MAX = 100


@click.group()
def replay() -> None:
    """Take the log once more, and see what would be different; nothing of it is changed."""


@replay.command()
@click.argument("processor", metavar="PROCESSOR")
@click.option("--rev", "revision", help="decide with the code of this git revision")
@click.option(
    "--repository", type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="the git checkout that has it; the one that this runs from otherwise",
)  # fmt: skip
@click.option(
    "--from", "since", type=Time(), help="compare what was recorded since, or 10m, 2h, 3d"
)
@click.option(
    "--with-profile", "profile", type=click.File("r", encoding="utf-8"),
    help="a QC profile as JSON, in the place of the one of this name",
)  # fmt: skip
@click.option(
    "--examples", type=click.IntRange(0, EXAMPLES_MAX), default=EXAMPLES_DEFAULT,
    show_default=True, help="of each kind of difference",
)  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="for programs")
@click.option("--record", is_flag=True, help="write onto the log that it was done, and what came")
@AS
def decide(
    processor: str, revision: str | None, repository: Path | None, since: datetime | None,
    profile: IO[str] | None, examples: int, as_json: bool, record: bool, person: str | None,
) -> None:  # fmt: skip
    """Decide once more on what PROCESSOR has taken, and show what differs from the log.

    No effect is done and nothing is written, unless --record asks for it. State follows the log, so
    one difference leads to no other. Exit code 3 says that something is decided otherwise.
    """
    from genoflow.deploy.replay.profile import parse_profile
    from genoflow.deploy.replay.report import as_lines, as_plain
    from genoflow.events.printable import printable
    from genoflow.processors.flow import PROCESSORS
    from genoflow.processors.intake.privacy import PrivacyGuard

    settings = read_settings()
    row = PROCESSORS.get(processor)
    if row is None:
        raise Refused(f"{processor}: is no processor; `genoflow flow` lists them")
    named = None
    if profile is not None:
        guard = PrivacyGuard(settings.person_patterns)
        named = parse_profile(profile.name, profile.read(), guard)
    asked = _Asked(row, revision, repository, since, named, person if record else None, record)
    report = asyncio.run(_decide(settings, asked))
    if as_json:
        click.echo(json.dumps(as_plain(report, examples), indent=2))
    else:
        for line in as_lines(report, examples):
            click.echo(printable(line))
    if report.differences:
        raise click.exceptions.Exit(EXIT_DIFFERENT)


class _Asked(NamedTuple):
    row: Processor
    revision: str | None
    repository: Path | None
    since: datetime | None
    profile: QcProfilePublished | None
    person: str | None
    is_recorded: bool


async def _decide(settings: Settings, asked: _Asked) -> Report:
    from genoflow.deploy.replay.decide import Wish
    from genoflow.deploy.replay.decide import replay as run
    from genoflow.deploy.replay.profile import ProfileInPlace
    from genoflow.deploy.replay.progress import progress_on
    from genoflow.deploy.replay.records import Minutes

    async with open_log(settings) as log, _teller(asked, log.codec) as (teller, commit):
        minutes = None
        if asked.is_recorded:
            minutes = Minutes(log, settings.person_patterns, asked.person)
            await minutes.begin(asked.row.name, commit, asked.profile, asked.since)
        change = None if asked.profile is None else ProfileInPlace(asked.profile, log.codec)
        with progress_on(sys.stderr) as progress:
            wish = Wish(asked.since, change, progress)
            report = await run(log, asked.row, teller, log.codec, wish)
        if minutes is not None:
            await minutes.end(report)
        return report


@asynccontextmanager
async def _teller(asked: _Asked, codec: Codec) -> AsyncIterator[tuple[Teller, str | None]]:
    """The decider that is to be compared, and the commit that it is of; none is this code."""
    from genoflow.deploy.replay.decide import Here
    from genoflow.deploy.replay.revision import at_revision, repository

    if asked.revision is None:
        if asked.repository is not None:
            raise Refused("--repository: says where --rev is; name one, or leave it out")
        yield Here(asked.row, codec), None
        return
    checkout = asked.repository or repository()
    async with at_revision(checkout, asked.revision, asked.row.name) as teller:
        yield teller, teller.commit


@replay.command()
@click.argument("name", metavar="NAME")
@click.option("--from", "since", type=Time(), required=True, help="a time, or 10m, 2h, 3d")
@click.option("--apply", "is_applied", is_flag=True, help="do it; else it is only shown")
def subscriber(name: str, since: datetime, is_applied: bool) -> None:
    """Deliver to the reader NAME once more what was recorded since a time.

    NAME is what a program of yours subscribes under. It has to be stopped, and drops nothing: the
    ids are the same as the first time, so it can tell a repetition.
    """
    from genoflow.events.printable import printable

    for line in asyncio.run(_subscriber(name, since, is_applied)):
        click.echo(printable(line))


async def _subscriber(name: str, since: datetime, is_applied: bool) -> list[str]:
    from genoflow.deploy.backup.broker import Broker
    from genoflow.deploy.replay.subscriber import move, planned
    from genoflow.processors.flow import PROCESSORS

    async with open_log(read_settings()) as log, Broker(log) as broker:
        moves = await planned(broker, name, since, PROCESSORS)
        if moves and is_applied:
            await move(broker, name, moves)
    if not moves:
        return [f"{name}: has read nothing that was recorded since {since:%Y-%m-%d %H:%M:%SZ}"]
    said = "goes on" if is_applied else "would go on"
    lines = [
        f"{one.topic}[{one.partition}]: stood at {one.place:,}, {said} at {one.back_to:,}"
        for one in moves
    ]
    return [*lines, *([] if is_applied else ["nothing was moved; --apply does it"])]
