"""A pipeline can be asked for."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from genoflow.events import topics
from genoflow.events.event import About, Event
from genoflow.events.expected_output import ExpectedOutput
from genoflow.events.types import (
    CaseKind,
    DocumentId,
    LongText,
    Material,
    Name,
    Sha256,
    Uri,
    Version,
)


class PipelinePublished(Event):
    """The code, its parameters and what it owes are fixed under this version."""

    about: ClassVar[About] = About(
        topics=(topics.CATALOG,),
        key="document_id",
        version="1.0",
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
