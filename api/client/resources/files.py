"""Files; written by `make client` from the API's OpenAPI."""

from __future__ import annotations

from datetime import datetime
from typing import Literal
from uuid import UUID

from genoflow.api.client.call import Call, new_key, path_of
from genoflow.api.client.models.files import Assigned, File
from genoflow.api.client.pages import Pages
from genoflow.api.client.wire import Wire


class FilesCalls:
    """The calls of files."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire

    def list(
        self,
        *,
        state: str | None = None,
        duplicate: Literal["same sample", "another sample"] | None = None,
        sample: str | None = None,
        read_set: str | None = None,
        project: str | None = None,
        case: str | None = None,
        run: str | None = None,
        bucket: str | None = None,
        object_key: str | None = None,
        waits_since: datetime | None = None,
        after: str | None = None,
        page_size: int | None = None,
        min_position: str | None = None,
        as_of: datetime | None = None,
        at_position: str | None = None,
    ) -> Pages[File]:
        """List files by state, sample, read set, project, case, run of an instrument, or object."""
        call = Call(
            method="GET",
            path="/v1/files",
            query={
                "state": state,
                "duplicate": duplicate,
                "sample": sample,
                "read_set": read_set,
                "project": project,
                "case": case,
                "run": run,
                "bucket": bucket,
                "object_key": object_key,
                "waits_since": waits_since,
                "after": after,
                "limit": page_size,
                "min_position": min_position,
                "as_of": as_of,
                "at_position": at_position,
            },
        )
        return Pages(self._wire, call, File, "items")

    def count(
        self,
        *,
        sample: str | None = None,
        project: str | None = None,
        case: str | None = None,
        run: str | None = None,
        min_position: str | None = None,
        as_of: datetime | None = None,
        at_position: str | None = None,
    ) -> dict[str, int]:
        """Count versions of files by their state."""
        call = Call(
            method="GET",
            path="/v1/files/counts",
            query={
                "sample": sample,
                "project": project,
                "case": case,
                "run": run,
                "min_position": min_position,
                "as_of": as_of,
                "at_position": at_position,
            },
        )
        return self._wire.ask(call, {200: dict[str, int]})

    def get(
        self,
        file_id: UUID,
        *,
        min_position: str | None = None,
        as_of: datetime | None = None,
        at_position: str | None = None,
    ) -> File:
        """Tell where a version of a file is, what was found in it, and what it waits for."""
        call = Call(
            method="GET",
            path=path_of("/v1/files/{file_id}", file_id=file_id),
            query={"min_position": min_position, "as_of": as_of, "at_position": at_position},
        )
        return self._wire.ask(call, {200: File})

    def assign(
        self,
        file_id: UUID,
        *,
        sample_id: str,
        read_set_id: str,
        role: str,
        reason: str,
        lane: int | None = None,
        idempotency_key: str | None = None,
    ) -> Assigned:
        """Say whose a file is that landed without a sample: it lands once more, for that sample.

        The same again changes nothing; of two people at once, one is heard.
        """
        call = Call(
            method="POST",
            path=path_of("/v1/files/{file_id}/assign", file_id=file_id),
            fields={
                "sample_id": sample_id,
                "read_set_id": read_set_id,
                "role": role,
                "lane": lane,
                "reason": reason,
            },
            idempotency_key=idempotency_key or new_key(),
        )
        return self._wire.ask(call, {200: Assigned})
