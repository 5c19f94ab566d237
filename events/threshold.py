"""What a profile requires of one metric."""

from __future__ import annotations

from pydantic import Field

from genoflow.events.types import Name, Number, Part


class Threshold(Part):
    """The least and the most that pass, and where a warning begins."""

    metric: Name = Field(description="such as mean_coverage")
    unit: Name = Field(description="such as x, fraction, reads, base quality")
    required_min: Number | None = Field(None, description="the least that passes")
    required_max: Number | None = Field(None, description="the most that passes")
    warn_min: Number | None = Field(None, description="below it, it passes with a warning")
    warn_max: Number | None = Field(None, description="above it, it passes with a warning")
