"""A file that had landed is gone from the object store, or hidden in it."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field

from genoflow.events.event import About
from genoflow.events.on_subject import OnSubject
from genoflow.events.types import Bucket, Choices, DocumentId, Name, ObjectKey, Reason, Version

HIDDEN, ERASED = "hidden", "erased"
Manner = Annotated[str, Choices(HIDDEN, ERASED)]


class FileDeleted(OnSubject):
    """Behind a mark of deletion its bytes are kept; erased, they are gone.

    It stands on each subject that the file had landed for. Whoever reports it, it is the same
    fact. DeletionRefused is the negative twin of one that was proposed.
    """

    about: ClassVar[About] = About(
        topics=(),
        key="subject_key",
        version="1.1",
        identity=(
            "subject_topic", "subject_key", "bucket", "object_key", "version_id", "manner",
            "marker_version_id",
        ),
        discriminator=("bucket", "object_key", "version_id", "manner", "marker_version_id"),
        terminal=True,
    )  # fmt: skip

    bucket: Bucket = Field(description="where it was")
    object_key: ObjectKey = Field(description="its key there")
    version_id: Name = Field(description="the version; `null` where the store keeps none")
    manner: Manner = Field(description="hidden behind a mark of deletion, or erased")
    marker_version_id: Name | None = Field(None, description="of the mark that hides it")
    rule: Name | None = Field(None, description="of retention; none where nobody of ours did it")
    reason: Reason | None = Field(None, description="what is known of why")
    rule_document_id: DocumentId | None = Field(None, description="of retention, that has the rule")
    rule_document_version: Version | None = Field(None, description="of that document")
