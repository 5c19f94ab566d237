"""Somebody may fetch a file of results for a while."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from genoflow.events import topics
from genoflow.events.event import About, Event
from genoflow.events.types import (
    Bucket,
    Name,
    ObjectKey,
    RequestId,
    RunId,
    SampleId,
    Sha256,
    Utc,
)


class DownloadLinkIssued(Event):
    """A link to one version of a file, for whom the envelope names; the link stands nowhere."""

    about: ClassVar[About] = About(
        topics=(topics.RUN,),
        key="run_id",
        version="1.0",
        identity=("run_id", "request_id"),
        terminal=True,
    )

    run_id: RunId = Field(description="the run whose results it is of")
    kind: Name = Field(description="such as vcf, bam, coverage or report")
    sample_id: SampleId | None = Field(None, description="none where it is of the whole case")
    bucket: Bucket = Field(description="where it is")
    object_key: ObjectKey = Field(description="its key there")
    version_id: Name = Field(description="the store's version; `null` where it keeps none")
    sha256: Sha256 = Field(description="of its bytes, as they were published")
    expires_at: Utc = Field(description="until when the store answers")
    request_id: RequestId = Field(description="of this link: repeated, it is the same one")
