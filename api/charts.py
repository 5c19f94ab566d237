"""Charts of quality: what a person takes for normal from here on."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from genoflow.api.guard import GuardedRoute, RequestName, asks
from genoflow.api.identity.permissions import Permission
from genoflow.api.writing import ActingAs, WritingHere

router = APIRouter(prefix="/monitoring/charts", tags=["monitoring"], route_class=GuardedRoute)


class ChartWordIn(BaseModel):
    """What a person says of a chart."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"reason": "a new lot of flow cells, which is to stay"}]},
    )

    reason: str = Field(min_length=1, max_length=500, description="why, for whoever asks later")
    role: ActingAs = None


class ChartWordOut(BaseModel):
    """What stands on the log of a chart."""

    event_id: UUID = Field(description="of the decision")
    chart_id: UUID
    of: str = Field(description="of what it is a metric", examples=["reads"])
    metric: str = Field(examples=["q30_fraction"])
    instrument_id: str = Field(examples=["A00042"])
    chemistry: str = Field(examples=["v1.5"])
    assay: str = Field(examples=["wgs"])
    by: str = Field(description="the account that said so")
    at: datetime = Field(description="the chart takes the runs that start from here on")
    reason: str


@router.post(
    "/{chart_id}/restart", summary="Restart a chart", response_model=ChartWordOut,
    responses={404: {}},
)  # fmt: skip
@asks(Permission.ALERTS_DECIDE)
async def restart_chart(
    chart_id: UUID, wish: ChartWordIn, called: RequestName, writing: WritingHere
) -> ChartWordOut:
    """Take what comes for normal: its alerts are over, and it begins anew.

    `genoflow charts list` shows the charts and their ids.
    """
    decided = writing.decided(Permission.ALERTS_DECIDE, wish.reason, wish.role, called, "restart")
    fact = await writing.outside.desks.charts.restart(chart_id, decided, writing.put)
    envelope = fact.envelope
    return ChartWordOut(
        event_id=envelope.event_id, chart_id=chart_id, of=fact.of, metric=fact.metric,
        instrument_id=fact.instrument_id, chemistry=fact.chemistry, assay=fact.assay,
        by=envelope.actor.id, at=envelope.occurred_at, reason=fact.reason,
    )  # fmt: skip
