"""A file is complete in the object store."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from genoflow.events import topics
from genoflow.events.event import About, Event
from genoflow.events.types import (
    Bucket,
    Bytes,
    FileRole,
    InstrumentRunId,
    Lane,
    Md5,
    Name,
    ObjectKey,
    ReadSetId,
    SampleId,
    Sha256,
    Utc,
)


def unassigned_key(bucket: str, object_key: str) -> str:
    """The key under which a file waits for its sample."""
    return f"unassigned/{bucket}/{object_key}"


class FileLanded(Event):
    """An object is complete in the store; a porch asked for its head before saying so.

    With a sample it stands on that sample's key. Without one, but with an instrument run (the
    undetermined reads), it is a file of the run. With neither it waits as `unassigned/…` until
    FileAssigned names its sample.
    """

    about: ClassVar[About] = About(
        topics=(topics.SAMPLE, topics.SEQUENCING_RUN),
        key="sample_id",
        version="1.0",
        identity=("bucket", "object_key", "version_id"),
        discriminator=("bucket", "object_key", "version_id"),
    )

    bucket: Bucket = Field(description="where it is")
    object_key: ObjectKey = Field(description="its key there: a name, never a meaning")
    version_id: Name = Field(description="the store's version; `null` where it keeps none")
    size_bytes: Bytes = Field(description="as the store says")
    etag: Name = Field(description="as the store says, without quotes")
    last_modified_at: Utc = Field(description="as the store says")
    sample_id: SampleId | None = Field(None, description="from the object's metadata")
    read_set_id: ReadSetId | None = Field(None, description="from the object's metadata")
    instrument_run_id: InstrumentRunId | None = Field(None, description="from the metadata")
    lane: Lane | None = Field(None, description="from the object's metadata")
    role: FileRole | None = Field(None, description="from the object's metadata: R1, R2, BAM …")
    declared_md5: Md5 | None = Field(None, description="what the sender says; not yet checked")
    declared_sha256: Sha256 | None = Field(None, description="what the sender says")

    @property
    def key(self) -> str:
        """The sample, else the run that it belongs to, else its own place among the unassigned."""
        if self.sample_id is not None:
            return self.sample_id
        return self.instrument_run_id or unassigned_key(self.bucket, self.object_key)

    @property
    def topic(self) -> str:
        """The sample's topic; the run's for a file of a run and of no sample."""
        of_a_run = self.sample_id is None and self.instrument_run_id is not None
        return (topics.SEQUENCING_RUN if of_a_run else topics.SAMPLE).name
