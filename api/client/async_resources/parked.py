"""Parked; written by `make client` from the API's OpenAPI."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from genoflow.api.client.call import Call, new_key, path_of
from genoflow.api.client.models.parked import Answered, Parked
from genoflow.api.client.pages import AsyncPages
from genoflow.api.client.wire import AsyncWire


class AsyncParkedCalls:
    """The calls of parked."""

    def __init__(self, wire: AsyncWire) -> None:
        self._wire = wire

    def list(
        self,
        *,
        state: str | None = None,
        processor: str | None = None,
        topic: str | None = None,
        subject: str | None = None,
        after: str | None = None,
        page_size: int | None = None,
        min_position: str | None = None,
        as_of: datetime | None = None,
        at_position: str | None = None,
    ) -> AsyncPages[Parked]:
        """List what was parked by state, processor, topic or subject, the newest first."""
        call = Call(
            method="GET",
            path="/v1/parked",
            query={
                "state": state,
                "processor": processor,
                "topic": topic,
                "subject": subject,
                "after": after,
                "limit": page_size,
                "min_position": min_position,
                "as_of": as_of,
                "at_position": at_position,
            },
        )
        return AsyncPages(self._wire, call, Parked, "items")

    async def count(
        self,
        *,
        processor: str | None = None,
        topic: str | None = None,
        subject: str | None = None,
        min_position: str | None = None,
        as_of: datetime | None = None,
        at_position: str | None = None,
    ) -> dict[str, int]:
        """Count what was parked by its state."""
        call = Call(
            method="GET",
            path="/v1/parked/counts",
            query={
                "processor": processor,
                "topic": topic,
                "subject": subject,
                "min_position": min_position,
                "as_of": as_of,
                "at_position": at_position,
            },
        )
        return await self._wire.ask(call, {200: dict[str, int]})

    async def get(
        self,
        parked_id: UUID,
        *,
        min_position: str | None = None,
        as_of: datetime | None = None,
        at_position: str | None = None,
    ) -> Parked:
        """Tell what could not be taken, why, and what a person decided about it."""
        call = Call(
            method="GET",
            path=path_of("/v1/parked/{parked_id}", parked_id=parked_id),
            query={"min_position": min_position, "as_of": as_of, "at_position": at_position},
        )
        return await self._wire.ask(call, {200: Parked})

    async def requeue(
        self,
        parked_id: UUID,
        *,
        reason: str,
        role: Literal[
            "admin",
            "lab_technician",
            "bioinformatician",
            "clinician",
            "data_steward",
            "operator",
            "partner",
            "auditor",
        ]
        | None = None,
        payload: Mapping[str, Any] | None = None,
        idempotency_key: str | None = None,
    ) -> Answered:
        """Try it once more, as it was or mended; then its key goes on in order.

        The same request again says nothing new. If it cannot be taken this time either, it is
        parked again, under an id of its own.
        """
        call = Call(
            method="POST",
            path=path_of("/v1/parked/{parked_id}/requeue", parked_id=parked_id),
            fields={"reason": reason, "role": role, "payload": payload},
            idempotency_key=idempotency_key or new_key(),
        )
        return await self._wire.ask(call, {200: Answered})

    async def discard(
        self,
        parked_id: UUID,
        *,
        reason: str,
        role: Literal[
            "admin",
            "lab_technician",
            "bioinformatician",
            "clinician",
            "data_steward",
            "operator",
            "partner",
            "auditor",
        ]
        | None = None,
        idempotency_key: str | None = None,
    ) -> Answered:
        """Give it up; its key goes on in order without it. It stays on the log."""
        call = Call(
            method="POST",
            path=path_of("/v1/parked/{parked_id}/discard", parked_id=parked_id),
            fields={"reason": reason, "role": role},
            idempotency_key=idempotency_key or new_key(),
        )
        return await self._wire.ask(call, {200: Answered})
