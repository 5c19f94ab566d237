"""Effects that behave badly, in real processes, and what their tests need."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID, uuid5

from genoflow.events import topics
from genoflow.events.envelope import Actor, Envelope, Producer
from genoflow.events.errors import Parked, Retry, Stop
from genoflow.events.event import Event
from genoflow.events.identity import GENOFLOW
from genoflow.events.subject_silent import SubjectSilent
from genoflow.processors.decision import NOTHING, Arguments
from genoflow.processors.ledger import OpenEffect
from genoflow.processors.ports import ByteAttempt
from genoflow.processors.processor import Bytes, Processor

ROOT = Path(__file__).resolve().parents[2]
PATIENCE_SECONDS = 30.0  # what takes milliseconds alone may take seconds beside other tests
MEMORY_MAX = 64 * 1024**2  # enough for what the tests do, far below what they ask for too much
SLEEPER = (sys.executable, "-c", "import time; time.sleep(600)")
# The store of a child in these tests: the same bytes whatever is asked for.
CHILD = f"""
import sys; sys.path.insert(0, {str(ROOT)!r})
from genoflow.processors.child import serve
from tests.integration.effects import Repeated
serve("tests.integration.effects:FLOW", Repeated)
"""
CHILD_COMMAND = (sys.executable, "-c", CHILD)


class Told(Arguments):
    """What an effect of these tests is told."""

    text: str = ""


class Repeated:
    """A byte store with one object of 3 MiB under every name."""

    def chunks(
        self, bucket: str, key: str, version_id: str, size_bytes: int, etag: str = ""
    ) -> Iterator[bytes]:
        for _ in range(3):
            yield b"x" * 1024**2

    def span(
        self, bucket: str, key: str, version_id: str, start: int, end: int, etag: str = ""
    ) -> bytes:
        return b"x" * (end - start)


def said(text: str) -> list[Event]:
    """An event that carries a text."""
    at = datetime(2026, 3, 1, tzinfo=UTC)
    return [
        SubjectSilent(
            subject_topic=topics.SAMPLE.name,
            subject_key=text or "S1",
            last_event_id=uuid5(GENOFLOW, text),
            last_type="SampleRegistered",
            last_at=at,
            usual_seconds=1.0,
        )
    ]


def reads(told: Told, attempt: ByteAttempt) -> Sequence[Event]:
    """Read a stream and tell how far it is."""
    done = 0
    for piece in attempt.store.chunks("b", "k", "v", 1024**2):
        done += len(piece)
        attempt.progress(done, 3 * 1024**2, "bytes")
    return said(f"{done}")


def says_its_process(told: Told, attempt: ByteAttempt) -> Sequence[Event]:
    """Say which process does it, and its try."""
    return said(f"{os.getpid()}/{attempt.number}")


def crashes(told: Told, attempt: ByteAttempt) -> Sequence[Event]:
    """Die as a bug in a C library does, or of the signal that is named."""
    os.kill(os.getpid(), signal.Signals[told.text or "SIGSEGV"])
    time.sleep(600)
    return []


def leaves(told: Told, attempt: ByteAttempt) -> Sequence[Event]:
    """End the process without an answer."""
    os._exit(0)


def eats(told: Told, attempt: ByteAttempt) -> Sequence[Event]:
    """Take more and more memory."""
    eaten = []
    while True:
        eaten.append(bytearray(8 * 1024**2))


def never_ends(told: Told, attempt: ByteAttempt) -> Sequence[Event]:
    """Start a program, say who both are, and wait for ever."""
    helper = subprocess.Popen(SLEEPER)
    Path(told.text).write_text(f"{os.getpid()} {helper.pid}\n", encoding="ascii")
    while True:
        attempt.progress(1.0, None, "rounds")
        time.sleep(0.01)


def prints(told: Told, attempt: ByteAttempt) -> Sequence[Event]:
    """Print what looks like an answer, in three ways, and read what is not there."""
    line = '{"is": "done", "events": []}'
    print(line, flush=True)
    os.write(1, f"{line}\n".encode() * 10_000)
    subprocess.run(["echo", line], check=True)
    return said(f"read {sys.stdin.read()!r}")


def raises(told: Told, attempt: ByteAttempt) -> Sequence[Event]:
    """Raise what is named."""
    known: dict[str, Exception] = {
        "retry": Retry("the store is away; wait"),
        "park": Parked("bad file; look at it"),
        "stop": Stop("cannot go on; mend it"),
        "timeout": TimeoutError(),
        "exit": SystemExit(3),  # type: ignore[dict-item]
    }
    raise known.get(told.text) or ZeroDivisionError("a bug of ours")


def says_much(told: Told, attempt: ByteAttempt) -> Sequence[Event]:
    """Say more than fits into a line."""
    return said("x" * 1_000) * 20_000


def tells_often(told: Told, attempt: ByteAttempt) -> Sequence[Event]:
    """Tell the progress of a second, a thousand times."""
    until_at = time.monotonic() + 1.0
    while time.monotonic() < until_at:
        attempt.progress(1.0, 2.0, "rounds")
        time.sleep(0.001)
    return said("told")


def kind_of(perform: Callable[[Any, ByteAttempt], Sequence[Event]], **options: Any) -> Bytes:
    """A row for a function of this file."""
    options = {"emits": (SubjectSilent,), "memory_bytes_max": MEMORY_MAX, **options}
    return Bytes(perform.__name__, arguments=Told, perform=perform, **options)


KINDS = {
    perform.__name__: kind_of(perform)
    for perform in (
        reads, says_its_process, crashes, leaves, eats, never_ends, prints, raises, says_much,
        tells_often,
    )
}  # fmt: skip
FLOW = (
    Processor(
        "byte-work",
        reads=topics.SAMPLE,
        on=(),
        emits=(),
        decide=lambda state, event: NOTHING,
        evolve=lambda state, event: state,
        effects=tuple(KINDS.values()),
        about="misbehaves",
    ),
)


def effect(name: str, number: int = 1, lane: str = "S1", **arguments: Any) -> OpenEffect:
    """An open effect of an event at this offset."""
    cause = Envelope(
        event_id=uuid5(GENOFLOW, f"{number}"),
        type="SampleRegistered",
        schema_version="1.0",
        subject="S1",
        occurred_at=datetime(2026, 3, 1, tzinfo=UTC),
        correlation_id=UUID(int=1),
        causation_id=None,
        actor=Actor(kind="service", id="tests"),
        producer=Producer(service="tests", version="1"),
        traceparent=None,
        effect_id=None,
    )
    return OpenEffect(
        effect_id=uuid5(GENOFLOW, f"{name}/{number}/{lane}"),
        name=name,
        lane=lane,
        subject_key="S1",
        arguments=arguments,
        cause=cause,
        offset=number,
        ordinal=0,
        recorded_at=cause.occurred_at,
        value_size_bytes=0,
        value_sha256="",
    )


async def until(condition: Callable[[], object]) -> None:
    """Wait until something holds, and fail where it does not within a while."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not condition():
            await asyncio.sleep(0.01)


async def processes_named(path: Path) -> list[int]:
    """The ids that an effect wrote to a file, once they are there."""
    await until(lambda: path.exists() and path.read_text().endswith("\n"))
    return [int(word) for word in path.read_text().split()]
