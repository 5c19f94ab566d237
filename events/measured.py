"""One metric as it is judged: value, unit, threshold and verdict together."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from genoflow.events.types import Choices, Name, Number, Part


class Measured(Part):
    """A measured value beside what was required of it."""

    metric: Name = Field(description="such as mean_coverage")
    value: Number = Field(description="what was measured")
    unit: Name = Field(description="such as x, percent, reads, base quality")
    measured_on: Name | None = Field(
        None, description="the sample, or the two samples of a comparison; none for the whole"
    )
    declared: Name | None = Field(None, description="what was declared, where that is a word")
    found: Name | None = Field(None, description="what was found, where that is a word")
    required_min: Number | None = Field(None, description="the least that passes")
    required_max: Number | None = Field(None, description="the most that passes")
    verdict: Annotated[str, Choices("pass", "fail", "warn", "not judged")] = Field(
        description="pass, fail, warn or not judged"
    )
