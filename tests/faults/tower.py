"""The watchtower is killed and stopped under load: windows, alerts and its table all the same.

Two processes run, one keeps the tower. Whichever is killed is started again. A stop lasts longer
than the session, so that the other one has taken over when the stopped one goes on.
"""

from __future__ import annotations

import asyncio
import json
import random
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from genoflow.deploy.settings import Settings
from genoflow.deploy.tower_shown import read_tower
from genoflow.deploy.wiring import open_log
from genoflow.events import topics
from genoflow.events.alert_raised import AlertRaised
from genoflow.events.event import Event
from genoflow.events.log.kafka import KafkaLog
from genoflow.events.log.recorded import Recorded
from genoflow.events.run_succeeded import RunSucceeded
from genoflow.processors.watchtower.app import SESSION_SECONDS
from genoflow.processors.watchtower.fold import Tower
from tests.e2e.workers import GENOFLOW
from tests.faults.brokers import Cluster
from tests.servers import cli_environment
from tests.spec import heard
from tests.tower_histories import Recount, Teller, recount
from tests.tower_rules import rules

NAME = "tower"
TOWERS = 2
STOP_SECONDS = SESSION_SECONDS + 4.0
SETTLE_SECONDS_MAX = 240.0
LOOK_SECONDS = 5.0  # each look reads the whole changelog, on the towers' own cores
PAUSE_SECONDS = (1.0, 6.0)  # between two faults
RUNS_AT_ONCE = 10
# Nothing of these histories is ever collected: each run that succeeds is late once, and for ever.
UNCOLLECTED = {
    "rule": "uncollected", "kind": "late", "severity": "warning", "group_by": "subject",
    "stage": "collect", "quantile": 0.9, "margin": 2.0, "floor_seconds": 1.0,
    "ceiling_seconds": 1.0, "observations_min": 20,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Plan:
    """What is done to the towers."""

    kills: int
    stops: int
    seed: int = 1


SMALL = Plan(kills=2, stops=1)
WHOLE = Plan(kills=30, stops=10)


@dataclass
class Row:
    """What was done, and what was found."""

    seed: int
    kills: int = 0
    stops: int = 0
    records: int = 0
    windows: int = 0
    windows_wrong: list[str] = field(default_factory=list)
    alerts: int = 0
    alerts_missing: int = 0
    alerts_unfounded: int = 0
    alerts_repeated: int = 0  # the same fact under the same id, which readers drop
    alerts_contradicting: int = 0  # another fact under the same id
    left: dict[str, int] = field(default_factory=dict)  # how processes ended that nobody killed
    seconds: float = 0.0

    @property
    def is_passed(self) -> bool:
        """Whether windows are right, and every alert is there once by its id."""
        wrong = self.alerts_missing + self.alerts_unfounded + self.alerts_contradicting
        return not self.windows_wrong and not wrong and "70" not in self.left

    def as_json(self) -> dict[str, Any]:
        """For benchmarks/faults.json."""
        return {"scenario": NAME, "is_passed": self.is_passed, **asdict(self)}


class Towers:
    """Processes of the tower, started again when they end."""

    def __init__(self, settings: Settings, room: Path) -> None:
        self._settings, self._room = settings, room
        self._running: list[subprocess.Popen[bytes]] = []
        self.left: Counter[str] = Counter()

    def fill(self) -> None:
        """Start what is missing."""
        for process in list(self._running):
            code = process.poll()
            if code is not None:
                self._running.remove(process)
                if code not in (0, -signal.SIGKILL):
                    self.left[str(code)] += 1
        while len(self._running) < TOWERS:
            with (self._room / "towers.log").open("ab") as out:
                self._running.append(
                    subprocess.Popen(
                        [GENOFLOW, "tower", "--once"], stdout=out, stderr=out,
                        env=cli_environment(self._settings),
                    )
                )  # fmt: skip

    def hit(self, number: signal.Signals, chance: random.Random) -> subprocess.Popen[bytes]:
        """Send a signal to one of them."""
        process = chance.choice(self._running)
        process.send_signal(number)
        return process

    def end(self) -> None:
        """Kill what runs."""
        for process in self._running:
            process.kill()
            process.wait()


async def play(plan: Plan, settings: Settings, room: Path, say: Callable[[str], None]) -> Row:
    """Load, faults, then the verdict; topics have to be there."""
    began, row = time.monotonic(), Row(plan.seed)
    towers = Towers(settings, room)
    over = asyncio.Event()
    async with open_log(settings) as log:
        await log.append(heard(rules(UNCOLLECTED)))
        loading = asyncio.create_task(_load(log, plan.seed, over))
        try:
            towers.fill()
            await _provoke(plan, towers, row, say)
            over.set()
            await loading
            await _judged(log, row, towers, say)
        finally:
            over.set()
            await asyncio.wait([loading])
            towers.end()
    row.left = dict(towers.left)
    row.seconds = round(time.monotonic() - began, 1)
    return row


async def _load(log: KafkaLog, seed: int, over: asyncio.Event) -> None:
    """Runs and samples, in transactions and without, until told to stop."""
    number = 0
    while not over.is_set():
        teller = Teller(seed + number, at=datetime.now(UTC) - timedelta(hours=2))
        events: list[Event] = []
        for one in range(number, number + RUNS_AT_ONCE):
            events += (*teller.run(one), *teller.sample(one))
        number += RUNS_AT_ONCE
        events.sort(key=lambda event: event.envelope.occurred_at)
        for at in range(0, len(events), 20):
            some = events[at : at + 20]
            await (log.append_atomically(some) if at % 40 else log.append_bulk(some))
        await asyncio.sleep(0.5)


async def _provoke(plan: Plan, towers: Towers, row: Row, say: Callable[[str], None]) -> None:
    chance = random.Random(plan.seed)
    faults = ["kill"] * plan.kills + ["stop"] * plan.stops
    chance.shuffle(faults)
    await asyncio.sleep(PAUSE_SECONDS[1])
    for number, fault in enumerate(faults, start=1):
        if fault == "kill":
            towers.hit(signal.SIGKILL, chance).wait()
            row.kills += 1
        else:
            stopped = towers.hit(signal.SIGSTOP, chance)
            await asyncio.sleep(STOP_SECONDS)
            stopped.send_signal(signal.SIGCONT)
            row.stops += 1
        await asyncio.sleep(chance.uniform(*PAUSE_SECONDS))
        towers.fill()
        say(f"{fault} {number} of {len(faults)}")


async def _judged(log: KafkaLog, row: Row, towers: Towers, say: Callable[[str], None]) -> None:
    records = [
        record
        for topic in (topics.RUN, topics.SAMPLE)
        async for record in log.read_topic(topic.name)
    ]
    row.records = len(records)
    expected = {r.key for r in records if r.type == RunSucceeded.type()}
    say(f"{len(records):,} records; waiting until they are read")
    tower, alerts = await _settled(log, records, len(expected), towers)
    row.windows_wrong = differences(tower, recount(records))[:5]
    row.windows = len({(size.name, at, name) for size, at, name, _ in tower.panes()})
    by_id: dict[str, list[AlertRaised]] = {}
    for alert in alerts:
        by_id.setdefault(str(alert.alert_id), []).append(alert)
    about = Counter(same[0].subject_key for same in by_id.values())
    row.alerts = len(by_id)
    row.alerts_missing = len(expected - set(about))
    row.alerts_unfounded = sum(
        number - (1 if key in expected else 0) for key, number in about.items()
    )
    row.alerts_repeated = sum(len(same) - 1 for same in by_id.values())
    row.alerts_contradicting = sum(
        any(_told(one) != _told(same[0]) for one in same) for same in by_id.values()
    )


def _told(alert: AlertRaised) -> tuple[str, str]:
    return json.dumps(alert.payload(), sort_keys=True), str(alert.envelope.event_id)


async def _settled(
    log: KafkaLog, records: Sequence[Recorded], alerts: int, towers: Towers
) -> tuple[Tower, list[AlertRaised]]:
    """The table and the alerts once everything was read and said, or when time is over."""
    ends: dict[tuple[str, int], int] = {}
    for record in records:
        place = (record.topic, record.partition)
        ends[place] = max(ends.get(place, 0), record.offset + 1)
    until = time.monotonic() + SETTLE_SECONDS_MAX
    while True:
        towers.fill()
        tower = await read_tower(log)
        known = tower.positions()
        said = [
            record.event
            async for record in log.read_topic(topics.ALERT.name)
            if record.type == AlertRaised.type()
        ]
        raised = [one for one in said if isinstance(one, AlertRaised)]
        is_read = all(known.get(place, 0) >= end for place, end in ends.items())
        is_said = len({one.alert_id for one in raised}) >= alerts
        if (is_read and is_said) or time.monotonic() > until:
            return tower, raised
        await asyncio.sleep(LOOK_SECONDS)


def differences(tower: Tower, expected: Recount) -> list[str]:
    """Where the tower's windows and a plain loop over the log do not agree."""
    found = {
        (size.name, at, name, stage, what): number
        for size, at, name, pane in tower.panes()
        for stage, tally in pane.items()
        for what in ("began", "ended", "failed", "retried")
        if (number := getattr(tally, what))
    }
    counts = {
        place: (found.get(place, 0), expected.counts.get(place, 0))
        for place in found.keys() | expected.counts.keys()
    }
    lengths = {
        (size.name, at, name, stage): (
            int(tally.seconds.count), len(expected.seconds.get((size.name, at, name, stage), ())),
        )
        for size, at, name, pane in tower.panes()
        for stage, tally in pane.items()
    }  # fmt: skip
    compared: list[tuple[tuple[Any, ...], tuple[int, int]]] = [*counts.items(), *lengths.items()]
    return [
        f"{place}: the tower says {ours}, the log {theirs}"
        for place, (ours, theirs) in compared
        if ours != theirs
    ]


async def play_alone(plan: Plan, room: Path, cache: Path, say: Callable[[str], None]) -> Row:
    """On a broker of its own."""
    cluster = Cluster(room / "brokers", cache, 1, ())
    try:
        await cluster.start()
        settings = Settings(
            environment="test", home=room / "home", cache=cache, kafka=cluster.address
        )
        done = await asyncio.to_thread(
            subprocess.run, [GENOFLOW, "topics", "apply"], env=cli_environment(settings),
            capture_output=True, check=False,
        )  # fmt: skip
        assert not done.returncode, done.stderr
        return await play(plan, settings, room, say)
    finally:
        await cluster.stop()


def table(row: Mapping[str, Any]) -> list[str]:
    """The row as a table of Markdown."""
    told = {**row, "windows_wrong": len(row["windows_wrong"])}
    names = [name for name in told if name not in ("scenario", "is_passed", "left")]
    return ["| what | number |", "|---|---|", *(f"| {_words(n)} | {told[n]:,} |" for n in names)]


def _words(name: str) -> str:
    return name.replace("_", " ")
