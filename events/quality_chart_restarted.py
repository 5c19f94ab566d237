"""A level of quality is the new normal: a person says so of its chart."""

from __future__ import annotations

from typing import Annotated, ClassVar
from uuid import UUID

from pydantic import Field

from genoflow.events import topics
from genoflow.events.event import About, Event
from genoflow.events.types import Choices, Name, Reason, RequestId


class QualityChartRestarted(Event):
    """The chart begins anew with the runs that start behind this; its alerts are over."""

    about: ClassVar[About] = About(
        topics=(topics.CATALOG,),
        key="chart_id",
        version="1.0",
        identity=("chart_id", "request_id"),
        terminal=True,
    )

    chart_id: UUID = Field(description="the chart; made from the five names below")
    of: Annotated[str, Choices("reads", "results")] = Field(description="of what it is a metric")
    metric: Name = Field(description="the metric")
    instrument_id: Name = Field(description="the instrument")
    chemistry: Name = Field(description="the chemistry; unknown where runs name none")
    assay: Name = Field(description="the assay")
    role: Name = Field(description="in which role the person decided")
    reason: Reason = Field(description="why, for whoever asks later")
    request_id: RequestId = Field(description="of the decision: repeated, it is the same one")
