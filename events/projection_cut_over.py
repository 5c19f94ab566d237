"""Readers of a read model see another build of it from here on."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from genoflow.events import topics
from genoflow.events.event import About, Event
from genoflow.events.types import Count, DocumentId, Ordinal, Reason, Sha256


class ProjectionCutOver(Event):
    """Another build of a read model was compared with the one before and took its place."""

    about: ClassVar[About] = About(
        topics=(topics.GOVERNANCE,), key="read_model", version="1.0",
        identity=("read_model", "build"),
    )  # fmt: skip

    read_model: DocumentId = Field(description="which one")
    build: DocumentId = Field(description="what readers see now")
    build_before: DocumentId = Field(description="what they saw before")
    model_version: Ordinal = Field(description="which version of the read model made the rows")
    model_version_before: Ordinal = Field(description="which one made those before")
    compared_rows: Count = Field(description="rows of both builds at one position of the log")
    changed_rows: Count = Field(description="how many of them differ")
    rows_sha256: Sha256 = Field(description="of all rows of the new build at that position")
    reason: Reason = Field(description="why it was built anew")
