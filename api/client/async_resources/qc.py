"""Qc; written by `make client` from the API's OpenAPI."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from genoflow.api.client.call import Call, new_key, path_of
from genoflow.api.client.models.qc import Analysis, BoundsIn, Qc, QcAnalysis, QcRound
from genoflow.api.client.pages import AsyncPages
from genoflow.api.client.wire import AsyncWire


class AsyncQcCalls:
    """The calls of qc."""

    def __init__(self, wire: AsyncWire) -> None:
        self._wire = wire

    def list(
        self,
        *,
        sample_id: str | None = None,
        state: str | None = None,
        profile: str | None = None,
        is_void: bool | None = None,
        after: str | None = None,
        page_size: int | None = None,
        min_position: str | None = None,
        as_of: datetime | None = None,
        at_position: str | None = None,
    ) -> AsyncPages[QcRound]:
        """List rounds of QC by sample, state, profile, or whether their reads still count."""
        call = Call(
            method="GET",
            path="/v1/qc/results",
            query={
                "sample_id": sample_id,
                "state": state,
                "profile": profile,
                "is_void": is_void,
                "after": after,
                "limit": page_size,
                "min_position": min_position,
                "as_of": as_of,
                "at_position": at_position,
            },
        )
        return AsyncPages(self._wire, call, QcRound, "items")

    async def count(
        self,
        *,
        profile: str | None = None,
        is_void: bool | None = None,
        min_position: str | None = None,
        as_of: datetime | None = None,
        at_position: str | None = None,
    ) -> dict[str, int]:
        """Count rounds of QC by their state."""
        call = Call(
            method="GET",
            path="/v1/qc/results/counts",
            query={
                "profile": profile,
                "is_void": is_void,
                "min_position": min_position,
                "as_of": as_of,
                "at_position": at_position,
            },
        )
        return await self._wire.ask(call, {200: dict[str, int]})

    def list_qc_analyses(
        self,
        *,
        sample_id: str | None = None,
        state: str | None = None,
        profile: str | None = None,
        after: str | None = None,
        page_size: int | None = None,
        min_position: str | None = None,
        as_of: datetime | None = None,
        at_position: str | None = None,
    ) -> AsyncPages[QcAnalysis]:
        """List questions about samples by sample, state or profile; no round follows from one."""
        call = Call(
            method="GET",
            path="/v1/qc/analyses",
            query={
                "sample_id": sample_id,
                "state": state,
                "profile": profile,
                "after": after,
                "limit": page_size,
                "min_position": min_position,
                "as_of": as_of,
                "at_position": at_position,
            },
        )
        return AsyncPages(self._wire, call, QcAnalysis, "items")

    async def get(
        self,
        qc_job_id: str,
        *,
        min_position: str | None = None,
        as_of: datetime | None = None,
        at_position: str | None = None,
    ) -> Qc:
        """Tell the verdict of a round or a question, and each metric beside what was required."""
        call = Call(
            method="GET",
            path=path_of("/v1/qc/results/{qc_job_id}", qc_job_id=qc_job_id),
            query={"min_position": min_position, "as_of": as_of, "at_position": at_position},
        )
        return await self._wire.ask(call, {200: Qc})

    async def analyze(
        self,
        *,
        sample_id: str,
        data_path: str | None = None,
        qc_profile: str | None = None,
        parameters: Mapping[str, BoundsIn] | None = None,
        idempotency_key: str | None = None,
    ) -> Analysis:
        """Ask how a sample does by a profile; whatever comes out, its own rounds stay as they
        are.
        """
        call = Call(
            method="POST",
            path="/v1/qc/analyze",
            fields={
                "sample_id": sample_id,
                "data_path": data_path,
                "qc_profile": qc_profile,
                "parameters": parameters,
            },
            idempotency_key=idempotency_key or new_key(),
        )
        return await self._wire.ask(call, {202: Analysis})

    async def get_qc_report(
        self,
        qc_job_id: str,
        *,
        min_position: str | None = None,
        as_of: datetime | None = None,
        at_position: str | None = None,
    ) -> bytes:
        """Show the verdict, its thresholds, the files and the events, as a page that stands
        alone.
        """
        call = Call(
            method="GET",
            path=path_of("/v1/qc/results/{qc_job_id}/report", qc_job_id=qc_job_id),
            query={"min_position": min_position, "as_of": as_of, "at_position": at_position},
        )
        return await self._wire.ask(call, {200: bytes})
