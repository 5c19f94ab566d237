"""Rules of drift held against charts: an alert while a level is another one, and its end.

Charts go on whatever the rules are. An alert is made from its rule, its chart and the run that
raised the chart; so one that is found again is the same fact. The walk goes run by run, so that
whoever was away for weeks says the beginning and the end of what has passed meanwhile.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from uuid import UUID

from genoflow.events import topics
from genoflow.events.alert_figure import AlertFigure
from genoflow.events.alert_rule import AlertRule
from genoflow.events.alert_rules_published import AlertRulesPublished
from genoflow.events.envelope import Producer
from genoflow.events.event import Event
from genoflow.events.identity import derived_id
from genoflow.processors.watchtower.fold import Tower
from genoflow.processors.watchtower.judge import Judge, group_name, moment
from genoflow.processors.watchtower.kept import Alert, Key
from genoflow.processors.watchtower.quality import Due, Quality
from genoflow.processors.watchtower.quality_kept import KeptChart, Raised, Restart
from genoflow.processors.watchtower.runs import CUSUM, in_figures, in_words


class DriftJudge(Judge):
    """A judge that knows charts, too."""

    def __init__(self, tower: Tower, rules: AlertRulesPublished, producer: Producer) -> None:
        super().__init__(tower, rules, producer)
        self._drift = [one for one in rules.rules if one.kind == "drift" and one.chart == CUSUM]
        # What was over before somebody asked for it is no news.
        self.since = rules.envelope.occurred_at.timestamp() if rules.has_envelope else 0.0

    def drifted(self, kept: KeptChart) -> Iterator[Event]:
        """The alerts of this chart that are not said yet."""
        for way, raised in kept.raised.items():
            known = {rule for rule, _, _ in kept.alerts.get(way, ())}
            for rule in self._drift:
                is_asked = rule.metric == kept.name.metric and rule.rule not in known
                if is_asked and kept.chart.runs >= (rule.runs_min or 0):
                    yield self._drift_raised(rule, kept, way, raised)

    def _drift_raised(self, rule: AlertRule, kept: KeptChart, way: str, raised: Raised) -> Event:
        name, alarm = kept.name, raised.alarm
        alert = derived_id(name.chart_id, "watchtower", rule.rule, way, alarm.run)
        said = self._raise(
            rule, alert, moment(max(raised.moment, self.since)),
            {"instrument": name.instrument_id, "assay": name.assay},
            Key("run-quality", topics.SEQUENCING_RUN.name, 0, alarm.run),
            headline=in_words(alarm, name, raised.flow_cell), cause=UUID(raised.cause),
            figures=[
                AlertFigure(name=what, value=value, unit=unit, limit=limit)
                for what, value, unit, limit in in_figures(alarm, name, raised.lanes)
            ],
        )  # fmt: skip
        kept.alerts.setdefault(way, []).append(
            (rule.rule, str(alert), group_name(rule, said.group))
        )
        self.tower.quality.note(name)
        return said

    def drift_over(self, kept: KeptChart, by: UUID, why: str, at: float) -> Iterator[Event]:
        """The ends of this chart's alerts whose direction is raised no more."""
        for way in [way for way in kept.alerts if way not in kept.raised]:
            for alert in kept.alerts.pop(way):
                yield from self._ended(Alert(*alert), by, why, moment(at))
            self.tower.quality.note(kept.name)


def charted(quality: Quality, judges: Sequence[DriftJudge], now: float) -> list[Event]:
    """Chart the runs that are due, begin charts anew that people restarted; what is said of it."""
    said: list[Event] = []
    steps: list[Due | Restart] = [*quality.due(now), *quality.restarts()]
    for step in sorted(steps, key=_moment):
        said += _step(quality, judges, step, now)
    for kept in quality.charts():
        if kept.raised:
            said += [one for judge in judges for one in judge.drifted(kept)]
    return said


def _step(
    quality: Quality, judges: Sequence[DriftJudge], step: Due | Restart, now: float
) -> Iterator[Event]:
    asking = [judge for judge in judges if judge.since <= _moment(step)]
    name = step.group.name if isinstance(step, Due) else step.name
    assert name is not None
    before = quality.kept(name)
    if before is not None:  # a rule that came while it was raised
        yield from (one for judge in asking for one in judge.drifted(before))
    if isinstance(step, Due):
        kept, by = quality.take(step, now), UUID(step.cause)
        why = f"the level is back, with run {step.group.run}"
    else:
        kept, by, why = quality.begin_anew(step), UUID(step.by), "the chart was restarted"
    for judge in judges[:1]:
        yield from judge.drift_over(kept, by, why, _moment(step))
    yield from (one for judge in asking for one in judge.drifted(kept))


def _moment(step: Due | Restart) -> float:
    return step.moment if isinstance(step, Due) else step.when
