"""A run's results contradict what was declared or required."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from genoflow.events import topics
from genoflow.events.event import About, Event
from genoflow.events.measured import Measured
from genoflow.events.types import METRICS_MAX, CaseId, DocumentId, Reason, RunId, Version


class ResultsHeld(Event):
    """They wait for a person; ResultsChecked is the positive twin."""

    about: ClassVar[About] = About(topics=(topics.RUN,), key="run_id", version="1.0")

    run_id: RunId = Field(description="the run")
    case_id: CaseId = Field(description="the case")
    profile: DocumentId = Field(description="the QC profile")
    profile_version: Version = Field(description="the version whose thresholds were used")
    measured: tuple[Measured, ...] = Field(
        min_length=1,
        max_length=METRICS_MAX,
        description="each check with its threshold and verdict",
    )
    reasons: tuple[Reason, ...] = Field(
        min_length=1, max_length=100, description="what is wrong and what it may mean, in words"
    )
