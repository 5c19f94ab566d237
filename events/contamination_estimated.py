"""How much of a round's reads is somebody else's was told."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from genoflow.events import topics
from genoflow.events.event import About, Event
from genoflow.events.types import Bytes, Count, Fraction, Name, Ordinal, SampleId, Seconds, Sha256


class ContaminationEstimated(Event):
    """The share under which the reads over the panel are the most likely.

    ContaminationNotEstimated is the negative twin.
    """

    about: ClassVar[About] = About(
        topics=(topics.SAMPLE,), key="sample_id", version="1.0", discriminator=("round",)
    )

    sample_id: SampleId = Field(description="the sample")
    round: Ordinal = Field(description="which request it answers")
    share: Fraction = Field(description="of the reads that are foreign")
    share_low: Fraction = Field(description="where the interval of 95 % begins")
    share_high: Fraction = Field(description="where it ends")
    sites: Count = Field(description="variants of the panel over which reads lie")
    reads: Count = Field(description="that show one of the two bases there, of all files together")
    panel_sha256: Sha256 = Field(description="of the bytes of the panel")
    fetched_bytes: Bytes = Field(description="of the files of alignments: the parts that were read")
    engine: Name = Field(description="what estimated")
    engine_version: Name = Field(description="its method; another number is another arithmetic")
    duration_seconds: Seconds | None = Field(None, description="how long it took")
