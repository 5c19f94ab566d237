"""A person has given a case another priority."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from genoflow.events import topics
from genoflow.events.event import About, Event
from genoflow.events.types import CaseId, Priority, Reason, RequestId


class CasePriorityChanged(Event):
    """It holds for every run that is asked for later; the newest one is told of it."""

    about: ClassVar[About] = About(
        topics=(topics.CASE,), key="case_id", version="1.0", identity=("case_id", "request_id")
    )

    case_id: CaseId = Field(description="the case")
    priority: Priority = Field(description="urgent, routine or low: from now on")
    request_id: RequestId = Field(description="of the decision: repeated, it is the same one")
    reason: Reason = Field(description="why")
