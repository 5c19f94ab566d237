"""What is required of an assay is fixed."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field

from genoflow.events import topics
from genoflow.events.assay_thresholds import AssayThresholds
from genoflow.events.event import About, Event
from genoflow.events.threshold import Threshold
from genoflow.events.types import METRICS_MAX, Choices, DocumentId, Name, Ordinal, Sha256, Version


class QcProfilePublished(Event):
    """Thresholds for the run, the reads and the results under one version."""

    about: ClassVar[About] = About(
        topics=(topics.CATALOG,),
        key="document_id",
        version="1.2",
        identity=("document_id", "version"),
    )

    document_id: DocumentId = Field(description="the profile")
    version: Version = Field(description="its version")
    title: Name = Field(description="for people")
    assays: tuple[Name, ...] = Field(
        max_length=100,
        description="the assays whose default it is; none where it is only used by its name",
    )
    run_thresholds: tuple[Threshold, ...] = Field(
        max_length=METRICS_MAX, description="of a sequencing run"
    )
    reads_thresholds: tuple[Threshold, ...] = Field(
        max_length=METRICS_MAX, description="of a sample's reads"
    )
    results_thresholds: tuple[Threshold, ...] = Field(
        max_length=METRICS_MAX, description="of a run's results"
    )
    top_ups_max: Ordinal = Field(description="rounds of more reads before a person is asked")
    content_sha256: Sha256 = Field(description="of the thresholds as canonical JSON")
    assay_thresholds: tuple[AssayThresholds, ...] = Field(
        (),
        max_length=METRICS_MAX,
        description="of one assay and stage, in place of those for all where they name a metric",
    )
    validation: Annotated[str, Choices("standard", "strict")] = Field(
        "standard", description="strict where a file that breaks a must fails what enters"
    )
