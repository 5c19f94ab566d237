"""A person wants reads to go on that failed."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from genoflow.events import topics
from genoflow.events.event import About
from genoflow.events.proposal import Proposal
from genoflow.events.types import Name, Ordinal, Reason, SampleId


class QcOverrideProposed(Proposal):
    """Asks for QcOverridden; whether the reads still fail, the order of the sample decides."""

    about: ClassVar[About] = About(
        topics=(topics.SAMPLE,),
        key="sample_id",
        version="1.0",
        identity=("sample_id", "request_id"),
    )

    sample_id: SampleId = Field(description="the sample")
    round: Ordinal | None = Field(None, description="the round that failed; none for the last")
    role: Name = Field(description="in which role the person decides")
    reason: Reason = Field(description="why it is safe")
