"""What is shown in words: times, the header's lines, and what waits for whom."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta

from genoflow.deploy.top.shown import (
    SEVERITIES,
    AlertShown,
    Part,
    ProcessorShown,
    Shown,
    StuckShown,
)
from genoflow.events import topics

# By which command people ask about the subjects of a topic.
ASKED = {topics.SAMPLE.name: "sample", topics.CASE.name: "case", topics.RUN.name: "run"}
DAY = timedelta(days=1)
HOURS_SHORT_MAX = 36  # beyond it days are easier to read


def short(seconds: float | None) -> str:
    """A length of time in six characters at most: 0.4s, 42s, 12m, 3.4h, 5.1d."""
    if seconds is None:
        return "-"
    if seconds < 1:
        return f"{seconds:.1f}s"
    if seconds < 60:
        return f"{seconds:.0f}s"
    if seconds < 3_600:
        return f"{seconds / 60:.0f}m"
    hours = seconds / 3_600
    return f"{hours:.1f}h" if hours < HOURS_SHORT_MAX else f"{hours / 24:,.1f}d"


def moment(at: datetime | None) -> str:
    """A moment of UTC to the minute, without its year."""
    return "-" if at is None else f"{at:%m-%d %H:%M}"


def since(at: datetime, now: datetime) -> str:
    """The time of a moment of the last 24 hours, else its day, in five characters."""
    return f"{at:%H:%M}" if now - at < DAY else f"{at:%m-%d}"


def ago(at: datetime, now: datetime) -> str:
    """How long ago it was."""
    return short(max(0.0, (now - at).total_seconds()))


def tower_line(shown: Shown) -> str:
    """How far the tower's table can be believed, and what to do where it cannot."""
    tower, now = shown.tower, shown.at
    if tower.state == "empty" or tower.newest_at is None:
        return "the tower has counted nothing yet; is `genoflow tower` running?"
    through = f"{tower.newest_at:%m-%d %H:%M:%S}"
    if tower.ends_at is not None:
        late = ago(tower.ends_at, now)
        if tower.state == "stale":
            return f"the tower's table ends {late} ago; is `genoflow tower` running?"
        return f"the tower is {late} behind; it has counted through {through}"
    if tower.state == "silent":
        return "the tower says nothing of what is late; is `genoflow tower` running?"
    return f"the tower has counted everything, through {through} ({ago(tower.newest_at, now)} ago)"


def totals_line(shown: Shown) -> str:
    """What there is of each, in one line."""
    counted = Counter(one.severity for one in shown.alerts)
    kinds = ", ".join(f"{counted[name]:,} {name}" for name in SEVERITIES if counted[name])
    rate = "-" if shown.records_per_minute is None else f"{shown.records_per_minute:,.1f}"
    alerts = f"{shown.alerts_total:,} alerts{f' ({kinds})' if kinds else ''}"
    return f"{rate} records a minute, {shown.stuck_total:,} stuck, {alerts}"


def is_unwell(shown: Shown) -> bool:
    """Whether the tower's table is nothing to go by."""
    return shown.tower.state not in ("current", "behind")


def why(one: StuckShown) -> str:
    """What it waits for, who owes that, and what was seen last."""
    what = f" ({one.item})" if one.item else ""
    told = "" if one.alerts else "; no alert is open" if one.rule else "; no rule is about it"
    owing = f", which {one.owing}" if one.owing and not one.owing.startswith("nobody") else ""
    if one.owing and not owing:
        owing = f": {one.owing}"
    return (
        f"waits for {' or '.join(one.expected)}{what} of {one.owed_by}{owing}; "
        f"{one.last_type} was seen last, {moment(one.last_at)}{told}"
    )


def hint_of(part: Part) -> str:
    """The command that tells more of it."""
    if isinstance(part, AlertShown):
        return f"a takes it up; genoflow alerts resolve {part.alert_id} ends it"
    if isinstance(part, StuckShown):
        kind = ASKED.get(part.topic)
        if kind is not None:
            return f"genoflow {kind} why {part.subject} says more"
        return f"genoflow timeline {part.subject} says more"
    if isinstance(part, ProcessorShown) and part.parked_keys + part.parked_effects:
        return "genoflow parked list shows what waits for a person"
    return ""


def about_alert(one: AlertShown) -> str:
    """Rule and headline, how many it leads, and who took it up."""
    parts = f"; leads {one.parts:,} more" if one.parts else ""
    part = "; a part of another" if one.part_of else ""
    taken = f"; {one.acknowledged_by} looks after it" if one.acknowledged_by else ""
    return f"{one.rule}: {one.headline}{parts}{part}{taken}"
