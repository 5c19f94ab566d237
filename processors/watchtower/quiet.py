"""When people may be told: hours in which alerts of some severities wait."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from genoflow.events.quiet_hours import QuietHours

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
NIGHTS_MAX = 8  # hours that follow each other end within a week, or never


def tell_at(hours: QuietHours | None, severity: str, now: datetime) -> datetime:
    """The first moment from now on that is not in these hours."""
    if hours is None or severity not in hours.severities:
        return now
    told = now
    for _ in range(NIGHTS_MAX):
        until = _until(hours, told)
        if until is None:
            break
        told = until
    return told


def _until(hours: QuietHours, moment: datetime) -> datetime | None:
    """When the hours that hold this moment end; None where none do."""
    zone = ZoneInfo(hours.zone)
    local = moment.astimezone(zone)
    begins, ends = time.fromisoformat(hours.from_time), time.fromisoformat(hours.until_time)
    for back in (0, 1):  # those that began today, and those that began yesterday
        day = local.date() - timedelta(days=back)
        if DAYS[day.weekday()] not in hours.days:
            continue
        first = datetime.combine(day, begins, zone)
        last = datetime.combine(day + timedelta(days=ends <= begins), ends, zone)
        if first <= local < last:
            return last.astimezone(moment.tzinfo)
    return None
