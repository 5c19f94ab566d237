"""A legal hold on a sample is over."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from genoflow.events import topics
from genoflow.events.event import About, Event
from genoflow.events.types import Identifier, Name, Reason, RequestId, SampleId


class LegalHoldReleased(Event):
    """The rules of retention count again, unless another hold stands."""

    about: ClassVar[About] = About(
        topics=(topics.SAMPLE,),
        key="sample_id",
        version="1.0",
        identity=("sample_id", "hold_id", "request_id"),
        discriminator=("hold_id",),
        terminal=True,
    )

    sample_id: SampleId = Field(description="whose files were kept")
    hold_id: Identifier = Field(description="the hold, as it was placed")
    role: Name = Field(description="in which role the person released it")
    reason: Reason = Field(description="why, for whoever asks later")
    request_id: RequestId = Field(description="of the decision: repeated, it is the same one")
