"""Timelines; written by `make client` from the API's OpenAPI."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import Field

from genoflow.api.client.answers import Answer


class Entry(Answer):
    """One line of a timeline."""

    event_id: UUID
    type_: str = Field(alias="type")
    subject: str
    occurred_at: datetime
    recorded_at: datetime
    causation_id: UUID | None
    producer: str
    payload: Mapping[str, Any] | None
    """what it says; null where that asks for another permission"""


class Timeline(Answer):
    """A story, oldest first."""

    subject: str
    entries: tuple[Entry, ...]
    is_cut: bool
    """whether it is longer than is shown"""
