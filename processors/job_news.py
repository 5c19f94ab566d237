"""What a launcher says of a job that nobody hears of, beside whether it runs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, runtime_checkable
from uuid import UUID


@dataclass(frozen=True, slots=True)
class JobNews:
    """A reason in a word, and in a sentence."""

    reason_code: str  # one of those of RunStuck
    reason: str


@runtime_checkable
class TellsOfJobs(Protocol):
    """A launcher that knows more of a job than whether it runs."""

    async def says(self, effect_id: UUID) -> JobNews:
        """What the job of this effect waits for, as far as its launcher knows."""
