"""`genoflow demo`: a real stack, and a sequencing run that lands on it as events."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime
from pathlib import Path

import click
from rich.console import Console

from genoflow.deploy.commands.stack import print_progress
from genoflow.deploy.commands.timeline import print_timeline
from genoflow.deploy.demo.generated_run import GeneratedRun, generate
from genoflow.deploy.local import stack
from genoflow.deploy.local.state import read_status
from genoflow.deploy.settings import Settings, read_settings
from genoflow.deploy.wiring import (
    ensure_raw_bucket,
    every_topic,
    open_log,
    open_s3,
    topic_admin,
)
from genoflow.events import topics
from genoflow.events.log.kafka import KafkaLog
from genoflow.processors.adapters.s3 import S3Store
from genoflow.processors.intake.privacy import PrivacyGuard


@click.command()
def demo() -> None:
    """Start the stack, let a generated sequencing run land on it, and leave the stack up."""
    settings = read_settings()
    console = Console(highlight=False, soft_wrap=True)
    ran_before = read_status(settings).supervisor.alive()
    began = time.monotonic()
    try:
        console.rule("[bold]1. a real Kafka, Postgres and S3 server", align="left")
        console.print(f"data and logs: {settings.home}\nservers, once:  {settings.cache}")
        progress = print_progress()
        stack.up(settings, wait_for=("kafka",), progress=progress)
        run = asyncio.run(_play(settings, console, began, progress))
        _say_what_next(console, settings, run)
    except BaseException:
        if not ran_before:
            stack.down(settings)
        raise


async def _play(
    settings: Settings, console: Console, began: float, progress: stack.Progress
) -> GeneratedRun:
    from genoflow.deploy.demo.play import Player
    from genoflow.deploy.demo.worker import working

    async with open_log(settings) as log:
        async with topic_admin(settings, log) as admin:
            declared = every_topic()
            created = await admin.apply(declared)
        console.print(f"{len(declared)} topics, {len(created)} of them new")
        console.rule("[bold]2. a sequencing run, as events read back from the log", align="left")
        run = generate(await _next_number(log), datetime.now(UTC).date())
        player = Player(log, console, run, PrivacyGuard(settings.person_patterns))
        async with player.watching(), working(
            settings.home / "logs" / "worker.log",
            lambda: stack.up(settings, wait_for=("s3",)),
        ):  # fmt: skip
            await player.play_run()
            console.print(f"[dim]first events {time.monotonic() - began:.1f} s after the start[/]")
            await asyncio.to_thread(
                stack.up, settings, wait_for=("s3", "postgres"), progress=progress
            )
            client = open_s3(settings)
            await asyncio.to_thread(ensure_raw_bucket, settings)
            await player.play_files(S3Store(client), settings.raw_bucket)
            count = len(player.appended)
            console.print(f"[dim]{count} events appended, {count} read back, 0 missing[/]")
            await player.see_checksums()
        checked = len(player.checked)
        console.print(f"[dim]{checked} files read whole by a worker, their checksums compared[/]")
        console.rule(f"[bold]3. the timeline of {run.samples[0].sample_id}", align="left")
        await print_timeline(settings, log, console, run.samples[0].sample_id)
    await asyncio.to_thread(stack.up, settings, progress=progress)
    return run


async def _next_number(log: KafkaLog) -> int:
    runs = 0
    async for record in log.read_topic(topics.SEQUENCING_RUN.name):
        runs += record.type == "SequencingRunStarted"
    return runs + 1


def next_lines(sample: str) -> tuple[tuple[str, str], ...]:
    """Commands to try on the stack that the demo leaves; a test runs each of them."""
    return (
        (f"genoflow timeline {sample}", "where is my sample, and since when"),
        ("genoflow events tail --last 5 --no-follow", "the end of the log"),
        (f"genoflow events tail --subject {sample} --type FileLanded --no-follow --json",
         "the same for programs"),
        ("genoflow workers", "who works on what, how far it is; `genoflow work` starts a worker"),
        ("genoflow parked list", "what waits for a person to look at it"),
        ("genoflow flow", "what follows from what"),
        ("genoflow topics check", "every topic as declared"),
        ("genoflow backup", "the whole log, sealed into the object store"),
    )  # fmt: skip


def _say_what_next(console: Console, settings: Settings, run: GeneratedRun) -> None:
    console.rule("[bold]4. the stack is still up; try", align="left")
    binary = Path(".venv/bin")
    for line, about in next_lines(run.samples[0].sample_id):
        console.print(f"  {binary / line}\n[dim]      {about}[/]")
    console.print(f"\nstop it with:  {binary / 'genoflow down'}")
    console.print(f"[dim]its data stays in {settings.home}, and the next demo adds to it[/]")
