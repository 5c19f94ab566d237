"""Somebody wants to close a case without results."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field

from genoflow.events import topics
from genoflow.events.event import About
from genoflow.events.proposal import Proposal
from genoflow.events.types import CaseId, Choices, Reason


class CaseClosureProposed(Proposal):
    """Asks for CaseClosed; whether the case is open, its own order decides."""

    about: ClassVar[About] = About(
        topics=(topics.CASE,), key="case_id", version="1.0", identity=("case_id", "request_id")
    )

    case_id: CaseId = Field(description="the case")
    outcome: Annotated[str, Choices("cancelled", "withdrawn")] = Field(
        description="cancelled, or withdrawn: consent or order was taken back"
    )
    reason: Reason = Field(description="in words")
