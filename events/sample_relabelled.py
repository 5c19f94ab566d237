"""A tube or file turned out to be another sample's."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from genoflow.events import topics
from genoflow.events.event import About, Event
from genoflow.events.types import ITEMS_MAX, Name, ReadSetId, Reason, RequestId, SampleId


class SampleRelabelled(Event):
    """What was read under this id belongs to another; its read sets are invalidated and registered
    anew.
    """

    about: ClassVar[About] = About(
        topics=(topics.SAMPLE,),
        key="sample_id",
        version="1.0",
        identity=("sample_id", "request_id"),
    )

    sample_id: SampleId = Field(description="the label that was wrong")
    true_sample_id: SampleId = Field(description="the sample that it is")
    read_set_ids: tuple[ReadSetId, ...] = Field(
        min_length=1, max_length=ITEMS_MAX, description="what belongs to the other sample"
    )
    request_id: RequestId = Field(description="of the decision: repeated, it is the same one")
    role: Name = Field(
        description="in which role the person decided; who it was, the envelope says"
    )
    reason: Reason = Field(description="how it was found")
