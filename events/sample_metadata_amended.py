"""What a person says of a sample beside its reads was said, or said anew."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from genoflow.events import topics
from genoflow.events.event import About, Event
from genoflow.events.metadata_value import MetadataValue
from genoflow.events.types import (
    DocumentId,
    Name,
    ProjectId,
    Reason,
    RequestId,
    SampleId,
    Sha256,
    Version,
)

VALUES_MAX = 100  # of one sample: 100 values of 500 characters are 50 kB of a record of 1 MiB


class SampleMetadataAmended(Event):
    """These are all the metadata of the sample from here on, as its project's schema has them."""

    about: ClassVar[About] = About(
        topics=(topics.SAMPLE,),
        key="sample_id",
        version="1.0",
        identity=("sample_id", "request_id"),
        terminal=True,
    )

    sample_id: SampleId = Field(description="the sample")
    metadata: tuple[MetadataValue, ...] = Field(
        max_length=VALUES_MAX, description="all of them, by name; what was said before is over"
    )
    project_id: ProjectId | None = Field(None, description="the project whose schema counted")
    schema_id: DocumentId | None = Field(
        None, description="the schema that they fit; none where the project has none"
    )
    schema_version: Version | None = Field(None, description="its version")
    schema_sha256: Sha256 | None = Field(None, description="of its content")
    request_id: RequestId = Field(description="of the decision: repeated, it is the same one")
    role: Name = Field(
        description="in which role the person decided; who it was, the envelope says"
    )
    reason: Reason = Field(description="why they are said, or said anew")
