"""The stage that is measured, as a row of the flow: count a sample's files, say each one on."""

from __future__ import annotations

from genoflow.events import topics
from genoflow.events.file_landed import FileLanded
from genoflow.events.notification_queued import NotificationQueued
from genoflow.processors.decision import Decision
from genoflow.processors.processor import Processor, State

HEADLINE = "{role} of {sample}: file {files}, {size_bytes} bytes in all"


class Landed(State):
    """What has landed of a sample."""

    files: int = 0
    size_bytes: int = 0
    etag: str = ""


def decide(state: Landed, event: FileLanded) -> Decision:
    """One event for each: on another topic, so that the stage does not read its own answers."""
    envelope, sample = event.envelope, event.sample_id or ""
    headline = HEADLINE.format(
        role=event.role,
        sample=sample,
        files=state.files + 1,
        size_bytes=state.size_bytes + event.size_bytes,
    )
    queued = NotificationQueued(
        subscription_id=sample,
        notification_id=envelope.event_id,
        channel="email",
        source_event_id=envelope.event_id,
        source_type=event.type(),
        source_topic=event.topic,
        source_key=sample,
        source_occurred_at=envelope.occurred_at,
        headline=headline,
    )
    return Decision(events=(queued,))


def evolve(state: Landed, event: FileLanded) -> Landed:
    """One file more."""
    return Landed(
        files=state.files + 1, size_bytes=state.size_bytes + event.size_bytes, etag=event.etag
    )


def row(name: str) -> Processor:
    """The stage under a name of its own, so that each run begins with an empty changelog."""
    return Processor(
        name,
        reads=topics.SAMPLE,
        on=(FileLanded,),
        emits=(NotificationQueued,),
        decide=decide,
        evolve=evolve,
        state=Landed,
        about="says each landed file on, with how many there are",
    )
