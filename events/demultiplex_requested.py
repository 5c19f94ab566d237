"""A run is complete, mirrored and has a sheet."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from genoflow.events import topics
from genoflow.events.event import About, Event
from genoflow.events.read_cycles import ReadCycles
from genoflow.events.sample_sheet_row import SampleSheetRow
from genoflow.events.types import (
    ROWS_MAX,
    Adapter,
    Bucket,
    Cycles,
    Identifier,
    InstrumentRunId,
    Name,
    ObjectKey,
    Ordinal,
    Orientation,
    Sha256,
    Small,
)


class DemultiplexRequested(Event):
    """All that demultiplexing needs stands in this event, so nothing is looked up later."""

    about: ClassVar[About] = About(
        topics=(topics.SEQUENCING_RUN,),
        key="instrument_run_id",
        version="1.0",
        discriminator=("attempt",),
    )

    instrument_run_id: InstrumentRunId = Field(description="the run")
    attempt: Ordinal = Field(description="1, and one more for each amended sheet or new try")
    sheet_revision: Ordinal = Field(description="the sheet that it follows")
    sheet_sha256: Sha256 = Field(description="of that sheet's bytes")
    adapter: Name = Field(description="picard, bclconvert or on-instrument")
    flow_cell_id: Identifier = Field(description="the flow cell")
    reads: tuple[ReadCycles, ...] = Field(
        min_length=1, max_length=16, description="in the order of sequencing"
    )
    rows: tuple[SampleSheetRow, ...] = Field(
        min_length=1, max_length=ROWS_MAX, description="each library in each lane"
    )
    override_cycles: Cycles | None = Field(None, description="of the whole run")
    i5_orientation: Orientation = Field(description="how the rows spell i5")
    barcode_mismatches_index1: Small = Field(description="how many are tolerated")
    barcode_mismatches_index2: Small = Field(description="how many are tolerated")
    adapter_read1: Adapter | None = Field(None, description="trimmed from read 1")
    adapter_read2: Adapter | None = Field(None, description="trimmed from read 2")
    bucket: Bucket = Field(description="where the mirrored run is")
    prefix: ObjectKey = Field(description="under which all its objects are")
    manifest_sha256: Sha256 = Field(description="of the list of its files")
    output_bucket: Bucket = Field(description="where the files of reads go")
    output_prefix: ObjectKey = Field(description="under which they go")
