"""What is shown, out of what was read: pure, so tests speak in events."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import NamedTuple
from uuid import UUID

from genoflow.deploy.top.shown import (
    ROWS_MAX,
    SEVERITIES,
    AlertShown,
    BudgetShown,
    LostEndShown,
    ProcessorShown,
    Shown,
    StageShown,
    StuckShown,
    TowerShown,
    WorkerShown,
)
from genoflow.deploy.top.tallied import RATE_MINUTES, Tallied
from genoflow.deploy.worker_status import Standing, TaskStatus, WorkerStatus
from genoflow.events.alert_rule import AlertRule
from genoflow.events.alert_rules_published import AlertRulesPublished
from genoflow.events.printable import printable
from genoflow.processors.watchtower.fold import Tower
from genoflow.processors.watchtower.judge import WAITING, limit_of
from genoflow.processors.watchtower.kept import Key, Subject, Wait
from genoflow.processors.watchtower.stages import BY_NAME, STAGES
from genoflow.projections.alerts import ACKNOWLEDGED, RESOLVED, AlertRow

# A tower takes what came within a second, and its successor goes on within some ten.
STALE_SECONDS = 60.0
# Where no rule says how long a stage may take: twice what 95 of 100 took, of twenty at least; under
# a minute nobody would look.
USUAL_QUANTILE = 0.95
USUAL_MARGIN = 2.0
USUAL_SECONDS_MIN = 60.0
USUAL_OBSERVATIONS_MIN = 20
LIMIT_SECONDS_MIN = 0.001  # a rule may have a limit of none; nothing is divided by it
DOING_MAX = 5  # effects of one worker that are named

Tasks = Mapping[str, Sequence[TaskStatus]]  # by processor


@dataclass(frozen=True, slots=True)
class Seen:
    """What was read at one moment, of the log alone."""

    tower: Tower
    standing: Standing
    alerts: Sequence[AlertRow] = ()
    rules: Sequence[AlertRulesPublished] = ()
    ends_at: datetime | None = None  # when the log took the oldest record that the tower has not
    records_per_minute: float | None = None
    tasks: Tasks = field(init=False)

    def __post_init__(self) -> None:
        found: dict[str, list[TaskStatus]] = {}
        for task in self.standing.tasks:
            found.setdefault(task.processor, []).append(task)
        object.__setattr__(self, "tasks", found)


def show(seen: Seen, now: datetime) -> Shown:
    """What a person sees of it at this moment."""
    tallied = Tallied(seen.tower, now)
    late = sorted(_late(seen.rules, tallied, now), key=lambda one: (-one.beyond, one.wait.since))
    alerts = _open(seen.alerts)
    return Shown(
        at=now,
        tower=_tower(seen, tallied, late, now),
        records_per_minute=seen.records_per_minute,
        stages=tuple(_stages(tallied, late, now)),
        stuck=tuple(_stuck(one, seen.tasks, now) for one in late[:ROWS_MAX]),
        stuck_total=len(late),
        alerts=tuple(_alerts(alerts, tallied, now)),
        alerts_total=len(alerts),
        budgets=tuple(_budgets(seen.tower, now)),
        processors=tuple(_processor(tasks) for tasks in seen.tasks.values()),
        workers=tuple(_worker(one, seen.standing.tasks, now) for one in seen.standing.workers),
        lost_ends=tuple(
            LostEndShown(
                topic=one.topic, partition=one.partition, offset=one.offset, records=one.records,
                since=one.since,
            )
            for one in seen.standing.lost_ends
        ),
    )  # fmt: skip


# -- the tower


def _tower(seen: Seen, tallied: Tallied, late: Iterable[_Late], now: datetime) -> TowerShown:
    newest = _moment(tallied.newest) if tallied.newest else None
    if newest is None:
        return TowerShown(state="empty", newest_at=None, ends_at=seen.ends_at)
    if seen.ends_at is not None:
        is_stale = (now - seen.ends_at).total_seconds() > STALE_SECONDS
        state = "stale" if is_stale else "behind"
        return TowerShown(state=state, newest_at=newest, ends_at=seen.ends_at)
    is_silent = any(
        one.rule is not None
        and not one.wait.alerts
        and now.timestamp() > one.wait.since + one.limit + STALE_SECONDS
        for one in late
    )
    return TowerShown(state="silent" if is_silent else "current", newest_at=newest, ends_at=None)


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def _stages(tallied: Tallied, late: Iterable[_Late], now: datetime) -> Iterator[StageShown]:
    since: dict[str, list[float]] = {}
    for _, subject in tallied.subjects:
        for (name, _), wait in subject.waits.items():
            since.setdefault(name, []).append(wait.since)
    beyond = Counter(one.stage for one in late)
    for name in (stage.name for stage in STAGES):
        waits, took = since.get(name, []), tallied.seconds[name]
        oldest = _moment(min(waits)) if waits else None
        yield StageShown(
            stage=name, waiting=len(waits), stuck=beyond[name], oldest_since=oldest,
            oldest_seconds=None if oldest is None else _seconds(oldest, now),
            began=tallied.began[name], ended=tallied.ended[name], failed=tallied.failed[name],
            retried=tallied.retried[name],
            per_minute=round(tallied.over[name] / RATE_MINUTES, 2),
            p50_seconds=_rounded(took.quantile(0.5)), p95_seconds=_rounded(took.quantile(0.95)),
        )  # fmt: skip


def _seconds(since: datetime, now: datetime) -> float:
    return max(0.0, round((now - since).total_seconds(), 1))


def _rounded(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 3)


# -- what is stuck


class _Late(NamedTuple):
    """A wait beyond its limit; of a hundred thousand only those that are shown become rows."""

    beyond: float
    key: Key
    subject: Subject
    stage: str
    item: str
    wait: Wait
    limit: float
    rule: str | None


def _late(
    documents: Iterable[AlertRulesPublished], tallied: Tallied, now: datetime
) -> Iterator[_Late]:
    rules: dict[str, list[AlertRule]] = {}
    for document in documents:
        for rule in document.rules:
            if rule.kind in WAITING and rule.stage in BY_NAME:
                rules.setdefault(rule.stage, []).append(rule)
    limits: dict[tuple[str, str, str], tuple[float, str | None] | None] = {}
    at = now.timestamp()
    for key, subject in tallied.subjects:
        pipeline, assay = subject.about.get("pipeline", ""), subject.about.get("assay", "")
        for (stage, item), wait in subject.waits.items():
            known = (stage, pipeline, assay)
            if known not in limits:
                limits[known] = _limit(rules.get(stage, ()), tallied, *known)
            limit = limits[known]
            if limit is not None and (waited := at - wait.since) > limit[0]:
                beyond = waited / max(limit[0], LIMIT_SECONDS_MIN)
                yield _Late(beyond, key, subject, stage, item, wait, *limit)


def _limit(
    rules: Iterable[AlertRule], tallied: Tallied, stage: str, pipeline: str, assay: str
) -> tuple[float, str | None] | None:
    """The shortest limit that a rule gives, and its name; else what is usual, where that is known.

    A rule that is broken first is the one that alerts first.
    """
    learned = tallied.learned(stage, pipeline, assay)
    found = [(limit_of(rule, learned), rule.rule) for rule in rules]
    if found:
        return min(found)
    usual = learned.quantile(USUAL_QUANTILE)
    if usual is None or learned.count < USUAL_OBSERVATIONS_MIN:
        return None
    return max(usual * USUAL_MARGIN, USUAL_SECONDS_MIN), None


def _stuck(late: _Late, tasks: Tasks, now: datetime) -> StuckShown:
    stage, key, subject = BY_NAME[late.stage], late.key, late.subject
    since = _moment(late.wait.since)
    _, last_type, last_at = subject.last
    return StuckShown(
        topic=key.topic, subject=printable(key.rest), stage=stage.name, item=printable(late.item),
        about=_printable(subject.about), since=since, waited_seconds=_seconds(since, now),
        limit_seconds=round(late.limit, 1), beyond=round(late.beyond, 2), rule=late.rule,
        expected=tuple(kind.type() for kind in stage.ends), owed_by=stage.owed_by,
        owing=_owing(tasks.get(stage.owed_by, ()), key), last_type=last_type,
        last_at=_moment(last_at), alerts=tuple(UUID(one.alert) for one in late.wait.alerts),
    )  # fmt: skip


def _owing(tasks: Sequence[TaskStatus], key: Key) -> str | None:
    """What is the matter with whoever owes it, on the partition that the subject is in."""
    said = []
    for task in tasks:
        if (task.topic, task.partition) != (key.topic, key.partition):
            continue
        if task.worker is None:
            said.append("nobody works on it")
        if task.lag:
            said.append(f"is {task.lag:,} records behind")
        if parked := (task.parked_keys or 0) + (task.parked_effects or 0):
            said.append(f"has {parked:,} parked")
    return ", ".join(said) or None


def _printable(about: Mapping[str, str]) -> dict[str, str]:
    return {name: printable(value) for name, value in about.items()}


# -- alerts


def _open(rows: Iterable[AlertRow]) -> list[AlertRow]:
    found = [row for row in rows if row.state != RESOLVED]
    found.sort(key=lambda row: row.raised_at, reverse=True)
    found.sort(key=lambda row: (_rank(row.severity), row.state == ACKNOWLEDGED))
    return found


def _alerts(rows: Sequence[AlertRow], tallied: Tallied, now: datetime) -> Iterator[AlertShown]:
    parts = Counter(row.part_of for row in rows)
    abouts = tallied.abouts if rows else {}
    for row in rows[:ROWS_MAX]:
        about = abouts.get((row.subject_topic or "", row.subject_key or ""), {})
        yield _alert(row, parts[row.alert_id], about, now)


def _rank(severity: str) -> int:
    return SEVERITIES.index(severity) if severity in SEVERITIES else len(SEVERITIES)


def _alert(row: AlertRow, parts: int, about: Mapping[str, str], now: datetime) -> AlertShown:
    return AlertShown(
        alert_id=row.alert_id, severity=row.severity, state=row.state, rule=row.rule,
        kind=row.kind, alert_group=printable(row.alert_group), part_of=row.part_of, parts=parts,
        headline=printable(row.headline), hint=row.hint and printable(row.hint),
        subject_topic=row.subject_topic, subject_key=row.subject_key and printable(row.subject_key),
        about=_printable(about), raised_at=row.raised_at, age_seconds=_seconds(row.raised_at, now),
        expected_type=row.expected_type, expected_from=row.expected_from, due_at=row.due_at,
        last_type=row.last_type, last_at=row.last_at, step=row.step, steps=row.steps,
        told_at=row.told_at, acknowledged_at=row.acknowledged_at,
        acknowledged_by=row.acknowledged_by and printable(row.acknowledged_by),
        acknowledged_because=row.acknowledged_because and printable(row.acknowledged_because),
    )  # fmt: skip


# -- what it costs


def _budgets(tower: Tower, now: datetime) -> Iterator[BudgetShown]:
    for one in tower.burns(now.timestamp()):
        if one.budget_usd is None and not one.spent_usd and not one.week_usd:
            continue
        yield BudgetShown(
            project=printable(one.project), month=one.month, spent_usd=one.spent_usd,
            budget_usd=one.budget_usd, day_usd=one.day_usd, week_usd=one.week_usd,
            ahead_usd=round(one.ahead_usd, 2), ends_at=one.ends_at,
            burn=None if one.rate is None else round(one.rate, 2),
        )  # fmt: skip


# -- who works


def _processor(tasks: Sequence[TaskStatus]) -> ProcessorShown:
    rates = [task.rate_per_second for task in tasks if task.rate_per_second is not None]
    return ProcessorShown(
        processor=tasks[0].processor, topic=tasks[0].topic, partitions=len(tasks),
        unowned=sum(task.worker is None for task in tasks),
        workers=len({task.worker for task in tasks if task.worker is not None}),
        lag=sum(task.lag or 0 for task in tasks),
        per_second=round(sum(rates), 1) if rates else None,
        open_effects=sum(task.open_effects or 0 for task in tasks),
        parked_keys=sum(task.parked_keys or 0 for task in tasks),
        parked_effects=sum(task.parked_effects or 0 for task in tasks),
    )  # fmt: skip


def _worker(one: WorkerStatus, tasks: Iterable[TaskStatus], now: datetime) -> WorkerShown:
    mine = [task for task in tasks if task.worker == one.worker]
    doing = [f"{effect['effect']} of {effect['subject']}" for effect in one.effects]
    return WorkerShown(
        worker=printable(one.worker), version=printable(one.version), since=one.since,
        up_seconds=None if one.since is None else _seconds(one.since, now),
        heard_seconds_ago=one.heard_seconds_ago, is_silent=one.is_silent,
        processors=len({task.processor for task in mine}), partitions=len(mine),
        effects_running=one.effects_running,
        doing=tuple(printable(text) for text in doing[:DOING_MAX]),
    )  # fmt: skip
