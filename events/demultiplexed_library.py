"""What one library gave in one lane."""

from __future__ import annotations

from pydantic import Field

from genoflow.events.types import Count, Fraction, Lane, LibraryId, Part, ReadSetId, SampleId


class DemultiplexedLibrary(Part):
    """The reads that carried one library's barcode in one lane; none is a fact too."""

    lane: Lane = Field(description="the lane")
    sample_id: SampleId = Field(description="the sample")
    library_id: LibraryId = Field(description="the library")
    read_set_id: ReadSetId | None = Field(
        None, description="the read set that holds its reads; none where there are none"
    )
    reads: Count = Field(
        description="clusters that passed the filter, each counted once for all its mates"
    )
    bases: Count | None = Field(None, description="in all mates together")
    perfect_index_fraction: Fraction | None = Field(
        None, description="of its reads, those without a mismatch in the barcode"
    )
    q30_fraction: Fraction | None = Field(
        None, description="of its bases, those of quality 30 or more"
    )
