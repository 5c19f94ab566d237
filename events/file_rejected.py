"""A file is not what it should be."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field

from genoflow.events import topics
from genoflow.events.event import About, Event
from genoflow.events.file_finding import FILE_FINDINGS_MAX, FileFinding
from genoflow.events.types import (
    Bucket,
    Bytes,
    Choices,
    Count,
    FileRole,
    Md5,
    Name,
    ObjectKey,
    ReadSetId,
    Reason,
    SampleId,
    Seconds,
    Sha256,
)


class FileRejected(Event):
    """The file itself is at fault and can be sent again; Validated is the positive twin."""

    about: ClassVar[About] = About(topics=(topics.SAMPLE,), key="sample_id", version="1.1")

    sample_id: SampleId = Field(description="the sample")
    read_set_id: ReadSetId | None = Field(None, description="the read set")
    role: FileRole | None = Field(None, description="what it was meant to be")
    bucket: Bucket = Field(description="where it is")
    object_key: ObjectKey = Field(description="its key there")
    version_id: Name = Field(description="the store's version; `null` where it keeps none")
    size_bytes: Bytes = Field(description="how long it is")
    reason_code: Annotated[
        str,
        Choices(
            "truncated",
            "checksum mismatch",
            "not this format",
            "malformed record",
            "empty",
            "mates differ",
            "wrong build",
            "wrong sample",
            "gone",
            "unreadable",
        ),
    ] = Field(description="which kind of fault")
    reason: Reason = Field(description="what is wrong and how to send it again")
    at_byte: Bytes | None = Field(None, description="where in the file, as stored")
    at_record: Count | None = Field(None, description="which record, counted from 1")
    declared_md5: Md5 | None = Field(None, description="what the sender said")
    found_md5: Md5 | None = Field(None, description="what the bytes give")
    declared_sha256: Sha256 | None = Field(None, description="what the sender said")
    found_sha256: Sha256 | None = Field(None, description="what the bytes give")
    engine: Name = Field(description="what read it")
    engine_version: Name = Field(description="its release")
    format: Name | None = Field(None, description="as found in the bytes, if it is any")
    duration_seconds: Seconds | None = Field(None, description="how long it took")
    findings: tuple[FileFinding, ...] = Field(
        (), max_length=FILE_FINDINGS_MAX, description="what breaks a rule, the worst first; not all"
    )
    errors: Count = Field(0, description="how many say that its bytes cannot be trusted")
    violations: Count = Field(0, description="how many break a must of the specification")
    notes: Count = Field(0, description="how many are legal and worth knowing")
    is_strict: bool = Field(False, description="whether violations reject a file, too")
