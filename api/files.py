"""Every version of a file: where it is, what was found in it, and what it waits for."""

from __future__ import annotations

from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Query

from genoflow.api.guard import asks
from genoflow.api.identity.permissions import Permission
from genoflow.api.reading import (
    PAGE_DEFAULT,
    After,
    Limit,
    Moment,
    ReadingHere,
    ReadingRoute,
    with_zone,
)
from genoflow.api.refusal import Refusal
from genoflow.api.rows import key_of, page, page_of, shape, told
from genoflow.projections import files
from genoflow.projections.file_state import FileRow

ORDER = {"file_id": UUID}

router = APIRouter(tags=["files"], route_class=ReadingRoute)

FileOut = shape(FileRow, "File", "A version of a file under the subject that it landed for.")
FilesOut = page_of(FileOut, "Files", "files, by their ids")
Name = Annotated[str | None, Query(max_length=200)]
Part = Annotated[
    str | None, Query(max_length=1_024, description="of an object; name bucket and object_key")
]
Duplicate = Annotated[
    Literal["same sample", "another sample"] | None,
    Query(description="those whose bytes stand in a second file, of that sample or another"),
]
WaitsSince = Annotated[
    Moment | None, Query(description="those that wait for something since then or longer")
]


@router.get("/files", summary="Files, page by page", response_model=FilesOut)
@asks(Permission.SAMPLES_READ)
async def list_files(
    reading: ReadingHere,
    state: Name = None,
    duplicate: Duplicate = None,
    sample: Name = None,
    read_set: Name = None,
    project: Name = None,
    case: Name = None,
    run: Name = None,
    bucket: Part = None,
    object_key: Part = None,
    waits_since: WaitsSince = None,
    after: After = None,
    limit: Limit = PAGE_DEFAULT,
) -> dict[str, Any]:
    """List files by state, sample, read set, project, case, run of an instrument, or object."""
    found = await files.list_files(
        reading.connection, state=state, duplicate=duplicate, sample=sample, read_set=read_set,
        project=project, case=case, run=run, named=_named(bucket, object_key),
        waits_since=None if waits_since is None else with_zone("waits_since", waits_since),
        after=key_of(after, ORDER), limit=limit, at=reading.at,
    )  # fmt: skip
    return page(found, ORDER, limit)


def _named(bucket: str | None, object_key: str | None) -> tuple[str, str] | None:
    if bucket is not None and object_key is not None:
        return bucket, object_key
    if bucket is None and object_key is None:
        return None
    missing = "bucket" if bucket is None else "object_key"
    raise Refusal(
        422, f"{missing}: is missing; an object is named by its bucket and its object_key",
        details={"field": missing, "rejected_value": None},
    )  # fmt: skip


@router.get("/files/counts", summary="How many files are in each state")
@asks(Permission.SAMPLES_READ)
async def count_files(
    reading: ReadingHere,
    sample: Name = None,
    project: Name = None,
    case: Name = None,
    run: Name = None,
) -> dict[str, int]:
    """Count versions of files by their state."""
    return await files.count_files(
        reading.connection, sample=sample, project=project, case=case, run=run, at=reading.at
    )


@router.get("/files/{file_id}", summary="One file", response_model=FileOut, responses={404: {}})
@asks(Permission.SAMPLES_READ)
async def show_file(reading: ReadingHere, file_id: UUID) -> dict[str, Any]:
    """Tell where a version of a file is, what was found in it, and what it waits for."""
    found = await files.file_of(reading.connection, file_id, at=reading.at)
    if found is None:
        raise Refusal(404, f"file {file_id}: is not known here; find its id at /v1/files")
    return told(found)
