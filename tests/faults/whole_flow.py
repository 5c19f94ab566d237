"""The scenario `flow`: a cohort through every row of the real flow, on a real broker, under faults.

Compute is fake and costs nothing; rows, workers, broker and everything that is kept are real. What
has to stand in the end is what the same cohort leaves in memory, where nothing fails.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

from genoflow.events import topics
from genoflow.events.event import Event
from genoflow.events.event_parked import EventParked
from genoflow.events.file_rejected import FileRejected
from genoflow.events.log.kafka import KafkaLog
from genoflow.events.log.recorded import Recorded
from genoflow.processors.flow import PROCESSORS
from genoflow.processors.processor import Kind, Processor
from tests.faults.brokers import Cluster
from tests.faults.crew import Crew
from tests.faults.driver import Drama, Say, row_of
from tests.faults.far import Clock, Window
from tests.faults.flow_worker import Play
from tests.faults.scenarios import Scenario
from tests.faults.stage import Stage, make_topics
from tests.faults.verdict import Row, Schemas, committed_of
from tests.simulation.whole import play as play_calmly
from tests.whole.cohort import Cohort, reported
from tests.whole.outside import Outside
from tests.whole.verdict import OF_CHANCE, OF_TIME, Fact, Finding, fact_of, judge, plain

PROGRAM = "tests.faults.flow_worker"
DOMAIN = tuple(topic for topic in topics.TOPICS if topic is not topics.CATALOG)
LAB = "tests"  # who reports from outside
JOB_SECONDS = 0.3


@dataclass
class FlowStage(Stage):
    """Reports the cohort's facts, sends rejected files again, and counts what is said of it."""

    outside: Outside | None = None
    wanted: Mapping[str, int] = field(default_factory=dict)  # facts by type, without faults
    said: Counter[str] = field(default_factory=Counter)
    parked: list[str] = field(default_factory=list)
    first_at: float = 0.0
    _rejected: list[FileRejected] = field(default_factory=list)
    watched: tuple[topics.Topic, ...] = DOMAIN

    def is_complete(self) -> bool:
        return self.fed >= len(self.rows) and all(
            self.said[kind] >= count for kind, count in self.wanted.items()
        )

    def event(self, index: int) -> Event:
        event = self.rows[index]
        assert isinstance(event, Event)
        return event

    def take(self, record: Recorded) -> None:
        name = UUID(record.event_id)
        if name in self.done or record.event.envelope.producer.service == LAB:
            return
        self.done.add(name)
        self.said[record.type] += 1
        self.moved_at = time.monotonic()
        event = record.event
        if isinstance(event, FileRejected):
            self._rejected.append(event)
        elif isinstance(event, EventParked):
            self.parked.append(event.error)

    async def react(self, log: KafkaLog) -> None:
        assert self.outside is not None
        while self._rejected:
            await log.append(self.outside.send_again(self._rejected[0]))
            self._rejected.pop(0)


async def play_flow(
    scenario: Scenario, per_run: int, cluster: Cluster, room: Path, say: Say
) -> dict[str, Any]:
    """Play a cohort of `scenario.events` samples on running brokers; the row of what was found."""
    room.mkdir(parents=True, exist_ok=True)
    prefix = f"{scenario.name}."
    outside_clock = Clock()
    play = Play(scenario.seed, scenario.events, per_run, 0)
    cohort = play.cohort
    calm, wanted = await asyncio.to_thread(_calm, cohort)
    say(f"{sum(wanted.values()):,} facts have to come")
    outside = Outside(cohort, outside_clock, job_seconds=lambda _: JOB_SECONDS)
    window = Window(outside)
    await window.open()
    Play(scenario.seed, scenario.events, per_run, window.port).write(room)
    await make_topics(
        cluster.address, prefix, cluster.size, (row.changelog for row in PROCESSORS.values())
    )
    crew = Crew(cluster.workers_address, prefix, room, scenario.session_seconds, program=PROGRAM)
    facts = reported(cohort, outside_clock.now())
    stage = FlowStage(
        cluster.address, prefix, facts, lambda: 0.0, outside=outside, wanted=wanted,
    )  # fmt: skip
    drama = Drama(scenario, cluster, crew, stage, say)
    stage.target = drama.target
    started = time.monotonic()
    try:
        await drama.play()
    finally:
        await crew.close()
        await window.close()
    seconds = time.monotonic() - started
    say(f"all is said after {seconds:.0f} s; the verdict")
    found = await asyncio.to_thread(verdict_on, cohort, calm, cluster.address, prefix)
    row = row_of(drama, room, started, {**_numbers(cohort, outside, found), **_without(found)})
    row["seconds"] = round(seconds)
    return row


def _calm(cohort: Cohort) -> tuple[dict[str, Counter[str]], Counter[str]]:
    """What is said of each subject where nothing fails, and how many facts of each type come."""
    facts = play_calmly(cohort).facts
    wanted = Counter(
        fact.kind for fact in facts if fact.by != LAB and fact.kind not in (*OF_TIME, *OF_CHANCE)
    )
    return plain(facts), wanted


def _numbers(cohort: Cohort, outside: Outside, found: Finding) -> dict[str, Any]:
    ordered = {one.name for case in cohort.cases for one in case.samples}
    return {
        "events": len(cohort.samples),
        "sequencing_runs": len(cohort.runs),
        "rows": len(PROCESSORS),
        "verdicts": sum(one is not None for one in cohort.verdicts().values()),
        "ordered": len(ordered),
        "cases": len(cohort.cases),
        "runs": sum(case.is_run for case in cohort.cases),
        "facts": found.facts,
        "jobs_begun": outside.launcher.begun.total(),
        "launches_asked": outside.launcher.asked.total(),
        "messages": len({one.message_id for one in outside.mail.sent})
        + len({one.webhook_id for one in outside.hooks.posted}),
        "messages_again": outside.sent_again(),
    }


def _without(found: Finding) -> dict[str, Any]:
    return {name: value for name, value in asdict(found).items() if name != "facts"}


# -- the verdict, read with other clients than the product's


def verdict_on(
    cohort: Cohort, calm: Mapping[str, Counter[str]], kafka: str, prefix: str
) -> Finding:
    """Read the kept log and judge it."""
    reading = Finding()
    schemas = Schemas()
    logs = [topic.name for topic in DOMAIN]
    changelogs = {prefix + row.changelog.name: row for row in PROCESSORS.values()}
    kept = committed_of(reading, kafka, [*(prefix + name for name in logs), *changelogs])
    facts: list[Fact] = []
    for name in logs:
        for row in kept[prefix + name]:
            assert row.value is not None
            facts.append(fact_of(schemas, name, row.key, row.partition, row.offset, row.value))
    found = judge(cohort, facts, calm)
    found.hanging = reading.hanging
    for line in reading.examples:
        found.note(line)
    for name, processor in changelogs.items():
        _judge_open(found, processor, kept[name])
    return found


def _judge_open(found: Finding, row: Processor, records: Iterable[Row]) -> None:
    """Whatever still waits on a changelog, but for what waits for a moment."""
    timers = {one.name for one in row.effects if one.kind is Kind.TIMER}
    last: dict[str, bytes] = {}
    for record in records:
        if record.value is None:
            last.pop(record.key, None)
        elif record.key.startswith(("effect/", "parked/")):
            last[record.key] = record.value
    for key, value in last.items():
        if key.startswith("effect/") and json.loads(value)["name"] in timers:
            continue
        found.left_open += 1
        found.note(f"left open: {row.changelog.name} {key}")
