"""Nothing of a sample may be deleted."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from genoflow.events import topics
from genoflow.events.event import About, Event
from genoflow.events.types import Identifier, Name, Reason, RequestId, SampleId


class LegalHoldPlaced(Event):
    """It beats every rule of retention until LegalHoldReleased names it."""

    about: ClassVar[About] = About(
        topics=(topics.SAMPLE,),
        key="sample_id",
        version="1.0",
        identity=("sample_id", "hold_id", "request_id"),
        discriminator=("hold_id",),
        terminal=True,
    )

    sample_id: SampleId = Field(description="whose files are kept")
    hold_id: Identifier = Field(description="the hold: the number of a case at law, or a word")
    role: Name = Field(description="in which role the person placed it")
    reason: Reason = Field(description="why, for whoever asks later")
    request_id: RequestId = Field(description="of the decision: repeated, it is the same one")
