"""Processes on leashes: started, watched, let go, and recognised again by id and start time."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from asyncio.subprocess import Process
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from genoflow.deploy.settings import inherited_environment
from genoflow.events.errors import StackFault

LEASH = Path(__file__).with_name("leash.py")
GRACE_SECONDS = 10.0  # Kafka closes in 0.3 s, Postgres in 0.2 s; thirty times that under load
OUTPUT_LINES_MAX = 40  # of a one-off program: enough for its complaint


@dataclass(frozen=True, slots=True)
class Launch:
    """What to execute, and how to end it."""

    command: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)
    stop_signal: signal.Signals = signal.SIGTERM
    grace_seconds: float = GRACE_SECONDS
    identity: str = "self"


@dataclass(frozen=True, slots=True)
class Identity:
    """A process, told apart from a later one that was given the same id."""

    pid: int
    started: str

    def alive(self) -> bool:
        """Say whether this very process still runs."""
        return self.started != "" and start_time(self.pid) == self.started

    def kill(self, number: signal.Signals) -> None:
        """Send a signal to this process, and to no other that has its id now."""
        if self.alive():
            try:
                os.kill(self.pid, number)
            except ProcessLookupError:
                return


def start_time(pid: int) -> str:
    """Return when the process started, in the system's own terms; empty where it is gone."""
    if sys.platform == "linux":
        try:
            text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
        except (FileNotFoundError, ProcessLookupError):
            return ""
        # The name in brackets may hold spaces: count from its end. State, then 18 more, then start.
        fields = text.rpartition(")")[2].split()
        return "" if fields[0] == "Z" else fields[19]
    answer = subprocess.run(
        ["/bin/ps", "-o", "lstart=", "-p", str(pid)], capture_output=True, text=True, check=False
    )
    return answer.stdout.strip()


def identify(pid: int) -> Identity:
    """Remember the process that has this id now."""
    return Identity(pid, start_time(pid))


class Leashed:
    """A program that runs under a leash and cannot outlive this process."""

    def __init__(self, leash: Process, control: int, pid: int) -> None:
        self.pid = pid
        self.leash = identify(leash.pid)
        self._process = leash
        self._control: int | None = control

    @classmethod
    async def start(cls, launch: Launch, output: int, error_output: int | None = None) -> Leashed:
        """Start the program with its output in an open file; fail where it cannot be executed."""
        control, hold = os.pipe()
        status, report = os.pipe()
        arguments = (str(control), str(report), str(int(launch.stop_signal)))
        try:
            leash = await asyncio.create_subprocess_exec(
                *(sys.executable, "-I", "-S", str(LEASH), *arguments),
                *(str(launch.grace_seconds), launch.identity, *launch.command),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output if error_output is None else error_output,
                pass_fds=(control, report),
                env={**inherited_environment(), **launch.environment},
                start_new_session=True,
            )
        except BaseException:
            os.close(hold)
            os.close(status)
            raise
        finally:
            os.close(control)
            os.close(report)
        try:
            pid_line, _, error = (await _read_all(status)).partition("\n")
        except BaseException:
            os.close(hold)
            raise
        process = cls(leash, hold, int(pid_line or 0))
        if error or not pid_line:
            process.let_go()
            await process.wait()
            raise StackFault(
                f"{launch.command[0]}: {error.removeprefix('error ').strip() or 'did not start'};"
                " run `genoflow doctor`"
            )
        return process

    def let_go(self) -> None:
        """Ask the leash to end the program: gently first, by force after its grace."""
        if self._control is not None:
            os.close(self._control)
            self._control = None

    async def wait(self) -> int:
        """Return the program's exit code once it has ended."""
        code = await self._process.wait()
        self.let_go()
        return code

    async def stop(self) -> int:
        """End the program and return its exit code."""
        self.let_go()
        return await self.wait()


async def _read_all(descriptor: int) -> str:
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader()
    transport, _ = await loop.connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(descriptor, "rb", buffering=0)
    )
    try:
        return (await reader.read()).decode(errors="replace")
    finally:
        transport.close()


async def run_once(launch: Launch, on_line: Callable[[str], None] | None = None) -> tuple[int, str]:
    """Run a program to its end on a leash and return its exit code and its last lines."""
    source, sink = os.pipe()
    try:
        process = await Leashed.start(launch, sink)
    except BaseException:
        os.close(source)
        raise
    finally:
        os.close(sink)
    reader = asyncio.StreamReader()
    transport, _ = await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(source, "rb", buffering=0)
    )
    lines: list[str] = []
    try:
        while line := await reader.readline():
            lines = [*lines, line.decode(errors="replace").rstrip()][-OUTPUT_LINES_MAX:]
            if on_line is not None:
                on_line(lines[-1])
        return await process.wait(), "\n".join(lines)
    finally:
        process.let_go()
        transport.close()
