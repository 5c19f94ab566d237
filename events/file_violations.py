"""A file that can be read, and breaks a must of its specification."""

from __future__ import annotations

from pydantic import Field

from genoflow.events.types import Bucket, Count, Name, ObjectKey, Part


class FileViolations(Part):
    """A validated file and how many violations were found in it."""

    bucket: Bucket = Field(description="where it is")
    object_key: ObjectKey = Field(description="its key there")
    version_id: Name = Field(description="the store's version; `null` where it keeps none")
    violations: Count = Field(description="how many break a must of the specification")
