"""Recorded decisions would be others now."""

from __future__ import annotations

from typing import Annotated, ClassVar
from uuid import UUID

from pydantic import Field

from genoflow.events import topics
from genoflow.events.event import About, Event
from genoflow.events.types import Choices, Count, Name, SubjectKey, Text

SUBJECTS_MAX = 500  # the longest keys together are half a megabyte, and an event has one


class DivergenceFound(Event):
    """One kind of difference that a replay found, with how often and in whom."""

    about: ClassVar[About] = About(
        topics=(topics.GOVERNANCE,),
        key="stream",
        version="1.0",
        discriminator=("kind", "what"),
        terminal=True,
    )

    stream: Name = Field(description="the processor whose decisions were replayed")
    replay_id: UUID = Field(description="the replay")
    kind: Annotated[
        str,
        Choices(
            "changed", "instead", "no longer said", "newly said", "other id", "no longer opened",
            "newly opened", "other arguments", "newly closed", "parks", "no longer parks",
        ),
    ] = Field(description="how it is different")  # fmt: skip
    what: Text = Field(description="which events and which of their fields")
    differences: Count = Field(description="how many decisions")
    subjects_count: Count = Field(description="of how many subjects")
    subjects: tuple[SubjectKey, ...] = Field(
        max_length=SUBJECTS_MAX, description="whose; the first 500 in order"
    )
    example: Text = Field(description="where on the log one of them was decided")
