"""`genoflow run watch | logs | explain`: one run, as it moves, as it wrote, and as it went."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from contextlib import aclosing
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from genoflow.deploy.commands.ask import answered, run
from genoflow.deploy.settings import Settings, read_settings
from genoflow.deploy.wiring import open_log

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from genoflow.deploy.run_logs import Found
    from genoflow.deploy.run_watch import Seen
    from genoflow.events.event import Event

    Show = Callable[[Seen, bool], None]  # (a run at one moment, whether that is news)

EXIT_INTERRUPTED = 130  # as shells say it: 128 and SIGINT


@run.command()
@click.argument("name", metavar="RUN")
def watch(name: str) -> None:
    """Show RUN as it moves, until it is over; Ctrl-C ends the looking, not the run.

    Ends with 0 where it succeeded, else with the exit code of what failed in it, or 1.
    """
    try:
        seen = asyncio.run(_watch(read_settings(), name.lower()))
    except KeyboardInterrupt:
        click.echo(f"run {name} goes on; `genoflow run cancel {name}` would end it", err=True)
        raise click.exceptions.Exit(EXIT_INTERRUPTED) from None
    raise click.exceptions.Exit(seen.code)


async def _watch(settings: Settings, key: str) -> Seen:
    from genoflow.deploy.run_watch import followed, last_line
    from genoflow.events.printable import printable

    async with open_log(settings) as log:
        with _showing(await _usual(settings, key)) as show:
            async with aclosing(followed(log, key, _waits)) as looks:
                async for seen, is_news in looks:
                    show(seen, is_news)
    click.echo(printable(last_line(seen)))
    return seen


def _waits(case_id: str) -> None:
    click.echo(
        f"genoflow: there is no run yet; `genoflow case why {case_id}` says what it waits for",
        err=True,
    )


async def _usual(settings: Settings, key: str) -> int | None:
    """How many tasks runs like it have had, where read models know it."""
    from genoflow.deploy.answers import open_rows
    from genoflow.projections.runs import run_of

    async with (
        open_log(settings) as log,
        open_rows(settings, log, lambda _: None) as connection,
    ):
        row = await run_of(connection, key) if connection is not None else None
    return row["tasks_expected_or_usual"] if row is not None else None


@contextlib.contextmanager
def _showing(usual: int | None) -> Iterator[Show]:
    from genoflow.deploy.run_watch import Lines, screen
    from genoflow.events.printable import printable

    if not sys.stdout.isatty():
        lines = Lines()

        def tell(seen: Seen, is_news: bool) -> None:
            for line in lines.of(seen) if is_news else ():
                click.echo(f"{datetime.now(UTC):%H:%M:%S}  {printable(line)}")

        yield tell
        return
    from rich.console import Console
    from rich.live import Live
    from rich.text import Text

    console = Console()
    with Live(console=console, auto_refresh=False) as live:

        def paint(seen: Seen, _: bool) -> None:
            found = screen(seen, datetime.now(UTC), console.width, console.height, usual)
            live.update(Text("\n".join(map(printable, found))), refresh=True)

        yield paint


@run.command()
@click.argument("name", metavar="RUN")
@click.option("--task", "task", metavar="NAME", help="of this task: its name, step or hash")
@click.option("--follow", is_flag=True, help="wait for what it writes, until the run is over")
def logs(name: str, task: str | None, follow: bool) -> None:
    """Print what the engine of RUN wrote, or one of its tasks; where it stands goes to stderr."""
    try:
        asyncio.run(_logs(read_settings(), name.lower(), task, follow))
    except KeyboardInterrupt:
        click.echo(f"run {name} goes on", err=True)
        raise click.exceptions.Exit(EXIT_INTERRUPTED) from None


async def _logs(settings: Settings, key: str, task: str | None, follow: bool) -> None:
    from genoflow.deploy.run_watch import followed
    from genoflow.deploy.subject import LogSubjects
    from genoflow.events import topics

    async with open_log(settings) as log:
        story = (await LogSubjects(log).events_of(topics.RUN, [key]))[key]
        found = await asyncio.to_thread(_found, settings, key, story, task)
        click.echo(f"genoflow: {found.place}", err=True)
        done = _print(found, 0)
        if not follow or found.path is None:
            return
        async with aclosing(followed(log, key)) as looks:
            async for _ in looks:
                done = _print(found, done)
        _print(found, done)


def _found(settings: Settings, key: str, story: Sequence[Event], task: str | None) -> Found:
    from genoflow.deploy.run_logs import Elsewhere, in_store, of_run, of_task
    from genoflow.deploy.wiring import open_s3

    if task is None:
        return of_run(settings.home, key, story)

    def find(bucket: str, prefix: str) -> tuple[str, bytes] | None:
        with contextlib.closing(open_s3(settings)) as client:
            return in_store(client, bucket, prefix)

    return of_task(settings.home, key, story, task, Elsewhere(settings.batch_work_uri, find))


def _print(found: Found, done: int) -> int:
    """Print what stands behind this many bytes; up to where."""
    size = found.size_bytes
    for piece in found.pieces(done) if size > done or found.path is None else ():
        sys.stdout.write(piece)
    sys.stdout.flush()
    return size


@run.command()
@click.argument("name", metavar="RUN")
def explain(name: str) -> None:
    """Tell what happened to RUN: why there is one, how it went, what failed, what can be done."""
    from genoflow.deploy.run_explain import explained
    from genoflow.events.printable import printable

    for sentence in asyncio.run(answered(lambda answers: explained(answers.source, name))):
        for line in sentence.splitlines():
            click.echo(printable(line))
