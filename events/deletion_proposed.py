"""A rule of retention is due."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from genoflow.events.event import About
from genoflow.events.on_subject import OnSubject
from genoflow.events.retention_rule import FileClass
from genoflow.events.stored_version import StoredVersion
from genoflow.events.types import (
    MEMBERS_MAX,
    DocumentId,
    KeepDays,
    Name,
    RequestId,
    SampleId,
    Utc,
    Version,
)

# Each is looked up and deleted by two requests of some 20 ms: four seconds of one effect.
PROPOSED_FILES_MAX = 100


class DeletionProposed(OnSubject):
    """The sweeper asks; the subject's own order of events says whether it may be.

    FileDeleted answers for each file, or DeletionRefused.
    """

    about: ClassVar[About] = About(
        topics=(),
        key="subject_key",
        version="1.1",
        identity=("subject_topic", "subject_key", "request_id"),
        discriminator=("request_id",),
    )

    document_id: DocumentId = Field(description="the retention document")
    document_version: Version = Field(description="its version")
    rule: Name = Field(description="of that document")
    file_class: FileClass = Field(description="which the rule is about")
    keep_days: KeepDays = Field(description="as the rule says")
    files: tuple[StoredVersion, ...] = Field(
        min_length=1, max_length=PROPOSED_FILES_MAX, description="what would be deleted"
    )
    sample_ids: tuple[SampleId, ...] = Field(
        (), max_length=MEMBERS_MAX, description="whose holds count, beside the subject's own"
    )
    request_id: RequestId = Field(description="from what is asked: asked again, it is the same")
    put_at: Utc | None = Field(
        None,
        description="when the store took the last of these files, where no event tells of them",
    )
