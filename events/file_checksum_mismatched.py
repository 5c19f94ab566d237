"""A file is not what its sender declared, or not as long as the store says."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from genoflow.events.event import About
from genoflow.events.on_subject import OnSubject
from genoflow.events.types import Bucket, Bytes, Md5, Name, ObjectKey, Sha256


class FileChecksumMismatched(OnSubject):
    """Its bytes contradict what was said of them. FileChecksummed is the positive twin."""

    about: ClassVar[About] = About(
        topics=(),
        key="subject_key",
        version="1.0",
        discriminator=("bucket", "object_key", "version_id"),
        terminal=True,
    )

    bucket: Bucket = Field(description="where it is")
    object_key: ObjectKey = Field(description="its key there")
    version_id: Name = Field(description="the store's version; `null` where it keeps none")
    size_bytes: Bytes = Field(description="how many bytes were read")
    stored_size_bytes: Bytes = Field(description="how many the store had said there are")
    md5: Md5 = Field(description="of its bytes, computed")
    sha256: Sha256 = Field(description="of its bytes, computed")
    declared_md5: Md5 | None = Field(None, description="what the sender said")
    declared_sha256: Sha256 | None = Field(None, description="what the sender said")
