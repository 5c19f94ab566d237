"""A child process of a worker: does effects on bytes, one at a time, and dies with its worker.

Two processes of one program. The guard is what the worker started; it forks the one that works,
and from then on only watches:

* end of file on its standard input (the worker closed it, or died in whatever way): it kills the
  working process and all that this one has started, at once;
* the working process has ended: it kills what that left behind, and ends with the same status
  (128 plus the signal's number where a signal ended it).

Where the guard itself is killed, the kernel kills the working process (on Linux). A program that
an effect starts in a session of its own is out of reach.

The worker writes a request, one JSON line, to standard input; answers are JSON lines on what was
standard output: `ready`, any number of `progress`, and one `done` or `failed` a request. What an
effect itself reads or prints is far from both: its standard input is empty, and its standard
output is its standard error.
"""

from __future__ import annotations

import faulthandler
import json
import os
import resource
import select
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterable, Mapping
from importlib import import_module
from typing import Any, BinaryIO, NoReturn
from uuid import UUID

from genoflow.events.errors import Parked, Retry, Stop
from genoflow.processors.child_limits import (
    EXIT_SIGNAL_BASE,
    PROGRESS_SECONDS,
    data_bytes,
    die_with,
    limited_memory,
)
from genoflow.processors.ports import ByteAttempt, RangedStore, Scanner
from genoflow.processors.processor import Bytes, Processor

LINE_BYTES_MAX = 16 * 1024**2  # 1,000 events of 16 kB each; a transaction holds less
TRACE_CHARACTERS_MAX = 20_000  # four hundred lines: what is cut off is the middle of a recursion


def serve(
    flow: str,
    make_store: Callable[[], RangedStore],
    is_strict: Callable[[], bool] = lambda: False,
    make_scanner: Callable[[], Scanner | None] = lambda: None,
) -> None:
    """Do the effects that are asked for, until the worker lets go; `flow` is module:ATTRIBUTE.

    `is_strict` says whether validation rejects violations, too, and `make_scanner` gives what looks
    for viruses, if anything does. Call this first in the process: nothing may have been printed,
    and no thread may run yet.
    """
    _guard()
    requests, answers = _take_pipes()
    faulthandler.enable(sys.stderr)  # a crash in C says where it was
    kinds = _kinds(flow)
    worker = _Working(kinds, make_store(), answers, is_strict=is_strict(), scanner=make_scanner())
    worker.say({"is": "ready"})
    while line := requests.readline():
        worker.do(json.loads(line))


# -- two processes, and what holds them together


def _guard() -> None:
    """Go on in a second process, and let this one watch over it."""
    wake, wake_writer = os.pipe()
    os.set_blocking(wake_writer, False)
    guard = os.getpid()
    working = os.fork()
    if working == 0:
        os.close(wake)
        os.close(wake_writer)
        os.setsid()
        die_with(guard)
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # a core file would hold what was read
        return
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)  # the worker ends us when it has ended its effects
    signal.set_wakeup_fd(wake_writer)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    _watch(working, wake)


