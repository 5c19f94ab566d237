"""A case stays as it is."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from genoflow.events import topics
from genoflow.events.event import About
from genoflow.events.proposal import ProposalRefused
from genoflow.events.types import CaseId


class CaseClosureRefused(ProposalRefused):
    """The answer to CaseClosureProposed where it is not a CaseClosed."""

    about: ClassVar[About] = About(topics=(topics.CASE,), key="case_id", version="1.0")

    case_id: CaseId = Field(description="the case")
