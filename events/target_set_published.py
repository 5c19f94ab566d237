"""A set of regions can be used."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from genoflow.events import topics
from genoflow.events.event import About, Event
from genoflow.events.types import Count, DocumentId, Name, Sha256, Uri, Version


class TargetSetPublished(Event):
    """The regions are fixed under this version and belong to one build."""

    about: ClassVar[About] = About(
        topics=(topics.CATALOG,),
        key="document_id",
        version="1.1",
        identity=("document_id", "version"),
    )

    document_id: DocumentId = Field(description="the set")
    version: Version = Field(description="its version")
    title: Name = Field(description="for people")
    reference: DocumentId = Field(description="the build whose coordinates it uses")
    reference_version: Version = Field(description="its version")
    uri: Uri = Field(description="the BED")
    sha256: Sha256 = Field(description="of the BED's bytes")
    regions: Count = Field(description="how many")
    target_bases: Count = Field(description="bases in them, counted once")
    padding_bases: Count = Field(
        0, description="how far the BED already reaches beyond each target, at either side"
    )
