"""Results that are held stay so."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from genoflow.events import topics
from genoflow.events.event import About
from genoflow.events.proposal import ProposalRefused
from genoflow.events.types import RunId


class ResultsReleaseRefused(ProposalRefused):
    """The answer to ResultsReleaseProposed where it is not ResultsPublished."""

    about: ClassVar[About] = About(topics=(topics.RUN,), key="run_id", version="1.0")

    run_id: RunId = Field(description="the run")
