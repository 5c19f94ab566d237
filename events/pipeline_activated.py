"""A version of a pipeline takes new runs."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from genoflow.events import topics
from genoflow.events.event import About, Event
from genoflow.events.types import DocumentId, Utc, Version


class PipelineActivated(Event):
    """From here on it is chosen, and the version that was chosen before is not."""

    about: ClassVar[About] = About(
        topics=(topics.CATALOG,),
        key="document_id",
        version="1.0",
        identity=("document_id", "version", "tested_at"),
    )

    document_id: DocumentId = Field(description="the pipeline")
    version: Version = Field(description="its version, which was validated")
    tested_at: Utc = Field(description="when the test was begun on which it rests")
