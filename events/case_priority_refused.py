"""A case keeps its priority."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from genoflow.events import topics
from genoflow.events.event import About
from genoflow.events.proposal import ProposalRefused
from genoflow.events.types import CaseId


class CasePriorityRefused(ProposalRefused):
    """The answer to CasePriorityProposed where it is not CasePriorityChanged."""

    about: ClassVar[About] = About(topics=(topics.CASE,), key="case_id", version="1.0")

    case_id: CaseId = Field(description="the case")
