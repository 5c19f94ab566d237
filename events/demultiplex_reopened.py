"""A demultiplexing that failed is to be tried again."""

from __future__ import annotations

from typing import ClassVar
from uuid import UUID

from pydantic import Field

from genoflow.events import topics
from genoflow.events.event import About, Event
from genoflow.events.types import InstrumentRunId, Ordinal, Reason


class DemultiplexReopened(Event):
    """A person has mended what made it fail; each attempt that failed is answered once."""

    about: ClassVar[About] = About(
        topics=(topics.SEQUENCING_RUN,),
        key="instrument_run_id",
        version="1.0",
        identity=("instrument_run_id", "attempt"),
    )

    instrument_run_id: InstrumentRunId = Field(description="the run")
    attempt: Ordinal = Field(description="the one that failed")
    failed_event_id: UUID = Field(description="the failure that it answers")
    reason: Reason = Field(description="what was mended")
