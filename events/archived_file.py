"""A file whose bytes cannot be read before the store has restored them."""

from __future__ import annotations

from pydantic import Field

from genoflow.events.types import Bucket, Name, ObjectKey, Part, SampleId


class ArchivedFile(Part):
    """A version of a file, and the archive that it lies in."""

    bucket: Bucket = Field(description="where it is")
    object_key: ObjectKey = Field(description="its key there")
    version_id: Name = Field(description="the store's version; `null` for the newest")
    storage_class: Name = Field(description="of the archive, such as GLACIER or DEEP_ARCHIVE")
    sample_id: SampleId | None = Field(None, description="whose it is; none of a reference's")
