"""Ingestion; written by `make client` from the API's OpenAPI."""

from __future__ import annotations

from datetime import datetime
from typing import Literal
from uuid import UUID

from genoflow.api.client.call import Call, path_of
from genoflow.api.client.models.ingestion import Upload, UploadSummary
from genoflow.api.client.wire import AsyncWire


class AsyncIngestionCalls:
    """The calls of ingestion."""

    def __init__(self, wire: AsyncWire) -> None:
        self._wire = wire

    async def get_upload(
        self,
        upload_id: UUID,
        *,
        min_position: str | None = None,
        as_of: datetime | None = None,
        at_position: str | None = None,
    ) -> Upload:
        """Tell how far an upload is, what was found in it, and why it failed if it did."""
        call = Call(
            method="GET",
            path=path_of("/v1/ingestion/upload/{upload_id}", upload_id=upload_id),
            query={"min_position": min_position, "as_of": as_of, "at_position": at_position},
        )
        return await self._wire.ask(call, {200: Upload})

    async def list(
        self,
        *,
        limit: int | None = None,
        offset: int | None = None,
        status: Literal["uploaded", "processing", "completed", "failed"] | None = None,
        min_position: str | None = None,
        as_of: datetime | None = None,
        at_position: str | None = None,
    ) -> tuple[UploadSummary, ...]:
        """List uploads by status, the newest first; files that came otherwise are among them."""
        call = Call(
            method="GET",
            path="/v1/ingestion/uploads",
            query={
                "limit": limit,
                "offset": offset,
                "status": status,
                "min_position": min_position,
                "as_of": as_of,
                "at_position": at_position,
            },
        )
        return await self._wire.ask(call, {200: tuple[UploadSummary, ...]})
