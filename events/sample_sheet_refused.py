"""A sheet cannot be demultiplexed by."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from genoflow.events import topics
from genoflow.events.event import About, Event
from genoflow.events.types import InstrumentRunId, Reason, Sha256, Uri


class SampleSheetRefused(Event):
    """A sheet is unreadable or contradicts itself or the run.

    SampleSheetAttached is the positive twin.
    """

    about: ClassVar[About] = About(
        topics=(topics.SEQUENCING_RUN,),
        key="instrument_run_id",
        version="1.0",
        identity=("instrument_run_id", "sheet_sha256"),
        terminal=True,
    )

    instrument_run_id: InstrumentRunId = Field(description="the run")
    sheet_uri: Uri = Field(description="where the sheet was read")
    sheet_sha256: Sha256 = Field(description="of the sheet's bytes")
    problems: tuple[Reason, ...] = Field(
        min_length=1, max_length=100, description="each with its line and the way to mend it"
    )
