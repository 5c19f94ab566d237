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

    def finds(self, text: str) -> int | None:
        """The number of the first pattern that is found in a text, counted from 1; else None."""
        for number, pattern in enumerate(self._patterns, start=1):
            if pattern.search(text):
                return number
        return None

    def check(self, event: Event) -> None:
        """Return if nothing in the event matches; else IdentifierFound, naming the field only."""
        for place, text in texts_of(event.payload(), event.type()):
            number = self.finds(text)
            if number is not None:
                raise IdentifierFound(f"{place}: {identifier_fault(number)}")


def identifier_fault(number: int) -> str:
    """What is said of a text in which this pattern was found; the text is not repeated."""
    return (
        f"holds what pattern {number} of GENOFLOW_PERSON_PATTERNS takes for an identifier of a "
        f"person; use an opaque reference instead"
    )


def texts_of(value: Any, place: str) -> Iterator[tuple[str, str]]:
    """Every text in a document, each with its place."""
    if isinstance(value, str):
        yield place, value
    elif isinstance(value, dict):
        for name, inner in value.items():
            yield from texts_of(inner, f"{place}.{name}")
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from texts_of(inner, f"{place}.{index}")
