"""A person wants results to be published that are held."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from genoflow.events import topics
from genoflow.events.event import About
from genoflow.events.proposal import Proposal
from genoflow.events.types import Name, Reason, RunId


class ResultsReleaseProposed(Proposal):
    """Asks for ResultsPublished; whether they are still held, the order of the run decides."""

    about: ClassVar[About] = About(
        topics=(topics.RUN,), key="run_id", version="1.0", identity=("run_id", "request_id")
    )

    run_id: RunId = Field(description="the run")
    role: Name = Field(description="in which role the person decides")
    reason: Reason = Field(description="why they are right all the same")
