"""A processor could not take an event."""

from __future__ import annotations

from typing import ClassVar
from uuid import UUID

from pydantic import Field

from genoflow.events import topics
from genoflow.events.event import About, Event
from genoflow.events.record_header import RecordHeader
from genoflow.events.types import (
    Blob,
    Bytes,
    LongText,
    Name,
    Offset,
    Partition,
    Reason,
    Sha256,
    SubjectKey,
    TopicName,
    Utc,
)


class EventParked(Event):
    """The key waits for this processor until a person requeues or discards; the bytes are kept."""

    about: ClassVar[About] = About(
        topics=(topics.PARKED,),
        key="subject_key",
        version="1.0",
        identity=("processor", "input_topic", "partition", "offset", "effect_id"),
        discriminator=("input_topic", "partition", "offset", "effect_id"),
        terminal=True,
    )

    subject_key: SubjectKey = Field(description="the subject's own key")
    processor: Name = Field(description="who could not take it")
    processor_version: Name = Field(description="the release that tried")
    input_topic: TopicName = Field(description="where the event stands")
    partition: Partition = Field(description="its partition")
    offset: Offset = Field(description="its place there")
    recorded_at: Utc = Field(description="when the log took it")
    parked_event_id: UUID | None = Field(None, description="none where the bytes are no event")
    parked_type: Name | None = Field(None, description="none where the bytes are no event")
    effect_id: UUID | None = Field(
        None, description="the effect that failed, where the event itself was taken"
    )
    error_class: Name = Field(description="the kind of failure")
    error: Reason = Field(description="place, fact and way out")
    error_trace: LongText = Field("", description="where in the code")
    headers: tuple[RecordHeader, ...] = Field((), max_length=32, description="of the record")
    value_size_bytes: Bytes = Field(description="how long the record is")
    value_sha256: Sha256 = Field(description="of its bytes")
    value: Blob | None = Field(
        None, description="its bytes; none where they would not fit here: they stand at the offset"
    )
