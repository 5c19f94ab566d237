"""Results; written by `make client` from the API's OpenAPI."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Literal
from uuid import UUID

from genoflow.api.client.call import Call, new_key, path_of
from genoflow.api.client.models.results import Links
from genoflow.api.client.models.results_2 import Provenance, Results, ResultsRow
from genoflow.api.client.models.shared import Proposal
from genoflow.api.client.pages import AsyncPages
from genoflow.api.client.wire import AsyncWire


class AsyncResultsCalls:
    """The calls of results."""

    def __init__(self, wire: AsyncWire) -> None:
        self._wire = wire

    def list(
        self,
        *,
        state: str | None = None,
        case_id: str | None = None,
        project_id: str | None = None,
        is_counting: bool | None = None,
        after: str | None = None,
        page_size: int | None = None,
        min_position: str | None = None,
        as_of: datetime | None = None,
        at_position: str | None = None,
    ) -> AsyncPages[ResultsRow]:
        """List results by state, case, project, or whether they hold, the newest first."""
        call = Call(
            method="GET",
            path="/v1/results",
            query={
                "state": state,
                "case_id": case_id,
                "project_id": project_id,
                "is_counting": is_counting,
                "after": after,
                "limit": page_size,
                "min_position": min_position,
                "as_of": as_of,
                "at_position": at_position,
            },
        )
        return AsyncPages(self._wire, call, ResultsRow, "items")

    async def count(
        self,
        *,
        case_id: str | None = None,
        project_id: str | None = None,
        is_counting: bool | None = None,
        min_position: str | None = None,
        as_of: datetime | None = None,
        at_position: str | None = None,
    ) -> dict[str, int]:
        """Count results by their state."""
        call = Call(
            method="GET",
            path="/v1/results/counts",
            query={
                "case_id": case_id,
                "project_id": project_id,
                "is_counting": is_counting,
                "min_position": min_position,
                "as_of": as_of,
                "at_position": at_position,
            },
        )
        return await self._wire.ask(call, {200: dict[str, int]})

    async def get(
        self,
        job_id: str,
        *,
        min_position: str | None = None,
        as_of: datetime | None = None,
        at_position: str | None = None,
    ) -> Results:
        """Tell what may be used of a job's results, whether they hold, and the checksum of each
        file.

        Files of results that are held, superseded or retracted stand under `checksums` alone.
        """
        call = Call(
            method="GET",
            path=path_of("/v1/results/{job_id}", job_id=job_id),
            query={"min_position": min_position, "as_of": as_of, "at_position": at_position},
        )
        return await self._wire.ask(call, {200: Results})

    async def get_provenance(
        self,
        job_id: str,
        *,
        min_position: str | None = None,
        as_of: datetime | None = None,
        at_position: str | None = None,
    ) -> Provenance:
        """Tell files with checksums, code, parameters, reference, people, tasks, and every
        event.

        It is what `genoflow results provenance --json` prints; docs/provenance.schema.json
        has its schema. Events of other samples and cases never stand in it.
        """
        call = Call(
            method="GET",
            path=path_of("/v1/results/{job_id}/provenance", job_id=job_id),
            query={"min_position": min_position, "as_of": as_of, "at_position": at_position},
        )
        return await self._wire.ask(call, {200: Provenance})

    async def issue_links(
        self,
        job_id: UUID,
        *,
        files: Sequence[str],
        sample_ids: Sequence[str] | None = None,
        expiration_hours: int | None = None,
        idempotency_key: str | None = None,
    ) -> Links:
        """Let the caller fetch files that may be used; each link is written down, without its
        URL.
        """
        call = Call(
            method="POST",
            path=path_of("/v1/results/{job_id}/download-links", job_id=job_id),
            fields={"files": files, "sample_ids": sample_ids, "expiration_hours": expiration_hours},
            idempotency_key=idempotency_key or new_key(),
        )
        return await self._wire.ask(call, {201: Links})

    async def release(
        self,
        job_id: UUID,
        *,
        reason: str,
        seen_offset: int | None = None,
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
    ) -> Proposal:
        """Publish the results of a job although its checks hold them back."""
        call = Call(
            method="POST",
            path=path_of("/v1/results/{job_id}/release", job_id=job_id),
            fields={"reason": reason, "seen_offset": seen_offset, "role": role},
            idempotency_key=idempotency_key or new_key(),
        )
        return await self._wire.ask(call, {200: Proposal, 202: Proposal})

    async def retract(
        self,
        job_id: UUID,
        *,
        reason: str,
        reason_code: Literal["withdrawn", "wrong"],
        seen_offset: int | None = None,
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
    ) -> Proposal:
        """Declare the published results of a job void; the files stay where they are."""
        call = Call(
            method="POST",
            path=path_of("/v1/results/{job_id}/retract", job_id=job_id),
            fields={
                "reason": reason,
                "seen_offset": seen_offset,
                "role": role,
                "reason_code": reason_code,
            },
            idempotency_key=idempotency_key or new_key(),
        )
        return await self._wire.ask(call, {200: Proposal, 202: Proposal})
