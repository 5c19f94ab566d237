"""A run as a whole is not good enough."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from genoflow.events import topics
from genoflow.events.event import About
from genoflow.events.measured import Measured
from genoflow.events.run_or_sample import RunOrSample
from genoflow.events.types import METRICS_MAX, DocumentId, Ordinal, Reason, Version


class SequencingRunQcFailed(RunOrSample):
    """At least one metric of the run breaks its threshold.

    SequencingRunQcPassed is the positive twin.
    """

    about: ClassVar[About] = About(
        topics=(topics.SEQUENCING_RUN, topics.SAMPLE),
        key="instrument_run_id",
        version="1.0",
        discriminator=("round",),
    )

    round: Ordinal = Field(
        description="1, and one more for each time that the run was judged again"
    )
    profile: DocumentId = Field(description="the QC profile")
    profile_version: Version = Field(description="the version whose thresholds were used")
    reason: Reason = Field(description="which metrics failed and by how much, in words")
    measured: tuple[Measured, ...] = Field(
        min_length=1,
        max_length=METRICS_MAX,
        description="each metric with its threshold and verdict",
    )
