"""`python -m benchmarks.scale`: 10,000 runs of 20 tasks at once, real broker, real worker.

    --runs N --tasks N --seconds N    how many, and how long all of them work
    --out PATH                        where the figures go instead of benchmarks/scale.json

A backend that is simulated (benchmarks/scale_backend.py) takes the jobs and posts their news. When
all are at work, and half of the ends are there, the worker is killed with SIGKILL and another one
started. `python -m benchmarks.scale_page` makes docs/scale.md of the figures.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from confluent_kafka import Consumer, TopicPartition

from benchmarks import scale_backend, scale_material, scale_polling
from benchmarks.scale_worker import Wire, rows
from benchmarks.servers import bench_settings
from benchmarks.stage_run import Program, running
from genoflow.deploy.local.stack import LocalStack
from genoflow.events import topics
from genoflow.events.codec import HEADER_TYPE
from genoflow.events.log.kafka import KafkaLog
from genoflow.events.log.kafka_topics import TopicAdmin

RESULTS = Path(__file__).with_name("scale.json")
RUNS, TASKS, SECONDS = 10_000, 20, 600.0
PARTITIONS = topics.PARTITIONS_EMBEDDED
KILL_AT = 0.8  # of the time: half of the runs have ended, and all were at work
LOOK_SECONDS = 0.5
REQUESTS_PER_SECOND = 150.0
SILENT_SECONDS_MAX = 180.0  # without anything new: something is stuck
NEWS = frozenset({"RunStarted", "TaskSubmitted", "TaskStarted", "TaskCompleted"})


@dataclass(slots=True)
class Tail:
    """What was committed to the topic of runs, and when the broker took it."""

    consumer: Consumer
    counts: Counter[str] = field(default_factory=Counter)
    first_ms: dict[str, dict[str, int]] = field(default_factory=lambda: defaultdict(dict))
    per_second: Counter[int] = field(default_factory=Counter)  # news that were appended

    def look(self) -> None:
        """Take what is there."""
        while found := self.consumer.consume(20_000, 0.0):
            for message in found:
                if message.error() is not None:
                    raise RuntimeError(str(message.error()))
                kind = _type_of(message.headers() or [])
                at = message.timestamp()[1]
                self.counts[kind] += 1
                if kind in NEWS:
                    self.per_second[at // 1_000] += 1
                else:
                    self.first_ms[kind].setdefault((message.key() or b"").decode(), at)


def _type_of(headers: Any) -> str:
    told: bytes = next((value for name, value in headers if name == HEADER_TYPE), b"")
    return told.decode().rpartition(".")[2]


@dataclass(slots=True)
class Memory:
    """What the worker holds, once a second."""

    began_at: float
    rss_mib: list[tuple[float, float]] = field(default_factory=list)
    cpu_seconds: int = 0  # that it has used since it began

    def look(self, program: Program) -> None:
        """Note what it has now."""
        if self.rss_mib and time.time() - self.began_at - self.rss_mib[-1][0] < 1.0:
            return
        asked = ["ps", "-o", "rss=,cputimes=", "-p", str(program.process.pid)]
        said = subprocess.run(asked, capture_output=True, text=True, check=True)
        rss_kib, cpu_seconds = map(int, said.stdout.split())
        self.cpu_seconds = cpu_seconds
        self.rss_mib.append((round(time.time() - self.began_at, 1), round(rss_kib / 1_024, 1)))

    def between(self, begin: float, end: float) -> list[float]:
        """The figures of that time."""
        return [one for at, one in self.rss_mib if begin <= at < end]


@dataclass(slots=True)
class Trial:
    """One trial, while it goes on."""

    runs: int
    tasks: int
    seconds: float
    log: KafkaLog
    wire: Wire
    tail: Tail
    memory: Memory
    moved: tuple[int, float] = (0, 0.0)

    async def until(self, program: Program, kind: str, count: int) -> None:
        """Look on until so many runs have had this said of them."""
        while len(self.tail.first_ms[kind]) < count:
            await self.look(program)
            total = sum(self.tail.counts.values())
            if total != self.moved[0]:
                self.moved = total, time.time()
            if time.time() - self.moved[1] > SILENT_SECONDS_MAX:
                found = len(self.tail.first_ms[kind])
                raise AssertionError(f"{kind}: {found:,} of {count:,}, and nothing comes any more")

    async def ask_for_all(self, program: Program) -> None:
        """Ask for the runs, as fast as the backend takes them."""
        asked, begun = 0, time.time()
        while asked < self.runs:
            due = min(self.runs, int(REQUESTS_PER_SECOND * (time.time() - begun)) + 1)
            await self.log.append_bulk(map(scale_material.requested, range(asked, due)))
            asked = due
            await self.look(program)

    async def look(self, program: Program) -> None:
        """One look at everything, and a pause."""
        program.check()
        self.tail.look()
        self.memory.look(program)
        await asyncio.sleep(LOOK_SECONDS)

    @property
    def behind(self) -> int:
        """How many runs have said that they exited, and have no verdict yet."""
        return len(self.tail.first_ms["RunExited"]) - len(self.tail.first_ms["RunSucceeded"])


def worker_command(log: KafkaLog, path: str) -> list[str]:
    """The worker as a program."""
    return [
        sys.executable, "-m", "benchmarks.scale_worker", log.address, log.wire_name(""), path,
    ]  # fmt: skip


def backend_command(log: KafkaLog, path: str, runs: int, tasks: int, seconds: float) -> list[str]:
    """The backend as a program."""
    return [
        sys.executable, "-m", "benchmarks.scale_backend", log.address, log.wire_name(""), path,
        str(runs), str(tasks), str(seconds),
    ]  # fmt: skip


async def measure(runs: int, tasks: int, seconds: float) -> dict[str, Any]:
    """The whole trial on a broker of its own."""
    load = [os.getloadavg()[0]]
    with tempfile.TemporaryDirectory(prefix="genoflow-scale-") as home:
        settings = bench_settings(Path(home))
        async with AsyncExitStack() as opened:
            stack = await opened.enter_async_context(LocalStack(settings, ("kafka",)))
            address = stack.status.services["kafka"].address
            log = await opened.enter_async_context(
                KafkaLog(address, prefix="scale.", partitions=PARTITIONS)
            )
            async with TopicAdmin(log, partitions=PARTITIONS) as admin:
                await admin.apply(topics.declared(row.changelog for row in rows()))
            trial = await _opened(opened, log, Path(home) / "s", runs, tasks, seconds)
            found = await _played(trial, str(Path(home) / "s"))
    load.append(os.getloadavg()[0])
    return {"date": datetime.now(UTC).isoformat(timespec="seconds"), "cpus": os.cpu_count(),
            "load_before": round(load[0], 2), "load_after": round(load[1], 2), **found}  # fmt: skip


async def _opened(
    opened: AsyncExitStack, log: KafkaLog, path: Path, runs: int, tasks: int, seconds: float
) -> Trial:
    command = backend_command(log, str(path), runs, tasks, seconds)
    backend = await opened.enter_async_context(running(log, "backend", command, kindly=True))
    while not path.exists():
        backend.check()
        await asyncio.sleep(LOOK_SECONDS)
    consumer = Consumer(
        {
            "bootstrap.servers": log.address, "group.id": "scale-tail",
            "isolation.level": "read_committed", "enable.auto.commit": False,
        }
    )  # fmt: skip
    opened.callback(consumer.close)
    name = log.wire_name(topics.RUN.name)
    consumer.assign([TopicPartition(name, one, 0) for one in range(PARTITIONS)])
    now = time.time()
    return Trial(runs, tasks, seconds, log, Wire(str(path)), Tail(consumer), Memory(now), (0, now))


async def _played(trial: Trial, path: str) -> dict[str, Any]:
    command, runs = worker_command(trial.log, path), trial.runs
    async with running(trial.log, "first", command, kindly=False) as first:
        asked_at = time.time()
        await trial.ask_for_all(first)
        await trial.until(first, "RunSubmitted", runs)
        submitted_at = time.time()
        print(f"submitted: {submitted_at - asked_at:.1f} s", flush=True)
        before = trial.memory.cpu_seconds, sum(trial.tail.counts.values())
        await trial.wire.ask(ask="go")
        began_at = time.time()
        while time.time() < began_at + KILL_AT * trial.seconds:
            await trial.look(first)
        work = {
            "worker_cpu_seconds": trial.memory.cpu_seconds - before[0],
            "records_meanwhile": sum(trial.tail.counts.values()) - before[1],
        }
        os.killpg(first.process.pid, signal.SIGKILL)
        killed_at = time.time()
        first.process.wait()
        had_state = len(_points(first)["before-begin"])
        had_state = min(had_state, PARTITIONS * len(rows()))
        restarts = _restarts(first)
    print(f"killed with {trial.behind:,} runs behind", flush=True)
    async with running(trial.log, "second", command, kindly=True) as second:
        kill = await _recovered(trial, second, killed_at, had_state)
        print(f"restored: {kill['restored_seconds']:.1f} s", flush=True)
        await trial.until(second, "RunSucceeded", runs)
        over_at = time.time()
        stats = await trial.wire.ask(ask="stats", whole=True)
        kill["restarts_by_themselves"] = restarts + _restarts(second)
    times = Times(asked_at, submitted_at, began_at, killed_at, over_at)
    return {**_figures(trial, stats, times), **work, "kill": kill}


def _points(program: Program) -> dict[str, list[float]]:
    found: dict[str, list[float]] = defaultdict(list)
    for line in program.said.read_text(encoding="utf-8").splitlines():
        point, _, at = line.partition(" ")
        if point in ("before-fence", "before-begin"):
            found[point].append(float(at))
    return found


def _restarts(program: Program) -> int:
    """How often it began anew after an error that a fresh start mends."""
    return program.said.read_text(encoding="utf-8").count("restarted ")


async def _recovered(
    trial: Trial, program: Program, killed_at: float, had_state: int
) -> dict[str, Any]:
    """From the start of another worker until its tasks have their state, and few runs wait."""
    started_at, behind = time.time(), trial.behind
    peak, falling_at, caught_up_at = behind, 0.0, 0.0
    read: list[float] = []
    while not caught_up_at or len(read) < had_state:
        await trial.look(program)
        read = _points(program)["before-begin"]
        now, waiting = time.time(), trial.behind
        if waiting > peak:
            peak, falling_at = waiting, 0.0
        elif waiting < peak and not falling_at:
            falling_at = now
        if len(read) >= had_state and waiting <= max(10, trial.runs // 200):
            caught_up_at = now
        if now - started_at > 2 * SILENT_SECONDS_MAX:
            raise AssertionError(f"{waiting:,} runs wait for a verdict, {len(read)} tasks read")
    fenced, read = sorted(_points(program)["before-fence"]), sorted(read)
    return {
        "behind_when_killed": behind, "behind_most": peak, "tasks_restored": had_state,
        "down_seconds": round(started_at - killed_at, 2),
        "first_fence_seconds": round(fenced[0] - started_at, 2),
        "restored_seconds": round(read[had_state - 1] - started_at, 2),
        "restoring_seconds": round(read[had_state - 1] - fenced[0], 2),
        "falling_seconds": round((falling_at or caught_up_at) - started_at, 2),
        "caught_up_seconds": round(caught_up_at - started_at, 2),
    }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Times:
    """When what began."""

    asked_at: float
    submitted_at: float
    began_at: float
    killed_at: float
    over_at: float


def _figures(trial: Trial, stats: Mapping[str, Any], at: Times) -> dict[str, Any]:
    posted = scale_material.news_of(trial.runs, trial.tasks)
    busy = sorted(trial.tail.per_second.values())
    zero = trial.memory.began_at
    return {
        "runs": trial.runs, "tasks": trial.tasks, "seconds": trial.seconds,
        "partitions": PARTITIONS, "processors": len(rows()), "workers": 1,
        "submits_per_second": scale_backend.SUBMITS_PER_SECOND,
        "describes_per_second": scale_backend.DESCRIBES_PER_SECOND,
        "submitted_seconds": round(at.submitted_at - at.asked_at, 1),
        "worked_seconds": round(at.over_at - at.began_at, 1),
        "news": stats["posted"], "news_with_ends": posted,
        "records": sum(trial.tail.counts.values()),
        "counts": dict(sorted(trial.tail.counts.items())),
        "news_per_second_mean": round(sum(busy) / max(1, len(busy)), 1),
        "news_per_second_most": busy[-1],
        "post_lag_seconds": _spread(stats["lags"]),
        "verdict_lag_seconds": _spread(_verdicts(trial, at.killed_at)),
        "exit_lag_told_seconds": _spread(_exits(trial, stats["ended"], told=True)),
        "exit_lag_looked_seconds": _spread(_exits(trial, stats["ended"], told=False)),
        "describes": stats["describes"], "described": stats["described"],
        "looked_into_the_store": stats["asked"],
        "rss_mib_begin": trial.memory.rss_mib[0][1],
        "rss_mib_submitting": max(trial.memory.between(0, at.submitted_at - zero)),
        "rss_mib_working": max(trial.memory.between(at.began_at - zero, at.killed_at - zero)),
        "rss_mib_after_kill": max(trial.memory.between(at.killed_at - zero, at.over_at - zero)),
        "rss_mib": trial.memory.rss_mib[:: max(1, len(trial.memory.rss_mib) // 60)],
        "polling": _polling(),
    }  # fmt: skip


def _verdicts(trial: Trial, killed_at: float) -> list[float]:
    """From RunExited to RunSucceeded, of runs that had theirs before the kill."""
    exits, verdicts = trial.tail.first_ms["RunExited"], trial.tail.first_ms["RunSucceeded"]
    quiet_ms = killed_at * 1_000
    calm = [run for run in exits if verdicts[run] < quiet_ms]
    return [(verdicts[run] - exits[run]) / 1_000 for run in calm]


def _exits(trial: Trial, ended: Mapping[str, float], *, told: bool) -> list[float]:
    """From the end of a run until the log knows it: told by news, or found by looking."""
    numbers = {str(one): n for n, one in enumerate(scale_material.run_ids(trial.runs))}
    exits = trial.tail.first_ms["RunExited"]
    return [
        exits[run] / 1_000 - at
        for run, at in ended.items()
        if scale_backend.says_so(numbers[run]) is told
    ]


def _polling() -> dict[str, Any]:
    """What asking would come to for all runs, however few were played."""
    found = scale_polling.asked(RUNS, TASKS, SECONDS)
    return {"runs": RUNS, "tasks": TASKS, "seconds": SECONDS,
            "missed_share": round(found.missed_share, 4), **asdict(found)}  # fmt: skip


def _spread(values: Sequence[float]) -> dict[str, float]:
    some = sorted(values) or [0.0]
    picked = {"p50": 0.5, "p99": 0.99, "most": 1.0}
    spread = {
        name: round(some[min(len(some) - 1, int(len(some) * share))], 3)
        for name, share in picked.items()
    }
    return {"count": len(values), **spread}


def main(words: Sequence[str] | None = None) -> None:
    """Measure, and write the figures."""
    parser = argparse.ArgumentParser(prog="benchmarks.scale", description=(__doc__ or "").strip())
    parser.add_argument("--runs", type=int, default=RUNS)
    parser.add_argument("--tasks", type=int, default=TASKS)
    parser.add_argument("--seconds", type=float, default=SECONDS)
    parser.add_argument("--out", type=Path, default=RESULTS)
    chosen = parser.parse_args(words)
    found = asyncio.run(measure(chosen.runs, chosen.tasks, chosen.seconds))
    chosen.out.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
    for name, value in found.items():
        if name != "rss_mib":
            print(f"{name}: {value}")


if __name__ == "__main__":
    main()
