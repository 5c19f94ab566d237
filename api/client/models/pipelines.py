"""Pipelines; written by `make client` from the API's OpenAPI."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import Field

from genoflow.api.client.answers import Answer


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
    """the highest version is active; one of active, deprecated"""
    parameters_schema: Any
    """JSON Schema; null where what was published is none"""
    assays: tuple[str, ...]
    materials: tuple[str, ...]
    case_kinds: tuple[str, ...]
    engine: str
    published_at: datetime
    published_by: str
