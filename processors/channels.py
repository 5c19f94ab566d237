"""Channels beside letters and webhooks: topics and phones of Amazon SNS, and chats."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Publication:
    """A message to a topic, which hands it on, or to one phone."""

    message_id: UUID  # by it a topic of the kind FIFO drops a repetition
    target: str  # the ARN of a topic, or a number as E.164 has it
    group: str  # what such a topic keeps in order
    subject: str
    body: str


class Publisher(Protocol):
    """Publishes to topics and phones."""

    async def publish(self, publication: Publication) -> int:
        """The service's code, which is a yes; Undelivered where it was anything else."""


@dataclass(frozen=True, slots=True)
class ChatMessage:
    """A message to a room, whose address is a secret."""

    url: str
    text: str


class Chat(Protocol):
    """Writes to rooms, and reaches no address that is not meant for the public."""

    async def say(self, message: ChatMessage) -> int:
        """The chat's code, which is a yes; Undelivered where it was anything else."""
