"""What a profile requires of one assay, at one stage of the work."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from genoflow.events.threshold import Threshold
from genoflow.events.types import METRICS_MAX, Choices, Name, Part


class AssayThresholds(Part):
    """Thresholds that stand beside those for all assays, or in their place."""

    assay: Name = Field(description="such as wgs, wes or panel")
    stage: Annotated[str, Choices("reads", "alignment", "variants", "results")] = Field(
        description="of which material or outcome: reads, alignment, variants or results"
    )
    thresholds: tuple[Threshold, ...] = Field(
        min_length=1, max_length=METRICS_MAX, description="what is required there"
    )
