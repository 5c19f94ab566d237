"""`genoflow demo`: a cast of six samples on a real stack, from their run to their results."""

from __future__ import annotations

import asyncio
import time
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.console import Console

from genoflow.deploy.commands.stack import print_progress
from genoflow.deploy.commands.timeline import print_timeline
from genoflow.deploy.local import stack
from genoflow.deploy.local.state import SERVICES, read_status
from genoflow.deploy.settings import Settings, read_settings
from genoflow.deploy.wiring import ensure_raw_bucket, every_topic, open_log, topic_admin
from genoflow.events.errors import Refused, StackFault

if TYPE_CHECKING:
    from genoflow.deploy.demo.lab import Play
    from genoflow.deploy.demo.served import Served
    from genoflow.events.log.kafka import KafkaLog


@click.command()
def demo() -> None:
    """Start the stack, play six samples from their run to their results, leave the stack up."""
    if find_spec("faust") is None or find_spec("ddsketch") is None:
        raise Refused(
            "genoflow demo: the watchtower's libraries are not installed; "
            "`pip install 'genoflow[local,tower]'`"
        )
    settings = read_settings()
    console = Console(highlight=False, soft_wrap=True)
    ran_before = read_status(settings).supervisor.alive()
    began = time.monotonic()
    try:
        console.rule("[bold]1. a real Kafka, Postgres and S3 server", align="left")
        console.print(f"data and logs: {settings.home}\nservers, once:  {settings.cache}")
        progress = print_progress()
        asyncio.run(_jars(settings))
        stack.up(settings, wait_for=("kafka", "s3"), progress=progress)
        ensure_raw_bucket(settings)
        play, served = asyncio.run(_play(settings, console, began, progress))
        _say_what_next(console, settings, play, served)
    except BaseException:
        if not ran_before:
            stack.down(settings)
        raise


async def _jars(settings: Settings) -> None:
    """What a worker would fetch the first time, while nobody waits for it by the clock."""
    from genoflow.deploy.local.artifacts import NEXTFLOW_JARS, PICARD_JARS, ensure_jars

    for name in (PICARD_JARS, NEXTFLOW_JARS):
        await ensure_jars(settings.cache, name, lambda text: click.echo(text, err=True))


async def _play(
    settings: Settings, console: Console, began: float, progress: stack.Progress
) -> tuple[Play, Served]:
    from genoflow.deploy.demo.board import Board
    from genoflow.deploy.demo.lab import next_numbers, prepare
    from genoflow.deploy.demo.play import Director
    from genoflow.deploy.demo.served import begin_to_serve

    async with open_log(settings) as log:
        async with topic_admin(settings, log) as admin:
            declared = every_topic()
            created = await admin.apply(declared)
        console.print(f"{len(declared)} topics, {len(created)} of them new")
        # Nothing waits for it: it watches from when it is there, and reads what was before.
        names = (*SERVICES, "tower")
        await asyncio.to_thread(stack.up, settings, names, wait_for=("kafka",), progress=progress)
        console.rule("[bold]2. a cast of six samples in two lanes", align="left")
        numbers = await next_numbers(log)
        play = await asyncio.to_thread(prepare, settings.home / "demo", *numbers)
        for one in play.cast.members:
            console.print(f"{one.sample_id:<13}{one.case_id}, {one.role:<8}[dim]{one.about}[/]")
        board = Board(play, began)
        counted = await Director(settings, log, console, board).perform()
        first, last = board.first_validated or 0.0, board.seconds
        console.print(f"first Validated after {first:.0f} s, all is over after {last:.0f} s")
        console.rule("[bold]3. what the log holds, read again from its beginning", align="left")
        for sentence in counted.sentences():
            console.print(sentence, markup=False)
        if not counted.is_whole:
            raise StackFault("the count above is not what was owed; `genoflow parked list` may say")
        await _watched(settings, log, console, play)
        served = await begin_to_serve(settings, log, play.prefix, progress)
        await _ask(settings, log, console, play)
    return play, served


async def _watched(settings: Settings, log: KafkaLog, console: Console, play: Play) -> None:
    from genoflow.deploy.demo.watched import watched
    from genoflow.deploy.top.plain import print_shown
    from genoflow.deploy.top.reading import looking

    console.rule("[bold]4. what the watchtower saw: genoflow top --once", align="left")
    found = await watched(settings, log, play)
    for sentence in found.sentences():
        console.print(sentence, markup=False)
    if found.wrong:
        raise StackFault("the watchtower did not say what was owed; its log is tower.log")
    async with looking(settings)() as look:
        print_shown(await look(), console)


async def _ask(settings: Settings, log: KafkaLog, console: Console, play: Play) -> None:
    from genoflow.deploy.subject import LogSubjects
    from genoflow.events.printable import printable
    from genoflow.projections.asking.asked import about_sample
    from genoflow.projections.asking.source import Scanning

    name = play.sample("C")
    console.rule(f"[bold]5. genoflow sample why {name}", align="left")
    for sentence in (await about_sample(Scanning(LogSubjects(log)), name)).sentences:
        console.print(printable(sentence), markup=False)
    name = play.sample("A")
    console.rule(f"[bold]6. genoflow timeline {name}", align="left")
    await print_timeline(settings, log, console, name)


def next_lines(prefix: str) -> tuple[tuple[str, str], ...]:
    """Commands to try on the stack that the demo leaves; a test runs each of them."""
    return (
        ("genoflow sample list", "every sample, and where it is"),
        (f"genoflow sample why {prefix}-F", "why it is there, and what to do"),
        (f"genoflow case why {prefix}-CASE-4", "the same for a case"),
        (f"genoflow sample timeline {prefix}-C", "what happened to it, and what it follows from"),
        ("genoflow events tail --last 5 --no-follow", "the end of the log"),
        (f"genoflow events tail --subject {prefix}-B --type FileRejected --no-follow --json",
         "the same for programs"),
        ("genoflow workers", "who works on what, how far it is; `genoflow work` starts a worker"),
        ("genoflow parked list", "what waits for a person to look at it"),
        ("genoflow projection list", "how far the read models are, which the API reads"),
        ("genoflow top --once", "stages, what is stuck and why, alerts; live without --once"),
        ("genoflow alerts list", "what needs a person, and what did"),
        ("genoflow flow", "what follows from what"),
        ("genoflow topics check", "every topic as declared"),
        ("genoflow backup", "the whole log, sealed into the object store"),
    )  # fmt: skip


def _say_what_next(console: Console, settings: Settings, play: Play, served: Served) -> None:
    console.rule("[bold]7. the read models are fed, and the API is served", align="left")
    console.print(f"  {served.address}/v1, described at {served.address}/v1/openapi.json")
    for path in (f"/v1/samples/{play.sample('C')}", "/v1/samples?limit=10"):
        console.print(f"  {served.curl(path)}", markup=False)
    console.print("[dim]      the key reads everything, changes nothing, and ends in a day[/]")
    for sentence in served.admin.sentences() if served.admin else ():
        console.print(f"  {sentence}", markup=False)
    console.rule("[bold]8. the stack is still up; try", align="left")
    binary = Path(".venv/bin")
    for line, about in next_lines(play.prefix):
        console.print(f"  {binary / line}\n[dim]      {about}[/]")
    console.print(f"\nstop it with:  {binary / 'genoflow down'}")
    console.print(f"[dim]its data stays in {settings.home}, and the next demo adds to it[/]")
