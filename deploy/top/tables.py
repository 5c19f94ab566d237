"""What is shown as tables of words: the screen and the plain text print the same cells."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypeVar

from genoflow.deploy.top.shown import (
    AlertShown,
    BudgetShown,
    Part,
    ProcessorShown,
    Shown,
    StageShown,
    StuckShown,
    WorkerShown,
)
from genoflow.deploy.top.words import about_alert, short, since, why

T = TypeVar("T")

BAD, WARN, FAINT = "red", "yellow", "dim"
FAR_BEYOND = 2.0  # limits: from here on it is shown as what is bad


class Column(NamedTuple):
    """One column: its title, and whether it holds numbers."""

    title: str
    is_number: bool = False


class Line(NamedTuple):
    """One row: its key, its cells, a sentence that says more, and how it looks."""

    key: str
    cells: tuple[str, ...]
    part: Part
    more: str = ""
    style: str = ""


@dataclass(frozen=True, slots=True)
class Section:
    """One table under a title."""

    name: str
    title: str
    columns: tuple[Column, ...]
    lines: tuple[Line, ...]
    nothing: str  # said where it has no line
    left_out: str = ""  # what has no line of its own
    more_title: str = ""  # of the sentence, where it stands in a column


def sections(shown: Shown) -> tuple[Section, ...]:
    """Every table, in the order in which they are shown."""
    return (
        _stages(shown.stages), _stuck(shown), _alerts(shown), _budgets(shown.budgets),
        _processors(shown), _workers(shown.workers),
    )  # fmt: skip


def _count(number: int) -> str:
    return f"{number:,}" if number else "-"


def _stages(stages: Sequence[StageShown]) -> Section:
    names = "waiting", "began", "ended", "failed", "retried", "/min", "p50", "p95", "oldest"
    lines = tuple(
        Line(
            one.stage,
            (
                one.stage, _count(one.waiting), _count(one.began), _count(one.ended),
                _count(one.failed), _count(one.retried),
                f"{one.per_minute:,.1f}" if one.per_minute else "-",
                short(one.p50_seconds), short(one.p95_seconds), short(one.oldest_seconds),
            ),
            one,
            style=BAD if one.stuck else WARN if one.failed else "",
        )
        for one in stages
        if _has_news(one)
    )  # fmt: skip
    quiet = [one.stage for one in stages if not _has_news(one)]
    return Section(
        "stages",
        "stages: waiting now; the last hour; a minute; how long in 24 hours",
        (Column("stage"), *(Column(name, is_number=True) for name in names)),
        lines,
        "nothing waits, and nothing began or ended in the last hour",
        f"quiet: {', '.join(quiet)}" if lines and quiet else "",
    )


def _has_news(one: StageShown) -> bool:
    return bool(one.waiting or one.began or one.ended or one.failed or one.retried)


def _stuck(shown: Shown) -> Section:
    lines = tuple(
        Line(
            f"{one.topic} {one.subject} {one.stage} {one.item}",
            (
                one.subject, one.stage, since(one.since, shown.at), short(one.waited_seconds),
                short(one.limit_seconds), f"{one.beyond:,.1f}x",
            ),
            one,
            why(one),
            BAD if one.beyond >= FAR_BEYOND else WARN,
        )
        for one in shown.stuck
    )  # fmt: skip
    return Section(
        "stuck", "stuck: what waits for longer than its limit",
        (
            Column("subject"), Column("stage"), Column("since"), Column("waits", is_number=True),
            Column("limit", is_number=True), Column("beyond", is_number=True),
        ),
        lines, "nothing is stuck",
        _others(len(lines), shown.stuck_total), "why",
    )  # fmt: skip


def _others(count: int, total: int) -> str:
    return f"and {total - count:,} more" if total > count else ""


def _severity_style(one: AlertShown) -> str:
    if one.acknowledged_at is not None:
        return FAINT
    return {"critical": BAD, "warning": WARN}.get(one.severity, "")


def _alerts(shown: Shown) -> Section:
    lines = tuple(
        Line(
            str(one.alert_id),
            (one.severity, one.state, short(one.age_seconds), str(one.alert_id)),
            one,
            about_alert(one),
            _severity_style(one),
        )
        for one in shown.alerts
    )
    return Section(
        "alerts", "alerts that are not over",
        (Column("severity"), Column("state"), Column("age", is_number=True), Column("alert")),
        lines, "no alert", _others(len(lines), shown.alerts_total), "what",
    )  # fmt: skip


def _budgets(budgets: Sequence[BudgetShown]) -> Section:
    names = "spent", "budget", "burn", "2 days", "7 days", "month's end"
    lines = tuple(
        Line(
            one.project,
            (
                one.project, _usd(one.spent_usd), _usd(one.budget_usd),
                "-" if one.burn is None else f"{one.burn:,.1f}x",
                _usd(one.day_usd), _usd(one.week_usd), _usd(one.ahead_usd),
            ),
            one,
            "" if one.ends_at is None else f"its budget ends on {one.ends_at:%m-%d %H:%M}",
            "" if one.ends_at is None else BAD if _is_over(one) else WARN,
        )
        for one in budgets
    )  # fmt: skip
    return Section(
        "budgets", "budgets: this month in US dollars; above 1x they end before it does",
        (Column("project"), *(Column(name, is_number=True) for name in names)),
        lines, "nothing was charged this month, and no budget is set", more_title="when",
    )  # fmt: skip


def _is_over(one: BudgetShown) -> bool:
    return one.budget_usd is not None and one.spent_usd >= one.budget_usd


def _usd(sum_usd: float | None) -> str:
    return "-" if sum_usd is None else f"{sum_usd:,.2f}"


def _processors(shown: Shown) -> Section:
    busy = sorted(
        (one for one in shown.processors if _has_work(one)),
        key=lambda one: (-one.parked_keys - one.parked_effects, -one.lag, -one.open_effects),
    )
    names = "parts", "nobody", "lag", "per s", "open", "parked"
    lines = tuple(
        Line(
            one.processor,
            (
                one.processor, str(one.partitions), _count(one.unowned), _count(one.lag),
                "-" if one.per_second is None else f"{one.per_second:,.1f}",
                _count(one.open_effects), _count(one.parked_keys + one.parked_effects),
            ),
            one,
            style=_processor_style(one),
        )
        for one in busy
    )  # fmt: skip
    idle = len(shown.processors) - len(busy)
    unowned = sum(bool(one.unowned) for one in shown.processors if not _has_work(one))
    nobody = f"; nobody works on {unowned:,} of them" if unowned else ""
    said = tuple(
        Line(
            f"{one.topic}[{one.partition}]",
            (f"{one.topic}[{one.partition}]", "", "", _count(one.records), "", "", ""),
            one,
            "its end is lost: docs/reliability.md",
            style=BAD,
        )
        for one in shown.lost_ends
    )
    return Section(
        "processors", "processors with something to do",
        (Column("processor"), *(Column(name, is_number=True) for name in names)),
        (*said, *lines), "no processor has anything to do",
        f"others: {idle:,}, with nothing to do{nobody}" if idle else "", "what",
    )  # fmt: skip


def _has_work(one: ProcessorShown) -> bool:
    return bool(one.lag or one.open_effects or one.parked_keys or one.parked_effects)


def _processor_style(one: ProcessorShown) -> str:
    if one.unowned and one.lag:
        return BAD
    return WARN if one.parked_keys or one.parked_effects else ""


def _workers(workers: Sequence[WorkerShown]) -> Section:
    lines = tuple(
        Line(
            one.worker,
            (
                one.worker, one.version, short(one.up_seconds),
                f"silent {short(one.heard_seconds_ago)}" if one.is_silent else "works",
                str(one.processors), str(one.partitions), _count(one.effects_running),
            ),
            one,
            ", ".join(one.doing),
            BAD if one.is_silent else "",
        )
        for one in workers
    )  # fmt: skip
    return Section(
        "workers", "workers of the last minute",
        (
            Column("worker"), Column("version"), Column("up", is_number=True), Column("state"),
            Column("procs", is_number=True), Column("parts", is_number=True),
            Column("effects", is_number=True),
        ),
        lines, "no worker has said anything for a minute; `genoflow work` starts one",
        more_title="doing",
    )  # fmt: skip


# -- looking for something


def matching(shown: Shown, text: str) -> Shown:
    """The same with only what holds this text: a subject, a pipeline, a project, a stage, a rule.

    The totals stay those of everything.
    """
    wanted = text.strip().casefold()
    if not wanted:
        return shown
    kept: dict[str, object] = {
        "stages": _holding(shown.stages, wanted, lambda one: (one.stage,)),
        "stuck": _holding(shown.stuck, wanted, _said_of_stuck),
        "alerts": _holding(shown.alerts, wanted, _said_of_alert),
        "budgets": _holding(shown.budgets, wanted, lambda one: (one.project,)),
        "processors": _holding(shown.processors, wanted, lambda one: (one.processor,)),
        "workers": _holding(shown.workers, wanted, lambda one: (one.worker, *one.doing)),
    }
    return shown.model_copy(update=kept)


def _holding(rows: Iterable[T], wanted: str, said: Callable[[T], Iterable[str]]) -> tuple[T, ...]:
    return tuple(one for one in rows if any(wanted in word.casefold() for word in said(one)))


def _said_of_stuck(one: StuckShown) -> tuple[str, ...]:
    return (one.subject, one.item, one.stage, one.owed_by, one.rule or "", *one.about.values())


def _said_of_alert(one: AlertShown) -> tuple[str, ...]:
    return (
        one.subject_key or "", one.rule, one.alert_group, one.headline, str(one.alert_id),
        *one.about.values(),
    )  # fmt: skip
