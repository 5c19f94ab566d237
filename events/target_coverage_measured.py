"""How deep a round's reads lie over the regions that were ordered was measured."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from genoflow.events import topics
from genoflow.events.event import About, Event
from genoflow.events.measurement import Measurement
from genoflow.events.types import (
    METRICS_MAX,
    DocumentId,
    Name,
    Ordinal,
    SampleId,
    Seconds,
    Sha256,
    Version,
)


class TargetCoverageMeasured(Event):
    """Depth and breadth over the targets, as mosdepth tells them.

    TargetCoverageNotMeasured is the negative twin.
    """

    about: ClassVar[About] = About(
        topics=(topics.SAMPLE,), key="sample_id", version="1.0", discriminator=("round",)
    )

    sample_id: SampleId = Field(description="the sample")
    round: Ordinal = Field(description="which request it answers")
    target_set: DocumentId = Field(description="the regions")
    target_set_version: Version = Field(description="their version")
    targets_sha256: Sha256 = Field(description="of the bytes of the BED")
    measurements: tuple[Measurement, ...] = Field(
        min_length=1, max_length=METRICS_MAX, description="each value with its unit"
    )
    engine: Name = Field(description="what measured")
    engine_version: Name = Field(description="its release")
    duration_seconds: Seconds | None = Field(None, description="how long it took")
