"""Keeps a worker going: a child process that is started again whenever a fresh start mends it.

The child runs on a leash (deploy/local/leash.py), so it never outlives this process: when this one
is told to stop, or dies, the child gets SIGTERM, has its time to drain, and is killed after that.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
import sys
from collections.abc import Callable, Sequence

from genoflow.deploy.local.process import Launch, Leashed
from genoflow.deploy.work_ends import EXIT_DRAINED, EXIT_PASSING, EXIT_UNFORESEEN
from genoflow.processors.ending import DRAIN_SECONDS, LEAVE_SECONDS

PAUSE_SECONDS_MIN = 0.2
PAUSE_SECONDS_MAX = 5.0  # doubled each time: 0.2, 0.4, 0.8, 1.6, 3.2, then every 5 s
STABLE_SECONDS = 60.0  # a worker that ran this long has recovered: pauses are short again
# Its calls end, its transactions end, its clients close: 10 + 8 + 12 s, then it is killed.
GRACE_SECONDS = DRAIN_SECONDS + LEAVE_SECONDS + 12.0
SIGNALS = (signal.SIGTERM, signal.SIGINT)
EXIT_SIGNAL_BASE = 128  # as shells and the leash count a program that a signal ended


def is_mended_by_a_start(code: int) -> bool:
    """Whether a worker that ended so is to be started again."""
    return code in {EXIT_PASSING, EXIT_UNFORESEEN} or code > EXIT_SIGNAL_BASE


async def keep(command: Callable[[int], Sequence[str]], say: Callable[[str], None]) -> int:
    """Run the command until it is told to stop, and again whenever it ends with what passes.

    The command is told how often it was started before.
    """
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in SIGNALS:
        loop.add_signal_handler(number, stop.set)
    try:
        return await _keep(command, stop, say)
    finally:
        for number in SIGNALS:
            loop.remove_signal_handler(number)


async def _keep(
    command: Callable[[int], Sequence[str]], stop: asyncio.Event, say: Callable[[str], None]
) -> int:
    loop = asyncio.get_running_loop()
    pause = PAUSE_SECONDS_MIN
    again = 0
    while True:
        launch = Launch(tuple(command(again)), grace_seconds=GRACE_SECONDS)
        began = loop.time()
        code = await _one_life(launch, stop)
        if stop.is_set() or not is_mended_by_a_start(code):
            return code
        if loop.time() - began >= STABLE_SECONDS:
            pause = PAUSE_SECONDS_MIN
        say(f"the worker ended ({meaning(code)}); it starts again in {pause:g} s")
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(pause):
                await stop.wait()
        if stop.is_set():
            return EXIT_DRAINED
        pause = min(2 * pause, PAUSE_SECONDS_MAX)
        again += 1


async def _one_life(launch: Launch, stop: asyncio.Event) -> int:
    child = await Leashed.start(launch, sys.stdout.fileno(), sys.stderr.fileno())
    told = asyncio.create_task(stop.wait())
    ended = asyncio.create_task(child.wait())
    await asyncio.wait({told, ended}, return_when=asyncio.FIRST_COMPLETED)
    told.cancel()
    if stop.is_set():
        child.let_go()
    return await ended


def meaning(code: int) -> str:
    """What an exit code says, in a few words."""
    if code > EXIT_SIGNAL_BASE:
        number = code - EXIT_SIGNAL_BASE
        with contextlib.suppress(ValueError):
            return f"killed by {signal.Signals(number).name}"
        return f"killed by signal {number}"
    return f"exit code {code}"
