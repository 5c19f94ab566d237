"""How long an event takes through a stage at a lab's pace, beside the bare transactional loop.

Events are appended one by one, 100 in a second; the clock of each runs from before its append until
a reader of committed records has its answer. Both contestants are programs of their own.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks import stage_run
from benchmarks.contest import (
    P50,
    P99,
    Comparison,
    Contestant,
    Figures,
    Row,
    compete,
    percentile,
    row_of,
)
from benchmarks.material import Material, built
from benchmarks.stage import BARE, OURS, WARM_FRACTION
from benchmarks.stage_run import Program, Running
from genoflow.events.file_landed import FileLanded
from genoflow.events.log.kafka import KafkaLog
from genoflow.events.log.partitioner import partition_of

EVENTS_A_SECOND = 100
PROBE_SECONDS = 0.5
POLL_SECONDS = 0.2

COMPARISONS = (
    Comparison("stage, 100 events/s", OURS, BARE, unit=P50, target=1.2),
    Comparison("stage, 100 events/s", OURS, BARE, unit=P99, target=1.2),
)


class Answers:
    """When the answer to each event was first seen."""

    def __init__(self, log: KafkaLog, program: Program) -> None:
        self.at: dict[str, float] = {}
        self._log = log
        self._program = program
        self._came = asyncio.Event()

    async def look(self, ends: dict[tuple[str, int], int]) -> None:
        """Note answers for ever, from these ends of the target on."""
        loop = asyncio.get_running_loop()
        async with await self._log.reader(ends) as reader:
            while True:
                self._program.check()
                records = await reader.poll(POLL_SECONDS)
                at = loop.time()
                for cause in stage_run.causes([record.value or b"" for record in records]):
                    self.at.setdefault(cause, at)
                self._came.set()

    async def to(self, events: Sequence[FileLanded], seconds: float) -> bool:
        """Whether all of these have been answered within this time."""
        wanted = {str(event.envelope.event_id) for event in events}
        try:
            async with asyncio.timeout(seconds):
                while not wanted <= self.at.keys():
                    self._came.clear()
                    await self._came.wait()
        except TimeoutError:
            return False
        return True


@dataclass(frozen=True, slots=True)
class Paced:
    """The contestants: each is started, asked until it answers, and then timed."""

    log: KafkaLog
    material: Material

    async def timed(self, kind: str, run: Running) -> Figures:
        """Start it, ask until it answers, then time each answer."""
        name = stage_run.new_name(kind)
        ends = await self.log.ends(stage_run.TARGET.name)
        async with run(self.log, name) as program:
            answers = Answers(self.log, program)
            looking = asyncio.create_task(answers.look(dict(ends)))
            pacing = asyncio.create_task(self._paced(name, answers))
            try:
                await asyncio.wait((looking, pacing), return_when=asyncio.FIRST_COMPLETED)
                if looking.done():
                    looking.result()
                taken = await pacing
            finally:
                looking.cancel()
                pacing.cancel()
        return {P50: percentile(taken, 0.5), P99: percentile(taken, 0.99)}

    async def _paced(self, name: str, answers: Answers) -> list[float]:
        await self._until_ready(name, answers)
        answers.at.clear()  # a new contestant answers to what earlier runs left on the source
        loop = asyncio.get_running_loop()
        sent: dict[str, float] = {}
        began = loop.time()
        for number, event in enumerate(self.material.events):
            await asyncio.sleep(max(0.0, began + number / EVENTS_A_SECOND - loop.time()))
            sent[str(event.envelope.event_id)] = loop.time()
            await self.log.append(event)
        if not await answers.to(self.material.events, stage_run.SILENT_SECONDS_MAX):
            raise AssertionError(f"{name}: {len(sent.keys() - answers.at.keys())} had no answer")
        warm = list(sent.items())[int(len(sent) * WARM_FRACTION) :]
        return sorted((answers.at[cause] - at) * 1_000 for cause, at in warm)

    async def _until_ready(self, name: str, answers: Answers) -> None:
        """One event for each partition, again and again until all of a turn are answered."""
        for turn in range(int(stage_run.SILENT_SECONDS_MAX / PROBE_SECONDS)):
            probes = {}
            for fields in self.material.fields:
                number = partition_of(fields["sample_id"].encode(), stage_run.PARTITIONS)
                probes[number] = built({**fields, "version_id": f"{name}-{turn}"})
                if len(probes) == stage_run.PARTITIONS:
                    break
            for probe in probes.values():
                await self.log.append(probe)
            if await answers.to(list(probes.values()), PROBE_SECONDS):
                return
        raise AssertionError(f"{name}: does not answer; run it by hand and see what it says")

    async def ours(self) -> Figures:
        """What ships."""
        return await self.timed("paced", stage_run.ours)

    async def bare(self) -> Figures:
        """Anchor: the loop of aiokafka's manual."""
        return await self.timed("bare", stage_run.bare)


async def measure(log: KafkaLog, material: Material, rounds: int) -> list[Row]:
    """Let them take turns at the same pace."""
    await stage_run.create(log, ())
    paced = Paced(log, material)
    contestants = (Contestant(OURS, paced.ours), Contestant(BARE, paced.bare))
    best = await compete(contestants, rounds, warm=False)
    return [row_of(comparison, best) for comparison in COMPARISONS]
