"""The porch of the API: what comes through it names nobody, and stands on the log."""

from __future__ import annotations

from collections.abc import Sequence

from genoflow.events.event import Event
from genoflow.events.log.port import EventLog
from genoflow.events.log.recorded import Position
from genoflow.processors.intake.privacy import PrivacyGuard


class LogPorch:
    """Porch over the log."""

    def __init__(self, log: EventLog, person_patterns: Sequence[str]) -> None:
        self._log = log
        self._guard = PrivacyGuard(person_patterns)

    async def append(self, fact: Event) -> Position:
        """Append it durably and say where it stands; IdentifierFound where it names a person."""
        self._guard.check(fact)
        return await self._log.append(fact)
