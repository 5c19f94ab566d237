"""Somebody begins to send a file."""

from __future__ import annotations

from datetime import date
from typing import Annotated, ClassVar
from uuid import UUID

from pydantic import Field, StringConstraints

from genoflow.events import topics
from genoflow.events.event import About, Event
from genoflow.events.types import (
    KEY_CHARACTERS_MAX,
    NO_NUL,
    Bucket,
    Choices,
    FileRole,
    Lane,
    Md5,
    Name,
    ObjectKey,
    PartBytes,
    ProjectId,
    ReadSetId,
    SampleId,
    SentBytes,
    Sha256,
)

FILENAME_CHARACTERS_MAX = 255  # as file systems have it
Filename = Annotated[
    str, StringConstraints(pattern=NO_NUL, min_length=1, max_length=FILENAME_CHARACTERS_MAX)
]
# The store's own name of an upload in parts; Amazon's have some 150 characters.
StoreUploadId = Annotated[
    str, StringConstraints(pattern=NO_NUL, min_length=1, max_length=KEY_CHARACTERS_MAX)
]


class UploadInitiated(Event):
    """From here on the store takes parts; FileLanded says that all are there, and
    UploadAbandoned that they are not waited for any more.
    """

    about: ClassVar[About] = About(
        topics=(topics.SAMPLE,), key="sample_id", version="1.0", identity=("upload_id",)
    )

    sample_id: SampleId = Field(description="whose file it is")
    upload_id: UUID = Field(description="what the upload is called")
    bucket: Bucket = Field(description="where it will be")
    object_key: ObjectKey = Field(description="its key there: a name, never a meaning")
    store_upload_id: StoreUploadId | None = Field(
        None, description="under which the store keeps its parts; none where it comes whole"
    )
    filename: Filename = Field(description="as its sender calls it; nothing is read from it")
    size_bytes: SentBytes = Field(description="how long it will be")
    part_bytes: PartBytes | None = Field(
        None, description="how long each part is but the last; none where it comes whole"
    )
    checksum_algorithm: Annotated[str, Choices("SHA256", "CRC64NVME")] = Field(
        "SHA256", description="by which the store checks each part"
    )
    format: Annotated[
        str,
        Choices("FASTQ", "SAM", "BAM", "CRAM", "VCF", "BCF", "BAI", "CSI", "CRAI", "TBI"),
    ] = Field(description="what it is said to be")
    role: FileRole = Field(description="what it is to its read set")
    read_set_id: ReadSetId = Field(description="the read set")
    lane: Lane | None = Field(None, description="the lane")
    project_id: ProjectId | None = Field(None, description="for which project it is sent")
    sequencing_platform: Name | None = Field(None, description="by what it was sequenced")
    library_prep: Name | None = Field(None, description="how its library was made")
    sequenced_on: date | None = Field(None, description="when it was sequenced")
    declared_md5: Md5 | None = Field(None, description="what the sender says of the whole")
    declared_sha256: Sha256 = Field(description="what the sender says of the whole")
