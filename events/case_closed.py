"""Nothing more is owed on a case."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field

from genoflow.events import topics
from genoflow.events.event import About, Event
from genoflow.events.types import CaseId, Choices, Reason, RunId


class CaseClosed(Event):
    """The order is answered or withdrawn."""

    about: ClassVar[About] = About(
        topics=(topics.CASE,), key="case_id", version="1.0", identity=("case_id",), terminal=True
    )

    case_id: CaseId = Field(description="the case")
    outcome: Annotated[str, Choices("published", "cancelled", "withdrawn")] = Field(
        description="published, cancelled or withdrawn"
    )
    reason: Reason = Field(description="in words")
    run_id: RunId | None = Field(None, description="the run whose results answer it")
