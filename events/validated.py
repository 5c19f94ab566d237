"""A file is whole and readable from its first byte to its last."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from genoflow.events import topics
from genoflow.events.event import About, Event
from genoflow.events.file_finding import FILE_FINDINGS_MAX, FileFinding
from genoflow.events.file_metrics import FileMetrics
from genoflow.events.types import (
    Bucket,
    Bytes,
    Count,
    DocumentId,
    FileRole,
    Lane,
    Md5,
    Name,
    ObjectKey,
    ReadSetId,
    SampleId,
    Seconds,
    Sha256,
)


class Validated(Event):
    """The file is what its role says and its checksums are its own.

    FileRejected is the negative twin.
    """

    about: ClassVar[About] = About(topics=(topics.SAMPLE,), key="sample_id", version="1.2")

    sample_id: SampleId = Field(description="the sample")
    read_set_id: ReadSetId | None = Field(None, description="the read set")
    role: FileRole = Field(description="what it is to the read set")
    lane: Lane | None = Field(None, description="the lane that it comes from")
    bucket: Bucket = Field(description="where it is")
    object_key: ObjectKey = Field(description="its key there")
    version_id: Name = Field(description="the store's version; `null` where it keeps none")
    size_bytes: Bytes = Field(description="how long it is")
    md5: Md5 = Field(description="of its bytes, computed")
    sha256: Sha256 = Field(description="of its bytes, computed")
    format: Name = Field(description="as found in the bytes, such as FASTQ, BAM or VCF")
    compression: Name = Field("none", description="such as bgzf, gzip or none")
    reads: Count | None = Field(None, description="records of reads; none for variants")
    bases: Count | None = Field(None, description="in all reads")
    read_names_sha256: Sha256 | None = Field(
        None, description="of the names in their order: mates agree when these agree"
    )
    reference: DocumentId | None = Field(
        None, description="the build that an alignment or a VCF names"
    )
    metrics: FileMetrics = Field(description="what was measured on the way")
    engine: Name = Field(description="what read it")
    engine_version: Name = Field(description="its release")
    duration_seconds: Seconds | None = Field(None, description="how long it took")
    findings: tuple[FileFinding, ...] = Field(
        (), max_length=FILE_FINDINGS_MAX, description="what breaks a rule, the worst first; not all"
    )
    violations: Count = Field(0, description="how many break a must of the specification")
    notes: Count = Field(0, description="how many are legal and worth knowing")
    is_strict: bool = Field(False, description="whether violations reject a file, too")
