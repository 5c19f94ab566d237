"""A message of the object store says something that its porch cannot take."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field

from genoflow.events import topics
from genoflow.events.event import About, Event
from genoflow.events.types import Blob, Bytes, Choices, Name, Reason, Sha256, Text

NoticeSource = Annotated[str, Choices("kafka", "sqs", "eventbridge")]
NoticeFault = Annotated[str, Choices("not understood", "identifier of a person", "not takeable")]


class NoticeParked(Event):
    """It is kept with its bytes, and counts as read; a crawl finds what it was about."""

    about: ClassVar[About] = About(
        topics=(topics.PARKED,),
        key="source",
        version="1.0",
        identity=("source", "message_id", "value_sha256"),
        terminal=True,
    )

    source: NoticeSource = Field(description="by which way it came")
    place: Text = Field(description="the queue, or the topic with its partition and offset")
    message_id: Name = Field(description="by which its way tells it from others")
    reason_code: NoticeFault = Field(description="the kind of failure")
    reason: Reason = Field(description="place, fact and way out")
    value_size_bytes: Bytes = Field(description="how long the message is")
    value_sha256: Sha256 = Field(description="of its bytes")
    value: Blob | None = Field(
        None, description="its bytes; none where they are too many, or name a person"
    )
