"""Proposals; written by `make client` from the API's OpenAPI."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from genoflow.api.client.call import Call, path_of
from genoflow.api.client.models.shared import Proposal
from genoflow.api.client.wire import AsyncWire


class AsyncProposalsCalls:
    """The calls of proposals."""

    def __init__(self, wire: AsyncWire) -> None:
        self._wire = wire

    async def show(
        self,
        proposal_id: UUID,
        *,
        min_position: str | None = None,
        as_of: datetime | None = None,
        at_position: str | None = None,
    ) -> Proposal:
        """Tell whether it is open, accepted or refused: to its author, and to readers of events."""
        call = Call(
            method="GET",
            path=path_of("/v1/proposals/{proposal_id}", proposal_id=proposal_id),
            query={"min_position": min_position, "as_of": as_of, "at_position": at_position},
        )
        return await self._wire.ask(call, {200: Proposal})
