"""A member of a working group as the contract's tests see it: what it was told, what it took."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

from genoflow.events import topics
from genoflow.events.log.port import EventLog, WorkReader
from genoflow.events.log.recorded import Recorded
from tests.contracts.logs import PARTITIONS

ALL = frozenset(range(PARTITIONS))
SECONDS_MAX = 30.0  # two rebalances of a busy broker


class Member:
    """A share that writes down what it is told, and a reader that it polls."""

    def __init__(self, begins_at: int | None = 0) -> None:
        self.reader: WorkReader
        self.mine: set[int] = set()
        self.told: list[tuple[str, frozenset[int]]] = []
        self.taken: list[Recorded] = []
        self.next: dict[int, int] = {}
        self.may_lose = asyncio.Event()
        self.may_lose.set()
        self.losing = False
        self.begins_at = begins_at

    async def gained(self, partitions: frozenset[int]) -> None:
        """Note it, and begin where this member begins, if it does."""
        self.told.append(("gained", partitions))
        self.mine |= partitions
        if self.begins_at is not None:
            for partition in partitions:
                self.reader.begin(partition, self.begins_at)

    async def lost(self, partitions: frozenset[int]) -> None:
        """Give up as soon as the test says so."""
        self.losing = True
        await self.may_lose.wait()
        self.told.append(("lost", partitions))
        self.mine -= partitions

    async def poll(self, seconds: float = 0.05, records_max: int = 1_000) -> None:
        """One poll; what came of it is kept."""
        for partition, taken in (await self.reader.poll(seconds, records_max)).items():
            self.taken += taken.records
            self.next[partition] = taken.next_offset

    def offsets(self, partition: int) -> list[int]:
        """The offsets that it took of one partition, in the order of taking."""
        return [record.offset for record in self.taken if record.partition == partition]


@asynccontextmanager
async def joined(log: EventLog, begins_at: int | None = 0) -> AsyncIterator[Member]:
    """A member of one group; it joins with its first poll."""
    member = Member(begins_at)
    async with await log.work_reader("toy", topics.SAMPLE, member) as reader:
        member.reader = reader
        yield member
        member.may_lose.set()


async def until(members: Sequence[Member], holds: Callable[[], bool]) -> None:
    """Poll all of them until something holds."""
    async with asyncio.timeout(SECONDS_MAX):
        while not holds():
            await asyncio.gather(*(member.poll() for member in members))
