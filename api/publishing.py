"""Documents of the catalog, published under versions that never change."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from genoflow.api.guard import GuardedRoute, asks
from genoflow.api.identity.permissions import Permission
from genoflow.api.writing import WritingHere

DOCUMENTS_MAX = 100  # of one request; each has 130 kB at most, and a body 10 MB

router = APIRouter(prefix="/catalog", tags=["pipelines"], route_class=GuardedRoute)
A_PROFILE: dict[str, Any] = {
    "kind": "qc-profile", "document_id": "wgs-30x", "version": "1.0", "title": "WGS at 30x",
    "assays": ["wgs"],
    "run_thresholds": [], "results_thresholds": [], "top_ups_max": 1,
    "reads_thresholds": [{"metric": "q30_fraction", "unit": "fraction", "required_min": 0.8}],
}  # fmt: skip


class DocumentsIn(BaseModel):
    """Documents as `genoflow catalog publish` takes them, in the order of what they build on."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"documents": [A_PROFILE]}]}
    )

    documents: list[dict[str, Any]] = Field(
        min_length=1, max_length=DOCUMENTS_MAX,
        description="each with kind (qc-profile, reference, target-set, pipeline, retention, "
        "metadata-schema, configuration, alert-rules), "
        "document_id, version, title and the other fields of its event",
    )  # fmt: skip


class PublishedOut(BaseModel):
    """One version of a document."""

    kind: str = Field(examples=["qc-profile"])
    document_id: str = Field(examples=["wgs-30x"])
    version: str = Field(examples=["1.0"])
    sha256: str = Field(description="of its content")
    is_new: bool = Field(description="else it was published before, with the same content")


class DocumentsPublished(BaseModel):
    """What stands in the catalog now."""

    documents: list[PublishedOut]


@router.post(
    "/documents", summary="Publish documents", status_code=201, response_model=DocumentsPublished
)
@asks(Permission.PIPELINES_WRITE)
async def publish_documents(wish: DocumentsIn, writing: WritingHere) -> DocumentsPublished:
    """Publish all of these documents that are new, or none of them; a refusal names every fault."""
    desk = writing.outside.desks.catalog
    found = await desk.publish(wish.documents, writing.stated, writing.say_together)
    return DocumentsPublished(
        documents=[
            PublishedOut(
                kind=one.kind,
                document_id=one.document_id,
                version=one.version,
                sha256=one.sha256,
                is_new=one.is_new,
            )
            for one in found
        ]
    )
