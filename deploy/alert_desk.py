"""What a person says of an alert, held against what the log says of it.

Two may say it at once: the ids of both facts are the same, so the one that the log took first
counts everywhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from genoflow.api.desks import Append, Decided
from genoflow.deploy.subject import LogSubjects
from genoflow.events import topics
from genoflow.events.alert_acknowledged import AlertAcknowledged
from genoflow.events.alert_raised import AlertRaised
from genoflow.events.alert_resolved import PERSON, AlertResolved
from genoflow.events.errors import Contradicted, NotThere
from genoflow.events.event import E, Event
from genoflow.events.log.port import EventLog
from genoflow.events.subjects import Subjects


async def acknowledged(
    subjects: Subjects, alert_id: UUID, decided: Decided
) -> tuple[AlertAcknowledged, bool]:
    """The acknowledgement, and whether it is new: the first one of an alert stands.

    NotThere where nobody raised it, Contradicted where it is over.
    """
    story = await _story(subjects, alert_id)
    if (before := _first(story, AlertAcknowledged)) is not None:
        return before, False
    if (over := _first(story, AlertResolved)) is not None:
        raise _is_over(alert_id, over)
    fact = AlertAcknowledged(alert_id=alert_id, role=decided.role, reason=decided.reason)
    return decided.says(fact), True


async def resolved(
    subjects: Subjects, alert_id: UUID, decided: Decided
) -> tuple[AlertResolved, bool]:
    """The end that a person states, and whether it is new.

    NotThere where nobody raised it, Contradicted where it is over already, in other words.
    """
    story = await _story(subjects, alert_id)
    said = decided.says(
        AlertResolved(alert_id=alert_id, manner=PERSON, role=decided.role, reason=decided.reason)
    )
    over = _first(story, AlertResolved)
    if over is None:
        return said, True
    # A first try of unknown outcome, said again by the same person in the same words.
    if over.payload() == said.payload() and over.envelope.actor == said.envelope.actor:
        return over, False
    raise _is_over(alert_id, over)


async def _story(subjects: Subjects, alert_id: UUID) -> list[Event]:
    key = str(alert_id)
    story = (await subjects.events_of(topics.ALERT, [key]))[key]
    if _first(story, AlertRaised) is None:
        raise NotThere(
            f"alert {key}: nobody raised it; `genoflow alerts list` shows those that are"
        )
    return story


def _first(story: Sequence[Event], kind: type[E]) -> E | None:
    return next((one for one in story if isinstance(one, kind)), None)


def _is_over(alert_id: UUID, over: AlertResolved) -> Contradicted:
    at = f"{over.envelope.occurred_at:%Y-%m-%d %H:%M} UTC"
    return Contradicted(
        f"alert {alert_id}: is resolved since {at} ({over.manner}: {over.reason}); "
        f"where it comes again, another alert is raised"
    )


class LogAlerts:
    """AlertDesk over the log."""

    def __init__(self, log: EventLog) -> None:
        self._subjects = LogSubjects(log)

    async def acknowledge(
        self, alert_id: UUID, decided: Decided, append: Append
    ) -> AlertAcknowledged:
        """Say that a person looks after it."""
        fact, is_new = await acknowledged(self._subjects, alert_id, decided)
        if is_new:
            await append(fact)
        return fact

    async def resolve(self, alert_id: UUID, decided: Decided, append: Append) -> AlertResolved:
        """Say that it is over."""
        fact, is_new = await resolved(self._subjects, alert_id, decided)
        if is_new:
            await append(fact)
        return fact
