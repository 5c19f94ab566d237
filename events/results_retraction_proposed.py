"""A person wants published results to be void."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field

from genoflow.events import topics
from genoflow.events.event import About
from genoflow.events.proposal import Proposal
from genoflow.events.types import Choices, Name, Reason, RunId


class ResultsRetractionProposed(Proposal):
    """Asks for ResultsRetracted; whether there are any that count, the order of the run decides."""

    about: ClassVar[About] = About(
        topics=(topics.RUN,), key="run_id", version="1.0", identity=("run_id", "request_id")
    )

    run_id: RunId = Field(description="the run")
    reason_code: Annotated[str, Choices("withdrawn", "wrong")] = Field(
        description="withdrawn: consent or order was taken back; wrong: they are not right"
    )
    role: Name = Field(description="in which role the person decides")
    reason: Reason = Field(description="why nobody may use them")
