"""Metadata of a sample that come with a file of it: held against the schema before the file is."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID, uuid5

from pydantic import Field, StrictBool, StrictFloat, StrictInt, StrictStr

from genoflow.api.desks import Decided
from genoflow.api.identity.permissions import PERMISSIONS, Caller, Permission
from genoflow.api.writing import Writing
from genoflow.events.event import Event
from genoflow.events.sample_metadata_amended import VALUES_MAX

SampleMetadata = Annotated[
    dict[str, StrictStr | StrictBool | StrictInt | StrictFloat],
    Field(max_length=VALUES_MAX, description="by name; each a text, a number, true or false"),
]


async def said_with_file(
    sample_id: str,
    project_id: str | None,
    metadata: SampleMetadata | None,
    upload_id: UUID,
    caller: Caller,
    writing: Writing,
) -> list[Event]:
    """What is stated of the sample together with the upload; Refused names all that does not fit.

    Who may only send files says them where nobody has; others are kept from a sender's mistake.
    """
    if metadata is None:
        return []
    role = min(caller.roles & PERMISSIONS[Permission.UPLOADS_WRITE])
    reason = f"they came with upload {upload_id}"
    decided = Decided(reason, role, writing.stated, str(uuid5(upload_id, "metadata")))
    said = await writing.outside.desks.metadata.brought(
        sample_id, metadata, decided, project_id=project_id,
        may_replace=caller.may(Permission.SAMPLES_WRITE),
    )  # fmt: skip
    return [] if said is None else [said]
