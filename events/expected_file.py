"""A file that a read set will have."""

from __future__ import annotations

from pydantic import Field

from genoflow.events.types import FileRole, Lane, Part


class ExpectedFile(Part):
    """A file that has to land before a read set is complete."""

    role: FileRole = Field(description="what it is to the read set")
    lane: Lane | None = Field(None, description="the lane that it comes from")
