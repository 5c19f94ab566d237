"""A run is not had again."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from genoflow.events import topics
from genoflow.events.event import About
from genoflow.events.proposal import ProposalRefused
from genoflow.events.types import CaseId


class RerunRefused(ProposalRefused):
    """The answer to RerunProposed where it is not RerunRequested."""

    about: ClassVar[About] = About(topics=(topics.CASE,), key="case_id", version="1.0")

    case_id: CaseId = Field(description="the case")
