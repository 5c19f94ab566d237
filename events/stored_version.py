"""One version of an object, named so that no other one can be meant."""

from __future__ import annotations

from typing import Protocol

from pydantic import Field

from genoflow.events.types import Bucket, Bytes, Name, ObjectKey, Part


class Placed(Protocol):
    """Anything about one version of an object."""

    @property
    def bucket(self) -> str: ...
    @property
    def object_key(self) -> str: ...
    @property
    def version_id(self) -> str: ...


def name_of(one: Placed) -> str:
    """Where a version of an object is, with its version: by this it is told apart."""
    return f"{one.bucket}/{one.object_key}@{one.version_id}"


class StoredVersion(Part):
    """Where it is, which version, and by what it is recognised where the store keeps none."""

    bucket: Bucket = Field(description="where it is")
    object_key: ObjectKey = Field(description="its key there")
    version_id: Name = Field(description="the version; `null` where the store keeps none")
    size_bytes: Bytes | None = Field(None, description="as it was told; none where nobody said")
    etag: Name | None = Field(None, description="as it was told; none where nobody said")
