"""One file of results."""

from __future__ import annotations

from pydantic import Field

from genoflow.events.types import (
    Bucket,
    Bytes,
    ContentType,
    Name,
    ObjectKey,
    Part,
    SampleId,
    Sha256,
)


class ResultFile(Part):
    """One file that a run left, as the output manifest lists it and the store confirms."""

    kind: Name = Field(description="such as vcf, bam, coverage or report")
    sample_id: SampleId | None = Field(None, description="none where it is of the whole case")
    bucket: Bucket = Field(description="where it is")
    object_key: ObjectKey = Field(description="its key there")
    version_id: Name = Field(description="the store's version; `null` where it keeps none")
    size_bytes: Bytes = Field(description="as the store says")
    sha256: Sha256 = Field(description="of its bytes")
    content_type: ContentType = Field(description="its media type")