def _watch(working: int, wake: int) -> NoReturn:
    nothing = os.open(os.devnull, os.O_RDWR)
    os.dup2(nothing, 1)  # or the worker would not see that the other one has closed it
    poll = select.poll()
    poll.register(0, 0)  # nothing but the hang-up: what is written is read by the other one
    poll.register(wake, select.POLLIN)
    while os.waitid(os.P_PID, working, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
        if any(descriptor == 0 for descriptor, _ in poll.poll()):
            break
        os.read(wake, 512)
    try:
        os.killpg(working, signal.SIGKILL)  # before it is waited for: its id is still its own
    except ProcessLookupError:
        os.kill(working, signal.SIGKILL)  # it has not yet come to have a group of its own
    except PermissionError:
        pass  # macOS answers so for a group whose members are all dead
    _, status = os.waitpid(working, 0)
    code = os.waitstatus_to_exitcode(status)
    os._exit(code if code >= 0 else EXIT_SIGNAL_BASE - code)


def _take_pipes() -> tuple[BinaryIO, BinaryIO]:
    """Keep the pipes to the worker to ourselves: what an effect starts does not inherit them."""
    requests, answers = os.dup(0), os.dup(1)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.dup2(2, 1)
    os.close(nothing)
    return os.fdopen(requests, "rb"), os.fdopen(answers, "wb")


# -- what it does


def _kinds(flow: str) -> dict[tuple[str, str], Bytes]:
    module, _, attribute = flow.partition(":")
    rows: Iterable[object] = getattr(import_module(module), attribute)
    if isinstance(rows, Mapping):
        rows = rows.values()
    return {
        (row.name, effect.name): effect
        for row in rows
        if isinstance(row, Processor)
        for effect in row.effects
        if isinstance(effect, Bytes)
    }


class _Working:
    def __init__(
        self,
        kinds: dict[tuple[str, str], Bytes],
        store: RangedStore,
        answers: BinaryIO,
        *,
        is_strict: bool,
        scanner: Scanner | None,
    ) -> None:
        self._kinds = kinds
        self._is_strict = is_strict
        self._scanner = scanner
        self._store = store
        self._answers = answers
        self._writing = threading.Lock()  # an effect may tell its progress from any thread
        self._baseline_bytes = data_bytes()
        self._progress_at = 0.0

    def say(self, answer: dict[str, Any]) -> None:
        line = json.dumps(answer).encode() + b"\n"
        if len(line) > LINE_BYTES_MAX:
            raise Parked(
                f"its outcome takes {len(line)} bytes and {LINE_BYTES_MAX} is the limit; put it "
                f"into an object and name that in the event"
            )
        with self._writing:
            self._answers.write(line)
            self._answers.flush()

    def do(self, request: dict[str, Any]) -> None:
        place = f"{request['effect']} {request['effect_id']}"
        try:
            self.say({"is": "done", "events": self._perform(request)})
        except MemoryError as error:
            limit = self._kinds[request["processor"], request["effect"]].memory_bytes_max
            reason = (
                f"{place}: needs more than its {limit} bytes of memory; raise memory_bytes_max in "
                f"its row, then requeue it"
            )
            self._fail(error, "retry", reason, last=True)
            os._exit(0)  # what is left of the heap is in pieces
        except (Retry, TimeoutError) as error:
            self._fail(error, "retry", str(error) or f"{place}: timed out; see what it waits for")
        except Stop as error:
            self._fail(error, "stop", str(error))
        except (Exception, SystemExit) as error:  # noqa: BLE001 -- the worker parks it
            self._fail(error, "park", str(error) or type(error).__name__)

    def _fail(self, error: BaseException, choice: str, message: str, last: bool = False) -> None:
        trace = "".join(traceback.format_exception(error))[-TRACE_CHARACTERS_MAX:]
        self.say(
            {
                "is": "failed",
                "choice": choice,
                "error": type(error).__name__,
                "message": message[:TRACE_CHARACTERS_MAX],
                "trace": trace,
                "last": last,
            }
        )

    def _perform(self, request: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
        kind = self._kinds.get((request["processor"], request["effect"]))
        if kind is None:
            raise Stop(
                f"{request['processor']} {request['effect']}: this child process knows no such "
                f"effect on bytes: its code is another one than its worker's; start the worker anew"
            )
        attempt = ByteAttempt(
            UUID(request["effect_id"]), request["number"], self._store, self._progress,
            strict_validation=self._is_strict, scanner=self._scanner,
        )  # fmt: skip
        self._progress_at = 0.0
        with limited_memory(self._baseline_bytes + kind.memory_bytes_max):
            events = kind.perform(kind.arguments(**request["arguments"]), attempt)
            return [(event.type(), event.payload()) for event in events]

    def _progress(self, done: float, total: float | None, unit: str) -> None:
        now = time.monotonic()
        if now - self._progress_at < PROGRESS_SECONDS:
            return
        self._progress_at = now
        self.say({"is": "progress", "done": done, "total": total, "unit": unit})
