"""Looks again and again in a thread with a loop of its own: no screen waits for a broker."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from concurrent.futures import Future
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import UTC, datetime
from typing import Any, TypeVar

from aiokafka.errors import KafkaError

from genoflow.deploy.settings import Settings
from genoflow.deploy.top.lookout import Lookout
from genoflow.deploy.top.show import show
from genoflow.deploy.top.shown import Shown
from genoflow.deploy.wiring import open_log
from genoflow.events.errors import GenoflowError

# What may pass by itself, or when a person has mended it: it is told, and tried again.
PASSING = (GenoflowError, KafkaError, OSError, TimeoutError)
END_SECONDS_MAX = 3.0  # a client that has lost its broker says good-bye to nobody

T = TypeVar("T")
Look = Callable[[], Awaitable[Shown]]
Source = Callable[[], AbstractAsyncContextManager[Look]]


def looking(settings: Settings) -> Source:
    """Looks at the log of this deployment; what was read stays over a new connection."""
    lookout = Lookout()

    @asynccontextmanager
    async def source() -> AsyncIterator[Look]:
        log = open_log(settings)

        async def look() -> Shown:
            now = datetime.now(UTC)
            return show(await lookout.look(log, now), now)

        try:
            yield look
        finally:
            with contextlib.suppress(TimeoutError, KafkaError, OSError):
                async with asyncio.timeout(END_SECONDS_MAX):
                    await log.close()

    return source


class Reading:
    """A thread that tells what it saw, or why it saw nothing, until it is told to end."""

    def __init__(
        self,
        source: Source,
        every_seconds: float,
        tell: Callable[[Shown], object],
        tell_fault: Callable[[str], object],
    ) -> None:
        self._source, self._every = source, every_seconds
        self._tell, self._tell_fault = tell, tell_fault
        self._goes_on = threading.Event()
        self._goes_on.set()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._task: asyncio.Task[None] | None = None
        # A daemon: a request that a dead broker does not answer must not keep the process.
        self._thread = threading.Thread(target=self._run, name="top", daemon=True)

    def start(self) -> None:
        """Begin to look."""
        self._loop = asyncio.new_event_loop()
        self._thread.start()

    def pause(self, is_paused: bool) -> None:
        """Look no more until told to go on."""
        (self._goes_on.clear if is_paused else self._goes_on.set)()

    def ask(self, words: Coroutine[Any, Any, T]) -> Future[T]:
        """Have this done in the thread; it has begun."""
        assert self._loop is not None
        return asyncio.run_coroutine_threadsafe(words, self._loop)

    def end(self) -> None:
        """Look no more, and let go of the log where that can be done soon."""

        def cancel() -> None:
            if self._task is not None:
                self._task.cancel()

        if self._loop is not None and self._thread.is_alive():
            with contextlib.suppress(RuntimeError):  # it has ended meanwhile
                self._loop.call_soon_threadsafe(cancel)
            self._thread.join(END_SECONDS_MAX + 1)

    def _run(self) -> None:
        assert self._loop is not None
        with contextlib.closing(self._loop) as loop:
            self._task = loop.create_task(self._look())
            with contextlib.suppress(asyncio.CancelledError):
                loop.run_until_complete(self._task)

    async def _look(self) -> None:
        while True:
            try:
                async with self._source() as look:
                    while True:
                        if self._goes_on.is_set():
                            self._tell(await look())
                        await asyncio.sleep(self._every)
            except PASSING as error:
                self._tell_fault(str(error) or type(error).__name__)
            await asyncio.sleep(self._every)
