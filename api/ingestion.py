"""What became of each upload: those who upload a file follow it here.

Progress is what is known and no guess: of an upload that is open the share of its bytes that are
there; of a file 0 until it was read, 50 while it is validated, and 100 when it is over, well or
not. Whoever works in the lab sees every upload, a partner its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from genoflow.api.guard import CallerHere, asks
from genoflow.api.identity.permissions import Permission
from genoflow.api.reading import PAGE_DEFAULT, Limit, ReadingHere, ReadingRoute
from genoflow.api.rows import told
from genoflow.api.uploads import only_by, stored, unknown
from genoflow.api.writing import OutsideHere
from genoflow.projections.file_findings import findings_of
from genoflow.projections.files import (
    COMPLETED,
    FAILED,
    OFFSET_MAX,
    PROCESSING,
    upload_of,
    version_of,
)
from genoflow.projections.paging import Found
from genoflow.projections.uploads import (
    ABANDONED,
    LANDED,
    begun_upload,
    list_uploads,
)

AN_ID = "0b3f6b0e-3a55-5f0e-8a53-5f2f0c6f2a10"

router = APIRouter(prefix="/ingestion", tags=["ingestion"], route_class=ReadingRoute)

Status = Literal["initiated", "uploaded", "processing", "completed", "failed"]
# The same in a list, which also tells what is at fault: the file, or what should have read it.
Word = Literal[
    "initiated", "uploaded", "validating", "completed", "validation_failed", "error", "failed"
]
Asked = Literal[
    "initiated", "uploaded", "processing", "validating", "completed", "validation_failed", "error",
    "failed",
]  # fmt: skip


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
    progress_percentage: int = Field(
        ge=0, le=100,
        description="while it is sent, of its bytes; then 0 until it was read, 50 while it is "
        "validated, 100 when it is over",
    )  # fmt: skip
    validation_results: FoundInFile | None = Field(description="null until it was read")
    error_message: str | None = Field(
        description="why it failed, or why it is tried again",
        examples=["truncated: it ends inside a block."],
    )
    file_path: str = Field(examples=["s3://raw/uploads/SIM-A_R1.fastq.gz"])
    version_id: str | None = Field(description="null until it is whole")
    sample_id: str | None = Field(description="null until it is known", examples=["SIM-A"])
    file_size: int | None = Field(description="bytes")
    created_at: datetime = Field(description="when it was begun here, else when it landed")
    completed_at: datetime | None = Field(None, description="when it landed; null until it did")
    filename: str | None = Field(None, description="as its sender calls it", examples=["S7_R1.fq"])
    file_id: UUID | None = Field(description="of /v1/files, for those who may read samples")
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
    status: Word
    file_size: int | None = Field(description="bytes")
    created_at: datetime = Field(description="when it landed, or was begun while it is open")


@router.get(
    "/upload/{upload_id}", summary="How far an upload is", response_model=UploadOut,
    responses={404: {}},
)  # fmt: skip
@asks(Permission.UPLOADS_READ)
async def show_upload(
    reading: ReadingHere, caller: CallerHere, outside: OutsideHere, upload_id: UUID
) -> dict[str, Any]:
    """Tell how far an upload is, what was found in it, and why it failed if it did."""
    by, connection, at = only_by(caller), reading.connection, reading.everywhere
    begun = await begun_upload(connection, upload_id, by=by, at=at)
    if begun is None:
        found = await upload_of(connection, upload_id, by=by, at=at)
    elif begun["state"] == LANDED:
        found = await version_of(
            connection, begun["bucket"], begun["object_key"], begun["version_id"], at=at
        )
    else:
        return _while_open(begun, [one.size_bytes for one in await stored(outside, begun)])
    if found is None:
        raise unknown(upload_id)
    results = await _results(reading, found) if _was_read(found) else None
    return _whole(found, results) | _begun(begun)


def _while_open(begun: Found, lengths: Sequence[int]) -> dict[str, Any]:
    is_over = begun["state"] == ABANDONED
    return told(
        begun,
        status=FAILED if is_over else "initiated",
        progress_percentage=100 if is_over else 100 * sum(lengths) // max(1, begun["size_bytes"]),
        validation_results=None,
        error_message=begun["reason"],
        file_path=f"s3://{begun['bucket']}/{begun['object_key']}",
        file_size=begun["size_bytes"],
        created_at=begun["initiated_at"],
        waits_for=None if is_over else "its parts",
        file_id=None,
    )


def _begun(begun: Found | None) -> dict[str, Any]:
    """What is told beside the file where it was begun here."""
    names = ("upload_id", "filename", "completed_at")
    return {} if begun is None else {
        **{name: begun[name] for name in names}, "created_at": begun["initiated_at"],
    }  # fmt: skip


def _whole(found: Found, results: dict[str, Any] | None) -> dict[str, Any]:
    is_open = found["status"] in (FAILED, PROCESSING)
    return told(
        found,
        completed_at=found["landed_at"],
        progress_percentage=_progress(found),
        validation_results=results,
        error_message=found["reason"] if is_open else None,
        file_path=f"s3://{found['bucket']}/{found['object_key']}",
        file_size=found["size_bytes"],
        created_at=found["landed_at"],
    )


async def _results(reading: ReadingHere, found: dict[str, Any]) -> dict[str, Any]:
    """What reading it found, with the findings of its verdict."""
    findings = await findings_of(reading.connection, found["file_id"], at=reading.everywhere)
    verdicts = {"valid": True, "rejected": False, "mismatched": False, "quarantined": False}
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
    status: Asked | None = None,
) -> list[dict[str, Any]]:
    """List uploads by status, the newest first; files that came otherwise are among them."""
    by = only_by(caller)
    status = "validating" if status == "processing" else status
    found = await list_uploads(
        reading.connection, status=status, by=by, offset=offset, limit=limit,
        at=reading.everywhere,
    )  # fmt: skip
    return [
        {
            **one,
            "filename": one["filename"].rstrip("/").rpartition("/")[2] or one["filename"],
            "file_size": one["size_bytes"],
        }
        for one in found
    ]
