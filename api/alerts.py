"""Alerts: what needs a person, who looks after it, and how it ended."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field

from genoflow.api.guard import GuardedRoute, RequestName, asks
from genoflow.api.identity.permissions import Permission
from genoflow.api.reading import PAGE_DEFAULT, After, Limit, ReadingHere, ReadingRoute
from genoflow.api.refusal import Refusal
from genoflow.api.rows import key_of, page, page_of, shape, told
from genoflow.api.writing import ActingAs, WritingHere
from genoflow.projections import alerts

ORDER = {"raised_at": datetime, "alert_id": UUID}
TAG = "monitoring"
PLACE = "/monitoring/alerts"

reads = APIRouter(prefix=PLACE, tags=[TAG], route_class=ReadingRoute)
router = APIRouter(prefix=PLACE, tags=[TAG], route_class=GuardedRoute)


class FigureOut(BaseModel):
    """A number that an alert is about."""

    name: str = Field(examples=["waited"])
    value: float = Field(examples=[2520.0])
    unit: str = Field(examples=["s"])
    limit: float | None = Field(description="what it may be", examples=[1260.0])


FIGURES = (list[FigureOut], Field(description="what was measured, and its limits"))
AlertOut = shape(alerts.AlertRow, "Alert", "What needs a person.", figures=FIGURES)
AlertsOut = page_of(AlertOut, "Alerts", "alerts, the newest first")
Name = Annotated[str | None, Query(max_length=200)]
Subject = Annotated[str | None, Query(max_length=1_200, description="the key of what it is about")]
PartOf = Annotated[UUID | None, Query(description="the alert that leads their group")]
State = Literal["raised", "acknowledged", "resolved"]
Severity = Literal["info", "warning", "critical"]
Kind = Literal["late", "missing", "rate", "drift", "event"]


class AlertWordIn(BaseModel):
    """What a person says of an alert."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"reason": "the store is slow; I look after it"}]},
    )

    reason: str = Field(min_length=1, max_length=500, description="why, for whoever asks later")
    role: ActingAs = None


class AlertWordOut(BaseModel):
    """What stands on the log of an alert."""

    event_id: UUID = Field(description="of the decision")
    alert_id: UUID
    state: State = Field(examples=["acknowledged"])
    by: str = Field(description="the account that said so")
    at: datetime
    reason: str


@reads.get("", summary="Alerts, page by page", response_model=AlertsOut)
@asks(Permission.MONITORING_READ)
async def list_alerts(
    reading: ReadingHere,
    state: State | None = None,
    severity: Severity | None = None,
    rule: Name = None,
    kind: Kind | None = None,
    subject: Subject = None,
    part_of: PartOf = None,
    after: After = None,
    limit: Limit = PAGE_DEFAULT,
) -> dict[str, Any]:
    """List alerts by state, severity, rule, kind, subject or the one that leads, newest first."""
    found = await alerts.list_alerts(
        reading.connection, state=state, severity=severity, rule=rule, kind=kind, subject=subject,
        part_of=part_of, after=key_of(after, ORDER), limit=limit, at=reading.at,
    )  # fmt: skip
    return page(found, ORDER, limit)


@reads.get("/{alert_id}", summary="One alert", response_model=AlertOut, responses={404: {}})
@asks(Permission.MONITORING_READ)
async def show_alert(reading: ReadingHere, alert_id: UUID) -> dict[str, Any]:
    """Tell what an alert is about, how far its ladder is, who took it up, and how it ended."""
    found = await alerts.alert_of(reading.connection, alert_id, at=reading.at)
    if found is None:
        raise Refusal(
            404, f"alert {alert_id}: nobody raised it; the known ones are at /v1{PLACE}"
        )  # fmt: skip
    return told(found)


@router.post(
    "/{alert_id}/acknowledge", summary="Acknowledge an alert", response_model=AlertWordOut,
    responses={404: {}, 409: {}},
)  # fmt: skip
@asks(Permission.ALERTS_DECIDE)
async def acknowledge_alert(
    alert_id: UUID, wish: AlertWordIn, called: RequestName, writing: WritingHere
) -> AlertWordOut:
    """Say that you look after it: nobody else is told from here on.

    One that somebody acknowledged before is answered as it stands.
    """
    decided = writing.decided(Permission.ALERTS_DECIDE, wish.reason, wish.role, called, "ack")
    fact = await writing.outside.desks.alerts.acknowledge(alert_id, decided, writing.put)
    envelope = fact.envelope
    return AlertWordOut(
        event_id=envelope.event_id, alert_id=alert_id, state="acknowledged", by=envelope.actor.id,
        at=envelope.occurred_at, reason=fact.reason,
    )  # fmt: skip


@router.post(
    "/{alert_id}/resolve", summary="Resolve an alert", response_model=AlertWordOut,
    responses={404: {}, 409: {}},
)  # fmt: skip
@asks(Permission.ALERTS_DECIDE)
async def resolve_alert(
    alert_id: UUID, wish: AlertWordIn, called: RequestName, writing: WritingHere
) -> AlertWordOut:
    """Say that it is over, where the log does not show it by itself."""
    decided = writing.decided(Permission.ALERTS_DECIDE, wish.reason, wish.role, called, "resolve")
    fact = await writing.outside.desks.alerts.resolve(alert_id, decided, writing.put)
    envelope = fact.envelope
    return AlertWordOut(
        event_id=envelope.event_id, alert_id=alert_id, state="resolved", by=envelope.actor.id,
        at=envelope.occurred_at, reason=fact.reason,
    )  # fmt: skip
