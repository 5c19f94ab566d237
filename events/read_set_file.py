"""A validated file, with the place and the checksum by which it is taken."""

from __future__ import annotations

from pydantic import Field

from genoflow.events.types import Bucket, Bytes, FileRole, Name, ObjectKey, Part, ReadSetId, Sha256


class ReadSetFile(Part):
    """A validated file as it is handed on: its version is named, so it cannot be swapped."""

    read_set_id: ReadSetId = Field(description="the read set that it belongs to")
    role: FileRole = Field(description="what it is to the read set")
    bucket: Bucket = Field(description="where it is")
    object_key: ObjectKey = Field(description="its key there")
    version_id: Name = Field(description="the store's version; `null` where it keeps none")
    size_bytes: Bytes = Field(description="how long it is")
    sha256: Sha256 = Field(description="of its bytes")
