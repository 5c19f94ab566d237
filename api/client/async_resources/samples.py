"""Samples; written by `make client` from the API's OpenAPI."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Literal

from genoflow.api.client.call import Call, new_key, path_of
from genoflow.api.client.models.samples import (
    Hold,
    Metadata,
    Relabelled,
    Sample,
    SampleMetadata,
    SampleWhole,
    WaitingSample,
)
from genoflow.api.client.models.shared import Proposal
from genoflow.api.client.pages import AsyncPages
from genoflow.api.client.wire import AsyncWire


class AsyncSamplesCalls:
    """The calls of samples."""

    def __init__(self, wire: AsyncWire) -> None:
        self._wire = wire

    def list(
        self,
        *,
        state: str | None = None,
        project: str | None = None,
        case: str | None = None,
        run: str | None = None,
        waits_for: str | None = None,
        sheet_standing: Literal["listed", "unlisted"] | None = None,
        metadata: Sequence[str] | None = None,
        after: str | None = None,
        page_size: int | None = None,
        min_position: str | None = None,
        as_of: datetime | None = None,
        at_position: str | None = None,
    ) -> AsyncPages[Sample]:
        """List samples by state, project, case, run, what they wait for, or what is said of
        them.
        """
        call = Call(
            method="GET",
            path="/v1/samples",
            query={
                "state": state,
                "project": project,
                "case": case,
                "run": run,
                "waits_for": waits_for,
                "sheet_standing": sheet_standing,
                "metadata": metadata,
                "after": after,
                "limit": page_size,
                "min_position": min_position,
                "as_of": as_of,
                "at_position": at_position,
            },
        )
        return AsyncPages(self._wire, call, Sample, "items")

    async def count(
        self,
        *,
        project: str | None = None,
        case: str | None = None,
        run: str | None = None,
        min_position: str | None = None,
        as_of: datetime | None = None,
        at_position: str | None = None,
    ) -> dict[str, int]:
        """Count samples by their state."""
        call = Call(
            method="GET",
            path="/v1/samples/counts",
            query={
                "project": project,
                "case": case,
                "run": run,
                "min_position": min_position,
                "as_of": as_of,
                "at_position": at_position,
            },
        )
        return await self._wire.ask(call, {200: dict[str, int]})

    def list_waiting(
        self,
        *,
        longer_than_hours: float | None = None,
        project: str | None = None,
        after: str | None = None,
        page_size: int | None = None,
        min_position: str | None = None,
        as_of: datetime | None = None,
        at_position: str | None = None,
    ) -> AsyncPages[WaitingSample]:
        """List samples that wait for the same thing for so long, the longest first, each with
        why.
        """
        call = Call(
            method="GET",
            path="/v1/samples/waiting",
            query={
                "longer_than_hours": longer_than_hours,
                "project": project,
                "after": after,
                "limit": page_size,
                "min_position": min_position,
                "as_of": as_of,
                "at_position": at_position,
            },
        )
        return AsyncPages(self._wire, call, WaitingSample, "items")

    async def get(
        self,
        sample_id: str,
        *,
        min_position: str | None = None,
        as_of: datetime | None = None,
        at_position: str | None = None,
    ) -> SampleWhole:
        """Tell where a sample is, since when, what it waits for, and of which reads it is made."""
        call = Call(
            method="GET",
            path=path_of("/v1/samples/{sample_id}", sample_id=sample_id),
            query={"min_position": min_position, "as_of": as_of, "at_position": at_position},
        )
        return await self._wire.ask(call, {200: SampleWhole})

    async def get_metadata(
        self,
        sample_id: str,
        *,
        min_position: str | None = None,
        as_of: datetime | None = None,
        at_position: str | None = None,
    ) -> SampleMetadata:
        """Tell all metadata of a sample, and which version of which schema they fit."""
        call = Call(
            method="GET",
            path=path_of("/v1/samples/{sample_id}/metadata", sample_id=sample_id),
            query={"min_position": min_position, "as_of": as_of, "at_position": at_position},
        )
        return await self._wire.ask(call, {200: SampleMetadata})

    async def amend_metadata(
        self,
        sample_id: str,
        *,
        metadata: Mapping[str, str | bool | int | float],
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
    ) -> Metadata:
        """Say all metadata of a sample; they have to fit the schema that its project has in
        force.

        What does not fit is refused with each place. A project without a schema takes any.
        """
        call = Call(
            method="POST",
            path=path_of("/v1/samples/{sample_id}/metadata", sample_id=sample_id),
            fields={"metadata": metadata, "reason": reason, "role": role},
            idempotency_key=idempotency_key or new_key(),
        )
        return await self._wire.ask(call, {200: Metadata})

    async def relabel(
        self,
        sample_id: str,
        *,
        true_sample_id: str,
        reason: str,
        read_set_ids: Sequence[str] | None = None,
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
    ) -> Relabelled:
        """Say that what was read under this label is another sample.

        Cases that had these reads wait again, and what was published of them is retracted.
        """
        call = Call(
            method="POST",
            path=path_of("/v1/samples/{sample_id}/relabel", sample_id=sample_id),
            fields={
                "true_sample_id": true_sample_id,
                "read_set_ids": read_set_ids,
                "reason": reason,
                "role": role,
            },
            idempotency_key=idempotency_key or new_key(),
        )
        return await self._wire.ask(call, {200: Relabelled})

    async def place_hold(
        self,
        sample_id: str,
        *,
        hold_id: str,
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
    ) -> Hold:
        """Keep every file of this sample, and of runs that took it, whatever the rules say.

        A hold of this name that stands already is answered as it is.
        """
        call = Call(
            method="POST",
            path=path_of("/v1/samples/{sample_id}/holds", sample_id=sample_id),
            fields={"hold_id": hold_id, "reason": reason, "role": role},
            idempotency_key=idempotency_key or new_key(),
        )
        return await self._wire.ask(call, {200: Hold})

    async def release_hold(
        self,
        sample_id: str,
        hold_id: str,
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
    ) -> Hold:
        """Let the rules of retention count again, unless another hold stands."""
        call = Call(
            method="POST",
            path=path_of(
                "/v1/samples/{sample_id}/holds/{hold_id}/release",
                sample_id=sample_id,
                hold_id=hold_id,
            ),
            fields={"reason": reason, "role": role},
            idempotency_key=idempotency_key or new_key(),
        )
        return await self._wire.ask(call, {200: Hold})

    async def override(
        self,
        sample_id: str,
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
        round: int | None = None,
        idempotency_key: str | None = None,
    ) -> Proposal:
        """Let a sample go on although its reads, or its run, failed; who lets it, answers for
        it.
        """
        call = Call(
            method="POST",
            path=path_of("/v1/samples/{sample_id}/qc/override", sample_id=sample_id),
            fields={"reason": reason, "seen_offset": seen_offset, "role": role, "round": round},
            idempotency_key=idempotency_key or new_key(),
        )
        return await self._wire.ask(call, {200: Proposal, 202: Proposal})

    async def top_up(
        self,
        sample_id: str,
        *,
        reason: str,
        seen_offset: int | None = None,
        round: int | None = None,
        reads_wanted: int | None = None,
        library_id: str | None = None,
        idempotency_key: str | None = None,
    ) -> Proposal:
        """Ask the laboratory for more reads; the next round is judged on all of them."""
        call = Call(
            method="POST",
            path=path_of("/v1/samples/{sample_id}/top-up", sample_id=sample_id),
            fields={
                "reason": reason,
                "seen_offset": seen_offset,
                "round": round,
                "reads_wanted": reads_wanted,
                "library_id": library_id,
            },
            idempotency_key=idempotency_key or new_key(),
        )
        return await self._wire.ask(call, {200: Proposal, 202: Proposal})
