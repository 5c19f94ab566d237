"""Every file of a run's results was found and measured."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from genoflow.events import topics
from genoflow.events.event import About, Event
from genoflow.events.measured import Measured
from genoflow.events.result_file import ResultFile
from genoflow.events.types import (
    METRICS_MAX,
    ROWS_MAX,
    Bucket,
    CaseId,
    ObjectKey,
    Ordinal,
    RunId,
    Sha256,
)


class ResultsCollected(Event):
    """Each file stands here with its size, checksum and type, as the store confirmed them."""

    about: ClassVar[About] = About(
        topics=(topics.RUN,), key="run_id", version="1.0", discriminator=("attempt",)
    )

    run_id: RunId = Field(description="the run")
    case_id: CaseId = Field(description="the case")
    attempt: Ordinal = Field(description="the submission that left them")
    bucket: Bucket = Field(description="where the manifest is")
    manifest_key: ObjectKey = Field(description="its key there")
    manifest_sha256: Sha256 = Field(description="of its bytes")
    files: tuple[ResultFile, ...] = Field(
        min_length=1, max_length=ROWS_MAX, description="all of them"
    )
    measurements: tuple[Measured, ...] = Field(
        (), max_length=METRICS_MAX, description="values that the run reported, not judged"
    )
