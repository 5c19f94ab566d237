"""When people are alerted."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from genoflow.events.types import (
    AlertGroup,
    AlertKind,
    AtLeast,
    Choices,
    Fraction,
    Identifier,
    Margin,
    Name,
    Part,
    Quantile,
    Reason,
    RunsMin,
    Seconds,
    Severity,
)


class AlertRule(Part):
    """A rule of one kind; docs/alerts.md says which of the fields each kind has."""

    rule: Identifier = Field(description="its name, by which alerts are found")
    kind: AlertKind = Field(description="late and missing wait, rate counts, drift charts, event")
    severity: Severity = Field(description="of its alerts")
    group_by: AlertGroup = Field(description="alerts of one rule and one such are told as one")
    ladder: Identifier | None = Field(None, description="of this document: who is told when")
    quiet: Identifier | None = Field(None, description="of this document: when nobody is told")
    hint: Reason | None = Field(None, description="what to do")
    stage: Name | None = Field(None, description="late, missing, rate: of which stage")
    quantile: Quantile | None = Field(None, description="late, missing: of what it took before")
    margin: Margin | None = Field(None, description="late, missing: times the quantile")
    floor_seconds: Seconds | None = Field(None, description="late, missing: never sooner")
    ceiling_seconds: Seconds | None = Field(None, description="late, missing: never later")
    observations_min: AtLeast | None = Field(
        None, description="late, missing: with fewer the ceiling counts"
    )
    figure: Annotated[str, Choices("failures", "retries")] | None = Field(
        None, description="rate: what is counted"
    )
    window: Annotated[str, Choices("minute", "hour", "day")] | None = Field(
        None, description="rate: over how long"
    )
    above: Fraction | None = Field(None, description="rate: the share that is too much")
    at_least: AtLeast | None = Field(None, description="rate: and at least so many")
    metric: Name | None = Field(None, description="drift: of quality control")
    chart: Annotated[str, Choices("ewma", "cusum")] | None = Field(
        None, description="drift: which control chart"
    )
    runs_min: RunsMin | None = Field(None, description="drift: runs before it says anything")
    event_types: tuple[Name, ...] = Field(
        (), max_length=100, description="event: each of these raises an alert"
    )
    resolved_by: tuple[Name, ...] = Field(
        (), max_length=100, description="event: and these of the same subject end it"
    )
