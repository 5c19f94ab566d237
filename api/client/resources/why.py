"""Why; written by `make client` from the API's OpenAPI."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from genoflow.api.client.call import Call, path_of
from genoflow.api.client.models.why import Why
from genoflow.api.client.wire import Wire


class WhyCalls:
    """The calls of why."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire

    def sample(
        self,
        sample_id: str,
        *,
        min_position: str | None = None,
        as_of: datetime | None = None,
        at_position: str | None = None,
    ) -> Why:
        """Say what a sample waits for, since when, and what to do; its cases, where they wait."""
        call = Call(
            method="GET",
            path=path_of("/v1/samples/{sample_id}/why", sample_id=sample_id),
            query={"min_position": min_position, "as_of": as_of, "at_position": at_position},
        )
        return self._wire.ask(call, {200: Why})

    def case(
        self,
        case_id: str,
        *,
        min_position: str | None = None,
        as_of: datetime | None = None,
        at_position: str | None = None,
    ) -> Why:
        """Say for which members or which run a case waits, and for what these wait."""
        call = Call(
            method="GET",
            path=path_of("/v1/cases/{case_id}/why", case_id=case_id),
            query={"min_position": min_position, "as_of": as_of, "at_position": at_position},
        )
        return self._wire.ask(call, {200: Why})

    def job(
        self,
        job_id: str,
        *,
        min_position: str | None = None,
        as_of: datetime | None = None,
        at_position: str | None = None,
    ) -> Why:
        """Say how far a job is, how it ended, and what its results wait for."""
        call = Call(
            method="GET",
            path=path_of("/v1/execution/jobs/{job_id}/why", job_id=job_id),
            query={"min_position": min_position, "as_of": as_of, "at_position": at_position},
        )
        return self._wire.ask(call, {200: Why})

    def sequencing_run(
        self,
        instrument_run_id: str,
        *,
        min_position: str | None = None,
        as_of: datetime | None = None,
        at_position: str | None = None,
    ) -> Why:
        """Say what keeps a run of an instrument from being demultiplexed, or that it is."""
        call = Call(
            method="GET",
            path=path_of(
                "/v1/sequencing-runs/{instrument_run_id}/why", instrument_run_id=instrument_run_id
            ),
            query={"min_position": min_position, "as_of": as_of, "at_position": at_position},
        )
        return self._wire.ask(call, {200: Why})

    def file(
        self,
        file_id: UUID,
        *,
        min_position: str | None = None,
        as_of: datetime | None = None,
        at_position: str | None = None,
    ) -> Why:
        """Say what a version of a file waits for, or what was found in it."""
        call = Call(
            method="GET",
            path=path_of("/v1/files/{file_id}/why", file_id=file_id),
            query={"min_position": min_position, "as_of": as_of, "at_position": at_position},
        )
        return self._wire.ask(call, {200: Why})
