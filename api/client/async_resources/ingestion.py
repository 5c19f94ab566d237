"""Ingestion; written by `make client` from the API's OpenAPI."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Literal
from uuid import UUID

from genoflow.api.client.call import Call, new_key, path_of
from genoflow.api.client.models.ingestion import (
    Upload,
    UploadBegun,
    UploadCompleted,
    UploadPartIn,
    UploadPartLinks,
    UploadParts,
    UploadSent,
    UploadSummary,
)
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

    async def abort_upload(
        self,
        upload_id: UUID,
        *,
        min_position: str | None = None,
        idempotency_key: str | None = None,
    ) -> UploadBegun:
        """Free the parts of an upload; one that is whole stays, since a file that landed is a
        fact.
        """
        call = Call(
            method="DELETE",
            path=path_of("/v1/ingestion/upload/{upload_id}", upload_id=upload_id),
            query={"min_position": min_position},
            idempotency_key=idempotency_key or new_key(),
        )
        return await self._wire.ask(call, {200: UploadBegun})

    async def list(
        self,
        *,
        limit: int | None = None,
        offset: int | None = None,
        status: Literal[
            "initiated",
            "uploaded",
            "processing",
            "validating",
            "completed",
            "validation_failed",
            "error",
            "failed",
        ]
        | None = None,
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

    async def begin_upload(
        self,
        *,
        filename: str,
        size_bytes: int,
        sample_id: str,
        sha256: str,
        role: str | None = None,
        read_set_id: str | None = None,
        expected_roles: Sequence[str] | None = None,
        lane: int | None = None,
        instrument_run_id: str | None = None,
        subject_ref: str | None = None,
        sample_type: str | None = None,
        sequencing_platform: str | None = None,
        library_prep: str | None = None,
        sequencing_date: date | None = None,
        project_id: str | None = None,
        md5: str | None = None,
        sample_metadata: Mapping[str, str | bool | int | float] | None = None,
        checksum_algorithm: str | None = None,
        idempotency_key: str | None = None,
    ) -> UploadBegun:
        """Begin an upload in parts; the same request under its key leads to the same one."""
        call = Call(
            method="POST",
            path="/v1/ingestion/uploads",
            fields={
                "role": role,
                "read_set_id": read_set_id,
                "expected_roles": expected_roles,
                "lane": lane,
                "instrument_run_id": instrument_run_id,
                "subject_ref": subject_ref,
                "sample_type": sample_type,
                "sequencing_platform": sequencing_platform,
                "library_prep": library_prep,
                "sequencing_date": sequencing_date,
                "filename": filename,
                "size_bytes": size_bytes,
                "sample_id": sample_id,
                "project_id": project_id,
                "sha256": sha256,
                "md5": md5,
                "sample_metadata": sample_metadata,
                "checksum_algorithm": checksum_algorithm,
            },
            idempotency_key=idempotency_key or new_key(),
        )
        return await self._wire.ask(call, {201: UploadBegun})

    async def sign_parts(
        self,
        upload_id: UUID,
        *,
        parts: Sequence[UploadPartIn],
        min_position: str | None = None,
        idempotency_key: str | None = None,
    ) -> UploadPartLinks:
        """Give a link for each part, signed with its checksum; ask when a part is about to be
        sent.
        """
        call = Call(
            method="POST",
            path=path_of("/v1/ingestion/upload/{upload_id}/part-links", upload_id=upload_id),
            query={"min_position": min_position},
            fields={"parts": parts},
            idempotency_key=idempotency_key or new_key(),
        )
        return await self._wire.ask(call, {200: UploadPartLinks})

    async def complete_upload(
        self,
        upload_id: UUID,
        *,
        min_position: str | None = None,
        parts: Sequence[UploadPartIn] | None = None,
        idempotency_key: str | None = None,
    ) -> UploadCompleted:
        """Make one file of the parts, and say that it landed; a second time is the same answer."""
        call = Call(
            method="POST",
            path=path_of("/v1/ingestion/upload/{upload_id}/complete", upload_id=upload_id),
            query={"min_position": min_position},
            fields={"parts": parts},
            idempotency_key=idempotency_key or new_key(),
        )
        return await self._wire.ask(call, {200: UploadCompleted})

    async def list_parts(
        self,
        upload_id: UUID,
        *,
        min_position: str | None = None,
        as_of: datetime | None = None,
        at_position: str | None = None,
    ) -> UploadParts:
        """Tell which parts the store has, and which are missing: where a sender goes on."""
        call = Call(
            method="GET",
            path=path_of("/v1/ingestion/upload/{upload_id}/parts", upload_id=upload_id),
            query={"min_position": min_position, "as_of": as_of, "at_position": at_position},
        )
        return await self._wire.ask(call, {200: UploadParts})

    async def send_file(
        self, *, content: bytes, content_type: str, idempotency_key: str | None = None
    ) -> UploadSent:
        """Send a file of at most 100 MB as a form; it lands for its sample at once."""
        call = Call(
            method="POST",
            path="/v1/ingestion/upload",
            idempotency_key=idempotency_key or new_key(),
            content=content,
            content_type=content_type,
        )
        return await self._wire.ask(call, {201: UploadSent})
