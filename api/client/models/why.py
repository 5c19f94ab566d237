"""Why; written by `make client` from the API's OpenAPI."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from pydantic import Field

from genoflow.api.client.answers import Answer


class Reason(Answer):
    """One reason."""

    about: str
    """of whom it speaks"""
    sentence: str
    says: str
    since: datetime | None
    way: str | None
    """what can be done"""
    is_waiting: bool
    """whether something is still to happen because of it"""


class Why(Answer):
    """What is known of a subject, and why it is where it is."""

    id_: str = Field(alias="id")
    facts: Mapping[str, Any]
    """as `genoflow … show --json` tells them"""
    reasons: tuple[Reason, ...]
    """the weightiest first"""
