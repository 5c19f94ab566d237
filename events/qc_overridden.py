"""A named person lets reads through that failed."""

from __future__ import annotations

from typing import ClassVar
from uuid import UUID

from pydantic import Field

from genoflow.events import topics
from genoflow.events.event import About, Event
from genoflow.events.types import METRICS_MAX, Name, Ordinal, Reason, RequestId, SampleId


class QcOverridden(Event):
    """A person answers for it: the envelope's actor is the account, role and reason are here."""

    about: ClassVar[About] = About(
        topics=(topics.SAMPLE,),
        key="sample_id",
        version="1.0",
        identity=("sample_id", "request_id"),
    )

    sample_id: SampleId = Field(description="the sample")
    round: Ordinal = Field(description="the round that failed")
    overridden_event_id: UUID = Field(
        description="the QcFailed that no longer holds the sample back"
    )
    request_id: RequestId = Field(description="of the decision: repeated, it is the same one")
    role: Name = Field(description="in which role the person decided")
    reason: Reason = Field(description="why it is safe")
    failed_metrics: tuple[Name, ...] = Field(
        min_length=1, max_length=METRICS_MAX, description="what the person has seen failing"
    )
