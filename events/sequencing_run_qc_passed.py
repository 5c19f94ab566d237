"""A run as a whole is good enough."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from genoflow.events import topics
from genoflow.events.event import About
from genoflow.events.measured import Measured
from genoflow.events.run_or_sample import RunOrSample
from genoflow.events.types import METRICS_MAX, DocumentId, Ordinal, Version


class SequencingRunQcPassed(RunOrSample):
    """Every metric of the run is within its threshold.

    SequencingRunQcFailed is the negative twin.
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
    measured: tuple[Measured, ...] = Field(
        min_length=1,
        max_length=METRICS_MAX,
        description="each metric with its threshold and verdict",
    )
