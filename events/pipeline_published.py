"""A pipeline can be asked for."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field

from genoflow.events import topics
from genoflow.events.container_digest import ContainerDigest
from genoflow.events.event import About, Event
from genoflow.events.expected_output import ExpectedOutput
from genoflow.events.resource_requirements import ResourceRequirements
from genoflow.events.types import (
    CaseKind,
    Choices,
    DocumentId,
    GitCommit,
    LongText,
    Material,
    Name,
    Seconds,
    Sha256,
    Uri,
    Version,
)


class PipelinePublished(Event):
    """The code, its parameters and what it owes are fixed under this version."""

    about: ClassVar[About] = About(
        topics=(topics.CATALOG,),
        key="document_id",
        version="1.1",
        identity=("document_id", "version"),
    )

    document_id: DocumentId = Field(description="the pipeline")
    version: Version = Field(description="its version")
    title: Name = Field(description="for people")
    engine: Name = Field(description="such as nextflow")
    engine_version_min: Name | None = Field(None, description="the oldest release that runs it")
    uri: Uri = Field(description="where its code is")
    code_sha256: Sha256 = Field(description="of its code")
    case_kinds: tuple[CaseKind, ...] = Field(
        min_length=1, max_length=10, description="what it can be used for"
    )
    materials: tuple[Material, ...] = Field(
        min_length=1, max_length=10, description="what it takes"
    )
    assays: tuple[Name, ...] = Field(
        min_length=1, max_length=100, description="the assays whose default it is"
    )
    parameters_schema_json: LongText = Field(
        description="JSON Schema of its parameters, as canonical JSON"
    )
    parameters_schema_sha256: Sha256 = Field(description="of that text")
    parameters_json: LongText = Field(description="the defaults, as canonical JSON")
    parameters_sha256: Sha256 = Field(description="of that text")
    expected_outputs: tuple[ExpectedOutput, ...] = Field(
        min_length=1, max_length=1_000, description="what a run owes"
    )
    begins: Annotated[str, Choices("draft", "active")] = Field(
        "active",
        description="its status until more is said; of edition 1.0 a pipeline was active at once",
    )
    code_revision: GitCommit | None = Field(
        None, description="the commit that its code is of, where it came from a repository"
    )
    containers: tuple[ContainerDigest, ...] = Field(
        (), max_length=1_000, description="the images that its steps run in"
    )
    resource_requirements: ResourceRequirements | None = Field(
        None, description="what its largest step needs"
    )
    estimated_duration_seconds: Seconds | None = Field(
        None, description="how long a run takes, as its author expects"
    )
