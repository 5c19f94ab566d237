"""A sample is known."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field

from genoflow.events import topics
from genoflow.events.event import About, Event
from genoflow.events.types import (
    Choices,
    InstrumentRunId,
    Name,
    ProjectId,
    SampleId,
    Sex,
    SubjectRef,
)


class SampleRegistered(Event):
    """A sample has an id and an opaque subject; from here on it has a story."""

    about: ClassVar[About] = About(
        topics=(topics.SAMPLE,), key="sample_id", version="1.0", identity=("sample_id",)
    )

    sample_id: SampleId = Field(description="the sample")
    subject_ref: SubjectRef | None = Field(
        None, description="whose sample it is: opaque; none until an order says"
    )
    project_id: ProjectId | None = Field(None, description="the project")
    specimen: Name | None = Field(None, description="such as blood, saliva or FFPE")
    declared_sex: Sex = Field(
        "unknown", description="what was declared; results are compared with it"
    )
    registered_by: Annotated[str, Choices("sample sheet", "order", "upload", "person")] = Field(
        description="how it became known"
    )
    instrument_run_id: InstrumentRunId | None = Field(
        None, description="the run whose sheet lists it"
    )
