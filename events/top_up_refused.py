"""No more reads of a sample are asked for."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from genoflow.events import topics
from genoflow.events.event import About
from genoflow.events.proposal import ProposalRefused
from genoflow.events.types import SampleId


class TopUpRefused(ProposalRefused):
    """The answer to TopUpProposed where it is not TopUpRequested."""

    about: ClassVar[About] = About(topics=(topics.SAMPLE,), key="sample_id", version="1.0")

    sample_id: SampleId = Field(description="the sample")
