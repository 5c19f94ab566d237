"""A small file in one request, as a form sends it: kept on the disk until it is whole, then stored.

What is longer than FORM_BYTES_MAX goes in parts (`/v1/ingestion/uploads`), as does what should
outlive a broken connection.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Literal
from uuid import UUID, uuid5

from fastapi import APIRouter
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, Field, ValidationError
from starlette.requests import Request

from genoflow.api.formats import check_head, format_named, role_in
from genoflow.api.guard import (
    CallerHere,
    GuardedRoute,
    RequestName,
    SeesOnly,
    ServicesHere,
    asks,
)
from genoflow.api.identity.permissions import Permission
from genoflow.api.multipart import Form, FormFile, boundary_of, read_form
from genoflow.api.refusal import Refusal
from genoflow.api.upload_facts import Sent, UploadIn, sent
from genoflow.api.upload_metadata import said_with_file
from genoflow.api.uploads import because, refuse_too_many
from genoflow.api.writing import WritingHere
from genoflow.events.event import Event
from genoflow.projections.uploads import begun_upload

FIELDS = ("metadata", "sample_metadata", "sample_id", "project_id", "checksum")
MD5_CHARACTERS, SHA256_CHARACTERS = 32, 64

router = APIRouter(prefix="/ingestion", tags=["ingestion"], route_class=GuardedRoute)


class UploadSentOut(BaseModel):
    """A file that was sent whole."""

    upload_id: UUID = Field(examples=["0b3f6b0e-3a55-5f0e-8a53-5f2f0c6f2a10"])
    status: Literal["uploaded"]
    file_path: str = Field(examples=["s3://raw/uploads/…/S7_R1.fastq.gz"])
    validation_results: None = Field(None, description="null until it was read")
    created_at: datetime
    version_id: str
    sample_id: str = Field(examples=["S7"])
    read_set_id: str
    role: str
    file_size: int = Field(description="bytes")
    sha256: str = Field(description="of what came: compare it with what was sent")
    event_id: UUID = Field(description="of the fact that it landed")


_BODY = {
    "required": True,
    "content": {
        "multipart/form-data": {
            "schema": {
                "type": "object",
                "required": ["file", "sample_id"],
                "properties": {
                    "file": {"type": "string", "format": "binary"},
                    "sample_id": {"type": "string", "description": "whose file it is"},
                    "project_id": {"type": "string", "description": "for which project"},
                    "metadata": {
                        "type": "string",
                        "description": "JSON: role, read_set_id, expected_roles, lane, and what is "
                        "known of the sample, as POST /v1/ingestion/uploads takes them",
                    },
                    "sample_metadata": {
                        "type": "string",
                        "description": "JSON: all metadata of the sample by name, as its "
                        "project's schema has them",
                    },
                    "checksum": {
                        "type": "string",
                        "description": "MD5 or SHA-256 of the file, in hexadecimal digits",
                    },
                },
            }
        }
    },
}


@router.post(
    "/upload", summary="Send a small file", status_code=201, response_model=UploadSentOut,
    openapi_extra={"requestBody": _BODY}, responses={413: {}},
)  # fmt: skip
@asks(Permission.UPLOADS_WRITE)
async def send_file(
    request: Request,
    called: RequestName,
    caller: CallerHere,
    services: ServicesHere,
    sees_only: SeesOnly,
    writing: WritingHere,
) -> UploadSentOut:
    """Send a file of at most 100 MB as a form; it lands for its sample at once."""
    with services.figures.counted("completed"):
        boundary = boundary_of(request.headers.get("content-type", ""))
        form = await read_form(request.stream(), boundary)
        try:
            file, wish = _read(form)
            upload_id = uuid5(called, "upload")
            uploads = writing.outside.uploads
            async with services.pool.acquire() as connection, connection.transaction(readonly=True):
                before = await begun_upload(connection, upload_id)
                await refuse_too_many(connection, caller)
                found = await sent(
                    connection, wish, upload_id, bucket=uploads.store.bucket,
                    account=caller.account, bytes_max=uploads.bytes_max, sees_only=sees_only,
                )  # fmt: skip
            if before is not None and before["declared_sha256"] != file.sha256:
                raise Refusal(
                    422, "this Idempotency-Key was used for another file; take a new one",
                    code="IDEMPOTENCY_KEY_REUSED",
                )  # fmt: skip
            if before is not None:
                return await _stored(found, file, writing, None)
            amended = await said_with_file(
                wish.sample_id, wish.project_id, wish.sample_metadata, upload_id, caller, writing
            )
            return await _stored(found, file, writing, amended)
        finally:
            form.close()


async def _stored(
    found: Sent, file: FormFile, writing: Any, amended: Sequence[Event] | None
) -> UploadSentOut:
    """What is stated with the file, once the store has it; None where that was stated before."""
    whole = type(found.fact)(**dict(found.fact) | {"part_bytes": None})
    facts: list[Event] = [*found.registers, whole]
    for fact in (*facts, *found.claims):
        writing.outside.porch.check(fact)  # before the store keeps anything
    store = writing.outside.uploads.store
    if amended is not None:
        await writing.say_together([*(writing.stated(one) for one in facts), *amended])
    landed = await store.landed(whole.bucket, whole.object_key)
    landed = landed or await store.put(whole.object_key, found.belongs, file.body)
    row = {"upload_id": whole.upload_id}
    stated = because(writing, landed, row)
    await writing.put(stated)
    return UploadSentOut(
        upload_id=whole.upload_id,
        status="uploaded",
        file_path=f"s3://{landed.bucket}/{landed.object_key}",
        validation_results=None,
        created_at=writing.clock(),
        version_id=landed.version_id,
        sample_id=whole.sample_id,
        read_set_id=whole.read_set_id,
        role=whole.role,
        file_size=file.size_bytes,
        sha256=file.sha256,
        event_id=stated.envelope.event_id,
    )


def _read(form: Form) -> tuple[FormFile, UploadIn]:
    """The file, checked by its name and its bytes, and what is said of it."""
    strange = [name for name in (*form.fields, *form.files) if name not in (*FIELDS, "file")]
    if strange:
        raise _wrong(strange[0][:100], f"is no field; there are {', '.join((*FIELDS, 'file'))}")
    file = form.files.get("file")
    if file is None or len(form.files) > 1:
        raise _wrong("file", "is missing; send one file in it, with its name")
    said = format_named(file.filename)
    check_head(file.filename, said, file.head)
    told = _object(form, "metadata")
    if form.fields.get("sample_metadata"):
        if "sample_metadata" in told:
            raise _wrong("sample_metadata", "is a field of metadata, too; send it once")
        told["sample_metadata"] = _object(form, "sample_metadata")
    if said.name == "FASTQ" and told.get("role") is None:
        # What its first read says; a file that does not say it is the only one of its read set.
        told["role"] = role_in(file.head) or "R1"
        if told["role"] == "R2":
            told.setdefault("expected_roles", ["R1", "R2"])
    _compare(file, form.fields.get("checksum"))
    told |= {
        "filename": file.filename, "size_bytes": file.size_bytes, "sha256": file.sha256,
        "md5": file.md5, "sample_id": form.fields.get("sample_id"),
        "project_id": form.fields.get("project_id") or None,
    }  # fmt: skip
    try:
        return file, UploadIn.model_validate(told)
    except ValidationError as error:
        raise RequestValidationError(error.errors()) from error


def _object(form: Form, name: str) -> dict[str, Any]:
    text = form.fields.get(name)
    if not text:
        return {}
    try:
        told = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise _wrong(name, "is no JSON; send an object, or leave it out") from error
    if not isinstance(told, dict):
        raise _wrong(name, "is no object; send one, or leave it out")
    return told


def _compare(file: FormFile, checksum: str | None) -> None:
    if not checksum:
        return
    found = {MD5_CHARACTERS: file.md5, SHA256_CHARACTERS: file.sha256}.get(len(checksum.strip()))
    if found is None:
        raise _wrong("checksum", "is neither an MD5 nor a SHA-256 in hexadecimal digits")
    if found != checksum.strip().lower():
        raise Refusal(
            422, "checksum: is not that of the bytes that came; send the file again",
            code="CHECKSUM_MISMATCH", details={"field": "checksum", "rejected_value": checksum},
        )  # fmt: skip


def _wrong(name: str, said: str) -> Refusal:
    return Refusal(422, f"{name}: {said}", details={"field": name, "rejected_value": None})
