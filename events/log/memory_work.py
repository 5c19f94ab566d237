"""Sharing the work in memory: a group whose members come, go, fall silent and wake up too late.

    1. Members stand in the order of their joining; partition p belongs to the member at p mod n.
    2. A live member that is to give one up is told so, and lets go of it when `lost` has returned.
    3. Only then does the next owner take it, and is told that it gained it.
    4. A member that did not beat for a session is dropped, and nobody waits for it. When it wakes
       up it finds itself dropped, has lost everything, and joins anew.

Each member moves in tasks of its own, and what members share changes between two awaits only: one
that is killed anywhere holds nothing that another would wait for.
"""

from __future__ import annotations

import asyncio
import bisect
import contextlib
from collections.abc import Mapping
from typing import TYPE_CHECKING

from genoflow.events.log.port import POLL_RECORDS_MAX, Share, Taken, WorkReader, not_there
from genoflow.events.log.recorded import Position

if TYPE_CHECKING:
    from genoflow.events.log.memory import MemoryLog

SESSION_SECONDS = 10  # as on Kafka: a member that is silent for longer is missed
BEAT_SECONDS = 2  # five chances within a session


class WorkGroup:
    """Who shares one topic under one name, and who holds which partition."""

    def __init__(self, partitions: int, session_seconds: float) -> None:
        self._partitions = partitions
        self._session_seconds = session_seconds
        self._beats: dict[int, float] = {}  # member -> its last beat, in the order of joining
        self._joined = 0
        self.holders: dict[int, int] = {}  # partition -> the member that was told it is its own
        self.positions: dict[int, int] = {}  # what was committed, for those who look at lag

    def join(self, now: float) -> int:
        """A new member's number; no number is given twice."""
        self._joined += 1
        self._beats[self._joined] = now
        return self._joined

    def leave(self, member: int) -> None:
        """Forget a member and all that it held."""
        self._beats.pop(member, None)
        for partition in [p for p, holder in self.holders.items() if holder == member]:
            del self.holders[partition]

    def beat(self, member: int, now: float) -> None:
        """Count a sign of life, where the member was not dropped before."""
        if member in self._beats:
            self._beats[member] = now

    def drop_silent(self, now: float) -> bool:
        """Drop who was silent for longer than a session; whether there was one."""
        silent = [m for m, beat in self._beats.items() if now - beat > self._session_seconds]
        for member in silent:
            self.leave(member)
        return bool(silent)

    def __contains__(self, member: int) -> bool:
        return member in self._beats

    def wanted(self, member: int) -> frozenset[int]:
        """The partitions that this member is to have."""
        members = list(self._beats)
        return frozenset(
            p for p in range(self._partitions) if members and members[p % len(members)] == member
        )

    def held(self, member: int) -> frozenset[int]:
        """The partitions that this member has."""
        return frozenset(p for p in sorted(self.holders) if self.holders[p] == member)

    def free(self, member: int) -> frozenset[int]:
        """The partitions that this member is to have and nobody holds."""
        return frozenset(p for p in sorted(self.wanted(member)) if p not in self.holders)


class MemoryWorkReader(WorkReader):
    """One member of a group."""

    def __init__(
        self, log: MemoryLog, group: WorkGroup, name: str, topic: str, share: Share
    ) -> None:
        self._log = log
        self._group = group
        self._name = name
        self._topic = topic
        self._share = share
        self._member = 0
        self._mine: frozenset[int] = frozenset()  # what our share was told; a zombie's is too much
        self._next: dict[int, int] = {}  # of partitions that were begun
        self._held: set[int] = set()
        self._beats: asyncio.Task[None] | None = None
        self._move: asyncio.Task[None] | None = None
        self._closing = False

    async def poll(
        self, timeout_seconds: float, records_max: int = POLL_RECORDS_MAX
    ) -> dict[int, Taken]:
        if self._beats is None:
            self._member = self._group.join(_now())
            self._beats = asyncio.create_task(self._beat_on())
            self._log.wake()
        deadline = _now() + timeout_seconds
        while True:
            grown = self._log.grown
            await asyncio.sleep(0)
            self._attend()
            self._tell_fault()
            taken = self._take(records_max)
            left = deadline - _now()
            if taken or left <= 0:
                return taken
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(left):
                    await grown.wait()

    async def _beat_on(self) -> None:
        while True:
            await asyncio.sleep(BEAT_SECONDS)
            self._group.beat(self._member, _now())
            self._attend()

    def _attend(self) -> None:
        """Drop who is silent, and move if the group wants it."""
        if self._group.drop_silent(_now()):
            self._log.wake()
        at_rest = self._move is None or (self._move.done() and self._move.exception() is None)
        if at_rest and self._must_move():
            self._move = asyncio.create_task(self._moves())

    def _tell_fault(self) -> None:
        if self._move is not None and self._move.done():
            self._move.result()

    def _must_move(self) -> bool:
        group, member = self._group, self._member
        return (
            member not in group
            or not self._mine <= group.wanted(member)
            or bool(group.free(member))
        )

    async def _moves(self) -> None:
        while self._must_move() and not self._closing:
            if self._member not in self._group:
                await self._lose(self._mine)  # step 4
                self._member = self._group.join(_now())
            else:
                await self._lose(self._mine - self._group.wanted(self._member))  # step 2
                await self._gain()  # step 3
            self._log.wake()

    async def _lose(self, partitions: frozenset[int]) -> None:
        if not partitions:
            return
        for partition in partitions:
            self._next.pop(partition, None)
        self._held -= partitions
        self._mine -= partitions
        await self._share.lost(partitions)
        for partition in partitions:
            if self._group.holders.get(partition) == self._member:
                del self._group.holders[partition]

    async def _gain(self) -> None:
        partitions = self._group.free(self._member)
        if partitions:
            self._group.holders.update(dict.fromkeys(sorted(partitions), self._member))
            self._mine |= partitions
            await self._share.gained(partitions)

    def _take(self, records_max: int) -> dict[int, Taken]:
        taken: dict[int, Taken] = {}
        left = records_max
        for number in sorted(self._next.keys() - self._held):
            partition, offset = self._log.partition(self._topic, number), self._next[number]
            if offset > partition.end:
                place = Position(self._topic, number, offset)
                raise not_there(self._name, place, 0, partition.end)
            index = bisect.bisect_left(partition.offsets, offset)
            records = partition.records[index : index + left]
            left -= len(records)
            at_end = index + len(records) == len(partition.records)
            behind = partition.end if at_end else partition.offsets[index + len(records)]
            if behind > offset:
                taken[number] = Taken(records, behind)
                self._next[number] = behind
            if left <= 0:
                break
        return taken

    def begin(self, partition: int, offset: int) -> None:
        if partition in self._mine:
            self._next[partition] = offset
            self._held.discard(partition)
            self._log.wake()

    def hold(self, partition: int) -> None:
        if partition in self._next:
            self._held.add(partition)

    def go_on(self, partition: int) -> None:
        self._held.discard(partition)
        self._log.wake()

    async def commit(self, positions: Mapping[int, int]) -> None:
        await asyncio.sleep(0)
        self._group.positions.update(
            {p: offset for p, offset in positions.items() if p in self._mine}
        )

    async def close(self) -> None:
        self._closing = True
        if self._move is not None:
            await asyncio.wait([self._move])
        if self._beats is not None:
            self._beats.cancel()
            await asyncio.gather(self._beats, return_exceptions=True)
        self._group.leave(self._member)
        self._next.clear()
        self._log.wake()
        self._tell_fault()


def _now() -> float:
    return asyncio.get_running_loop().time()
