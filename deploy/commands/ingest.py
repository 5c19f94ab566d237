"""`genoflow ingest`: what comes into the object store, and goes, stands on the log."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import time
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from genoflow.deploy.commands.options import DRY_RUN
from genoflow.deploy.settings import Settings, read_settings
from genoflow.deploy.wiring import (
    ensure_raw_bucket,
    open_log,
    open_messages,
    open_store_porch,
    open_verdict_porch,
)
from genoflow.events import topics
from genoflow.events.errors import Refused, Retry

if TYPE_CHECKING:
    from genoflow.deploy.observed.listeners import Listening
    from genoflow.events.log.kafka import KafkaLog
    from genoflow.processors.intake.heard import Messages, Shelves
    from genoflow.processors.intake.notifications import StorePorch, Told
    from genoflow.processors.intake.reconcile import Crawl
    from genoflow.processors.intake.scan_verdicts import VerdictPorch

POLL_SECONDS = 2.0  # how soon it hears that it is to end
PAUSE_SECONDS = 1.0  # after a store or a broker that did not answer, doubled each time
PAUSE_SECONDS_MAX = 60.0
TELL_SECONDS = 5.0  # between two lines about a crawl that goes on
HOUR_SECONDS = 3_600.0
EXIT_MISSING = 3  # a dry run found what the log lacks, as `genoflow status` says what is not ready
WAYS = click.Choice(["kafka", "sqs", "eventbridge"])


@click.group()
def ingest() -> None:
    """Take in what the object store holds: by what it tells, and by looking."""


@ingest.command()
@click.option("--from", "source", type=WAYS, help="by which way the store tells; a setting says")
@click.option(
    "--reconcile-every", "hours", type=click.FloatRange(0, 8_760), metavar="HOURS",
    help="crawl at the start and so often, for what got lost; 0 is never; a setting says",
)  # fmt: skip
def notifications(source: str | None, hours: float | None) -> None:
    """Hear of files from the object store until SIGTERM: what came lands, what went is told.

    A message is done with once what it says stands on the log. Run it as often as is liked: what
    is heard twice is one fact. A message that is not understood is kept on the log, bytes and all.
    """
    settings = read_settings()
    way = source or settings.notifications_from
    every = settings.reconcile_hours if hours is None else hours
    asyncio.run(_notifications(settings, way, every))


async def _notifications(settings: Settings, source: str, hours: float) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await asyncio.to_thread(ensure_raw_bucket, settings)
    from genoflow.deploy.observed.listeners import Listening

    heard, crawled = Listening("notifications"), Listening("reconcile")
    async with (
        open_log(settings) as log,
        open_messages(settings, source) as messages,
        _watched(settings, log, [heard, crawled]),
    ):
        porch, shelves = open_store_porch(settings, log)
        listening = asyncio.create_task(_listen(porch, messages, stop, heard))
        crawling = asyncio.create_task(_crawl_on(porch, shelves, settings, hours, stop, crawled))
        stopping = asyncio.create_task(stop.wait())
        tasks = {listening, crawling, stopping}
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            stop.set()
            if crawling not in done:
                crawling.cancel()  # what it has told stands, and the next one goes on
            await asyncio.wait(tasks)
        finally:
            for task in tasks:
                task.cancel()
        for task in (listening, crawling):
            if not task.cancelled():
                task.result()


@contextlib.asynccontextmanager
async def _watched(
    settings: Settings, log: KafkaLog, listeners: Sequence[Listening]
) -> AsyncIterator[None]:
    from genoflow.deploy.observed.listeners import ObservedListeners
    from genoflow.deploy.observed.watched import watched

    observed = ObservedListeners(listeners, log.ends, topics.SAMPLE)
    async with watched(settings, observed, "ingest") as place:
        if place is not None:
            click.echo(f"genoflow: tells its figures at http://{place}/metrics", err=True)
        yield


async def _listen(
    porch: StorePorch | VerdictPorch, messages: Messages, stop: asyncio.Event, heard: Listening
) -> None:
    pause = PAUSE_SECONDS
    while not stop.is_set():
        try:
            found = await messages.poll(POLL_SECONDS)
            if found:
                told = await porch.take(found)
                await messages.done(found)
                _print(told)
                taken, parked = len(told.appended), len(told.parked)
                heard.looked(messages=told.messages, facts=taken, refused=parked)
            else:
                heard.looked()
        except Retry as error:
            heard.failed(error)
            click.echo(f"genoflow: {error}; the next try is in {pause:g} s", err=True)
            await _wait(stop, pause)
            pause = min(2 * pause, PAUSE_SECONDS_MAX)
            with contextlib.suppress(Retry):  # a broker that is away is asked anew by the poll
                await messages.again()
        else:
            pause = PAUSE_SECONDS


async def _crawl_on(
    porch: StorePorch,
    shelves: Shelves,
    settings: Settings,
    hours: float,
    stop: asyncio.Event,
    crawled: Listening,
) -> None:
    from genoflow.processors.intake.reconcile import reconcile

    while not stop.is_set():
        if not hours:
            await stop.wait()
            return
        try:
            crawl = await reconcile(porch, shelves, settings.raw_bucket)
        except Retry as error:
            crawled.failed(error)
            click.echo(f"genoflow: the crawl broke off: {error}", err=True)
            await _wait(stop, min(PAUSE_SECONDS_MAX, hours * HOUR_SECONDS))
            continue
        crawled.looked(
            facts=crawl.missing.total(), refused=crawl.fault_count, problems=crawl.fault_count
        )
        if crawl.missing or crawl.fault_count:
            _tell_of(crawl, dry_run=False)
        await _wait(stop, hours * HOUR_SECONDS)


async def _wait(stop: asyncio.Event, seconds: float) -> None:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await stop.wait()


def _print(told: Told) -> None:
    for event in told.appended:
        click.echo(f"{event.envelope.occurred_at:%Y-%m-%d %H:%M:%S}  {event.type():<12}{event.key}")
    for parked in told.parked:
        click.echo(f"genoflow: kept, not taken: {parked.reason}", err=True)


@ingest.command()
def verdicts() -> None:
    """Hear GuardDuty's verdicts from EventBridge until SIGTERM: cleared, or in quarantine.

    The queue is GENOFLOW_VERDICTS_QUEUE. A message is done with once its verdict stands on the log.
    """
    settings = read_settings()
    if not settings.verdicts_queue:
        raise Refused(
            "verdicts: no queue is named; set GENOFLOW_VERDICTS_QUEUE to the address of the SQS "
            "queue that EventBridge's rule for GuardDuty's results has as its target"
        )
    asyncio.run(_verdicts(settings))


async def _verdicts(settings: Settings) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    queue = settings.verdicts_queue
    from genoflow.deploy.observed.listeners import Listening

    heard = Listening("verdicts")
    async with (
        open_log(settings) as log,
        open_messages(settings, "eventbridge", queue) as messages,
        _watched(settings, log, [heard]),
    ):
        await _listen(open_verdict_porch(settings, log), messages, stop, heard)


@ingest.command()
@click.option("--bucket", help="where to look; the raw bucket otherwise")
@click.option("--prefix", default="", help="only keys that begin so")
@click.option(
    "--since", type=click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M:%SZ"]),
    help="only versions that came then or later, in UTC; what is gone is told in any case",
)  # fmt: skip
@DRY_RUN
def reconcile(bucket: str | None, prefix: str, since: datetime | None, dry_run: bool) -> int:
    """Crawl the object store for what notifications lost, and tell it.

    Exit code 0: the log has all that the store holds, now or before. 3: a dry run found something
    missing. 1: some object cannot be told; the lines on standard error say which and why.
    """
    settings = read_settings()
    moment = since.replace(tzinfo=UTC) if since else None
    name = bucket or settings.raw_bucket
    crawl = asyncio.run(_reconcile(settings, name, prefix, moment, dry_run))
    _tell_of(crawl, dry_run)
    if crawl.fault_count:
        return 1
    return EXIT_MISSING if dry_run and crawl.missing else 0


async def _reconcile(
    settings: Settings, bucket: str, prefix: str, since: datetime | None, dry_run: bool
) -> Crawl:
    from genoflow.processors.intake.reconcile import reconcile as crawl_for

    async with open_log(settings) as log:
        porch, shelves = open_store_porch(settings, log, bucket)
        return await crawl_for(
            porch, shelves, bucket, prefix, since=since, dry_run=dry_run, progress=_progress()
        )


def _progress() -> Callable[[Crawl], None]:
    told_at = time.monotonic()

    def tell(crawl: Crawl) -> None:
        nonlocal told_at
        if time.monotonic() - told_at >= TELL_SECONDS:
            told_at = time.monotonic()
            missing = crawl.missing.total()
            click.echo(f"{crawl.objects:,} objects, {missing:,} facts were missing", err=True)

    return tell


def _tell_of(crawl: Crawl, dry_run: bool) -> None:
    for fault in crawl.faults:
        click.echo(f"genoflow: {fault}", err=True)
    if crawl.fault_count > len(crawl.faults):
        click.echo(f"genoflow: and {crawl.fault_count - len(crawl.faults):,} more", err=True)
    seen = f"{crawl.bucket}: {crawl.objects:,} objects with {crawl.versions:,} versions"
    if not crawl.missing:
        click.echo(f"{seen}; the log lacks nothing that can be told")
        return
    kinds = ", ".join(f"{count:,} {name}" for name, count in sorted(crawl.missing.items()))
    verb = "would be appended" if dry_run else "were missing and stand on the log now"
    click.echo(f"{seen}; {kinds} {verb}")
