"""Parameters of a pipeline are kept under a name."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from genoflow.events import topics
from genoflow.events.event import About, Event
from genoflow.events.resource_requirements import ResourceRequirements
from genoflow.events.types import DocumentId, LongText, Name, Sha256, Version


class ConfigurationSaved(Event):
    """What a run can be asked for with; an edit is a new version of the same document."""

    about: ClassVar[About] = About(
        topics=(topics.CATALOG,),
        key="document_id",
        version="1.0",
        identity=("document_id", "version"),
    )

    document_id: DocumentId = Field(description="the configuration")
    version: Version = Field(description="its version")
    title: Name = Field(description="its name, for people")
    pipeline: DocumentId = Field(description="the pipeline that it is of")
    pipeline_version: Version | None = Field(
        None, description="the one version that it is for; else whichever is active"
    )
    parameters_json: LongText = Field(
        description="what differs from the pipeline's defaults, as canonical JSON"
    )
    parameters_sha256: Sha256 = Field(description="of that text")
    resource_requirements: ResourceRequirements | None = Field(
        None, description="what a step may take at most"
    )
    is_preset: bool = Field(False, description="it comes with the pipeline")
