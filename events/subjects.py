"""What effects, commands and questions ask about subjects, wherever their events are kept."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Collection
from typing import Protocol

from genoflow.events.event import Event
from genoflow.events.topics import Topic


class Subjects(Protocol):
    """The facts about subjects, each once and in the order of its key, as they are now."""

    async def events_of(self, topic: Topic, keys: Collection[str]) -> dict[str, list[Event]]:
        """All events of these subjects; a subject of which there is none has an empty list."""

    def every(self, topic: Topic, *types: type[Event]) -> AsyncGenerator[Event, None]:
        """All events of a topic, or those of these types; leave it early only in `aclosing`."""
