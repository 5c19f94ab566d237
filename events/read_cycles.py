"""How many cycles one read of a flow cell has."""

from __future__ import annotations

from pydantic import Field

from genoflow.events.types import Lane, Part, Small


class ReadCycles(Part):
    """The plan of one read, as RunInfo says."""

    number: Lane = Field(description="the read's place in the order of sequencing")
    cycles: Small = Field(description="how many bases")
    is_index: bool = Field(description="whether it reads a barcode")
    is_reverse_complemented: bool = Field(
        False, description="whether the instrument writes it reversed"
    )
