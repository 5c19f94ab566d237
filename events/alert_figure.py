"""A number that an alert is about."""

from __future__ import annotations

from pydantic import Field

from genoflow.events.types import Name, Number, Part


class AlertFigure(Part):
    """What was measured, and where its limit is."""

    name: Name = Field(description="what it is, such as waited or failures")
    value: Number = Field(description="what was measured")
    unit: Name = Field(description="in which unit, such as s or share")
    limit: Number | None = Field(None, description="what it may be; none where it has no limit")
