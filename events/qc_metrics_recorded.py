"""A sample's reads were measured."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from genoflow.events import topics
from genoflow.events.event import About, Event
from genoflow.events.measurement import Measurement
from genoflow.events.types import (
    ITEMS_MAX,
    METRICS_MAX,
    DocumentId,
    Name,
    Ordinal,
    ReadSetId,
    SampleId,
    Seconds,
    Version,
)
from genoflow.events.unknown_metric import UnknownMetric


class QcMetricsRecorded(Event):
    """The values by which the reads are judged; QcPassed or QcFailed says how."""

    about: ClassVar[About] = About(
        topics=(topics.SAMPLE,), key="sample_id", version="1.1", discriminator=("round",)
    )

    sample_id: SampleId = Field(description="the sample")
    round: Ordinal = Field(description="which request it answers")
    profile: DocumentId = Field(description="the QC profile that asked for them")
    profile_version: Version = Field(description="its version")
    read_set_ids: tuple[ReadSetId, ...] = Field(
        min_length=1, max_length=ITEMS_MAX, description="the union that was measured"
    )
    measurements: tuple[Measurement, ...] = Field(
        min_length=1, max_length=METRICS_MAX, description="each value with its unit"
    )
    engine: Name = Field(description="what measured")
    engine_version: Name = Field(description="its release")
    duration_seconds: Seconds | None = Field(None, description="how long it took")
    unknown: tuple[UnknownMetric, ...] = Field(
        (), max_length=METRICS_MAX, description="what was looked for and cannot be told, and why"
    )
