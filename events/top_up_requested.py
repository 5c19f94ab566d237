"""More reads of a sample are wanted."""

from __future__ import annotations

from typing import ClassVar
from uuid import UUID

from pydantic import Field

from genoflow.events import topics
from genoflow.events.event import About, Event
from genoflow.events.types import Count, LibraryId, Ordinal, Reason, SampleId


class TopUpRequested(Event):
    """The laboratory is asked to sequence more; the next round is judged on the union."""

    about: ClassVar[About] = About(
        topics=(topics.SAMPLE,),
        key="sample_id",
        version="1.0",
        identity=("sample_id", "round"),
        discriminator=("round",),
    )

    sample_id: SampleId = Field(description="the sample")
    round: Ordinal = Field(description="the round that waits for the new reads")
    failed_event_id: UUID = Field(description="the QcFailed that it answers")
    reads_wanted: Count = Field(description="an estimate that would be enough")
    reason: Reason = Field(description="why more reads can mend it")
    library_id: LibraryId | None = Field(
        None, description="the library to sequence again; none for a new preparation"
    )
