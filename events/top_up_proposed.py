"""A person wants more reads of a sample."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from genoflow.events import topics
from genoflow.events.event import About
from genoflow.events.proposal import Proposal
from genoflow.events.types import Count, LibraryId, Ordinal, Reason, SampleId


class TopUpProposed(Proposal):
    """Asks for TopUpRequested; whether reads are missing, the order of the sample decides."""

    about: ClassVar[About] = About(
        topics=(topics.SAMPLE,),
        key="sample_id",
        version="1.0",
        identity=("sample_id", "request_id"),
    )

    sample_id: SampleId = Field(description="the sample")
    round: Ordinal | None = Field(None, description="the round that failed; none for the last")
    reads_wanted: Count | None = Field(
        None, description="how many would be enough; none for the estimate of QC"
    )
    library_id: LibraryId | None = Field(
        None, description="the library to sequence again; none for a new preparation"
    )
    reason: Reason = Field(description="why more reads can mend it")
