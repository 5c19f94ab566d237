"""Rules held against what was folded: what is late, what is missing, what fails too often.

The judge says alerts and their ends. An id is made from what an alert is about, so whoever finds
it again, after a death or in a second reading of the log, says the same fact.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from uuid import UUID

from genoflow.events.alert_figure import AlertFigure
from genoflow.events.alert_raised import AlertRaised
from genoflow.events.alert_resolved import OVER, AlertResolved
from genoflow.events.alert_rule import AlertRule
from genoflow.events.alert_rules_published import AlertRulesPublished
from genoflow.events.envelope import Actor, Producer
from genoflow.events.event import E, Event, begin
from genoflow.events.identity import GENOFLOW, derived_id
from genoflow.events.printable import printable
from genoflow.processors.watchtower.fold import Ended, Tower, group_key
from genoflow.processors.watchtower.kept import Alert, Group, Key, Subject, Wait
from genoflow.processors.watchtower.panes import BY_NAME as SIZES
from genoflow.processors.watchtower.panes import EVERYTHING, Tally, pane_of, summed
from genoflow.processors.watchtower.quiet import tell_at
from genoflow.processors.watchtower.sketch import Sketch
from genoflow.processors.watchtower.stages import BY_NAME as STAGES

WAITING = ("late", "missing")
FAR_FUTURE = 253_402_300_799.0  # the last second that a moment can be


class Judge:
    """Holds one document of rules against one tower."""

    def __init__(self, tower: Tower, rules: AlertRulesPublished, producer: Producer) -> None:
        self.tower, self.rules, self._producer = tower, rules, producer
        self._ladders = {one.name: one.steps for one in rules.ladders}
        self._quiet = {one.name: one for one in rules.quiet}
        self._of_events: dict[str, list[AlertRule]] = {}
        self._ends: dict[str, set[str]] = {}
        self._waiting: dict[str, list[AlertRule]] = {}
        for rule in rules.rules:
            for kind in rule.event_types:
                self._of_events.setdefault(kind, []).append(rule)
            for kind in rule.resolved_by:
                self._ends.setdefault(kind, set()).add(rule.rule)
            if rule.kind in WAITING and rule.stage in STAGES:
                self._waiting.setdefault(rule.stage, []).append(rule)

    # -- what follows from a record

    def hears(self, kind: str) -> bool:
        """Whether a rule waits for events of this type."""
        return kind in self._of_events or kind in self._ends

    def heard(self, event: Event, subject: Subject, key: Key) -> list[Event]:
        """The alerts that this event raises or ends, of those rules that wait for events."""
        said: list[Event] = []
        kind = event.type()
        over = self._ends.get(kind, set())
        left = tuple(one for one in subject.alerts if one.rule not in over)
        for one in subject.alerts:
            if one.rule in over:
                said += self._ended(one, event.envelope.event_id, f"{kind} came", _at(event))
        subject.alerts = left
        for rule in self._of_events.get(kind, ()):
            raised = self._of_event(rule, event, subject, key)
            said.append(raised)
            # Without words that end it a person does; then nothing is kept of it here.
            if rule.resolved_by:
                group = group_name(rule, raised.group)
                subject.alerts += (Alert(rule.rule, str(raised.alert_id), group),)
        return said

    def ended(self) -> list[Event]:
        """The ends of alerts about waits that are over since the last call."""
        gone, self.tower.ended = self.tower.ended, []
        return [event for one in gone for event in self._wait_ended(one)]

    def _wait_ended(self, one: Ended) -> Iterator[Event]:
        by = one.by.envelope.event_id
        for alert in one.wait.alerts:
            yield from self._ended(alert, by, f"{one.by.type()} came", _at(one.by))

    def _ended(self, alert: Alert, by: UUID, why: str, at: datetime) -> list[Event]:
        """What is over now: this alert, unless it leads others; and the lead behind its last."""
        if not alert.group:
            return [self._over(alert.alert, by, why, at)]
        group = self.tower.group(alert.group)
        if alert.alert in group.open:
            group.open.remove(alert.alert)
        self.tower.note(group_key(alert.group))
        if alert.alert == group.lead and group.open:
            group.over = str(by)
            return []
        said = [self._over(alert.alert, by, why, at)]
        if not group.open:
            if group.over:
                said.append(self._over(group.lead, by, f"the last of its group: {why}", at))
            self.tower.note(group_key(alert.group), is_gone=True)
        return said

    def _over(self, alert: str, by: UUID | None, why: str, at: datetime) -> Event:
        fact = AlertResolved(alert_id=UUID(alert), manner=OVER, reason=why, resolving_event_id=by)
        return self._say(fact, at, by)

    def _of_event(self, rule: AlertRule, event: Event, subject: Subject, key: Key) -> AlertRaised:
        cause, at = event.envelope.event_id, _at(event)
        alert = derived_id(cause, "watchtower", rule.rule, event.key)
        return self._raise(
            rule, alert, at, subject.about, key, headline=f"{event.type()} of {event.key}",
            cause=cause, last_event_id=cause, last_type=event.type(), last_at=at,
        )  # fmt: skip

    # -- what follows from time

    def due(self, now: float) -> list[Event]:
        """What is late or missing now, and what fails too often."""
        return [*self._overdue(now), *self._too_often(now)]

    def _overdue(self, now: float) -> Iterator[Event]:
        limits: dict[tuple[str, str, str], float] = {}
        # What is said makes groups, which stand beside the subjects.
        for key, subject in list(self.tower.subjects()):
            for (stage, item), wait in list(subject.waits.items()):
                for rule in self._waiting.get(stage, ()):
                    limit = self._limit(rule, subject.about, limits)
                    known = any(one.rule == rule.rule for one in wait.alerts)
                    if known or now < wait.since + limit:
                        continue
                    raised = self._late(rule, key, subject, (stage, item), wait, limit)
                    group = group_name(rule, raised.group)
                    alert = Alert(rule.rule, str(raised.alert_id), group)
                    wait = wait._replace(alerts=(*wait.alerts, alert))  # noqa: PLW2901
                    subject.waits[stage, item] = wait
                    self.tower.note(key)
                    yield raised

    def _limit(
        self, rule: AlertRule, known: Mapping[str, str], limits: dict[tuple[str, str, str], float]
    ) -> float:
        """How long a wait may last: learned of its pipeline and assay, within floor and ceiling."""
        pipeline, assay = known.get("pipeline", ""), known.get("assay", "")
        name = (rule.rule, pipeline, assay)
        found = limits.get(name)
        if found is None:
            found = limits[name] = self._learned_limit(rule, pipeline, assay)
        return found

    def _learned_limit(self, rule: AlertRule, pipeline: str, assay: str) -> float:
        assert rule.stage is not None
        return limit_of(rule, self.tower.learned(rule.stage, pipeline, assay))

    def _late(
        self,
        rule: AlertRule,
        key: Key,
        subject: Subject,
        place: tuple[str, str],
        wait: Wait,
        limit: float,
    ) -> AlertRaised:
        name, item = place
        stage = STAGES[name]
        expected = " or ".join(kind.type() for kind in stage.ends)
        alert = derived_id(UUID(wait.cause), "watchtower", rule.rule, key.rest, name, item)
        due = moment(wait.since + limit)
        seen_id, seen_type, seen_at = subject.last
        return self._raise(
            rule, alert, due, subject.about, key, cause=UUID(wait.cause),
            headline=(
                f"{key.rest} waits {limit:,.0f} s for {expected}, which {stage.owed_by} owes"
                f"{f' ({item})' if item else ''}"
            ),
            figures=(AlertFigure(name="waited", value=limit, unit="s", limit=limit),),
            stage=name, item=in_a_line(item[:500]) or None, owed_by=stage.owed_by,
            expected_type=next(iter(stage.ends)).type(), expected_from=moment(wait.since),
            due_at=due, last_event_id=UUID(seen_id), last_type=seen_type, last_at=moment(seen_at),
        )  # fmt: skip

    def _too_often(self, now: float) -> Iterator[Event]:
        for rule in self.rules.rules:
            if rule.kind == "rate" and rule.stage in STAGES:
                for name, (tally, begins) in self._recent(rule, now).items():
                    yield from self._rate(rule, name, tally, begins)

    def _recent(self, rule: AlertRule, now: float) -> dict[str, tuple[Tally, int]]:
        """What was counted in the window and the one before it, by what the rule tells apart."""
        assert rule.window is not None
        assert rule.stage is not None
        size = SIZES[rule.window]
        last = pane_of(size, now)
        begins = (last - size.seconds, last)
        prefix = f"{rule.group_by}="
        names = [EVERYTHING]
        if size.has_dimensions and rule.group_by in ("pipeline", "instrument", "project", "assay"):
            names = sorted(
                {name for _, at, name, _ in self.tower.panes() if name.startswith(prefix)}
                | {group[len(rule.rule) + 1 :] for group in self._open_groups(rule)}
            )
        found = {}
        for name in names:
            pane = summed(self.tower.pane(size, [begin], name) for begin in begins)
            found[name] = (pane.get(rule.stage, Tally()), last)
        return found

    def _open_groups(self, rule: AlertRule) -> Iterator[str]:
        for key in self.tower.values:
            if key.kind == "group" and key.rest.startswith(f"{rule.rule} "):
                yield key.rest

    def _rate(self, rule: AlertRule, name: str, tally: Tally, begins: int) -> Iterator[Event]:
        assert rule.above is not None
        assert rule.at_least is not None
        bad = tally.failed if rule.figure == "failures" else tally.retried
        over = tally.ended + tally.failed + (tally.retried if rule.figure == "retries" else 0)
        share = bad / over if over else 0.0
        is_too_much = bad >= rule.at_least and share > rule.above
        about = dict([name.split("=", 1)]) if "=" in name else {}
        group = group_name(rule, _group(rule, about, None))
        known = self.tower.values.get(group_key(group))
        if is_too_much and known is None:
            alert = derived_id(GENOFLOW, "watchtower", rule.rule, name, str(begins))
            headline = f"{bad} of {over} in {rule.stage} are {rule.figure} ({name})"
            figures = (
                AlertFigure(name=rule.figure or "", value=bad, unit="count", limit=rule.at_least),
                AlertFigure(name="share", value=share, unit="share", limit=rule.above),
            )
            yield self._raise(
                rule, alert, moment(begins), about, None, headline=headline, figures=figures
            )
        elif known is not None and not is_too_much:
            assert isinstance(known, Group)
            why = f"{bad} of {over} in {rule.stage} are {rule.figure} ({name})"
            self.tower.note(group_key(group), is_gone=True)
            yield self._over(known.lead, None, why, moment(begins))

    # -- how it is said

    def _raise(
        self,
        rule: AlertRule,
        alert: UUID,
        at: datetime,
        known: Mapping[str, str],
        key: Key | None,
        *,
        headline: str,
        cause: UUID | None = None,
        figures: Sequence[AlertFigure] = (),
        **seen: object,
    ) -> AlertRaised:
        group = _group(rule, known, key)
        hours = self._quiet.get(rule.quiet) if rule.quiet else None
        fact = AlertRaised(
            alert_id=alert, rule=rule.rule, rules_version=self.rules.version,
            rules_document_id=self.rules.document_id, kind=rule.kind, severity=rule.severity,
            group=group, part_of=self._led_by(group_name(rule, group), alert),
            subject_topic=key.topic if key else None, subject_key=key.rest if key else None,
            headline=in_a_line(headline)[:500], figures=tuple(figures),
            tell_at=tell_at(hours, rule.severity, at),
            ladder=self._ladders.get(rule.ladder, ()) if rule.ladder else (), hint=rule.hint,
            **seen,
        )  # fmt: skip
        return self._say(fact, at, cause)

    def _led_by(self, name: str, alert: UUID) -> UUID | None:
        """The alert that leads the group, where another one does; this one is in it from now on."""
        if not name:
            return None
        group, told = self.tower.group(name), str(alert)
        if told not in group.open:
            group.open.append(told)
            group.lead = group.lead or told
            self.tower.note(group_key(name))
        return None if group.lead == told else UUID(group.lead)

    def _say(self, fact: E, at: datetime, cause: UUID | None) -> E:
        return begin(
            fact,
            occurred_at=at,
            actor=Actor(kind="service", id=self._producer.service),
            by=self._producer,
            causation_id=cause,
        )


def limit_of(rule: AlertRule, learned: Sketch) -> float:
    """How many seconds a wait may last by this rule, where its stage usually takes so long."""
    assert rule.quantile is not None
    assert rule.margin is not None
    assert rule.floor_seconds is not None
    assert rule.ceiling_seconds is not None
    assert rule.observations_min is not None
    usual = learned.quantile(rule.quantile)
    if usual is None or learned.count < rule.observations_min:
        return rule.ceiling_seconds
    return min(max(usual * rule.margin, rule.floor_seconds), rule.ceiling_seconds)


def _group(rule: AlertRule, known: Mapping[str, str], key: Key | None) -> str:
    if rule.group_by == "rule":
        return "rule"
    if rule.group_by == "subject":
        return in_a_line(f"subject={key.rest}") if key else "subject=none"
    if rule.group_by == "stage":
        return f"stage={rule.stage or 'none'}"
    return in_a_line(f"{rule.group_by}={known.get(rule.group_by, 'unknown')}")


def in_a_line(text: str) -> str:
    """The text as a line: a key of an object or the file of an instrument may hold any character.

    An alert that could not be said would end the tower, and the next one after it.
    """
    return printable(text, " ")


def group_name(rule: AlertRule, group: str) -> str:
    """Where a group of this rule is kept: rules share no group."""
    return f"{rule.rule} {group}"


def moment(seconds: float) -> datetime:
    """The time that a wish names, however far away."""
    return datetime.fromtimestamp(min(max(seconds, 0.0), FAR_FUTURE), UTC)


def _at(event: Event) -> datetime:
    return event.envelope.occurred_at
