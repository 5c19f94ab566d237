"""Effects on bytes in processes of their own, which are kept and used again.

How a child ends, and what follows from it:

    the call is cancelled        its standard input is closed: the child and all it started die
    it dies, or is out of memory Retry: a fresh child tries again, and then the effect is parked
    it raises                    what processors/child.py says: retry, park or stop
    it breaks the protocol       it is ended, and the effect is parked
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import signal
from asyncio.subprocess import PIPE, Process
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from genoflow.events.errors import Parked, Retry, Stop
from genoflow.events.event import Event
from genoflow.processors.child import LINE_BYTES_MAX
from genoflow.processors.child_limits import EXIT_SIGNAL_BASE
from genoflow.processors.failure import FailedElsewhere
from genoflow.processors.ledger import OpenEffect
from genoflow.processors.ports import Progress
from genoflow.processors.processor import Bytes
from genoflow.processors.runner import BYTES_RUNNING_MAX

WORDS_BYTES_MAX = 4_096  # of what a child printed last: forty lines, for the worker's own log
LAST_WORDS_SECONDS = 1.0  # to empty two pipes of 64 KiB, which takes a millisecond
READ_BYTES = 65_536  # a pipe holds as much

_log = logging.getLogger("genoflow.children")


class ChildPool:
    """The port of the runner over persistent child processes; close it when the worker ends."""

    def __init__(self, command: Sequence[str]) -> None:
        """Take what to start, a program that calls `serve`; nothing is started yet."""
        self._command = tuple(command)
        self._idle: list[_Child] = []
        self._living: set[_Child] = set()
        self._closed = False

    async def perform(
        self,
        processor: str,
        effect: OpenEffect,
        kind: Bytes,
        number: int,
        progress: Progress,
    ) -> Sequence[Event]:
        """Do one effect in a child; cancelled, it returns when the child and its own are dead."""
        request = {
            "processor": processor,
            "effect": effect.name,
            "effect_id": str(effect.effect_id),
            "number": number,
            "arguments": effect.arguments,
        }
        child = await self._take()
        try:
            answer = await child.ask(request, f"{effect.name} {effect.effect_id}", progress)
            events = _events(answer, kind, f"{effect.name} {effect.effect_id}")
        except BaseException:
            if not child.is_idle:
                await child.end()
            raise
        finally:
            if child.is_idle and not self._closed and len(self._idle) < BYTES_RUNNING_MAX:
                self._idle.append(child)
            else:
                child.let_go()
        return events

    async def close(self) -> None:
        """End every child; none is left when it returns."""
        self._closed = True
        self._idle.clear()
        await asyncio.gather(*(child.end() for child in list(self._living)))

    async def _take(self) -> _Child:
        if self._closed:
            raise Stop("the child processes of this worker are closed; start the worker anew")
        while self._idle:
            child = self._idle.pop()
            if child.is_alive:
                return child
        child = await _Child.start(self._command)
        self._living.add(child)
        child.on_end(lambda: self._living.discard(child))
        return child


class _Pipe(NamedTuple):
    reader: asyncio.StreamReader
    transport: asyncio.ReadTransport


async def _pipe() -> tuple[_Pipe, int]:
    """A pipe to read from, and its other end."""
    ours, theirs = os.pipe()
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader(limit=LINE_BYTES_MAX)
    transport, _ = await loop.connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(ours, "rb", buffering=0)
    )
    return _Pipe(reader, transport), theirs


class _Child:
    def __init__(self, process: Process, answers: _Pipe, words: _Pipe) -> None:
        assert process.stdin is not None
        self.is_idle = True
        self._process = process
        self._stdin = process.stdin
        self._answers, self._words = answers, words
        self._last_words = b""
        self._is_ready = False
        self._let_go = False
        self._ended = asyncio.create_task(self._follow(), name=f"child {process.pid}")

    @classmethod
    async def start(cls, command: Sequence[str]) -> _Child:
        # Cancelled half-way, the process would be nobody's: so it is started to the end.
        starting = asyncio.create_task(cls._start(command))
        try:
            return await asyncio.shield(starting)
        except asyncio.CancelledError:
            await (await starting).end()
            raise

    @classmethod
    async def _start(cls, command: Sequence[str]) -> _Child:
        # Pipes of our own: asyncio's would make `wait` wait for whoever else holds their ends,
        # which may be a program that has left the session.
        answers, answers_end = await _pipe()
        words, words_end = await _pipe()
        try:
            process = await asyncio.create_subprocess_exec(
                *command, stdin=PIPE, stdout=answers_end, stderr=words_end, start_new_session=True
            )
        except OSError as error:
            answers.transport.close()
            words.transport.close()
            raise Retry(f"{command[0]}: no process could be started: {error}") from error
        finally:
            os.close(answers_end)
            os.close(words_end)
        return cls(process, answers, words)

    @property
    def is_alive(self) -> bool:
        return not self._let_go and not self._ended.done() and self._process.returncode is None

    def on_end(self, callback: Any) -> None:
        self._ended.add_done_callback(lambda _: callback())

    async def _follow(self) -> int:
        """Keep what it prints last, until it has ended."""
        keeping = asyncio.create_task(self._keep_words())
        status = await self._process.wait()
        await asyncio.wait([keeping], timeout=LAST_WORDS_SECONDS)
        keeping.cancel()
        self._words.transport.close()
        return status

    async def _keep_words(self) -> None:
        while words := await self._words.reader.read(READ_BYTES):
            self._last_words = (self._last_words + words)[-WORDS_BYTES_MAX:]

    def let_go(self) -> None:
        """End it and all that it started, without waiting for that."""
        if self._let_go:
            return
        self._let_go = True
        self._answers.transport.close()
        if not self._stdin.transport.is_closing():
            self._stdin.transport.abort()  # `close` would first wait for what it has not read
        if not self._is_ready and self._process.returncode is None:
            self._process.kill()  # the guard may not be watching yet, and nothing else was begun

    async def end(self) -> None:
        """End it, and return when it is dead, whatever happens to the caller meanwhile."""
        self.let_go()
        await asyncio.shield(self._ended)

    async def ask(
        self, request: Mapping[str, Any], place: str, progress: Progress
    ) -> dict[str, Any]:
        """The answer to one request: `done` or `failed`."""
        self.is_idle = False
        try:
            self._stdin.write(json.dumps(request).encode() + b"\n")
            await self._stdin.drain()
            while line := await self._answers.reader.readline():
                if not line.endswith(b"\n"):
                    break  # it died in the middle of a word
                answer = self._read(line, place)
                if answer["is"] == "progress":
                    progress(answer["done"], answer["total"], answer["unit"])
                elif answer["is"] == "ready":
                    self._is_ready = True
                else:
                    self.is_idle = not answer.get("last", False)
                    return answer
        except (BrokenPipeError, ConnectionResetError):
            pass  # it is dead: what follows says of what
        except ValueError as error:
            raise Parked(
                f"{place}: its process wrote a line of more than {LINE_BYTES_MAX} bytes to its "
                f"worker; mend what writes to that pipe, then requeue it"
            ) from error
        raise Retry(await self._death(place))

    def _read(self, line: bytes, place: str) -> dict[str, Any]:
        try:
            answer = json.loads(line)
            if answer["is"] in ("progress", "ready", "done", "failed"):
                return dict(answer)
        except (ValueError, TypeError, KeyError):
            pass  # said below, with the line
        raise Parked(
            f"{place}: its process wrote what is no answer to its worker: {line[:80]!r}; mend what "
            f"writes to that pipe, then requeue it"
        )

    async def _death(self, place: str) -> str:
        was_ready = self._is_ready
        await asyncio.wait([self._ended], timeout=LAST_WORDS_SECONDS)  # of its own accord
        self.let_go()
        status = await asyncio.shield(self._ended)
        if self._last_words:
            words = self._last_words.decode(errors="replace").strip()
            _log.warning("%s: its process ended; what it printed last: %s", place, words)
        if status > EXIT_SIGNAL_BASE or status < 0:
            number = -status if status < 0 else status - EXIT_SIGNAL_BASE
            how = f"was ended by {_signal_name(number)}"
            if number == signal.SIGKILL:
                how += ", as the kernel does where memory is short"
        else:
            how = f"ended with exit status {status} and no outcome"
        when = "" if was_ready else " before it was ready to work"
        return (
            f"{place}: its process {how}{when}; read what it printed last in this worker's log, "
            f"mend that, then requeue it"
        )


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def _events(answer: Mapping[str, Any], kind: Bytes, place: str) -> list[Event]:
    if answer["is"] == "failed":
        failed = FailedElsewhere(answer["message"], answer["error"], answer["trace"])
        if answer["choice"] == "retry":
            raise Retry(answer["message"]) from failed
        if answer["choice"] == "stop":
            raise Stop(answer["message"]) from failed
        raise failed
    models = {model.type(): model for model in kind.emits}
    events = []
    for name, payload in answer["events"]:
        if name not in models:
            raise Parked(
                f"{place}: says {name}, and its row has only {', '.join(models)}; add it to "
                f"`emits` of the effect, then requeue it"
            )
        events.append(models[name](**payload))
    return events
