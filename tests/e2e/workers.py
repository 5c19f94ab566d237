"""Workers as an operator runs them: started, seen, told to stop, and killed by their own id."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

from genoflow.deploy.addresses import Addresses
from genoflow.deploy.settings import Settings
from genoflow.deploy.wiring import open_log
from genoflow.deploy.worker_status import Standing, read_standing
from genoflow.events import topics
from genoflow.events.event import E, Event
from genoflow.processors.flow import PROCESSORS
from tests import warm
from tests.servers import cli_environment
from tests.spec import heard

T = TypeVar("T")
GENOFLOW = str(Path(sys.executable).parent / "genoflow")
PARTITIONS = 2  # what four would show, in half as many tasks and topics
COMMAND_SECONDS_MAX = 60
PATIENCE_SECONDS = 180.0  # a run of a pipeline takes 20 s alone, and six times that beside others
PAUSE_SECONDS = 0.1  # between two questions


def settings_of(stack: Addresses, suffix: str, home: Path, **changes: Any) -> Settings:
    """A deployment of a test's own on the session's servers, its topics not yet there."""
    given = {"partitions": PARTITIONS, **changes}
    return Settings(
        home=home, kafka=stack.kafka, s3=stack.s3, s3_access_key=stack.s3_access_key,
        s3_secret_key=stack.s3_secret_key, topic_prefix=f"t{suffix}.", **given,
    )  # fmt: skip


def genoflow(
    settings: Settings, *words: str, said: str | None = None
) -> subprocess.CompletedProcess[str]:
    """Run one command line with these settings."""
    return warm.command(
        words, env=cli_environment(settings), said=said or "", timeout=COMMAND_SECONDS_MAX
    )


def succeeds(settings: Settings, *words: str, said: str | None = None, code: int = 0) -> str:
    """What a command prints that ends as it should."""
    done = genoflow(settings, *words, said=said)
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout


def fails(settings: Settings, *words: str, said: str | None = None, code: int = 1) -> str:
    """What a command complains of that ends as it should: no trace of ours among it."""
    done = genoflow(settings, *words, said=said)
    assert done.returncode == code, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    return done.stderr


def working(
    settings: Settings, log: Path, *words: str
) -> AbstractContextManager[subprocess.Popen[str]]:
    """`genoflow work`, ended at the end of the block where it has not ended before."""
    return running(settings, log, "work", *words)


@contextmanager
def running(settings: Settings, log: Path, *words: str) -> Iterator[subprocess.Popen[str]]:
    """A command that stays, told to stop at the end of the block, and killed if it does not."""
    with (
        log.open("a") as out,
        subprocess.Popen(
            [GENOFLOW, *words], env=cli_environment(settings), stdout=out, stderr=out,
            text=True,
        ) as process,
    ):  # fmt: skip
        try:
            yield process
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
                try:
                    process.wait(timeout=PATIENCE_SECONDS)
                finally:
                    process.kill()


def standing(settings: Settings) -> Standing:
    """What `genoflow workers` shows now, without the second that a command takes to start."""

    async def read() -> Standing:
        async with open_log(settings) as log:
            return await read_standing(log, PROCESSORS.values(), datetime.now(UTC))

    return asyncio.run(read())


def happens(settings: Settings, *events: Event) -> None:
    """Append events as a porch does, in this order."""

    async def append() -> None:
        async with open_log(settings) as log:
            for event in events:
                await log.append(event if event.has_envelope else heard(event))

    asyncio.run(append())


def said(settings: Settings, kind: type[E], key: str) -> list[E]:
    """The events of a type about a subject, in order."""

    async def read() -> list[E]:
        async with open_log(settings) as log:
            return [
                record.event
                async for record in log.read_topic(kind.about.topics[0].name)
                if record.key == key and isinstance(record.event, kind)
            ]

    return asyncio.run(read())


def number_of(settings: Settings, kind: type[E], key: str, number: int) -> list[E]:
    """The events of a type about a subject, once there are so many."""

    def enough() -> list[E]:
        found = said(settings, kind, key)
        return found if len(found) >= number else []

    return until(enough, f"{number} {kind.type()} of {key}")


def facts(settings: Settings, kind: str) -> list[Event]:
    """Every event of a type about a sample, in order."""

    async def read() -> list[Event]:
        async with open_log(settings) as log:
            return [r.event async for r in log.read_topic(topics.SAMPLE.name) if r.type == kind]

    return asyncio.run(read())


def owners(settings: Settings, processor: str) -> list[str | None]:
    """Who works on each partition of a processor."""
    return [one.worker for one in standing(settings).tasks if one.processor == processor]


def pid_of(worker: str | None) -> int:
    """The process that a worker's name tells."""
    assert worker is not None
    return int(worker.rsplit("-", 2)[1])


def is_alive(pid: int) -> bool:
    """Whether a process of this id runs."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def until(look: Callable[[], T], what: str) -> T:
    """Ask until there is an answer, with a deadline."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not (found := look()):
        assert time.monotonic() < deadline, f"not within {PATIENCE_SECONDS:g} s: {what}"
        time.sleep(PAUSE_SECONDS)
    return found
