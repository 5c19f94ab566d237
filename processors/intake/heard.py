"""The ports of those who hear of files: where messages come from, and what the store itself says.

A message only says where to look. What is there, and in which order it came, the store says.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from genoflow.processors.intake.notices import Place
from genoflow.processors.ports import ObjectHead

STANDARD = "STANDARD"  # where an object is unless it is said to be elsewhere


@dataclass(frozen=True, slots=True)
class Message:
    """Something that a store sent, as it came."""

    source: str  # kafka, sqs or eventbridge
    place: str  # the queue, or the topic with its partition and offset
    message_id: str
    body: bytes


class Messages(Protocol):
    """A queue of messages. What was not said to be done comes again."""

    async def poll(self, timeout_seconds: float) -> Sequence[Message]:
        """The next messages; none when the time is over. Retry where the queue does not answer."""

    async def done(self, messages: Sequence[Message]) -> None:
        """These need not come again: what they say stands on the log."""

    async def again(self) -> None:
        """What was polled and is not done comes once more, now or after a while."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A version of an object, or a mark of deletion among its versions."""

    version_id: str
    at: datetime
    is_marker: bool
    storage_class: str = STANDARD


@dataclass(frozen=True, slots=True)
class Shelf:
    """One object with all that the store keeps of it, the oldest first."""

    place: Place
    kept: tuple[Kept, ...]


class Shelves(Protocol):
    """The object store as its history has it."""

    async def look(self, place: Place) -> Shelf:
        """All versions of one object and its marks of deletion; none where nothing is kept."""

    async def head(self, place: Place, version_id: str) -> ObjectHead:
        """The head of one version; ObjectGone where the store has no such version."""

    def crawl(self, bucket: str, prefix: str) -> AsyncGenerator[Shelf, None]:
        """Every object of which something is kept and whose key begins so, ordered by key."""
