"""What people say of material: whose a file is, which sample it truly is, and what it is."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
)

from genoflow.api.desks import Wanted
from genoflow.api.guard import GuardedRoute, RequestName, ServicesHere, asks
from genoflow.api.identity.permissions import Permission
from genoflow.api.refusal import Refusal
from genoflow.api.upload_metadata import SampleMetadata
from genoflow.api.writing import ActingAs, WritingHere
from genoflow.projections import files

router = APIRouter(route_class=GuardedRoute)
Id = Annotated[str, Field(min_length=1, max_length=200)]
Reason = Annotated[str, Field(min_length=1, max_length=500, description="how this is known")]


class AssignIn(BaseModel):
    """Whose a file is."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "sample_id": "S7", "read_set_id": "L1.FC.1", "role": "R1",
                    "reason": "by the label of the disk",
                }
            ]
        },
    )  # fmt: skip

    sample_id: Id
    read_set_id: Id = Field(description="of the sample")
    role: Id = Field(description="what it is there: R1, R2, BAM …")
    lane: int | None = Field(None, ge=1, le=16, description="where the read set has several")
    reason: Reason


class AssignedOut(BaseModel):
    """Whose it is now."""

    file_id: UUID = Field(description="where it waited; for its sample it has an id of its own")
    sample_id: str = Field(examples=["S7"])
    read_set_id: str = Field(examples=["L1.FC.1"])
    role: str = Field(examples=["R1"])


@router.post(
    "/files/{file_id}/assign", summary="Say whose a file is", tags=["files"],
    response_model=AssignedOut, responses={404: {}},
)  # fmt: skip
@asks(Permission.SAMPLES_WRITE)
async def assign_file(
    file_id: UUID, wish: AssignIn, services: ServicesHere, writing: WritingHere
) -> AssignedOut:
    """Say whose a file is that landed without a sample: it lands once more, for that sample.

    The same again changes nothing; of two people at once, one is heard.
    """
    async with services.pool.acquire() as connection:
        found = await files.file_of(connection, file_id)
    if found is None:
        raise Refusal(404, f"file {file_id}: is not known here; find its id at /v1/files")
    if found["sample_id"] is not None and found["assigned_to"] is None:
        raise Refusal(409, f"file {file_id}: landed for {found['sample_id']}, and waits for nobody")
    wanted = Wanted(
        place=f"{found['bucket']}/{found['object_key']}@{found['version_id']}",
        sample_id=wish.sample_id,
        read_set_id=wish.read_set_id,
        role=wish.role,
        reason=wish.reason,
        lane=wish.lane,
    )
    desk = writing.outside.desks.files
    await desk.assign(wanted, writing.stated, writing.clock(), writing.put)
    return AssignedOut(
        file_id=file_id, sample_id=wish.sample_id, read_set_id=wish.read_set_id, role=wish.role
    )


class RelabelIn(BaseModel):
    """Which sample it truly is."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [{"true_sample_id": "S8", "reason": "the tubes were swapped"}]
        },
    )

    true_sample_id: Id
    read_set_ids: list[Id] = Field([], max_length=400, description="only these; none means all")
    reason: Reason
    role: ActingAs = None


class RelabelledOut(BaseModel):
    """What moves to the true sample; it is registered there anew with copies of its files."""

    event_id: UUID = Field(description="of the decision")
    sample_id: str = Field(examples=["S7"])
    true_sample_id: str = Field(examples=["S8"])
    read_set_ids: list[str] = Field(examples=[["L1.FC.1"]])


@router.post(
    "/samples/{sample_id}/relabel", summary="Say which sample it is", tags=["samples"],
    response_model=RelabelledOut, responses={404: {}},
)  # fmt: skip
@asks(Permission.SAMPLES_WRITE)
async def relabel_sample(
    sample_id: str, wish: RelabelIn, called: RequestName, writing: WritingHere
) -> RelabelledOut:
    """Say that what was read under this label is another sample.

    Cases that had these reads wait again, and what was published of them is retracted.
    """
    allowed = Permission.SAMPLES_WRITE
    decided = writing.decided(allowed, wish.reason, wish.role, called, "relabel")
    fact = await writing.outside.desks.labels.relabel(
        sample_id, wish.true_sample_id, wish.read_set_ids, decided, writing.put
    )
    return RelabelledOut(
        event_id=fact.envelope.event_id,
        sample_id=fact.sample_id,
        true_sample_id=fact.true_sample_id,
        read_set_ids=list(fact.read_set_ids),
    )


class MetadataIn(BaseModel):
    """All metadata of a sample: what was said before is over."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "metadata": {"tissue": "blood", "age_years": 41, "fasting": True},
                    "reason": "by the request form",
                }
            ]
        },
    )

    metadata: SampleMetadata
    reason: Reason
    role: ActingAs = None


class MetadataOut(BaseModel):
    """What is said of the sample now, and by which schema it was checked."""

    event_id: UUID = Field(description="of the fact")
    sample_id: str = Field(examples=["S7"])
    project_id: str | None = Field(examples=["P-12"])
    schema_id: str | None = Field(description="none where the project has no schema")
    schema_version: str | None = Field(examples=["1.0"])


@router.post(
    "/samples/{sample_id}/metadata", summary="Say what a sample is", tags=["samples"],
    response_model=MetadataOut, responses={404: {}},
)  # fmt: skip
@asks(Permission.SAMPLES_WRITE)
async def amend_metadata(
    sample_id: str, wish: MetadataIn, called: RequestName, writing: WritingHere
) -> MetadataOut:
    """Say all metadata of a sample; they have to fit the schema that its project has in force.

    What does not fit is refused with each place. A project without a schema takes any.
    """
    allowed = Permission.SAMPLES_WRITE
    decided = writing.decided(allowed, wish.reason, wish.role, called, "metadata")
    desk = writing.outside.desks.metadata
    fact = await desk.amend(sample_id, wish.metadata, decided, writing.put)
    return MetadataOut(
        event_id=fact.envelope.event_id,
        sample_id=fact.sample_id,
        project_id=fact.project_id,
        schema_id=fact.schema_id,
        schema_version=fact.schema_version,
    )
