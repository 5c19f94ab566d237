"""An output that a pipeline owes."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from genoflow.events.types import Choices, ContentType, Name, Part


class ExpectedOutput(Part):
    """An output without which a run has not succeeded."""

    kind: Name = Field(description="such as vcf, bam, coverage or report")
    per: Annotated[str, Choices("sample", "case")] = Field(
        description="sample or case: how many of them there are"
    )
    content_type: ContentType = Field(description="its media type")
