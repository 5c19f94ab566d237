"""An instrument wrote the last file of a run."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from genoflow.events import topics
from genoflow.events.event import About, Event
from genoflow.events.types import Bytes, Count, InstrumentRunId, Name, Small, Uri


class SequencingRunCompleted(Event):
    """The marker of this instrument is there and says success.

    SequencingRunFailed is the negative twin.
    """

    about: ClassVar[About] = About(
        topics=(topics.SEQUENCING_RUN,),
        key="instrument_run_id",
        version="1.0",
        identity=("instrument_run_id",),
    )

    instrument_run_id: InstrumentRunId = Field(description="the run")
    marker: Name = Field(description="the file that says so, such as CopyComplete.txt")
    completion_status: Name | None = Field(
        None, description="as RunCompletionStatus says, where the instrument writes one"
    )
    cycles_done: Small | None = Field(None, description="cycles that the instrument says it did")
    run_folder: Uri = Field(description="where the instrument wrote")
    file_count: Count = Field(description="files in the folder when the marker was seen")
    total_bytes: Bytes = Field(description="of all of them")
