"""A sample has a read set, and these are its files."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from genoflow.events import topics
from genoflow.events.event import About, Event
from genoflow.events.expected_file import ExpectedFile
from genoflow.events.types import (
    Count,
    Identifier,
    Index,
    InstrumentRunId,
    Lane,
    LibraryId,
    Material,
    Ordinal,
    ReadSetId,
    SampleId,
)


class ReadSetRegistered(Event):
    """One library of one lane of one flow cell, or one delivered file, with every file that has to
    land.
    """

    about: ClassVar[About] = About(
        topics=(topics.SAMPLE,),
        key="sample_id",
        version="1.0",
        identity=("read_set_id",),
        discriminator=("read_set_id",),
    )

    sample_id: SampleId = Field(description="the sample")
    read_set_id: ReadSetId = Field(description="library, flow cell and lane")
    material: Material = Field(description="what its files hold")
    library_id: LibraryId | None = Field(
        None, description="the library; none for material that was delivered"
    )
    instrument_run_id: InstrumentRunId | None = Field(None, description="the run that read it")
    flow_cell_id: Identifier | None = Field(None, description="the flow cell")
    lane: Lane | None = Field(None, description="the lane")
    index1: Index | None = Field(None, description="i7")
    index2: Index | None = Field(None, description="i5")
    sheet_revision: Ordinal | None = Field(None, description="the sheet that it comes from")
    demultiplex_attempt: Ordinal | None = Field(
        None, description="the demultiplexing that it comes from"
    )
    expected_files: tuple[ExpectedFile, ...] = Field(
        min_length=1, max_length=100, description="all that have to land"
    )
    read_sets_of_sample: Ordinal = Field(
        description="how many read sets its demultiplexing registered for the sample"
    )
    reads: Count | None = Field(
        None, description="as demultiplexing counted, by which validation is compared"
    )
    replaces_read_set_id: ReadSetId | None = Field(
        None, description="the one that was invalidated for it"
    )
