"""How a launcher lets a job that waits go before others, or behind them."""

from __future__ import annotations

from enum import StrEnum
from typing import Protocol, runtime_checkable
from uuid import UUID

from genoflow.processors.ports import JobOrder


class Moved(StrEnum):
    """What became of the wish that a job waits in another queue."""

    MOVED = "moved"  # it is there, and nowhere else
    BEGUN = "begun"  # it works already, and goes on where it is
    OVER = "over"  # it has ended, or nobody wants it


@runtime_checkable
class MovesJobs(Protocol):
    """A launcher whose jobs wait in queues, one for each urgency."""

    async def move(self, effect_id: UUID, order: JobOrder) -> Moved:
        """Have the job of this effect wait where this order says; a second time moves nothing."""
