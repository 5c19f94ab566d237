"""The port of those who can be asked again for facts that did not come."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from genoflow.events.event import Event


@dataclass(frozen=True, slots=True)
class Question:
    """What has not come: the end of this stage of this subject."""

    porch: str  # who owes it
    stage: str
    topic: str
    key: str
    item: str = ""  # of its subject, as stages name it; nothing where it is the whole


@dataclass(frozen=True, slots=True)
class Answer:
    """What a source had, which stands on the log by now."""

    place: str
    looked_at: datetime
    brought: tuple[Event, ...] = ()  # about the subject; the log lacked them
    reason: str = ""
    is_shared: bool = False  # somebody else had it look, so short a while ago that this will do


class Sources(Protocol):
    """Every source that a porch owns and that can be asked again."""

    async def ask(self, question: Question) -> Answer:
        """Bring onto the log, under its own ids, what the source has and the log lacks.

        Retry where the source does not answer now, Parked where a person has to see to it.
        """
