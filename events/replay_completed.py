"""A replay came to its end."""

from __future__ import annotations

from typing import ClassVar
from uuid import UUID

from pydantic import Field

from genoflow.events import topics
from genoflow.events.event import About, Event
from genoflow.events.types import Count, Name


class ReplayCompleted(Event):
    """How much was compared; each kind of difference has a DivergenceFound."""

    about: ClassVar[About] = About(
        topics=(topics.GOVERNANCE,), key="stream", version="1.0", terminal=True
    )

    stream: Name = Field(description="the processor whose decisions were replayed")
    replay_id: UUID = Field(description="the replay")
    records: Count = Field(description="on its topic, up to where it stood")
    compared: Count = Field(description="of them, those whose decisions were compared")
    decisions: Count = Field(description="events and effects that were decided now")
    untold_effects: Count = Field(description="of which the log cannot tell whether they were")
    differences: Count = Field(description="decisions that are not those on the log")
    is_whole: bool = Field(description="false where too much was different to go on")
