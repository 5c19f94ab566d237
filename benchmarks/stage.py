"""A stage: decode, a decider with state, encode, transaction; ours, Quix Streams and Faust.

Each contestant is a program of its own that reads the same records from the beginning. The broker
stamps every answer when it is appended, and the rate is taken from these stamps: neither starting
up nor joining a group is in it, nor the first tenth, in which programs get warm.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass

from benchmarks import stage_run
from benchmarks.contest import (
    RATE,
    Comparison,
    Contestant,
    Figures,
    Row,
    compete,
    row_of,
)
from benchmarks.material import Material
from benchmarks.stage_run import Running, Seen
from genoflow.events.log.kafka import KafkaLog

WARM_FRACTION = 0.1
FAUST_FRACTION = 0.2  # of the events: it is that much slower, and a rate needs seconds only

OURS = "worker"
QUIX = "Quix Streams, exactly once"
FAUST = "Faust agent"
BARE = "bare transactional loop"

COMPARISONS = (
    Comparison("stage", OURS, QUIX, target=2.0),
    Comparison("stage", OURS, FAUST, target=10.0),
    Comparison("stage", OURS, BARE, note="aiokafka + fastavro, state in memory only"),
)


@dataclass(frozen=True, slots=True)
class Stage:
    """The contestants of the throughput: each takes all that stands on the source."""

    log: KafkaLog
    material: Material

    async def _timed(self, kind: str, run: Running, wanted: int, *, once: bool) -> Figures:
        name = stage_run.new_name(kind)
        async with stage_run.bystander(self.log) as watched:
            async with run(self.log, name) as program:
                seen = await stage_run.watch(watched, program, wanted)
            await asyncio.to_thread(watched.look, 0.5)  # what was on its way when it ended
        if once:
            self._checked(name, seen)
        stamps = sorted(seen.appended_ms)[: max(wanted, 1)]
        first = int(len(stamps) * WARM_FRACTION)
        taken = max(stamps[-1] - stamps[first], 1) / 1_000
        return {RATE: (len(stamps) - first) / taken}

    def _checked(self, name: str, seen: Seen) -> None:
        counted = Counter(stage_run.causes(seen.values))
        expected = {str(event.envelope.event_id) for event in self.material.events}
        if counted.keys() != expected or set(counted.values()) != {1}:
            raise AssertionError(
                f"{name}: {len(expected):,} events led to {counted.total():,} answers to "
                f"{len(counted):,} of them; it promises one each, so its speed means nothing"
            )

    async def ours(self) -> Figures:
        """What ships."""
        wanted = len(self.material.events)
        return await self._timed("stage", stage_run.ours, wanted, once=True)

    async def quix(self) -> Figures:
        """Anchor: as its manual advises, exactly once."""
        wanted = len(self.material.events)
        return await self._timed("quix", stage_run.quix, wanted, once=True)

    async def faust(self) -> Figures:
        """Anchor: at least once, which is what it can promise."""
        wanted = int(len(self.material.events) * FAUST_FRACTION)
        return await self._timed("faust", stage_run.faust, wanted, once=False)

    async def bare(self) -> Figures:
        """Anchor: the loop of aiokafka's manual."""
        wanted = len(self.material.events)
        return await self._timed("bare", stage_run.bare, wanted, once=True)

    def contestants(self) -> tuple[Contestant, ...]:
        """All of them, in the order of one round."""
        return (
            Contestant(OURS, self.ours),
            Contestant(QUIX, self.quix),
            Contestant(BARE, self.bare),
            Contestant(FAUST, self.faust),
        )


async def measure(log: KafkaLog, material: Material, rounds: int) -> list[Row]:
    """Fill the source once, then let them compete."""
    await stage_run.create(log, ())
    await log.append_bulk(material.events)
    contestants = Stage(log, material).contestants()
    if rounds == 1 and not stage_run.ANCHORS.exists():  # a trial run does without them
        contestants = tuple(c for c in contestants if c.name not in (QUIX, FAUST))
    best = await compete(contestants, rounds, warm=False)
    return [row_of(comparison, best) for comparison in COMPARISONS if comparison.anchor in best]
