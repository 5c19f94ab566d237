"""A question about the quality of a sample has no answer."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from genoflow.events import topics
from genoflow.events.event import About
from genoflow.events.proposal import ProposalRefused
from genoflow.events.types import SampleId


class QcAnalysisRefused(ProposalRefused):
    """The answer to QcAnalysisProposed where it is not QcAnalysisRequested."""

    about: ClassVar[About] = About(topics=(topics.SAMPLE,), key="sample_id", version="1.0")

    sample_id: SampleId = Field(description="the sample")
