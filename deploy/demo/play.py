"""Plays a generated run onto the stack and shows each event as it comes back from the log."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from importlib.metadata import version
from uuid import UUID

from rich.console import Console
from rich.text import Text

from genoflow.deploy.demo.facts import Story, read_set_of
from genoflow.deploy.demo.generated_run import GeneratedFile, GeneratedRun, GeneratedSample
from genoflow.events.envelope import Producer
from genoflow.events.errors import StackFault
from genoflow.events.event import Event
from genoflow.events.file_checksummed import FileChecksummed
from genoflow.events.log.port import EventLog
from genoflow.events.log.recorded import Recorded
from genoflow.events.subscribe import Subscription
from genoflow.events.validated import Validated
from genoflow.processors.intake import landing
from genoflow.processors.intake.privacy import PrivacyGuard
from genoflow.processors.ports import ObjectStore

WORKED_SECONDS_MAX = 60  # a worker starts in two seconds and reads these files in one
SEEN_SECONDS_MAX = 30  # an event is read back within milliseconds; longer, and the broker is stuck


class Player:
    """Appends facts and waits until each was read back: what is printed has been on the log."""

    def __init__(
        self, log: EventLog, console: Console, run: GeneratedRun, guard: PrivacyGuard
    ) -> None:
        self._log = log
        self._guard = guard
        self._console = console
        self._run = run
        producer = Producer(service="generated-run", version=version("genoflow"))
        self._story = Story(run, datetime.now(UTC), producer)
        self._correlation: UUID | None = None  # of this run: what follows from it has it, too
        self._expected: set[str] = set()
        self._seen: set[str] = set()
        self._changed = asyncio.Event()
        self.appended: list[Event] = []
        self.checked: set[str] = set()  # files whose bytes a worker has read and compared
        self.validated: set[str] = set()  # and whose reads it has looked at

    @contextlib.asynccontextmanager
    async def watching(self) -> AsyncIterator[None]:
        """Follow the log from now on and print what this run's story says."""
        async with Subscription[Event](self._log, name=None, types=(), start="now") as opened:
            watcher = asyncio.create_task(self._watch(opened))
            try:
                yield
            finally:
                watcher.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await watcher

    async def _watch(self, subscription: Subscription[Event]) -> None:
        async for delivery in subscription:
            record = delivery.record
            if record.event_id not in self._expected and record.correlation_id != self._correlation:
                continue
            self._console.print(line_of(record))
            self._seen.add(record.event_id)
            if record.type == FileChecksummed.type():
                self.checked.add(record.event_id)
            if record.type == Validated.type():
                self.validated.add(record.event_id)
            self._changed.set()

    async def _append(self, event: Event) -> None:
        self._guard.check(event)
        self._correlation = event.envelope.correlation_id
        self._expected.add(str(event.envelope.event_id))
        await self._log.append(event)
        self.appended.append(event)
        async with asyncio.timeout(SEEN_SECONDS_MAX):
            while self._expected - self._seen:
                self._changed.clear()
                await self._changed.wait()

    async def play_run(self) -> None:
        """The run, its sheet and its samples."""
        for event in self._story.of_the_run():
            await self._append(event)

    async def play_files(self, store: ObjectStore, bucket: str) -> None:
        """Every file goes to the object store, and lands as an event once the store has it."""
        for sample in self._run.samples:
            for file in sample.files:
                key = f"{self._run.run_id}/{file.name}"
                head = await store.put(bucket, key, file.body, self._metadata(sample, file))
                await self._append(self._story.of_a_file(head))

    async def see_checksums(self) -> None:
        """Wait until the worker has said of every file that bytes and reads are as declared."""
        files = sum(len(sample.files) for sample in self._run.samples)
        try:
            async with asyncio.timeout(WORKED_SECONDS_MAX):
                while min(len(self.checked), len(self.validated)) < files:
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError as error:
            raise StackFault(
                f"the worker has checked {len(self.checked)} and validated {len(self.validated)} "
                f"of {files} files within {WORKED_SECONDS_MAX} s; read its log, then "
                f"`genoflow parked list`"
            ) from error

    def _metadata(self, sample: GeneratedSample, file: GeneratedFile) -> dict[str, str]:
        return {
            landing.SAMPLE: sample.sample_id,
            landing.READ_SET: read_set_of(sample, self._run),
            landing.RUN: self._run.run_id,
            landing.LANE: "1",
            landing.ROLE: file.role,
            landing.MD5: file.md5,
        }


def line_of(record: Recorded) -> Text:
    """One event on one line: when the log took it, what it is, whose, and where it stands."""
    return Text.assemble(
        (f"{record.recorded_at:%H:%M:%S.%f}"[:-3], "dim"),
        "  ",
        (f"{record.type:<24}", "bold cyan"),
        f"{record.key:<36}",
        (f"{record.position}", "dim"),
    )
