"""Sequencing runs; written by `make client` from the API's OpenAPI."""

from __future__ import annotations

from datetime import datetime

from genoflow.api.client.call import Call, path_of
from genoflow.api.client.models.sequencing_runs import Demultiplexed, SequencingRun
from genoflow.api.client.pages import Pages
from genoflow.api.client.wire import Wire


class SequencingRunsCalls:
    """The calls of sequencing runs."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire

    def list(
        self,
        *,
        state: str | None = None,
        flow_cell: str | None = None,
        sample: str | None = None,
        waits_since: datetime | None = None,
        after: str | None = None,
        page_size: int | None = None,
        min_position: str | None = None,
        as_of: datetime | None = None,
        at_position: str | None = None,
    ) -> Pages[SequencingRun]:
        """List runs of instruments by state, flow cell, or a sample that was told apart in them."""
        call = Call(
            method="GET",
            path="/v1/sequencing-runs",
            query={
                "state": state,
                "flow_cell": flow_cell,
                "sample": sample,
                "waits_since": waits_since,
                "after": after,
                "limit": page_size,
                "min_position": min_position,
                "as_of": as_of,
                "at_position": at_position,
            },
        )
        return Pages(self._wire, call, SequencingRun, "items")

    def count(
        self,
        *,
        min_position: str | None = None,
        as_of: datetime | None = None,
        at_position: str | None = None,
    ) -> dict[str, int]:
        """Count runs of instruments by their state."""
        call = Call(
            method="GET",
            path="/v1/sequencing-runs/counts",
            query={"min_position": min_position, "as_of": as_of, "at_position": at_position},
        )
        return self._wire.ask(call, {200: dict[str, int]})

    def get(
        self,
        instrument_run_id: str,
        *,
        min_position: str | None = None,
        as_of: datetime | None = None,
        at_position: str | None = None,
    ) -> SequencingRun:
        """Tell how far a run of an instrument is, and what it waits for."""
        call = Call(
            method="GET",
            path=path_of(
                "/v1/sequencing-runs/{instrument_run_id}", instrument_run_id=instrument_run_id
            ),
            query={"min_position": min_position, "as_of": as_of, "at_position": at_position},
        )
        return self._wire.ask(call, {200: SequencingRun})

    def list_demultiplexed(
        self,
        instrument_run_id: str,
        *,
        attempt: int | None = None,
        sample: str | None = None,
        after: str | None = None,
        page_size: int | None = None,
        min_position: str | None = None,
        as_of: datetime | None = None,
        at_position: str | None = None,
    ) -> Pages[Demultiplexed]:
        """List the reads of each library and lane in a run, of one attempt at it or of all."""
        call = Call(
            method="GET",
            path=path_of(
                "/v1/sequencing-runs/{instrument_run_id}/demultiplexed",
                instrument_run_id=instrument_run_id,
            ),
            query={
                "attempt": attempt,
                "sample": sample,
                "after": after,
                "limit": page_size,
                "min_position": min_position,
                "as_of": as_of,
                "at_position": at_position,
            },
        )
        return Pages(self._wire, call, Demultiplexed, "items")
