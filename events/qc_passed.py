"""A sample's reads are good enough for its assay."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from genoflow.events import topics
from genoflow.events.event import About, Event
from genoflow.events.measured import Measured
from genoflow.events.types import (
    ITEMS_MAX,
    METRICS_MAX,
    DocumentId,
    Ordinal,
    ReadSetId,
    SampleId,
    Version,
)


class QcPassed(Event):
    """Every metric of the profile is within its threshold; QcFailed is the negative twin."""

    about: ClassVar[About] = About(
        topics=(topics.SAMPLE,), key="sample_id", version="1.0", discriminator=("round",)
    )

    sample_id: SampleId = Field(description="the sample")
    round: Ordinal = Field(description="1, and one more for each top-up")
    profile: DocumentId = Field(description="the QC profile")
    profile_version: Version = Field(description="the version whose thresholds were used")
    read_set_ids: tuple[ReadSetId, ...] = Field(
        min_length=1, max_length=ITEMS_MAX, description="the union that was measured"
    )
    measured: tuple[Measured, ...] = Field(
        min_length=1,
        max_length=METRICS_MAX,
        description="each metric with its threshold and verdict",
    )
