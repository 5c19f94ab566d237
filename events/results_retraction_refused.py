"""Results are not taken back."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from genoflow.events import topics
from genoflow.events.event import About
from genoflow.events.proposal import ProposalRefused
from genoflow.events.types import RunId


class ResultsRetractionRefused(ProposalRefused):
    """The answer to ResultsRetractionProposed where it is not ResultsRetracted."""

    about: ClassVar[About] = About(topics=(topics.RUN,), key="run_id", version="1.0")

    run_id: RunId = Field(description="the run")
