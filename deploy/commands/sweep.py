"""`genoflow sweep`: what a rule of retention lets go is proposed, and the worker does it."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from typing import TYPE_CHECKING

import click

from genoflow.deploy.settings import Settings, read_settings
from genoflow.deploy.wiring import open_log, open_sweeper
from genoflow.events import topics
from genoflow.events.errors import Refused, Retry

if TYPE_CHECKING:
    from genoflow.deploy.catalog import LogCatalog
    from genoflow.deploy.observed.listeners import Listening
    from genoflow.events.log.kafka import KafkaLog
    from genoflow.processors.intake.sweeper import Look, Sweeper

PAUSE_SECONDS = 60.0  # after a store or a broker that did not answer
HOUR_SECONDS = 3_600.0
EXIT_DUE = 3  # a dry run found something due, as other commands say that something is to do
HELD_SHOWN_MAX = 20  # about one screen


@click.command()
@click.option("--once", is_flag=True, help="look once, then end")
@click.option("--dry-run", is_flag=True, help="print what would go and which rule says so")
@click.option(
    "--every", "hours", type=click.FloatRange(0.01, 8_760), metavar="HOURS",
    help="between two looks; a setting says",
)  # fmt: skip
def sweep(once: bool, dry_run: bool, hours: float | None) -> int:
    """Propose what the published rules of retention let go, until SIGTERM.

    Nothing goes without a published document, and nothing under a legal hold. A worker decides
    about each proposal and deletes; DeletionRefused says why a file is kept. A dry run looks once
    and ends with exit code 3 where something is due.
    """
    settings = read_settings()
    if once or dry_run:
        found = asyncio.run(_once(settings, dry_run))
        return EXIT_DUE if dry_run and found.files else 0
    asyncio.run(_on(settings, hours or settings.sweep_hours))
    return 0


async def _once(settings: Settings, dry_run: bool) -> Look:
    from genoflow.deploy.catalog import LogCatalog

    async with open_log(settings) as log:
        return await _look(open_sweeper(settings, log), LogCatalog(log), dry_run)


async def _look(sweeper: Sweeper, catalog: LogCatalog, dry_run: bool) -> Look:
    from genoflow.events.retention_published import RetentionPublished

    documents = await catalog.in_force(RetentionPublished)
    if not documents:
        raise Refused(
            "no rules of retention are published, so every file is kept; `genoflow catalog "
            "retention` prints those that come with the package, for `genoflow catalog publish -`"
        )
    look = await sweeper.look(documents)
    if not dry_run:
        await sweeper.propose(look.proposals)
    _tell(look, dry_run)
    return look


async def _on(settings: Settings, hours: float) -> None:
    from genoflow.deploy.observed.listeners import Listening, ObservedListeners
    from genoflow.deploy.observed.watched import watched

    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with open_log(settings) as log:
        looking = Listening("sweep")
        observed = ObservedListeners([looking], log.ends, topics.SAMPLE)
        async with watched(settings, observed, "sweep") as place:
            if place is not None:
                click.echo(f"genoflow: tells its figures at http://{place}/metrics", err=True)
            await _look_on(open_sweeper(settings, log), log, looking, hours, stop)


async def _look_on(
    sweeper: Sweeper, log: KafkaLog, looking: Listening, hours: float, stop: asyncio.Event
) -> None:
    from genoflow.deploy.catalog import LogCatalog

    catalog = LogCatalog(log)
    while not stop.is_set():
        pause = hours * HOUR_SECONDS
        try:
            look = await _look(sweeper, catalog, dry_run=False)
        except Retry as error:
            looking.failed(error)
            pause = min(PAUSE_SECONDS, pause)
            click.echo(f"genoflow: {error}; the next look is in {pause:g} s", err=True)
        except Refused as error:
            looking.looked(refused=1, problems=1)  # no rules are published: nothing goes
            click.echo(f"genoflow: {error}", err=True)
        else:
            looking.looked(facts=len(look.proposals), problems=look.unsaid)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(pause):
                await stop.wait()


def _tell(look: Look, dry_run: bool) -> None:
    from genoflow.events.printable import printable
    from genoflow.events.stored_version import name_of

    for one in look.proposals:
        rule = f"{one.rule} of {one.document_id} {one.document_version}"
        for file in one.files:
            line = f"{one.subject_key}  {one.file_class}  {name_of(file)}  {rule}"
            click.echo(printable(line))
    for (_, key), names in list(look.held.items())[:HELD_SHOWN_MAX]:
        click.echo(printable(f"{key}  kept by the legal hold {', '.join(names)}"))
    verb = "would be proposed" if dry_run else "were proposed"
    click.echo(
        f"{look.files:,} files {verb} for deletion; {look.waiting:,} were before and wait for an "
        f"answer, {look.in_use:,} are taken by runs that go on, {len(look.held):,} samples and "
        f"runs are under a legal hold"
    )
    if look.unsaid:
        click.echo(
            f"{look.unsaid:,} delivered copies are kept: their names or metadata may be of persons "
            f"and cannot stand on the log; take them away by hand"
        )
