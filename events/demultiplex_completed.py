"""A run's reads were told apart by barcode."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from genoflow.events import topics
from genoflow.events.demultiplexed_library import DemultiplexedLibrary
from genoflow.events.event import About, Event
from genoflow.events.types import (
    ROWS_MAX,
    Count,
    FileRole,
    Fraction,
    Identifier,
    InstrumentRunId,
    Name,
    Ordinal,
    Seconds,
)
from genoflow.events.unknown_barcode import UnknownBarcode


class DemultiplexCompleted(Event):
    """Every row of the sheet has its count, none among them too.

    DemultiplexFailed is the negative twin.
    """

    about: ClassVar[About] = About(
        topics=(topics.SEQUENCING_RUN,),
        key="instrument_run_id",
        version="1.0",
        discriminator=("attempt",),
    )

    instrument_run_id: InstrumentRunId = Field(description="the run")
    attempt: Ordinal = Field(description="which request it answers")
    sheet_revision: Ordinal = Field(description="the sheet that it followed")
    tool: Name = Field(description="the program")
    tool_version: Name = Field(description="its release")
    flow_cell_id: Identifier = Field(description="the flow cell")
    libraries: tuple[DemultiplexedLibrary, ...] = Field(
        min_length=1, max_length=ROWS_MAX, description="each library in each lane"
    )
    expected_roles: tuple[FileRole, ...] = Field(
        min_length=1, max_length=8, description="the files that each read set has"
    )
    reads_total: Count = Field(description="clusters that passed the filter")
    reads_undetermined: Count = Field(description="of them, those that no row claims")
    undetermined_fraction: Fraction = Field(description="the same as a share")
    unknown_barcodes: tuple[UnknownBarcode, ...] = Field(
        (), max_length=1_000, description="the most frequent, first the highest"
    )
    i5_looks_reversed: bool = Field(
        False, description="whether many unknown barcodes match a row once i5 is turned around"
    )
    duration_seconds: Seconds | None = Field(None, description="how long the program took")
