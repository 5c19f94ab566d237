"""No direct identifier of a person comes in: not as an id, not in a name, not in a free text."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

from genoflow.events.errors import Refused
from genoflow.events.event import Event


class IdentifierFound(Refused):
    """A field holds what looks like an identifier of a person; its value is not repeated."""


class PrivacyGuard:
    """Refuses events in which a configured pattern of identifiers of persons is found."""

    def __init__(self, patterns: Sequence[str]) -> None:
        self._patterns = tuple(re.compile(pattern) for pattern in patterns)

    def check(self, event: Event) -> None:
        """Return if nothing in the event matches; else IdentifierFound, naming the field only."""
        for place, text in _texts(event.payload(), event.type()):
            for number, pattern in enumerate(self._patterns, start=1):
                if pattern.search(text):
                    raise IdentifierFound(
                        f"{place}: holds what pattern {number} of GENOFLOW_PERSON_PATTERNS "
                        f"takes for an identifier of a person; use an opaque reference instead"
                    )


def _texts(value: Any, place: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        yield place, value
    elif isinstance(value, dict):
        for name, inner in value.items():
            yield from _texts(inner, f"{place}.{name}")
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _texts(inner, f"{place}.{index}")
