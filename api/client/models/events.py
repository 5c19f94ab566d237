"""Events; written by `make client` from the API's OpenAPI."""

from __future__ import annotations

from genoflow.api.client.answers import Answer
from genoflow.api.client.models.shared import Event


class Lineage(Answer):
    """An event between its causes and its consequences."""

    event: Event
    causes: tuple[Event, ...]
    """what it follows from, the first one first"""
    consequences: tuple[Event, ...]
    """what followed from it, as it was recorded"""
    is_cut: bool
    """whether more followed than are shown"""
