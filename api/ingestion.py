"""What became of each upload: those who upload a file follow it here.

Progress is what is known and no guess: 0 until the bytes were read, 50 while it is validated, and
100 when it is over, well or not. Whoever works in the lab sees every upload, a partner its own.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from genoflow.api.errors import Refusal
from genoflow.api.guard import CallerHere, asks
from genoflow.api.identity.permissions import PERMISSIONS, Caller, Permission, Role
from genoflow.api.reading import PAGE_DEFAULT, Limit, ReadingHere, ReadingRoute
from genoflow.api.rows import told
from genoflow.projections.file_findings import findings_of
from genoflow.projections.files import (
    COMPLETED,
    FAILED,
    OFFSET_MAX,
    PROCESSING,
    list_uploads,
    upload_of,
)

AN_ID = "0b3f6b0e-3a55-5f0e-8a53-5f2f0c6f2a10"

router = APIRouter(prefix="/ingestion", tags=["ingestion"], route_class=ReadingRoute)

Status = Literal["uploaded", "processing", "completed", "failed"]


class FindingOut(BaseModel):
    """A rule of its format that a file breaks, and where."""

    code: str = Field(examples=["vcf-qual-not-a-number"])
    severity: Literal["error", "violation", "note"]
    message: str
    line: int | None
    record: int | None = Field(description="counted from 1; header lines are none")
    byte: int | None = Field(description="of the stored bytes")


class FoundInFile(BaseModel):
    """What reading the file found; null where it was not read so far."""

    is_valid: bool | None = Field(description="null until there is a verdict")
    errors: int | None
    violations: int | None = Field(description="a must of its format is broken")
    notes: int | None
    findings: list[FindingOut] = Field(description="the worst first, 50 at most")

    format: str | None = Field(examples=["FASTQ"])
    compression: str | None = Field(examples=["BGZF"])
    reads: int | None = Field(examples=[400_000_000])
    bases: int | None = Field(examples=[60_000_000_000])
    md5: str | None = Field(examples=["9e107d9d372bb6826bd81d3542a419d6"])
    sha256: str | None
    declared_md5: str | None = Field(description="as whoever uploaded it announced")
    declared_sha256: str | None


class UploadOut(BaseModel):
    """How far an upload is."""

    upload_id: UUID = Field(examples=[AN_ID])
    status: Status = Field(examples=["processing"])
    progress_percentage: Literal[0, 50, 100] = Field(
        description="0 until it was read, 50 while it is validated, 100 when it is over"
    )
    validation_results: FoundInFile | None = Field(description="null until it was read")
    error_message: str | None = Field(
        description="why it failed, or why it is tried again",
        examples=["truncated: it ends inside a block."],
    )
    file_path: str = Field(examples=["s3://raw/uploads/SIM-A_R1.fastq.gz"])
    version_id: str
    sample_id: str | None = Field(description="null until it is known", examples=["SIM-A"])
    file_size: int | None = Field(description="bytes")
    created_at: datetime = Field(description="when it landed")
    file_id: UUID = Field(description="of /v1/files, for those who may read samples")
    state: str = Field(examples=["tried"])
    since: datetime
    waits_for: str | None = Field(examples=["another try"])
    event_id: UUID = Field(description="the newest event behind this answer")
    recorded_at: datetime = Field(description="when the log took that event")
    place: str = Field(description="where that event stands", examples=["gf.…[3]@1201"])


class UploadSummary(BaseModel):
    """An upload in a list."""

    upload_id: UUID = Field(examples=[AN_ID])
    filename: str = Field(examples=["SIM-A_R1.fastq.gz"])
    sample_id: str | None = Field(description="null until it is known", examples=["SIM-A"])
    status: Status
    file_size: int | None = Field(description="bytes")
    created_at: datetime = Field(description="when it landed")


def _only_by(caller: Caller) -> str | None:
    """The account whose uploads alone the caller may see; None where it may see all."""
    sees_all = PERMISSIONS[Permission.UPLOADS_READ] - {Role.PARTNER}
    return None if caller.roles & sees_all else str(caller.account)


@router.get(
    "/upload/{upload_id}", summary="How far an upload is", response_model=UploadOut,
    responses={404: {}},
)  # fmt: skip
@asks(Permission.UPLOADS_READ)
async def show_upload(reading: ReadingHere, caller: CallerHere, upload_id: UUID) -> dict[str, Any]:
    """Tell how far an upload is, what was found in it, and why it failed if it did."""
    by = _only_by(caller)
    found = await upload_of(reading.connection, upload_id, by=by, at=reading.everywhere)
    if found is None:
        said = "is not known here, or is not yours; see /v1/ingestion/uploads"
        raise Refusal(404, f"upload {upload_id}: {said}")
    is_open = found["status"] in (FAILED, PROCESSING)
    return told(
        found,
        progress_percentage=_progress(found),
        validation_results=await _results(reading, found) if _was_read(found) else None,
        error_message=found["reason"] if is_open else None,
        file_path=f"s3://{found['bucket']}/{found['object_key']}",
        file_size=found["size_bytes"],
        created_at=found["landed_at"],
    )


async def _results(reading: ReadingHere, found: dict[str, Any]) -> dict[str, Any]:
    """What reading it found, with the findings of its verdict."""
    findings = await findings_of(reading.connection, found["file_id"], at=reading.everywhere)
    verdicts = {"valid": True, "rejected": False, "mismatched": False}
    return {**found, "is_valid": verdicts.get(found["state"]), "findings": findings}


def _was_read(found: dict[str, Any]) -> bool:
    return any(found[name] is not None for name in ("md5", "sha256", "format", "errors"))


def _progress(found: dict[str, Any]) -> int:
    if found["status"] in (COMPLETED, FAILED):
        return 100
    return 50 if found["status"] == PROCESSING or _was_read(found) else 0


@router.get("/uploads", summary="Uploads, the newest first", response_model=list[UploadSummary])
@asks(Permission.UPLOADS_READ)
async def list_all(
    reading: ReadingHere,
    caller: CallerHere,
    limit: Limit = PAGE_DEFAULT,
    offset: Annotated[
        int, Query(ge=0, le=OFFSET_MAX, description="how many newer ones to leave out")
    ] = 0,
    status: Status | None = None,
) -> list[dict[str, Any]]:
    """List uploads by status, the newest first; files that came otherwise are among them."""
    by = _only_by(caller)
    found = await list_uploads(
        reading.connection, status=status, by=by, offset=offset, limit=limit,
        at=reading.everywhere,
    )  # fmt: skip
    return [
        {
            **one,
            "filename": one["object_key"].rstrip("/").rpartition("/")[2] or one["object_key"],
            "file_size": one["size_bytes"],
            "created_at": one["landed_at"],
        }
        for one in found
    ]
