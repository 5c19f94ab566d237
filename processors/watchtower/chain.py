"""Whether records come one behind the other, as they stand in their partitions.

Offsets alone do not tell: behind each transaction one is left out, and an aborted one leaves out as
many as it had. So each record says where the one before it ended, and what is missing in between
was lost on the way here. It is read again by whoever begins anew from what the table knows.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

from genoflow.events.errors import Retry
from genoflow.processors.watchtower.kept import Place

R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Linked(Generic[R]):
    """A record, and where the one before it in its partition ended: nothing stands in between."""

    sought: int  # the seek behind which it was read
    follows: int
    record: R


class Chain:
    """How far each partition was taken."""

    def __init__(self) -> None:
        self._reached: dict[Place, int] = {}
        self._stands: dict[Place, tuple[int, float]] = {}

    def begin(self, places: Mapping[Place, int]) -> None:
        """From here on: everything before these places is known."""
        self._reached = dict(places)
        self._stands = {}

    def take(self, place: Place, follows: int, offset: int) -> None:
        """Take the record of this offset, which follows what ended at `follows`."""
        reached = self._reached.get(place, 0)
        if follows > reached:
            topic, partition = place
            raise Retry(
                f"the tower: {topic} {partition} was read up to {reached}, and what came next "
                f"follows {follows}; start it again, it reads what is missing"
            )
        self._reached[place] = max(reached, offset + 1)

    def lacks(self, handed: Mapping[Place, int]) -> dict[Place, int]:
        """Where partitions stand of which more was handed out."""
        return {
            place: reached
            for place, end in handed.items()
            if (reached := self._reached.get(place, 0)) < end
        }

    def stood(self, handed: Mapping[Place, int], now: float) -> float:
        """Seconds for which a partition has not moved, although more of it was handed out."""
        before, self._stands = self._stands, {}
        for place, reached in self.lacks(handed).items():
            known = before.get(place)
            is_same = known is not None and known[0] == reached
            self._stands[place] = known if known and is_same else (reached, now)
        return max((now - since for _, since in self._stands.values()), default=0.0)
