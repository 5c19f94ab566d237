"""Events; written by `make client` from the API's OpenAPI."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import Field

from genoflow.api.client.answers import Answer


class Actor(Answer):
    """Who did it."""

    kind: str
    id_: str = Field(alias="id")


class Producer(Answer):
    """Which program said so."""

    service: str
    version: str


class Event(Answer):
    """One fact with its envelope, and its place on the log."""

    event_id: UUID
    type_: str = Field(alias="type")
    subject: str
    occurred_at: datetime
    """when it was true"""
    recorded_at: datetime
    """when the log took it"""
    correlation_id: UUID
    """the story that it belongs to"""
    causation_id: UUID | None
    """the event that it follows from"""
    actor: Actor
    producer: Producer
    topic: str
    partition: int
    offset: int
    payload: Mapping[str, Any]


class Lineage(Answer):
    """An event between its causes and its consequences."""

    event: Event
    causes: tuple[Event, ...]
    """what it follows from, the first one first"""
    consequences: tuple[Event, ...]
    """what followed from it, as it was recorded"""
    is_cut: bool
    """whether more followed than are shown"""
