"""What is parked, as the API answers it: by the command line's own rules."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from genoflow.api.desks import Answer
from genoflow.deploy import parked_requests as requests
from genoflow.deploy.parked import Parking, read_parking, record_of
from genoflow.deploy.parked_decide import refuse_other
from genoflow.deploy.parked_rehearsal import row_of
from genoflow.events.event_discarded import EventDiscarded
from genoflow.events.event_requeued import EventRequeued
from genoflow.events.log.port import EventLog
from genoflow.processors.flow import PROCESSORS
from genoflow.processors.intake.privacy import PrivacyGuard


class LogParked:
    """ParkedDesk over the log."""

    def __init__(self, log: EventLog, person_patterns: Sequence[str]) -> None:
        self._log = log
        self._guard = PrivacyGuard(person_patterns)

    async def requeued(
        self, parked_id: UUID, reason: str, role: str, fields: dict[str, Any] | None
    ) -> Answer:
        """That it is tried again, with these fields in place of its own where there are some."""
        parking = await read_parking(self._log, PROCESSORS, parked_id)
        value = None if fields is None else await self._mended(parking, fields)
        return _answer(parking, requests.requeued(parking, reason, value, role))

    async def discarded(self, parked_id: UUID, reason: str, role: str) -> Answer:
        """That it is given up."""
        parking = await read_parking(self._log, PROCESSORS, parked_id)
        return _answer(parking, requests.discarded(parking, reason, role))

    async def _mended(self, parking: Parking, fields: dict[str, Any]) -> bytes:
        requests.require_event(parking)
        codec = self._log.codec
        original = requests.editable(await record_of(self._log, parking, codec), codec)
        document = original.document() | {"payload": fields}
        return requests.edited(original, parking, document, codec, self._guard)


def _answer(parking: Parking, fact: EventRequeued | EventDiscarded) -> Answer:
    refuse_other(parking, fact.external_id())
    row_of(PROCESSORS, parking)
    return Answer(parking.fact, fact, parking.answer is None)
