"""For how long files are kept is fixed."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from genoflow.events import topics
from genoflow.events.event import About, Event
from genoflow.events.retention_rule import RetentionRule
from genoflow.events.types import DocumentId, Name, Sha256, Version


class RetentionPublished(Event):
    """Rules of retention under one version; a legal hold beats every one of them."""

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
    assays: tuple[Name, ...] = Field(
        max_length=100,
        description="the assays that it is for; none where it is for all that have no other",
    )
    rules: tuple[RetentionRule, ...] = Field(
        max_length=100, description="one for each class of files that is not kept for ever"
    )
    content_sha256: Sha256 = Field(description="of the rules as canonical JSON")
