"""Published results are void."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field

from genoflow.events import topics
from genoflow.events.event import About, Event
from genoflow.events.result_change import ResultChange
from genoflow.events.types import CaseId, Choices, Name, Reason, RequestId, RunId


class ResultsRetracted(Event):
    """Nothing of what was published under this run may be used."""

    about: ClassVar[About] = About(
        topics=(topics.RUN,), key="run_id", version="1.0", discriminator=("reason_code",)
    )

    run_id: RunId = Field(description="the run")
    case_id: CaseId = Field(description="the case")
    reason_code: Annotated[str, Choices("relabelled", "sheet amended", "withdrawn", "wrong")] = (
        Field(description="which kind of reason")
    )
    reason: Reason = Field(description="in words")
    changes: tuple[ResultChange, ...] = Field(
        min_length=1, max_length=1_000, description="what was said and no longer holds"
    )
    request_id: RequestId | None = Field(
        None, description="of the decision, where a person took it"
    )
    role: Name | None = Field(None, description="in which role the person decided")
