"""A pipeline's own test profile did not pass."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from genoflow.events import topics
from genoflow.events.event import About, Event
from genoflow.events.types import DocumentId, Name, Reason, Seconds, Sha256, Utc, Version


class PipelineNotValidated(Event):
    """Its code was run on small material, and failed or left less than it owes."""

    about: ClassVar[About] = About(
        topics=(topics.CATALOG,),
        key="document_id",
        version="1.0",
        identity=("document_id", "version", "tested_at"),
    )

    document_id: DocumentId = Field(description="the pipeline")
    version: Version = Field(description="its version")
    code_sha256: Sha256 = Field(description="of the code that was run, which is what is published")
    profile: Name = Field(description="under which it was run, such as test")
    engine: Name = Field(description="such as nextflow")
    engine_version: Name = Field(description="its release")
    tested_at: Utc = Field(description="when it was begun")
    duration_seconds: Seconds = Field(description="how long it took")
    reason: Reason = Field(description="what was wrong, and what to do about it")
