"""A run's reads could not be told apart."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field

from genoflow.events import topics
from genoflow.events.event import About, Event
from genoflow.events.types import Choices, ExitCode, InstrumentRunId, Name, Ordinal, Reason, Text


class DemultiplexFailed(Event):
    """The program ended without a complete set of files.

    DemultiplexCompleted is the positive twin.
    """

    about: ClassVar[About] = About(
        topics=(topics.SEQUENCING_RUN,),
        key="instrument_run_id",
        version="1.0",
        discriminator=("attempt",),
    )

    instrument_run_id: InstrumentRunId = Field(description="the run")
    attempt: Ordinal = Field(description="which request it answers")
    sheet_revision: Ordinal = Field(description="the sheet that it followed")
    tool: Name = Field(description="the program")
    tool_version: Name | None = Field(None, description="its release, where it could be asked")
    exit_code: ExitCode | None = Field(
        None, description="none where it ended by a signal or never began"
    )
    reason_code: Annotated[
        str,
        Choices("tool failed", "output missing", "input missing", "out of memory", "out of time"),
    ] = Field(description="which kind of failure")
    reason: Reason = Field(description="what is known, and what can be done")
    error_tail: Text = Field("", description="the last lines that it wrote")
