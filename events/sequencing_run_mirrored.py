"""Every file of a run is safe in the object store."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from genoflow.events import topics
from genoflow.events.event import About, Event
from genoflow.events.types import Bucket, Bytes, Count, InstrumentRunId, ObjectKey, Seconds, Sha256


class SequencingRunMirrored(Event):
    """The copy was compared with the folder file by file; only now may anything read it."""

    about: ClassVar[About] = About(
        topics=(topics.SEQUENCING_RUN,),
        key="instrument_run_id",
        version="1.0",
        identity=("instrument_run_id", "manifest_sha256"),
    )

    instrument_run_id: InstrumentRunId = Field(description="the run")
    bucket: Bucket = Field(description="where the copy is")
    prefix: ObjectKey = Field(description="under which all its objects are")
    manifest_key: ObjectKey = Field(
        description="the object that lists every file with its size and checksum"
    )
    manifest_sha256: Sha256 = Field(description="of that list")
    file_count: Count = Field(description="files in the copy")
    total_bytes: Bytes = Field(description="of all of them")
    duration_seconds: Seconds | None = Field(
        None, description="from the first byte copied to the last"
    )
