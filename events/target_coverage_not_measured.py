"""How deep a round's reads lie over the regions that were ordered cannot be told."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field

from genoflow.events import topics
from genoflow.events.event import About, Event
from genoflow.events.types import Choices, DocumentId, Name, Ordinal, Reason, SampleId, Version


class TargetCoverageNotMeasured(Event):
    """Why there is no depth over the targets; a profile that requires one fails the round.

    TargetCoverageMeasured is the positive twin.
    """

    about: ClassVar[About] = About(
        topics=(topics.SAMPLE,), key="sample_id", version="1.0", discriminator=("round",)
    )

    sample_id: SampleId = Field(description="the sample")
    round: Ordinal = Field(description="which request it answers")
    target_set: DocumentId = Field(description="the regions")
    target_set_version: Version = Field(description="their version")
    reason_code: Annotated[
        str,
        Choices(
            "several files",
            "targets unreadable",
            "targets elsewhere",
            "quarantined",
            "unreadable",
            "gave up",
        ),
    ] = Field(description="such as several files, unreadable or gave up")
    reason: Reason = Field(description="what is missing and what to do")
    engine: Name = Field(description="what would have measured")
    engine_version: Name = Field(description="its release")
