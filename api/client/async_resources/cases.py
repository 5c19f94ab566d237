"""Cases; written by `make client` from the API's OpenAPI."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal

from genoflow.api.client.call import Call, new_key, path_of
from genoflow.api.client.models.cases import Case, CaseWhole
from genoflow.api.client.models.shared import Proposal
from genoflow.api.client.pages import AsyncPages
from genoflow.api.client.wire import AsyncWire


class AsyncCasesCalls:
    """The calls of cases."""

    def __init__(self, wire: AsyncWire) -> None:
        self._wire = wire

    def list(
        self,
        *,
        state: str | None = None,
        project: str | None = None,
        assay: str | None = None,
        priority: str | None = None,
        sample: str | None = None,
        due_before: datetime | None = None,
        after: str | None = None,
        page_size: int | None = None,
        min_position: str | None = None,
        as_of: datetime | None = None,
        at_position: str | None = None,
    ) -> AsyncPages[Case]:
        """List cases by state, project, assay, priority, member or due date, the newest first."""
        call = Call(
            method="GET",
            path="/v1/cases",
            query={
                "state": state,
                "project": project,
                "assay": assay,
                "priority": priority,
                "sample": sample,
                "due_before": due_before,
                "after": after,
                "limit": page_size,
                "min_position": min_position,
                "as_of": as_of,
                "at_position": at_position,
            },
        )
        return AsyncPages(self._wire, call, Case, "items")

    async def place_order(
        self, *, body: Mapping[str, Any], idempotency_key: str | None = None
    ) -> Proposal:
        """Open a case, with the fields of CaseOpened; all that is wrong with it is told at once."""
        call = Call(
            method="POST", path="/v1/cases", idempotency_key=idempotency_key or new_key(), body=body
        )
        return await self._wire.ask(call, {201: Proposal, 200: Proposal, 202: Proposal})

    async def count(
        self,
        *,
        project: str | None = None,
        assay: str | None = None,
        priority: str | None = None,
        due_before: datetime | None = None,
        min_position: str | None = None,
        as_of: datetime | None = None,
        at_position: str | None = None,
    ) -> dict[str, int]:
        """Count cases by their state, that of its run where a case has one."""
        call = Call(
            method="GET",
            path="/v1/cases/counts",
            query={
                "project": project,
                "assay": assay,
                "priority": priority,
                "due_before": due_before,
                "min_position": min_position,
                "as_of": as_of,
                "at_position": at_position,
            },
        )
        return await self._wire.ask(call, {200: dict[str, int]})

    async def get(
        self,
        case_id: str,
        *,
        min_position: str | None = None,
        as_of: datetime | None = None,
        at_position: str | None = None,
    ) -> CaseWhole:
        """Tell how far a case is, what it waits for, and which of its members are ready."""
        call = Call(
            method="GET",
            path=path_of("/v1/cases/{case_id}", case_id=case_id),
            query={"min_position": min_position, "as_of": as_of, "at_position": at_position},
        )
        return await self._wire.ask(call, {200: CaseWhole})

    async def close(
        self,
        case_id: str,
        *,
        reason: str,
        seen_offset: int | None = None,
        outcome: Literal["cancelled", "withdrawn"] | None = None,
        idempotency_key: str | None = None,
    ) -> Proposal:
        """Close a case without results; its runs end, and what was said of its samples stays."""
        call = Call(
            method="POST",
            path=path_of("/v1/cases/{case_id}/close", case_id=case_id),
            fields={"reason": reason, "seen_offset": seen_offset, "outcome": outcome},
            idempotency_key=idempotency_key or new_key(),
        )
        return await self._wire.ask(call, {200: Proposal, 202: Proposal})
