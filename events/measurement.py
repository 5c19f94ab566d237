"""One metric as it was measured, before anybody judged it."""

from __future__ import annotations

from pydantic import Field

from genoflow.events.types import Name, Number, Part, ReadSetId


class Measurement(Part):
    """A measured value without a verdict."""

    metric: Name = Field(description="such as q30_fraction")
    value: Number = Field(description="what was measured")
    unit: Name = Field(description="such as x, fraction, reads, base quality")
    read_set_id: ReadSetId | None = Field(
        None, description="where it is of one read set and not of the union"
    )
