"""A run waits for files that lie in an archive."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from genoflow.events import topics
from genoflow.events.archived_file import ArchivedFile
from genoflow.events.event import About, Event
from genoflow.events.types import ITEMS_MAX, CaseId, Ordinal, RunId, Utc


class RunInputsAwaited(Event):
    """A restore of each was asked for; the run is submitted once all of them can be read."""

    about: ClassVar[About] = About(
        topics=(topics.RUN,), key="run_id", version="1.0", discriminator=("look",)
    )

    run_id: RunId = Field(description="the run")
    case_id: CaseId = Field(description="the case that it is for")
    files: tuple[ArchivedFile, ...] = Field(
        min_length=1, max_length=ITEMS_MAX, description="those that cannot be read yet"
    )
    look: Ordinal = Field(description="1 is the first, which asked for what nobody had asked for")
    expected_by: Utc = Field(description="when they are looked at again")
