"""A run does not go on."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from genoflow.events import topics
from genoflow.events.event import About
from genoflow.events.proposal import ProposalRefused
from genoflow.events.types import RunId


class RunRetryRefused(ProposalRefused):
    """The answer to RunRetryProposed where it is not RunRetryRequested."""

    about: ClassVar[About] = About(topics=(topics.RUN,), key="run_id", version="1.0")

    run_id: RunId = Field(description="the run")
