"""Alerts: what needs a person, how far its ladder is, who took it up, and how it ended."""

from __future__ import annotations

import json
from collections.abc import AsyncIterable, Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from genoflow.events import topics
from genoflow.events.alert_acknowledged import AlertAcknowledged
from genoflow.events.alert_escalated import AlertEscalated
from genoflow.events.alert_raised import AlertRaised
from genoflow.events.alert_resolved import AlertResolved
from genoflow.events.event import Event
from genoflow.events.log.port import Vector
from genoflow.events.log.recorded import Recorded
from genoflow.events.repair_tried import RepairTried
from genoflow.projections.as_of import relation
from genoflow.projections.model import ReadModel
from genoflow.projections.paging import LIMIT_DEFAULT, Found, Where, one, page
from genoflow.projections.row import Json, Row, Table, as_json, as_text
from genoflow.projections.store import Connection

RAISED, ACKNOWLEDGED, RESOLVED = "raised", "acknowledged", "resolved"
STATES = (RAISED, ACKNOWLEDGED, RESOLVED)


@dataclass(frozen=True, slots=True)
class AlertRow(Row):
    """One alert; an acknowledgement and an end count once, whoever says them again."""

    alert_id: UUID
    raised_at: datetime
    state: str
    since: datetime
    rule: str
    rules_version: str
    rules_document_id: str | None
    kind: str
    severity: str
    alert_group: str
    part_of: UUID | None
    subject_topic: str | None
    subject_key: str | None
    headline: str
    hint: str | None
    figures: Json
    expected_type: str | None
    expected_from: datetime | None
    due_at: datetime | None
    last_event_id: UUID | None
    last_type: str | None
    last_at: datetime | None
    tell_at: datetime
    stage: str | None  # late, missing: what has not ended
    item: str | None  # what of its subject
    owed_by: str | None
    steps: int  # of its ladder; none where those who subscribed are told alone
    step: int = 0  # the last one that was told
    told_at: datetime | None = None
    acknowledged_at: datetime | None = None
    acknowledged_by: str | None = None
    acknowledged_because: str | None = None
    resolved_at: datetime | None = None
    resolved_by: str | None = None
    manner: str | None = None  # over, or a person
    resolved_because: str | None = None
    resolving_event_id: UUID | None = None
    tries: int = 0  # to have it from its source
    tried_at: datetime | None = None
    repaired: int = 0  # facts about the subject that these tries brought
    repair_outcome: str | None = None  # of the last one
    repair_reason: str | None = None


ALERTS = Table(
    "alerts", AlertRow, ("alert_id",),
    indexes=(
        "(raised_at, alert_id)", "(state, raised_at, alert_id)", "(subject_key)", "(part_of)",
    ),
)  # fmt: skip


@dataclass(slots=True)
class Alert:
    """What is known of an alert."""

    row: AlertRow | None = None

    def take(self, event: Event) -> AlertRow | None:
        """Fold an event; the row where it is changed."""
        changed = USES[type(event)](self.row, event)
        if changed is None or changed == self.row:
            return None
        self.row = changed
        return changed


def _raised(row: AlertRow | None, event: AlertRaised) -> AlertRow | None:
    if row is not None:
        return None  # raised again, it is the same alert
    at = event.envelope.occurred_at
    figures = [one.model_dump(mode="json") for one in event.figures]
    return AlertRow(
        alert_id=event.alert_id, raised_at=at, state=RAISED, since=at, rule=event.rule,
        rules_version=event.rules_version, rules_document_id=event.rules_document_id,
        kind=event.kind, severity=event.severity, alert_group=event.group, part_of=event.part_of,
        subject_topic=event.subject_topic, subject_key=event.subject_key, headline=event.headline,
        hint=None if event.hint is None else as_text(event.hint), figures=as_json(figures),
        expected_type=event.expected_type, expected_from=event.expected_from, due_at=event.due_at,
        last_event_id=event.last_event_id, last_type=event.last_type, last_at=event.last_at,
        tell_at=event.tell_at, steps=len(event.ladder), stage=event.stage, item=event.item,
        owed_by=event.owed_by,
    )  # fmt: skip


