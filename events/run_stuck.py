"""A run is under way, and nothing was heard of it for too long."""

from __future__ import annotations

from typing import Annotated, ClassVar
from uuid import UUID

from pydantic import Field

from genoflow.events import topics
from genoflow.events.event import About, Event
from genoflow.events.types import Choices, Name, Ordinal, Reason, RunId, Seconds, Utc


class RunStuck(Event):
    """Said once, with what its launcher says of it, until there is news again; nothing is ended.

    RunLost follows where its launcher finds that nobody will ever hear of it.
    """

    about: ClassVar[About] = About(
        topics=(topics.RUN,),
        key="run_id",
        version="1.0",
        identity=("run_id", "attempt", "last_event_id"),
        terminal=True,
    )

    run_id: RunId = Field(description="the run")
    attempt: Ordinal = Field(description="which submission")
    launcher: Name = Field(description="who was asked")
    job_id: Name = Field(description="as the launcher calls it")
    last_event_id: UUID = Field(description="the last news")
    last_type: Name = Field(description="what it was")
    last_at: Utc = Field(description="when it was true")
    usual_seconds: Seconds = Field(description="within how long news was expected")
    reason_code: Annotated[
        str, Choices("waits for the queue", "no capacity", "host gone", "no news")
    ] = Field(description="waits for the queue, no capacity, host gone or no news")
    reason: Reason = Field(description="what the launcher says of it")
