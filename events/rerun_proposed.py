"""A person wants a run of a case once more."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from genoflow.events import topics
from genoflow.events.event import About
from genoflow.events.proposal import Proposal
from genoflow.events.types import CaseId, Reason, RunId


class RerunProposed(Proposal):
    """Asks for RerunRequested; whether the run is the newest and over, the order of its case
    decides.
    """

    about: ClassVar[About] = About(
        topics=(topics.CASE,), key="case_id", version="1.0", identity=("case_id", "request_id")
    )

    case_id: CaseId = Field(description="the case")
    run_id: RunId = Field(description="the run that the new one takes the place of")
    reason: Reason = Field(description="what was mended, or why it is worth another try")
