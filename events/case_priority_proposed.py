"""A person wants a case to have another priority."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from genoflow.events import topics
from genoflow.events.event import About
from genoflow.events.proposal import Proposal
from genoflow.events.types import CaseId, Priority, Reason, RunId


class CasePriorityProposed(Proposal):
    """Asks for CasePriorityChanged; whether something is still owed, the order of its case decides.

    One that the case has already stands as it was said.
    """

    about: ClassVar[About] = About(
        topics=(topics.CASE,), key="case_id", version="1.0", identity=("case_id", "request_id")
    )

    case_id: CaseId = Field(description="the case")
    run_id: RunId | None = Field(
        None, description="the run that was meant; none where the case has none yet"
    )
    priority: Priority = Field(description="urgent, routine or low: from now on")
    reason: Reason = Field(description="why")
