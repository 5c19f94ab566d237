"""One version of an object, named so that no other one can be meant."""

from __future__ import annotations

from pydantic import Field

from genoflow.events.types import Bucket, Bytes, Name, ObjectKey, Part


class StoredVersion(Part):
    """Where it is, which version, and by what it is recognised where the store keeps none."""

    bucket: Bucket = Field(description="where it is")
    object_key: ObjectKey = Field(description="its key there")
    version_id: Name = Field(description="the version; `null` where the store keeps none")
    size_bytes: Bytes | None = Field(None, description="as it was told; none where nobody said")
    etag: Name | None = Field(None, description="as it was told; none where nobody said")
