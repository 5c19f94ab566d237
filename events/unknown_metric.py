"""One metric that was looked for and cannot be told."""

from __future__ import annotations

from pydantic import Field

from genoflow.events.types import Name, Part, Reason


class UnknownMetric(Part):
    """A metric without a value, and why it has none."""

    metric: Name = Field(description="such as contamination")
    reason: Reason = Field(description="what is missing and what to do")
