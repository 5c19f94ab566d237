"""Published results were replaced by others."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field

from genoflow.events import topics
from genoflow.events.event import About, Event
from genoflow.events.result_change import ResultChange
from genoflow.events.result_file import ResultFile
from genoflow.events.types import ROWS_MAX, CaseId, Choices, Reason, RunId


class ResultsAmended(Event):
    """What was published has changed, and this says how; the earlier answer stays on record."""

    about: ClassVar[About] = About(
        topics=(topics.RUN,), key="run_id", version="1.0", discriminator=("amends_run_id",)
    )

    run_id: RunId = Field(description="the run whose results hold now")
    case_id: CaseId = Field(description="the case")
    amends_run_id: RunId = Field(description="the run whose results were published before")
    reason_code: Annotated[
        str, Choices("top-up", "relabelled", "sheet amended", "new pipeline", "asked for")
    ] = Field(description="which kind of reason")
    reason: Reason = Field(description="in words")
    changes: tuple[ResultChange, ...] = Field(
        min_length=1, max_length=1_000, description="what is different"
    )
    files: tuple[ResultFile, ...] = Field(
        min_length=1, max_length=ROWS_MAX, description="the files that hold now"
    )
