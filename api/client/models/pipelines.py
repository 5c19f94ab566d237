"""Pipelines; written by `make client` from the API's OpenAPI."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import Field

from genoflow.api.client.answers import Answer


class ConfigurationChecked(Answer):
    """Whether it could be saved; nothing is."""

    is_valid: bool
    pipeline_version: str
    """against which it was held"""
    faults: tuple[str, ...]
    """each with the parameter, what is so, and what can be"""


class ConfigurationMade(Answer):
    """What is saved."""

    config_id: str
    """by which a run is asked for with it"""
    pipeline_id: str
    name: str
    version: str
    created_at: datetime


class Machine(Answer):
    """What a step needs at most; null where nobody said."""

    cpu: int | None
    memory: str | None
    disk: str | None


class PipelineConfiguration(Answer):
    """The newest version of a configuration."""

    config_id: str
    """by which a run is asked for with it"""
    pipeline_id: str
    name: str
    version: str
    created_at: datetime
    created_by: str
    pipeline_version: str | None
    """null: whichever is active"""
    parameters: Mapping[str, Any]
    resource_requirements: Machine | None
    is_preset: bool
    """it comes with the pipeline"""


class Document(Answer):
    """One version of a document of the catalog."""

    document_id: str
    version: str
    kind: str
    title: str
    state: str
    since: datetime
    published_at: datetime
    published_by: str
    version_order: str
    reference: str | None
    event_id: UUID
    """the newest event behind this row"""
    recorded_at: datetime
    """when the log took that event"""
    place: str
    """where that event stands"""


class DocumentWhole(Answer):
    """One version of a document, with what it says."""

    document_id: str
    version: str
    kind: str
    title: str
    state: str
    since: datetime
    published_at: datetime
    published_by: str
    version_order: str
    reference: str | None
    event_id: UUID
    """the newest event behind this row"""
    recorded_at: datetime
    """when the log took that event"""
    place: str
    """where that event stands"""
    content: Mapping[str, Any]
    """as it was published"""


class Published(Answer):
    """One version of a document."""

    kind: str
    document_id: str
    version: str
    sha256: str
    """of its content"""
    is_new: bool
    """else it was published before, with the same content"""


class DocumentsPublished(Answer):
    """What stands in the catalog now."""

    documents: tuple[Published, ...]


class Pipeline(Answer):
    """One version of a pipeline."""

    pipeline_id: str
    """the document's id"""
    name: str
    """with its version"""
    type_: str = Field(alias="type")
    """the first assay that it is for"""
    version: str
    description: str
    status: str
    """draft until its own test passed, then validated; active where new runs take it;
    deprecated where another version took its place, or somebody said so; one of draft,
    validated, active, deprecated
    """
    parameters_schema: Any
    """JSON Schema; null where what was published is none"""
    assays: tuple[str, ...]
    materials: tuple[str, ...]
    case_kinds: tuple[str, ...]
    engine: str
    code_revision: str | None
    """the commit of its code, where it came from a repository"""
    containers: Mapping[str, str]
    """image or step, and the digest that it runs in"""
    resource_requirements: Machine | None
    """of its largest step"""
    estimated_duration: str | None
    """of a run, as ISO 8601; null where its author said none"""
    published_at: datetime
    published_by: str
