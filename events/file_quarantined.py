"""A virus scanner found something in a file: nobody reads it any more."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field

from genoflow.events.event import About
from genoflow.events.on_subject import OnSubject
from genoflow.events.types import Bucket, Name, ObjectKey, Reason

THREATS_MAX = 20  # names of what was found: one is enough to lock a file away
THREAT_CHARACTERS_MAX = 200


class FileQuarantined(OnSubject):
    """This is final for this version of the file; what follows it is another version.

    FileCleared is the positive twin. The object stays where it is: it is evidence.
    """

    about: ClassVar[About] = About(
        topics=(),
        key="subject_key",
        version="1.0",
        identity=(
            "subject_topic", "subject_key", "bucket", "object_key", "version_id", "scanner",
        ),
        discriminator=("bucket", "object_key", "version_id", "scanner"),
    )  # fmt: skip

    bucket: Bucket = Field(description="where it is")
    object_key: ObjectKey = Field(description="its key there")
    version_id: Name = Field(description="the store's version; `null` where it keeps none")
    scanner: Name = Field(description="who scanned it")
    scanner_version: str = Field("", max_length=200, description="its release and signatures")
    threats: tuple[Annotated[str, Field(max_length=THREAT_CHARACTERS_MAX)], ...] = Field(
        min_length=1, max_length=THREATS_MAX, description="what was found, as the scanner calls it"
    )
    reason: Reason = Field(description="what was found and what to do")
