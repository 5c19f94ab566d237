"""A version of a pipeline takes no new runs any more."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from genoflow.events import topics
from genoflow.events.event import About, Event
from genoflow.events.types import DocumentId, Reason, Version


class PipelineDeprecated(Event):
    """Runs of it go on and stay readable; a version that is deprecated stays so."""

    about: ClassVar[About] = About(
        topics=(topics.CATALOG,),
        key="document_id",
        version="1.0",
        identity=("document_id", "version"),
    )

    document_id: DocumentId = Field(description="the pipeline")
    version: Version = Field(description="its version")
    reason: Reason = Field(description="why")
    replaced_by: DocumentId | None = Field(None, description="the pipeline to use in its place")
