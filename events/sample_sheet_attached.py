"""A run has a sheet that can be demultiplexed by."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field

from genoflow.events import topics
from genoflow.events.event import About, Event
from genoflow.events.sample_sheet_row import SampleSheetRow
from genoflow.events.types import (
    ROWS_MAX,
    Adapter,
    Choices,
    Cycles,
    InstrumentRunId,
    Name,
    Ordinal,
    Orientation,
    Sha256,
    Small,
    Uri,
)


class SampleSheetAttached(Event):
    """The sheet of a run is readable and free of contradictions.

    SampleSheetRefused is the negative twin.
    """

    about: ClassVar[About] = About(
        topics=(topics.SEQUENCING_RUN,),
        key="instrument_run_id",
        version="1.0",
        identity=("instrument_run_id", "sheet_sha256"),
    )

    instrument_run_id: InstrumentRunId = Field(description="the run")
    revision: Ordinal = Field(description="1, and one more for each amendment")
    sheet_version: Annotated[str, Choices("v1", "v2")] = Field(
        description="Illumina's edition: v1 or v2"
    )
    sheet_uri: Uri = Field(description="where the sheet was read")
    sheet_sha256: Sha256 = Field(description="of the sheet's bytes")
    rows: tuple[SampleSheetRow, ...] = Field(
        min_length=1, max_length=ROWS_MAX, description="each library in each lane"
    )
    override_cycles: Cycles | None = Field(None, description="of the whole run")
    i5_orientation: Orientation = Field(description="how this sheet and this instrument spell i5")
    barcode_mismatches_index1: Small = Field(1, description="how many are tolerated")
    barcode_mismatches_index2: Small = Field(1, description="how many are tolerated")
    adapter_read1: Adapter | None = Field(None, description="trimmed from read 1")
    adapter_read2: Adapter | None = Field(None, description="trimmed from read 2")
    columns_left_out: tuple[Name, ...] = Field(
        (), max_length=100, description="names of columns outside the allow-list"
    )
