"""Timelines; written by `make client` from the API's OpenAPI."""

from __future__ import annotations

from datetime import datetime

from genoflow.api.client.call import Call, path_of
from genoflow.api.client.models.timelines import Timeline
from genoflow.api.client.wire import Wire


class TimelinesCalls:
    """The calls of timelines."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire

    def sample(
        self,
        sample_id: str,
        *,
        min_position: str | None = None,
        as_of: datetime | None = None,
        at_position: str | None = None,
    ) -> Timeline:
        """Tell what happened to a sample, what it follows from, and what its runs came to."""
        call = Call(
            method="GET",
            path=path_of("/v1/samples/{sample_id}/timeline", sample_id=sample_id),
            query={"min_position": min_position, "as_of": as_of, "at_position": at_position},
        )
        return self._wire.ask(call, {200: Timeline})

    def case(
        self,
        case_id: str,
        *,
        min_position: str | None = None,
        as_of: datetime | None = None,
        at_position: str | None = None,
    ) -> Timeline:
        """Tell what happened to a case, and what its runs came to."""
        call = Call(
            method="GET",
            path=path_of("/v1/cases/{case_id}/timeline", case_id=case_id),
            query={"min_position": min_position, "as_of": as_of, "at_position": at_position},
        )
        return self._wire.ask(call, {200: Timeline})

    def run(
        self,
        run_id: str,
        *,
        min_position: str | None = None,
        as_of: datetime | None = None,
        at_position: str | None = None,
    ) -> Timeline:
        """Tell what happened to a run of a pipeline or of an instrument."""
        call = Call(
            method="GET",
            path=path_of("/v1/runs/{run_id}/timeline", run_id=run_id),
            query={"min_position": min_position, "as_of": as_of, "at_position": at_position},
        )
        return self._wire.ask(call, {200: Timeline})
