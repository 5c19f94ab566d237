"""A sample's reads are not good enough for its assay."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field

from genoflow.events import topics
from genoflow.events.event import About, Event
from genoflow.events.measured import Measured
from genoflow.events.types import (
    ITEMS_MAX,
    METRICS_MAX,
    Choices,
    Count,
    DocumentId,
    InstrumentRunId,
    Ordinal,
    ReadSetId,
    Reason,
    SampleId,
    Version,
)


class QcFailed(Event):
    """At least one metric breaks its threshold, or there are no reads.

    QcPassed is the positive twin.
    """

    about: ClassVar[About] = About(
        topics=(topics.SAMPLE,), key="sample_id", version="1.0", discriminator=("round",)
    )

    sample_id: SampleId = Field(description="the sample")
    round: Ordinal = Field(description="1, and one more for each top-up")
    reason_code: Annotated[
        str, Choices("below threshold", "no reads", "mates differ", "run failed", "violations")
    ] = Field(description="which kind of failure")
    reason: Reason = Field(description="which metrics failed and by how much, and what can be done")
    profile: DocumentId | None = Field(
        None, description="the QC profile; none where there was nothing to judge"
    )
    profile_version: Version | None = Field(
        None, description="the version whose thresholds were used"
    )
    read_set_ids: tuple[ReadSetId, ...] = Field(
        (), max_length=ITEMS_MAX, description="the union that was measured"
    )
    measured: tuple[Measured, ...] = Field(
        min_length=1,
        max_length=METRICS_MAX,
        description="each metric with its threshold and verdict",
    )
    instrument_run_id: InstrumentRunId | None = Field(
        None, description="the run, where it gave no reads or failed as a whole"
    )
    reads_missing: Count | None = Field(
        None, description="an estimate of the reads that would be enough"
    )