def _escalated(row: AlertRow | None, event: AlertEscalated) -> AlertRow | None:
    if row is None or event.step <= row.step:
        return None
    return replace(row, step=event.step, told_at=event.envelope.occurred_at)


def _acknowledged(row: AlertRow | None, event: AlertAcknowledged) -> AlertRow | None:
    if row is None or row.state != RAISED:
        return None
    at = event.envelope.occurred_at
    return replace(
        row, state=ACKNOWLEDGED, since=at, acknowledged_at=at,
        acknowledged_by=as_text(event.envelope.actor.id),
        acknowledged_because=as_text(event.reason),
    )  # fmt: skip


def _resolved(row: AlertRow | None, event: AlertResolved) -> AlertRow | None:
    if row is None or row.state == RESOLVED:
        return None
    at = event.envelope.occurred_at
    return replace(
        row, state=RESOLVED, since=at, resolved_at=at, manner=event.manner,
        resolved_by=as_text(event.envelope.actor.id), resolved_because=as_text(event.reason),
        resolving_event_id=event.resolving_event_id,
    )  # fmt: skip


def _tried(row: AlertRow | None, event: RepairTried) -> AlertRow | None:
    if row is None or event.number <= row.tries:
        return None
    return replace(
        row, tries=event.number, tried_at=event.envelope.occurred_at,
        repaired=row.repaired + event.facts, repair_outcome=event.outcome,
        repair_reason=as_text(event.reason),
    )  # fmt: skip


USES: Mapping[type[Event], Callable[[AlertRow | None, Any], AlertRow | None]] = {
    AlertRaised: _raised,
    AlertEscalated: _escalated,
    AlertAcknowledged: _acknowledged,
    AlertResolved: _resolved,
    RepairTried: _tried,
}


class Alerts(ReadModel[Alert]):
    """One row an alert."""

    name = "alerts"
    about = "what needs a person: how far its ladder is, who took it up, and how it ended"
    reads = (topics.ALERT,)
    tables = (ALERTS,)

    def begin(self, _: str) -> Alert:
        """Nothing was raised."""
        return Alert()

    def project(self, state: Alert, record: Recorded) -> Iterable[Row]:
        """The row of the alert, where the event changes it."""
        if type(record.event) in USES and (changed := state.take(record.event)) is not None:
            yield changed


# -- queries

ORDER = ("raised_at", "alert_id")


def _where(
    state: str | None,
    severity: str | None,
    rule: str | None,
    kind: str | None,
    subject: str | None,
    part_of: UUID | None,
) -> Where:
    return (
        Where().add("state = {}", state).add("severity = {}", severity).add("rule = {}", rule)
        .add("kind = {}", kind).add("subject_key = {}", subject).add("part_of = {}", part_of)
    )  # fmt: skip


async def list_alerts(
    connection: Connection,
    *,
    state: str | None = None,
    severity: str | None = None,
    rule: str | None = None,
    kind: str | None = None,
    subject: str | None = None,
    part_of: UUID | None = None,
    after: Sequence[Any] | None = None,
    limit: int = LIMIT_DEFAULT,
    at: Vector | None = None,
) -> list[Found]:
    """Alerts by what is asked for, the newest first."""
    where = _where(state, severity, rule, kind, subject, part_of)
    select = f"select * from {relation(ALERTS, at)}"
    found = await page(
        connection, select, where, ORDER, after=after, limit=limit, newest_first=True
    )
    return [_with_figures(row) for row in found]


async def alert_of(
    connection: Connection, alert_id: UUID, *, at: Vector | None = None
) -> Found | None:
    """One alert; None where nobody raised it."""
    found = await one(connection, ALERTS, Where().add("alert_id = {}", alert_id), at)
    return None if found is None else _with_figures(found)


def _with_figures(row: Found) -> Found:
    return row | {"figures": json.loads(row["figures"])}


async def alerts_told(events: AsyncIterable[Event]) -> list[Found]:
    """The same alerts, folded from the log, the newest first."""
    known: dict[str, Alert] = {}
    async for event in events:
        if type(event) in USES:
            known.setdefault(event.key, Alert()).take(event)
    rows = [one.row for one in known.values() if one.row is not None]
    rows.sort(key=lambda row: (row.raised_at, row.alert_id), reverse=True)
    return [_with_figures(asdict(row)) for row in rows]
