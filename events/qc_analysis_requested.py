"""A sample is held against a profile that somebody named."""

from __future__ import annotations

from typing import Annotated, ClassVar
from uuid import UUID

from pydantic import Field

from genoflow.events import topics
from genoflow.events.event import About, Event
from genoflow.events.file_violations import FileViolations
from genoflow.events.read_set_file import ReadSetFile
from genoflow.events.threshold import Threshold
from genoflow.events.types import (
    ITEMS_MAX,
    METRICS_MAX,
    Choices,
    Count,
    DocumentId,
    Material,
    Name,
    SampleId,
    Version,
)


class QcAnalysisRequested(Event):
    """What is judged, and the content of the profile by which it is.

    QcAnalysisPassed or QcAnalysisFailed is the verdict. No round of the sample follows from it.
    """

    about: ClassVar[About] = About(topics=(topics.SAMPLE,), key="sample_id", version="1.1")

    sample_id: SampleId = Field(description="the sample")
    analysis_id: UUID = Field(description="the proposal that asked for it")
    assay: Name | None = Field(None, description="what was ordered; none where nobody ordered")
    material: Material = Field(description="what the files hold")
    profile: DocumentId = Field(description="the QC profile")
    profile_version: Version | None = Field(
        None, description="its version; none where the question brought all thresholds itself"
    )
    overridden_metrics: tuple[Name, ...] = Field(
        (), max_length=METRICS_MAX, description="whose thresholds the question brought"
    )
    thresholds: tuple[Threshold, ...] = Field(
        min_length=1, max_length=METRICS_MAX, description="what is required"
    )
    genome_bases: Count | None = Field(
        None, description="length of the reference or its regions; none where nobody ordered"
    )
    files: tuple[ReadSetFile, ...] = Field(
        min_length=1, max_length=ITEMS_MAX, description="the files that are judged"
    )
    validation: Annotated[str, Choices("standard", "strict")] = Field(
        "standard", description="strict where the profile takes no file that breaks a must"
    )
    violating: tuple[FileViolations, ...] = Field(
        (), max_length=ITEMS_MAX, description="those of them that break a must"
    )
