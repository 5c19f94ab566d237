"""How much of a round's reads is somebody else's cannot be told."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field

from genoflow.events import topics
from genoflow.events.event import About, Event
from genoflow.events.types import Choices, Count, Fraction, Name, Ordinal, Reason, SampleId, Sha256


class ContaminationNotEstimated(Event):
    """Why there is no share; a profile that requires one fails the round with this reason.

    ContaminationEstimated is the positive twin.
    """

    about: ClassVar[About] = About(
        topics=(topics.SAMPLE,), key="sample_id", version="1.0", discriminator=("round",)
    )

    sample_id: SampleId = Field(description="the sample")
    round: Ordinal = Field(description="which request it answers")
    reason_code: Annotated[
        str,
        Choices(
            "no panel", "panel unreadable", "no index", "no BAM", "quarantined", "unreadable",
            "too much", "left open", "gave up",
        ),
    ] = Field(description="such as no index, left open or gave up")  # fmt: skip
    reason: Reason = Field(description="what is missing and what to do")
    share_low: Fraction | None = Field(None, description="the least that it may be, where counted")
    share_high: Fraction | None = Field(None, description="the most")
    sites: Count = Field(0, description="variants of the panel over which reads lie")
    reads: Count = Field(0, description="that show one of the two bases there")
    panel_sha256: Sha256 | None = Field(None, description="of the bytes of the panel, if any")
    engine: Name = Field(description="what would have estimated")
    engine_version: Name = Field(description="its method")
