"""Every file of every read set of a sample is here and whole."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field

from genoflow.events import topics
from genoflow.events.event import About, Event
from genoflow.events.file_violations import FileViolations
from genoflow.events.read_set_file import ReadSetFile
from genoflow.events.threshold import Threshold
from genoflow.events.types import (
    ITEMS_MAX,
    METRICS_MAX,
    Bytes,
    Choices,
    Count,
    DocumentId,
    Material,
    Name,
    Ordinal,
    ReadSetId,
    SampleId,
    Sha256,
    Uri,
    Version,
)


class QcRequested(Event):
    """The reads can be judged; the profile by which they are stands here with its content."""

    about: ClassVar[About] = About(
        topics=(topics.SAMPLE,), key="sample_id", version="1.2", discriminator=("round",)
    )

    sample_id: SampleId = Field(description="the sample")
    round: Ordinal = Field(description="1, and one more for each top-up")
    assay: Name = Field(description="what was ordered")
    material: Material = Field(description="what the files hold")
    profile: DocumentId = Field(description="the QC profile")
    profile_version: Version = Field(description="its version")
    profile_sha256: Sha256 = Field(description="of that version's content")
    thresholds: tuple[Threshold, ...] = Field(
        min_length=1, max_length=METRICS_MAX, description="what it requires of reads"
    )
    reference: DocumentId = Field(description="the reference build")
    reference_version: Version = Field(description="its version")
    genome_bases: Count = Field(description="length of the reference, for coverage by yield")
    target_bases: Count | None = Field(
        None, description="length of the regions; none for a whole genome"
    )
    read_set_ids: tuple[ReadSetId, ...] = Field(
        min_length=1, max_length=ITEMS_MAX, description="the union that is judged"
    )
    files: tuple[ReadSetFile, ...] = Field(
        min_length=1, max_length=ITEMS_MAX, description="their files"
    )
    validation: Annotated[str, Choices("standard", "strict")] = Field(
        "standard", description="strict where the profile takes no file that breaks a must"
    )
    violating: tuple[FileViolations, ...] = Field(
        (), max_length=ITEMS_MAX, description="those of them that break a must"
    )
    panel_uri: Uri | None = Field(
        None, description="the common variants over which foreign reads are counted"
    )
    panel_sha256: Sha256 | None = Field(None, description="of their bytes")
    panel_size_bytes: Bytes | None = Field(None, description="how many they are")
    target_set: DocumentId | None = Field(
        None, description="the regions that were ordered; none for a whole genome"
    )
    target_set_version: Version | None = Field(None, description="their version")
    target_set_uri: Uri | None = Field(None, description="where their BED is")
    target_set_sha256: Sha256 | None = Field(None, description="of its bytes")
