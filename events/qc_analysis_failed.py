"""A sample is not good enough by a profile that somebody named."""

from __future__ import annotations

from typing import ClassVar
from uuid import UUID

from pydantic import Field

from genoflow.events import topics
from genoflow.events.event import About, Event
from genoflow.events.measured import Measured
from genoflow.events.types import METRICS_MAX, DocumentId, Name, Reason, SampleId, Version


class QcAnalysisFailed(Event):
    """An answer to a question, which holds nothing back; QcAnalysisPassed is the positive twin."""

    about: ClassVar[About] = About(topics=(topics.SAMPLE,), key="sample_id", version="1.0")

    sample_id: SampleId = Field(description="the sample")
    analysis_id: UUID = Field(description="the proposal that asked for it")
    profile: DocumentId = Field(description="the QC profile")
    profile_version: Version | None = Field(
        None, description="its version; none where the question brought all thresholds itself"
    )
    reason: Reason = Field(description="which metrics failed and by how much")
    measured: tuple[Measured, ...] = Field(
        min_length=1,
        max_length=METRICS_MAX,
        description="each metric with its threshold and verdict",
    )
    engine: Name = Field(description="what measured")
    engine_version: Name = Field(description="its release")
