"""The catalog: pipelines as they can be asked for, and every document with its content."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Annotated, Any, Literal, cast

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from genoflow.api.guard import asks
from genoflow.api.identity.permissions import Permission
from genoflow.api.reading import PAGE_DEFAULT, After, Limit, Reading, ReadingHere, ReadingRoute
from genoflow.api.refusal import Refusal
from genoflow.api.resources import MachineOut, duration, resources
from genoflow.api.rows import key_of, page, page_of, shape, told
from genoflow.projections import catalog
from genoflow.projections.document_states import STATUSES
from genoflow.projections.paging import Found

PIPELINE = "pipeline"
Status = Literal["draft", "validated", "active", "deprecated"]
PIPELINES_MAX = 100  # each with its schema of 64 KiB at most: 6 MiB is one answer
ORDER = {"document_id": str, "version_order": str, "version": str}
VERSION = r"^[0-9]{1,18}(\.[0-9]{1,18}){0,2}$"

router = APIRouter(tags=["pipelines"], route_class=ReadingRoute)
Name = Annotated[str | None, Query(max_length=200)]
OneVersion = Annotated[str | None, Query(max_length=20, pattern=VERSION, examples=["2.1.0"])]


class PipelineOut(BaseModel):
    """One version of a pipeline."""

    pipeline_id: str = Field(description="the document's id", examples=["germline"])
    name: str = Field(description="with its version", examples=["germline-2.1.0"])
    type: str = Field(description="the first assay that it is for", examples=["wgs"])
    version: str = Field(examples=["2.1.0"])
    description: str = Field(examples=["Whole genome sequencing pipeline"])
    status: Status = Field(
        description="draft until its own test passed, then validated; active where new runs take "
        "it; deprecated where another version took its place, or somebody said so",
        examples=["active"],
    )
    parameters_schema: Any = Field(
        description="JSON Schema; null where what was published is none",
        examples=[{"type": "object"}],
    )
    assays: list[str]
    materials: list[str]
    case_kinds: list[str]
    engine: str = Field(examples=["nextflow"])
    code_revision: str | None = Field(
        description="the commit of its code, where it came from a repository",
        examples=["9f3c" * 10],
    )
    containers: dict[str, str] = Field(
        description="image or step, and the digest that it runs in",
        examples=[{"samtools": f"sha256:{'2c26b46b' * 8}"}],
    )
    resource_requirements: MachineOut | None = Field(description="of its largest step")
    estimated_duration: str | None = Field(
        description="of a run, as ISO 8601; null where its author said none", examples=["PT2H30M"]
    )
    published_at: datetime
    published_by: str


class PipelinesOut(BaseModel):
    """A page of pipelines, by their ids and versions."""

    pipelines: list[PipelineOut]
    next: str | None = Field(
        description="hand it to `after` for the next page; null at the end", examples=[None]
    )


DocumentOut = shape(catalog.DocumentRow, "Document", "One version of a document of the catalog.")
DocumentsOut = page_of(DocumentOut, "Documents", "versions of documents, by their ids")
DocumentWhole = shape(
    catalog.DocumentRow, "DocumentWhole", "One version of a document, with what it says.",
    content=(dict[str, Any], Field(description="as it was published")),
)  # fmt: skip


@router.get("/pipelines", summary="Pipelines, page by page")
@asks(Permission.PIPELINES_READ)
async def list_pipelines(
    reading: ReadingHere,
    type: Name = None,  # noqa: A002 -- as clients call it
    version: OneVersion = None,
    status: Status | None = None,
    after: After = None,
    limit: Annotated[int, Query(ge=1, le=PIPELINES_MAX)] = PAGE_DEFAULT,
) -> PipelinesOut:
    """List pipelines by assay, version, or whether they are in force, with their parameters."""
    found = await catalog.list_documents(
        reading.connection, kind=PIPELINE, states=_states(status), assay=type,
        version=version, after=key_of(after, ORDER), limit=limit, at=reading.at,
    )  # fmt: skip
    pipelines = [await _pipeline(reading, one) for one in found]
    return PipelinesOut(pipelines=pipelines, next=page(found, ORDER, limit)["next"])


def _states(status: Status | None) -> list[str] | None:
    return None if status is None else [one for one, told in STATUSES.items() if told == status]


async def _pipeline(reading: Reading, row: Found) -> PipelineOut:
    name, version = row["document_id"], row["version"]
    content = await catalog.content_of(reading.connection, name, version, at=reading.at)
    assert content is not None, "a version and its content are written together"
    return PipelineOut(
        pipeline_id=name, name=f"{name}-{version}", type=content["assays"][0], version=version,
        description=row["title"], status=cast("Status", STATUSES[row["state"]]),
        parameters_schema=_parsed(content["parameters_schema_json"]),
        assays=content["assays"], materials=content["materials"],
        case_kinds=content["case_kinds"], engine=content["engine"],
        code_revision=content.get("code_revision"),
        containers={one["name"]: one["digest"] for one in content.get("containers", ())},
        resource_requirements=resources(content.get("resource_requirements")),
        estimated_duration=duration(content.get("estimated_duration_seconds")),
        published_at=row["published_at"], published_by=row["published_by"],
    )  # fmt: skip


def _parsed(text: str) -> Any:
    # Whoever publishes one that is no JSON must not take the list of all others away.
    try:
        found = json.loads(text, parse_constant=_refuse)
        json.dumps(found, ensure_ascii=False).encode()  # half a character has no UTF-8
    except (ValueError, RecursionError):
        return None
    return found


def _refuse(word: str) -> None:
    raise ValueError(f"{word} is no JSON")


@router.get(
    "/catalog/documents", summary="Documents of the catalog", response_model=DocumentsOut
)  # fmt: skip
@asks(Permission.PIPELINES_READ)
async def list_documents(
    reading: ReadingHere,
    kind: Name = None,
    state: Name = None,
    assay: Name = None,
    material: Name = None,
    document_id: Name = None,
    after: After = None,
    limit: Limit = PAGE_DEFAULT,
) -> dict[str, Any]:
    """List versions of pipelines, profiles, references and target sets."""
    found = await catalog.list_documents(
        reading.connection, kind=kind, state=state, assay=assay, material=material,
        document_id=document_id, after=key_of(after, ORDER), limit=limit, at=reading.at,
    )  # fmt: skip
    return page(found, ORDER, limit)


@router.get(
    "/catalog/documents/{document_id}", summary="One document with its content",
    response_model=DocumentWhole, responses={404: {}},
)  # fmt: skip
@asks(Permission.PIPELINES_READ)
async def show_document(
    reading: ReadingHere, document_id: str, version: OneVersion = None
) -> dict[str, Any]:
    """Show a version of a document as it was published, the one in force where none is named."""
    connection, at = reading.connection, reading.at
    found = await catalog.document_of(connection, document_id, version, at=at)
    if found is None:
        which = f" version {version}" if version else ""
        drafts = await catalog.list_documents(connection, document_id=document_id, limit=1, at=at)
        if drafts and version is None:
            raise Refusal(
                404, f"document {document_id}: no version of it is in force; name one with "
                f"`version`, /catalog/documents lists them",
            )  # fmt: skip
        raise Refusal(
            404, f"document {document_id}{which}: was never published; /catalog/documents lists "
            f"what was",
        )  # fmt: skip
    content = await catalog.content_of(connection, document_id, found["version"], at=at)
    return told(found, content=content)
