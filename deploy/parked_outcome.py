"""What came of a request, as the worker writes it to the changelog of the task."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from genoflow.deploy.parked import Parking
from genoflow.events.log.port import EventLog
from genoflow.events.log.recorded import Recorded
from genoflow.processors.ledger import EFFECT, PARKED, OpenEffect, ParkedKey
from genoflow.processors.processor import Processor
from genoflow.processors.step import Request

POLL_SECONDS = 0.2


@dataclass(frozen=True, slots=True)
class Came:
    """What was seen, in words, and whether it is the end of it."""

    words: str
    is_end: bool
    is_good: bool = True


class Watch:
    """Follows one task's changelog from before a request was appended."""

    def __init__(self, log: EventLog, row: Processor, parking: Parking) -> None:
        self._log = log
        self._place = (row.changelog.name, parking.address.partition)
        self._parking = parking
        self._from = 0

    async def begin(self) -> None:
        """Remember where the changelog ends now; call it before the request is appended."""
        self._from = (await self._log.ends(self._place[0]))[self._place]

    async def until(self, request: Request, deadline: float) -> Came | None:
        """What the worker made of it before this time of the loop; None where it said nothing."""
        loop = asyncio.get_running_loop()
        last: Came | None = None
        async with await self._log.reader({self._place: self._from}) as reader:
            while loop.time() < deadline:
                for record in await reader.poll(POLL_SECONDS):
                    came = self._read(record, request)
                    if came is not None and came.is_end:
                        return came
                    last = came or last
        return last

    def _read(self, record: Recorded, request: Request) -> Came | None:
        parking, effect = self._parking, self._parking.address.effect_id
        if effect is None:
            if record.key_bytes != PARKED + parking.fact.subject_key.encode():
                return None
            return self._of_a_key(record.value, request)
        if record.key_bytes != EFFECT + str(effect).encode():
            return None
        return self._of_an_effect(record.value, request)

    def _of_a_key(self, value: bytes | None, request: Request) -> Came | None:
        queue = self._parking.queue
        if value is None:
            return Came(f"the key is free again, {_events(len(queue))} behind it went on", True)
        parked = ParkedKey.model_validate_json(value)
        if request.envelope.event_id not in parked.requests or parked.draining is not None:
            return None
        passed = sum(one.position.offset < parked.offset for one in queue)
        return Came(f"parked again after {_events(passed)}: {parked.error}", True, False)

    def _of_an_effect(self, value: bytes | None, request: Request) -> Came | None:
        if value is None:
            return Came("the effect is closed", True)
        effect = OpenEffect.model_validate_json(value)
        if request.envelope.event_id not in effect.requests:
            return None
        if effect.parked is not None:
            return Came(f"parked again: {effect.parked}", True, False)
        return Came("the effect was opened again and is not done yet", False)


def _events(count: int) -> str:
    return f"{count:,} event{'' if count == 1 else 's'}"
