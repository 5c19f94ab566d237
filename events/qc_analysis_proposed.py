"""Somebody wants to know how a sample does by a profile."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from genoflow.events import topics
from genoflow.events.event import About
from genoflow.events.proposal import Proposal
from genoflow.events.threshold import Threshold
from genoflow.events.types import METRICS_MAX, Bucket, DocumentId, ObjectKey, SampleId


class QcAnalysisProposed(Proposal):
    """Asks for QcAnalysisRequested and its verdict; it changes nothing for the sample itself."""

    about: ClassVar[About] = About(
        topics=(topics.SAMPLE,),
        key="sample_id",
        version="1.0",
        identity=("sample_id", "request_id"),
    )

    sample_id: SampleId = Field(description="the sample")
    profile: DocumentId = Field(
        description="standard, strict, custom, or a profile of the lab by its name"
    )
    bucket: Bucket | None = Field(None, description="where the files are; none for all that count")
    object_key: ObjectKey | None = Field(
        None, description="the file, or the folder of files; none for the whole bucket"
    )
    thresholds: tuple[Threshold, ...] = Field(
        (),
        max_length=METRICS_MAX,
        description="in place of the profile's, where it is no shipped one",
    )
