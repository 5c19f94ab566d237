"""Shared; written by `make client` from the API's OpenAPI."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import Field

from genoflow.api.client.answers import Answer


class ActorOut(Answer):
    """Who did it."""

    kind: str
    id_: str = Field(alias="id")


class Channel(Answer):
    """One channel of a subscription, which is a subscription by itself."""

    subscription_id: str
    channel: str
    """one of email, webhook, sns, slack"""
    secret: str | None
    """signs its webhooks; told here alone, to who made it"""


class ProducerOut(Answer):
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
    actor: ActorOut
    producer: ProducerOut
    topic: str
    partition: int
    offset: int
    payload: Mapping[str, Any]


class Proposal(Answer):
    """What became of a proposal."""

    proposal_id: UUID
    type_: str = Field(alias="type")
    """what was proposed"""
    subject: str
    """about whom or what"""
    state: str
    """one of open, accepted, refused"""
    reason: str | None
    """why it was refused"""
    fact: Event | None
    """what it led to; one that stood already where it did"""
