"""`genoflow watch DIR…`: what instruments write comes onto the log and into the object store."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

from genoflow.deploy.settings import Settings, read_settings
from genoflow.deploy.wiring import open_log, open_watcher
from genoflow.events import topics
from genoflow.events.errors import Refused, Retry
from genoflow.processors.intake.watch import DEFAULTS, Limits
from genoflow.processors.intake.watcher import Pass, Watcher, news

if TYPE_CHECKING:
    from genoflow.deploy.observed.listeners import Listening

EVERY_SECONDS = 60.0  # an instrument ends a cycle every few minutes
EVERY_SECONDS_MIN = 0.05
HOURS = click.FloatRange(0, 1_000)


@click.command()
@click.argument(
    "directories", nargs=-1, required=True, metavar="DIR...",
    type=click.Path(file_okay=False, path_type=Path),
)  # fmt: skip
@click.option("--once", is_flag=True, help="look until the folders are known, then end")
@click.option(
    "--every", type=click.FloatRange(EVERY_SECONDS_MIN, 86_400), default=EVERY_SECONDS,
    show_default=True, metavar="SECONDS", help="how long to wait between two looks",
)  # fmt: skip
@click.option(
    "--missing-after",
    type=HOURS,
    default=DEFAULTS.missing.total_seconds() / 3_600,
    show_default=True,
    metavar="HOURS",
    help="a run with its marker and without files has failed",
)
@click.option(
    "--silent-after", type=HOURS, default=DEFAULTS.silent.total_seconds() / 3_600,
    show_default=True, metavar="HOURS", help="a run without a marker and without news has failed",
)  # fmt: skip
def watch(
    directories: tuple[Path, ...],
    once: bool,
    every: float,
    missing_after: float,
    silent_after: float,
) -> None:
    """Watch directories in which Illumina instruments write a folder for each run.

    It polls, for a share of NFS or SMB tells nobody of a new file. Any number of watchers may look
    at the same directories, and one that starts again goes on where the log is.
    """
    limits = Limits(missing=timedelta(hours=missing_after), silent=timedelta(hours=silent_after))
    asyncio.run(_watch(read_settings(), directories, limits, every, once=once))


async def _watch(
    settings: Settings, roots: tuple[Path, ...], limits: Limits, every: float, *, once: bool
) -> None:
    from genoflow.deploy.observed.listeners import Listening, ObservedListeners
    from genoflow.deploy.observed.watched import watched

    stop = asyncio.Event()
    async with open_log(settings) as log:
        watcher = open_watcher(settings, log, roots, limits)

        def leave() -> None:
            stop.set()
            watcher.stop()

        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, leave)
        if once:
            await _look_once(watcher, limits, every, stop)
            return
        looking = Listening("watch")
        observed = ObservedListeners([looking], log.ends, topics.SEQUENCING_RUN)
        async with watched(settings, observed, "watch") as place:
            if place is not None:
                click.echo(f"genoflow: tells its figures at http://{place}/metrics", err=True)
            await _look_on(watcher, looking, every, stop)


async def _look_on(watcher: Watcher, looking: Listening, every: float, stop: asyncio.Event) -> None:
    problems: dict[str, str] = {}
    while not stop.is_set():
        try:
            seen = await watcher.look()
        except Retry as error:
            looking.failed(error)
            click.echo(f"genoflow: {error}; the next look is in {every:g} s", err=True)
        else:
            new = len(seen.problems.keys() - problems.keys())
            looking.looked(facts=len(seen.appended), refused=new, problems=len(seen.problems))
            _print(seen, problems)
            problems = seen.problems
        await _wait(stop, every)


async def _look_once(watcher: Watcher, limits: Limits, every: float, stop: asyncio.Event) -> None:
    """As many looks as it takes to know that a folder holds still, and no more."""
    problems: dict[str, str] = {}
    looks = max(limits.looks, limits.sheet_looks)
    for number in range(looks):
        seen = await watcher.look()
        _print(seen, problems)
        problems = seen.problems
        if stop.is_set():
            return
        if number + 1 < looks:
            await _wait(stop, every)
    if problems:
        raise Refused(f"{len(problems)} folders could not be taken; the lines above say why")


async def _wait(stop: asyncio.Event, seconds: float) -> None:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await stop.wait()


def _print(seen: Pass, before: dict[str, str]) -> None:
    for event in seen.appended:
        click.echo(f"{event.envelope.occurred_at:%Y-%m-%d %H:%M:%S}  {event.type():<24}{event.key}")
    for text in news(before, seen.problems).values():
        click.echo(f"genoflow: {text}", err=True)
