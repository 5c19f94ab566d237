"""One library in one lane of a sample sheet."""

from __future__ import annotations

from pydantic import Field

from genoflow.events.types import Cycles, Index, Lane, LibraryId, Part, ProjectId, SampleId


class SampleSheetRow(Part):
    """One library in one lane; only columns of the allow-list are taken."""

    lane: Lane = Field(description="a missing lane in the sheet means all, and each is a row here")
    sample_id: SampleId = Field(description="the sample")
    library_id: LibraryId = Field(description="the preparation and its index pair")
    index1: Index | None = Field(None, description="i7, as the sheet spells it")
    index2: Index | None = Field(None, description="i5, as the sheet spells it")
    project_id: ProjectId | None = Field(None, description="the project")
    override_cycles: Cycles | None = Field(None, description="for this row alone")
