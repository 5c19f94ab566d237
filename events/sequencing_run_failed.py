"""An instrument run is over and cannot be used."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field

from genoflow.events import topics
from genoflow.events.event import About, Event
from genoflow.events.types import Choices, InstrumentRunId, Name, Reason, Small


class SequencingRunFailed(Event):
    """The run is lost as it is; SequencingRunCompleted is the positive twin."""

    about: ClassVar[About] = About(
        topics=(topics.SEQUENCING_RUN,),
        key="instrument_run_id",
        version="1.0",
        identity=("instrument_run_id", "reason_code"),
    )

    instrument_run_id: InstrumentRunId = Field(description="the run")
    reason_code: Annotated[
        str,
        Choices(
            "instrument reported failure",
            "stopped early",
            "files missing",
            "files changed after the marker",
            "folder unreadable",
            "silent",
        ),
    ] = Field(description="which kind of failure")
    reason: Reason = Field(description="what is known, and what can be done")
    marker: Name | None = Field(None, description="the file that said so")
    completion_status: Name | None = Field(None, description="as RunCompletionStatus says")
    cycles_done: Small | None = Field(None, description="cycles that were done")
    cycles_planned: Small | None = Field(None, description="cycles that were asked for")
