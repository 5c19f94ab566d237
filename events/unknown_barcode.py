"""A barcode that no row of the sheet claims."""

from __future__ import annotations

from pydantic import Field

from genoflow.events.types import Count, Index, Lane, Part, SampleId


class UnknownBarcode(Part):
    """A barcode that was read often and that no row of the sheet claims."""

    lane: Lane = Field(description="the lane")
    index1: Index = Field(description="i7 as it was read")
    index2: Index | None = Field(None, description="i5 as it was read")
    reads: Count = Field(description="how often")
    reverse_complement_of: SampleId | None = Field(
        None, description="the sample that claims it once i5 is turned around"
    )
