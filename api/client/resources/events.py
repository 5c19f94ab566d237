"""Events; written by `make client` from the API's OpenAPI."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from genoflow.api.client.call import Call, path_of
from genoflow.api.client.models.events import Lineage
from genoflow.api.client.models.shared import Event
from genoflow.api.client.pages import Pages
from genoflow.api.client.stream import Stream
from genoflow.api.client.wire import Wire


class EventsCalls:
    """The calls of events."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire

    def list(
        self,
        *,
        after: str | None = None,
        page_size: int | None = None,
        newest_first: bool | None = None,
        min_position: str | None = None,
        as_of: datetime | None = None,
        at_position: str | None = None,
        type: Sequence[str] | None = None,
        subject: Sequence[str] | None = None,
        topic: Sequence[str] | None = None,
        correlation_id: UUID | None = None,
        causation_id: UUID | None = None,
        actor: str | None = None,
        producer: str | None = None,
        recorded_from: datetime | None = None,
        recorded_before: datetime | None = None,
    ) -> Pages[Event]:
        """Find events in the order in which they were recorded; a walk to the end misses none."""
        call = Call(
            method="GET",
            path="/v1/events",
            query={
                "after": after,
                "limit": page_size,
                "newest_first": newest_first,
                "min_position": min_position,
                "as_of": as_of,
                "at_position": at_position,
                "type": type,
                "subject": subject,
                "topic": topic,
                "correlation_id": correlation_id,
                "causation_id": causation_id,
                "actor": actor,
                "producer": producer,
                "recorded_from": recorded_from,
                "recorded_before": recorded_before,
            },
        )
        return Pages(self._wire, call, Event, "events")

    def stream(
        self,
        *,
        position: str | None = None,
        type: Sequence[str] | None = None,
        subject: Sequence[str] | None = None,
        topic: Sequence[str] | None = None,
        correlation_id: UUID | None = None,
        causation_id: UUID | None = None,
        actor: str | None = None,
        producer: str | None = None,
        recorded_from: datetime | None = None,
        recorded_before: datetime | None = None,
    ) -> Stream[Event]:
        """Follow events as server-sent events.

        The id of each is the position behind it: a client that comes back with
        `Last-Event-ID` misses none. A stream ends after 15 minutes; clients come back by
        themselves.
        """
        call = Call(
            method="GET",
            path="/v1/events/stream",
            query={
                "position": position,
                "type": type,
                "subject": subject,
                "topic": topic,
                "correlation_id": correlation_id,
                "causation_id": causation_id,
                "actor": actor,
                "producer": producer,
                "recorded_from": recorded_from,
                "recorded_before": recorded_before,
            },
        )
        return Stream(self._wire, call, Event)

    def get(
        self,
        event_id: UUID,
        *,
        min_position: str | None = None,
        as_of: datetime | None = None,
        at_position: str | None = None,
    ) -> Event:
        """Show one event with its envelope: who, when, because of what."""
        call = Call(
            method="GET",
            path=path_of("/v1/events/{event_id}", event_id=event_id),
            query={"min_position": min_position, "as_of": as_of, "at_position": at_position},
        )
        return self._wire.ask(call, {200: Event})

    def get_lineage(
        self,
        event_id: UUID,
        *,
        limit: int | None = None,
        min_position: str | None = None,
        as_of: datetime | None = None,
        at_position: str | None = None,
    ) -> Lineage:
        """Tell what an event follows from up to the first cause, and all that followed from it."""
        call = Call(
            method="GET",
            path=path_of("/v1/lineage/{event_id}", event_id=event_id),
            query={
                "limit": limit,
                "min_position": min_position,
                "as_of": as_of,
                "at_position": at_position,
            },
        )
        return self._wire.ask(call, {200: Lineage})
