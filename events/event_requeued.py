"""A parked event is to be tried again."""

from __future__ import annotations

from typing import ClassVar
from uuid import UUID

from pydantic import Field

from genoflow.events.event import About
from genoflow.events.on_subject import OnSubject
from genoflow.events.types import Blob, Name, Offset, Partition, Reason, RequestId


class EventRequeued(OnSubject):
    """A person sends it through once more, as it was or mended, and the key drains in order."""

    about: ClassVar[About] = About(
        topics=(), key="subject_key", version="1.0", identity=("request_id",)
    )

    processor: Name = Field(description="who is to take it")
    partition: Partition = Field(description="of the parked event")
    offset: Offset = Field(description="of the parked event")
    effect_id: UUID | None = Field(
        None, description="the effect that is opened again; the event is not decided twice"
    )
    parked_event_id: UUID | None = Field(
        None, description="the event that was parked, where the bytes are one"
    )
    request_id: RequestId = Field(description="of the decision: repeated, it is the same one")
    role: Name | None = Field(None, description="in which role the person decided")
    reason: Reason = Field(description="why it will go through now")
    value: Blob | None = Field(
        None, description="the bytes to take in its place; none for those that were parked"
    )
