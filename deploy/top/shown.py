"""What `genoflow top` shows: one frozen document; the screen, the text and the JSON are its views.

Its fields are a promise to programs (docs/watchtower.md): one may come, none goes or changes what
it means without another `format`.
"""

from __future__ import annotations

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

ROWS_MAX = 500  # of what is stuck, and of alerts: nobody reads more, and the totals tell of it
SEVERITIES = ("critical", "warning", "info")


class Part(BaseModel):
    """A part of what is shown; it never changes."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class TowerShown(Part):
    """How current the tower's table is, from which stages and what is stuck are told."""

    state: Literal["empty", "current", "behind", "stale", "silent"] = Field(
        description="empty: nothing was ever written; current: every record is in it; behind: some "
        "are not yet; stale: one is not for more than a minute; silent: every record is in it, and "
        "no alert was said of what is late"
    )
    newest_at: datetime | None = Field(description="when the log took the newest record in it")
    ends_at: datetime | None = Field(
        description="when the log took the oldest record that is not in it; none where all are"
    )


class StageShown(Part):
    """One stage: what waits in it, and what went through."""

    stage: str
    waiting: int = Field(description="what has begun and not ended")
    stuck: int = Field(description="of these, what has waited for longer than its limit")
    oldest_since: datetime | None = Field(description="since when the oldest of them waits")
    oldest_seconds: float | None
    began: int = Field(description="in the last 60 minutes, as are ended, failed and retried")
    ended: int
    failed: int
    retried: int
    per_minute: float = Field(description="ended and failed, by minute of the last five whole ones")
    p50_seconds: float | None = Field(description="how long it took in the last 24 hours, half of")
    p95_seconds: float | None = Field(description="them within this, and 95 of 100 within that")


class StuckShown(Part):
    """Something that waits for longer than its limit, what for, and who owes it."""

    topic: str
    subject: str
    stage: str
    item: str = Field(description="what of the subject it is, where it is not all of it")
    about: dict[str, str] = Field(description="pipeline, instrument, project, assay; as known")
    since: datetime
    waited_seconds: float
    limit_seconds: float = Field(description="how long it may take, as learned, or by the ceiling")
    beyond: float = Field(description="how many limits it has waited; the rows' order")
    rule: str | None = Field(
        description="the rule whose limit it is; none: twice what 95 of 100 took before"
    )
    expected: tuple[str, ...] = Field(description="one of these events ends it")
    owed_by: str = Field(description="the processor or the porch that says so")
    owing: str | None = Field(description="what is the matter with that processor, where known")
    last_type: str = Field(description="what was seen last of the subject")
    last_at: datetime
    alerts: tuple[UUID, ...] = Field(description="that are open about it")


class AlertShown(Part):
    """An alert that is not over; its fields are those of `genoflow alerts show`, and three more."""

    alert_id: UUID
    severity: str
    state: str
    rule: str
    kind: str
    alert_group: str
    part_of: UUID | None
    parts: int = Field(description="how many alerts it leads that are not over either")
    headline: str
    hint: str | None
    subject_topic: str | None
    subject_key: str | None
    about: dict[str, str] = Field(description="of its subject: pipeline, project; as known")
    raised_at: datetime
    age_seconds: float
    expected_type: str | None
    expected_from: datetime | None
    due_at: datetime | None
    last_type: str | None
    last_at: datetime | None
    step: int = Field(description="of its ladder, the last that was told")
    steps: int
    told_at: datetime | None
    acknowledged_at: datetime | None
    acknowledged_by: str | None
    acknowledged_because: str | None


class BudgetShown(Part):
    """What a project has spent of this month's budget, in US dollars, and where its pace leads."""

    project: str
    month: str
    spent_usd: float
    budget_usd: float | None = Field(description="of the month; none where nobody set one")
    day_usd: float = Field(description="charged today and yesterday")
    week_usd: float = Field(description="charged in the last seven days")
    ahead_usd: float = Field(description="what the month comes to at the pace of these days")
    burn: float | None = Field(
        description="the share that is spent over the share of the month; the rows' order"
    )
    ends_at: datetime | None = Field(description="when the budget does, where the month is longer")


class ProcessorShown(Part):
    """One processor over all its partitions."""

    processor: str
    topic: str
    partitions: int
    unowned: int = Field(description="partitions on which nobody works")
    workers: int
    lag: int
    per_second: float | None = Field(description="records; none before workers said it twice")
    open_effects: int
    parked_keys: int
    parked_effects: int


class WorkerShown(Part):
    """One worker that was heard in the last minute."""

    worker: str = Field(description="its host, its process, and what tells it from others")
    version: str
    since: datetime | None
    up_seconds: float | None
    heard_seconds_ago: float
    is_silent: bool
    processors: int
    partitions: int
    effects_running: int
    doing: tuple[str, ...] = Field(description="effects that it is at, with their subjects")


class LostEndShown(Part):
    """An input whose records nobody can read on, for the end of a transaction does not come."""

    topic: str
    partition: int
    offset: int
    records: int
    since: datetime


class Shown(Part):
    """Everything at one moment."""

    format: Literal[1] = 1
    at: datetime
    tower: TowerShown
    records_per_minute: float | None = Field(
        description="offsets by which the log grew in the last five minutes, by minute: events, "
        "and the ends of transactions"
    )
    stages: tuple[StageShown, ...]
    stuck: tuple[StuckShown, ...] = Field(description="the furthest beyond its limit first")
    stuck_total: int
    alerts: tuple[AlertShown, ...] = Field(
        description="by severity, then those that nobody has taken up, then the newest"
    )
    alerts_total: int
    budgets: tuple[BudgetShown, ...] = Field(description="what burns fastest first")
    processors: tuple[ProcessorShown, ...] = Field(description="in the order of the flow")
    workers: tuple[WorkerShown, ...]
    lost_ends: tuple[LostEndShown, ...]
