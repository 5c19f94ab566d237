"""A person wants a run that failed to go on from where it failed."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from genoflow.events import topics
from genoflow.events.event import About
from genoflow.events.proposal import Proposal
from genoflow.events.types import Reason, RunId


class RunRetryProposed(Proposal):
    """Asks for RunRetryRequested; whether the run has failed, the order of the run decides."""

    about: ClassVar[About] = About(
        topics=(topics.RUN,), key="run_id", version="1.0", identity=("run_id", "request_id")
    )

    run_id: RunId = Field(description="the run")
    reason: Reason = Field(description="what was mended, or why it is worth another try")
