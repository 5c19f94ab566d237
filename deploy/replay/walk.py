"""The records that a processor took, in the order in which it took them.

A key that was parked waits here as it waited then, and goes on where it was requeued: this is the
worker's own task, of which only the answers are left out.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import NamedTuple

from genoflow.deploy.replay.recorded import Share
from genoflow.events.codec import Codec
from genoflow.events.envelope import Envelope, Producer
from genoflow.events.log.port import EventLog
from genoflow.events.log.recorded import Recorded
from genoflow.processors.ledger import Ledger
from genoflow.processors.processor import Processor
from genoflow.processors.step import Drain
from genoflow.processors.task import Task


class Taken(NamedTuple):
    """A record at the moment at which it was taken."""

    record: Recorded
    trigger: int  # the record at which it was taken: itself, or the requeue that let it through
    was_parked: bool  # it could not be taken there


class Walk:
    """The way of one task over its partition, up to where it stands now."""

    def __init__(self, log: EventLog, row: Processor, codec: Codec) -> None:
        self._log = log
        self._row = row
        self._codec = codec

    async def taken(self, number: int, share: Share) -> AsyncGenerator[Taken | int, None]:
        """What was taken, and between it the offset that is reached."""
        task = _Task(self._row, number, share, self._codec)
        place = (self._row.reads.name, number)
        records = self._log.read({place: share.start}, {place: share.stop})
        async with aclosing(records):
            async for record in records:
                drain = task.take(record)
                if drain is not None:
                    async for one in self._drained(task, drain):
                        yield one
                for one in task.collected():
                    yield one
                yield record.offset + 1

    async def _drained(self, task: _Task, drain: Drain) -> AsyncGenerator[Taken, None]:
        place = (self._row.reads.name, task.partition)
        queued = self._log.read({place: drain.start}, {place: drain.trigger})
        async with aclosing(queued):
            async for waiting in queued:
                if waiting.key_bytes != drain.key:
                    continue
                went_on = task.take_queued(drain, waiting)
                for one in task.collected():
                    yield one
                if not went_on:
                    task.stuck_again(drain)
                    return
        task.drained(drain)


class _Every(frozenset[str]):
    """All types of events, those that this code does not know among them."""

    def __contains__(self, _name: object) -> bool:
        return True


_EVERY = _Every()


class _Task(Task):
    """The worker's task, which answers nothing and parks what it parked then."""

    def __init__(self, row: Processor, number: int, share: Share, codec: Codec) -> None:
        super().__init__(
            row, number,
            producer=Producer(service=row.name, version="replay"), codec=codec,
            ledger=Ledger(was_parked=dict(share.ledger.was_parked)), position=share.start,
        )  # fmt: skip
        self._types = _EVERY  # which of them are decided on, the deciding revision knows
        self._collected: list[Taken] = []

    def collected(self) -> list[Taken]:
        """What was taken since the last call."""
        taken, self._collected = self._collected, []
        self.step()  # nobody commits it
        return taken

    def _take(self, record: Recorded, key: bytes, trigger: int, by: Envelope | None) -> bool:  # noqa: ARG002
        named = self._was_parked.get((trigger, record.offset))
        self._collected.append(Taken(record, trigger, named is not None))
        if named is None:
            return True
        self._set_parked(key, self._parked(key, record.offset, named, trigger, ""))
        return False
