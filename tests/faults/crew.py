"""The workers of a scenario: started, hit, started again, and counted."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from tests.faults.worker_main import EXIT_PASSING

ROOT = Path(__file__).resolve().parents[2]
LOOK_SECONDS = 0.05
STOP_SECONDS_MAX = 45.0  # 10 s for calls, 8 s for tasks, and leaving the group
RESTART_PAUSE_SECONDS = 0.2
SETTLED_SECONDS = 4.0  # one second to load, and a rebalance: a kill before that proves nothing


@dataclass(slots=True)
class Hand:
    """One worker's process."""

    name: str
    process: subprocess.Popen[bytes]
    killed: bool = False  # by us: its end is no news
    leaving: bool = False  # told to stop, and not started again
    since: float = field(default_factory=time.monotonic)


@dataclass(slots=True)
class Crew:
    """Workers that are kept going, whatever becomes of one."""

    kafka: str
    prefix: str
    room: Path
    session_seconds: int
    without: str | None = None
    state_version: int = 1
    program: str = "tests.faults.worker_main"
    hands: dict[str, Hand] = field(default_factory=dict)
    ends: Counter[str] = field(default_factory=Counter)
    kills: Counter[str] = field(default_factory=Counter)  # by point
    stops: Counter[str] = field(default_factory=Counter)
    _watch: asyncio.Task[None] | None = None

    def begin(self) -> None:
        """Look after them from now on."""
        (self.room / "armed").mkdir(exist_ok=True)
        (self.room / "outside").mkdir(exist_ok=True)
        self._watch = asyncio.create_task(self._keep())

    def start(self, name: str, without: str | None = None) -> Hand:
        """Start a worker under this name."""
        left_out = without or self.without
        command = [
            *(sys.executable, "-m", self.program, "--kafka", self.kafka),
            *("--prefix", self.prefix, "--room", str(self.room), "--name", name),
            *("--session-seconds", str(self.session_seconds)),
            *("--state-version", str(self.state_version)),
            *(("--without", left_out) if left_out else ()),
        ]
        with (self.room / f"{name}.log").open("ab") as log:
            process = subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=log)
        hand = self.hands[name] = Hand(name, process)
        return hand

    async def _keep(self) -> None:
        while True:
            for hand in list(self.hands.values()):
                code = hand.process.poll()
                if code is None or hand.killed:
                    continue
                # SIGTERM ends one that has not come to its own handler yet.
                if hand.leaving and code in (0, -signal.SIGTERM):
                    self.hands.pop(hand.name, None)
                    continue
                self._note_end(hand, code)
                hand.killed = True
                await asyncio.sleep(RESTART_PAUSE_SECONDS)
                self.start(hand.name)
            await asyncio.sleep(LOOK_SECONDS)

    def _note_end(self, hand: Hand, code: int) -> None:
        point = self._taken_by(hand.process.pid)
        if code == -signal.SIGKILL and point is not None:
            self.kills[point] += 1
        elif code == EXIT_PASSING:
            self.ends["left to start again"] += 1
        else:
            self.ends[f"unforeseen {code}"] += 1

    def _taken_by(self, pid: int) -> str | None:
        for path in (self.room / "armed").glob(f"*.taken.{pid}"):
            path.unlink()
            return path.name.partition(".")[0]
        return None

    # -- hitting them

    def arm(self, point: str, times: int, number: signal.Signals) -> None:
        """Whoever passes the point for the so many'th time is hit."""
        unfinished = self.room / "armed" / ".order"
        unfinished.write_text(f"{times} {int(number)}", encoding="utf-8")
        unfinished.rename(self.room / "armed" / point)

    def disarm(self, point: str) -> bool:
        """Take an order back; whether nobody had taken it."""
        try:
            (self.room / "armed" / point).unlink()
        except FileNotFoundError:
            return False
        return True

    def is_armed(self, point: str) -> bool:
        """Whether nobody has passed there yet."""
        return (self.room / "armed" / point).exists()

    def kill(self, hand: Hand, point: str = "anywhere") -> bool:
        """kill -9, and start it again; whether it had not taken an order to die just then."""
        taken = self._end(hand, point)
        self.start(hand.name)
        return taken is None

    def kill_all(self) -> None:
        """kill -9 to all of them at once; none is started again here."""
        for hand in self.hands.values():
            if not hand.killed:
                self._end(hand, "anywhere")

    def _end(self, hand: Hand, point: str) -> str | None:
        """kill -9, counted once; the order to die that it had taken just then, if it had one."""
        hand.killed = True
        hand.process.kill()
        hand.process.wait()
        taken = self._taken_by(hand.process.pid)
        self.kills[taken or point] += 1
        return taken

    def stopped(self) -> list[int]:
        """Those that stopped themselves at a point."""
        pids = [hand.process.pid for hand in self.hands.values() if not hand.killed]
        return [pid for pid in pids if _state(pid) == "T"]

    def go_on(self, pid: int) -> None:
        """Let a stopped one go on, and note at which point it stood."""
        self.stops[self._taken_by(pid) or "anywhere"] += 1
        os.kill(pid, signal.SIGCONT)

    # -- the end

    def leave(self, hand: Hand) -> None:
        """SIGTERM: it drains and goes."""
        hand.leaving = True
        hand.process.terminate()

    async def end(self) -> None:
        """SIGTERM to all; one that does not go in time is killed and told of."""
        for path in (self.room / "armed").iterdir():
            path.unlink()
        for hand in list(self.hands.values()):
            if not hand.killed:
                self.leave(hand)
        deadline = time.monotonic() + STOP_SECONDS_MAX
        while time.monotonic() < deadline and self.alive():
            for hand in self.alive():
                if not hand.leaving:
                    self.leave(hand)  # started again meanwhile
            await asyncio.sleep(LOOK_SECONDS)
        for _ in self.alive():
            self.ends["unforeseen: did not leave"] += 1
        await self.close()

    def at_work(self) -> list[Hand]:
        """Those that have run long enough to have something to lose."""
        young = time.monotonic() - SETTLED_SECONDS
        return [hand for hand in self.alive() if not hand.leaving and hand.since < young]

    def alive(self) -> list[Hand]:
        """Those that run."""
        return [hand for hand in self.hands.values() if hand.process.poll() is None]

    async def close(self) -> None:
        """Leave nobody behind."""
        if self._watch is not None:
            self._watch.cancel()
            await asyncio.gather(self._watch, return_exceptions=True)
        for hand in self.hands.values():
            if hand.process.poll() is None:
                hand.process.kill()
                hand.process.wait()


def _state(pid: int) -> str:
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8")
    except (FileNotFoundError, ProcessLookupError):
        return ""
    return text.rpartition(")")[2].split()[0]
