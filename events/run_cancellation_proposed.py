"""A person wants a run to end."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from genoflow.events import topics
from genoflow.events.event import About
from genoflow.events.proposal import Proposal
from genoflow.events.types import Reason, RunId


class RunCancellationProposed(Proposal):
    """Asks for RunCancelled; whether there is anything to end, the order of the run decides."""

    about: ClassVar[About] = About(
        topics=(topics.RUN,), key="run_id", version="1.0", identity=("run_id", "request_id")
    )

    run_id: RunId = Field(description="the run")
    reason: Reason = Field(description="why")
