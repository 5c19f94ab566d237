"""What a worker takes when it runs for long: memory over a million events, and a restore after it.

100,000 subjects with ten events each, round after round, so that every subject is known after the
first hundred thousand: what grows from then on would grow for ever. Then the worker is started
again, and its tasks read ten updates of each subject back from their changelogs.
"""

from __future__ import annotations

import asyncio
import subprocess
from collections import defaultdict
from dataclasses import dataclass

from benchmarks import stage_run
from benchmarks.contest import MEBIBYTES, SECONDS, Comparison, Figures, Row, row_of
from benchmarks.material import TOPIC, Material, built
from benchmarks.stage_row import row
from benchmarks.stage_run import Program
from genoflow.events.log.kafka import KafkaLog
from genoflow.events.log.partitioner import partition_of
from genoflow.events.log.recorded import Raw

SUBJECTS_PER_FIELDS = 100
ROUNDS = 10
EARLY_ROUNDS = 2
SETTLED_SECONDS = 1.0
RESTORE_SECONDS_MAX = 30.0  # of 100,000 subjects: less than the broker takes to miss a worker twice

LATE = "worker, after 1,000,000 events"
EARLY = "worker, after 200,000 events"
RESTORE = "worker, 100,000 subjects"
LIMIT = "the limit"

COMPARISONS = (
    Comparison("stage, memory", LATE, EARLY, unit=MEBIBYTES, target=1.1, note="peaks"),
    Comparison("stage, restore", RESTORE, LIMIT, unit=SECONDS, target=1.0, note="ten updates each"),
)


@dataclass(slots=True)
class Peaks:
    """The most memory that a process had, until it had done so much and in the end."""

    early_events: int
    process: int
    early: float = 0.0
    late: float = 0.0

    def look(self, count: int) -> None:
        """Note what it has now, after so many events."""
        asked = ["ps", "-o", "rss=", "-p", str(self.process)]
        said = subprocess.run(asked, capture_output=True, text=True, check=True)
        now = int(said.stdout) / 1_024
        if count <= self.early_events:
            self.early = max(self.early, now)
        self.late = max(self.late, now)


async def _fill(log: KafkaLog, material: Material) -> int:
    """Put the rounds on the source; how many events they are in all."""
    rows: dict[int, list[Raw]] = defaultdict(list)
    for number, fields in enumerate(material.fields):
        for copy in range(SUBJECTS_PER_FIELDS):
            sample = f"S26-{number * SUBJECTS_PER_FIELDS + copy:06d}"
            event = built({**fields, "sample_id": sample, "version_id": str(copy)})
            key = event.key.encode()
            value, headers = log.codec.encode(event)
            rows[partition_of(key, stage_run.PARTITIONS)].append(Raw(key, value, headers, 0))
        await asyncio.sleep(0)
    for _ in range(ROUNDS):
        for partition, some in rows.items():
            await log.append_raw(TOPIC, partition, some)
    return ROUNDS * sum(map(len, rows.values()))


async def _restored(program: Program) -> float:
    """How long it took from the first fence to the last task that reads."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + 2 * RESTORE_SECONDS_MAX
    points: dict[str, list[float]] = {}
    while len(points.get("before-begin", ())) < stage_run.PARTITIONS:
        await asyncio.sleep(stage_run.LOOK_SECONDS)
        program.check()
        if loop.time() > deadline:
            raise AssertionError(f"{program.name}: not restored within {2 * RESTORE_SECONDS_MAX} s")
        points = defaultdict(list)
        for line in program.said.read_text(encoding="utf-8").splitlines():
            point, at = line.split()
            points[point].append(float(at))
    return max(points["before-begin"]) - min(points["before-fence"])


async def measure(log: KafkaLog, material: Material, _rounds: int) -> list[Row]:
    """One long run and one restart: nothing here gets better by being done again."""
    name = stage_run.new_name("long")
    await stage_run.create(log, (row(name).changelog,))
    wanted = await _fill(log, material)
    async with (
        stage_run.bystander(log, keep=False) as watched,
        stage_run.ours(log, name) as program,
    ):
        peaks = Peaks(wanted * EARLY_ROUNDS // ROUNDS, program.process.pid)
        await stage_run.watch(watched, program, wanted, peaks.look)
    await asyncio.sleep(SETTLED_SECONDS)
    async with stage_run.ours(log, name) as program:
        restored = await _restored(program)
    best: dict[str, Figures] = {
        LATE: {MEBIBYTES: peaks.late},
        EARLY: {MEBIBYTES: peaks.early},
        RESTORE: {SECONDS: restored},
        LIMIT: {SECONDS: RESTORE_SECONDS_MAX},
    }
    return [row_of(comparison, best) for comparison in COMPARISONS]
