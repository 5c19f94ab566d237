"""What the metadata of a project's samples may hold is fixed."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from genoflow.events import topics
from genoflow.events.event import About, Event
from genoflow.events.types import DocumentId, LongText, Name, ProjectId, Sha256, Version


class MetadataSchemaPublished(Event):
    """A JSON Schema under one version; metadata of samples of its projects are held against it."""

    about: ClassVar[About] = About(
        topics=(topics.CATALOG,),
        key="document_id",
        version="1.0",
        identity=("document_id", "version"),
        terminal=True,
    )

    document_id: DocumentId = Field(description="the document")
    version: Version = Field(description="its version")
    title: Name = Field(description="for people")
    projects: tuple[ProjectId, ...] = Field(
        min_length=1, max_length=100, description="the projects that it is for"
    )
    document_json: LongText = Field(
        description="the JSON Schema (draft 2020-12), as canonical JSON"
    )
    content_sha256: Sha256 = Field(description="of the JSON Schema as canonical JSON")
