"""One thing in published results that is different now."""

from __future__ import annotations

from pydantic import Field

from genoflow.events.types import Name, Part, SampleId, Text


class ResultChange(Part):
    """What was said before, and what is true now."""

    what: Name = Field(description="such as sample, variant, file or report")
    sample_id: SampleId | None = Field(None, description="whose, where it is of one sample")
    before: Text = Field(description="as it was published")
    after: Text = Field(description="as it is now; empty where it is withdrawn")
