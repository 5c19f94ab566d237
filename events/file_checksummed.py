"""The checksums of a file were computed from its bytes, and none contradicts them."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from genoflow.events.event import About
from genoflow.events.on_subject import OnSubject
from genoflow.events.types import Bucket, Bytes, Md5, Name, ObjectKey, Sha256


class FileChecksummed(OnSubject):
    """These are its checksums. FileChecksumMismatched is the negative twin."""

    about: ClassVar[About] = About(
        topics=(),
        key="subject_key",
        version="1.0",
        discriminator=("bucket", "object_key", "version_id"),
    )

    bucket: Bucket = Field(description="where it is")
    object_key: ObjectKey = Field(description="its key there")
    version_id: Name = Field(description="the store's version; `null` where it keeps none")
    size_bytes: Bytes = Field(description="how many bytes were read")
    md5: Md5 = Field(description="of its bytes, computed")
    sha256: Sha256 = Field(description="of its bytes, computed")
    declared: bool = Field(description="whether the sender had declared one that agrees")
