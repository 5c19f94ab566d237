"""A run's sheet was replaced by a later one."""

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
    Reason,
    Sha256,
    Small,
    Uri,
)


class SampleSheetAmended(Event):
    """A later sheet holds from now on; the read sets that it contradicts are invalidated."""

    about: ClassVar[About] = About(
        topics=(topics.SEQUENCING_RUN,),
        key="instrument_run_id",
        version="1.0",
        identity=("instrument_run_id", "revision", "sheet_sha256"),
    )

    instrument_run_id: InstrumentRunId = Field(description="the run")
    revision: Ordinal = Field(description="one more than that of the sheet before")
    replaces_sha256: Sha256 = Field(description="of the sheet that held until now")
    reason: Reason = Field(
        description="why, as the person who amended it says or as the watcher found it"
    )
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
