"""What was found when the files and documents of a run were held against each other."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from genoflow.events.types import Choices, Part, Reason, Text


class InputFinding(Part):
    """One thing that was found; it may be a mere note."""

    what: Annotated[str, Choices("reads", "targets", "known sites", "reference", "parameters")] = (
        Field(description="what it is about")
    )
    place: Text = Field(description="the file or the document")
    said: Reason = Field(description="what is so, and where it refuses, what can be done")
    refuses: bool = Field(description="whether the run is not begun because of it")
