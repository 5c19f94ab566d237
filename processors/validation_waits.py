"""How long a file whose validation failed is left alone, and when its wait is over."""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta

from genoflow.events.deadline_passed import DeadlinePassed
from genoflow.events.deadline_set import DeadlineSet
from genoflow.events.file_restored import FileRestored
from genoflow.events.stored_version import name_of
from genoflow.events.types import Part
from genoflow.events.validation_attempt_failed import ARCHIVED, ValidationAttemptFailed

# Each attempt tries for half a minute by itself. A failed one is repeated three times, after 60,
# 120 and 240 seconds; then the effect is parked, and a person requeues it.
RETRIES = 3
WAITS = tuple(timedelta(seconds=60 * 2**number) for number in range(RETRIES))
ATTEMPTS_MAX = RETRIES + 1


class Wait(Part):
    """A file whose attempts failed, and until when it is left alone; None when it is tried."""

    deadline: str
    attempt: int
    due_at: datetime | None
    until_restored: bool = False  # it lies in an archive, and no moment is known


Waits = tuple[Wait, ...]


def deadline_of(name: str) -> str:
    """A deadline's name has 100 characters, and a file's may have a thousand."""
    return hashlib.sha256(name.encode()).hexdigest()


def wait_of(waits: Waits, event: ValidationAttemptFailed) -> Wait | None:
    """The wait that this failure begins; None where it is known, or was the last."""
    name = deadline_of(name_of(event))
    before = _tries(waits, name)
    if event.attempt <= before or event.attempt > len(WAITS):
        return None
    if event.reason_code == ARCHIVED:
        return Wait(deadline=name, attempt=event.attempt, due_at=None, until_restored=True)
    due_at = event.envelope.occurred_at + WAITS[event.attempt - 1]
    return Wait(deadline=name, attempt=event.attempt, due_at=due_at)


def tries(waits: Waits, name: str) -> int:
    """How often the reading of this file has failed."""
    return _tries(waits, deadline_of(name))


def _tries(waits: Waits, deadline: str) -> int:
    return next((wait.attempt for wait in waits if wait.deadline == deadline), 0)


def ended(waits: Waits, processor: str, event: DeadlinePassed | FileRestored) -> Wait | None:
    """The wait that is over now; None where it is another's, or was over before."""
    if isinstance(event, FileRestored):
        name = deadline_of(name_of(event))
        archived = (wait for wait in waits if wait.until_restored)
        return next((wait for wait in archived if wait.deadline == name), None)
    if event.processor != processor:
        return None
    ours = (wait for wait in waits if wait.deadline == event.deadline)
    return next((wait for wait in ours if wait.due_at == event.due_at), None)


def deadline(
    processor: str, event: ValidationAttemptFailed, wait: Wait, due_at: datetime
) -> DeadlineSet:
    """Until when this file is left alone."""
    return DeadlineSet(
        subject_topic=event.topic,
        subject_key=event.key,
        processor=processor,
        deadline=wait.deadline,
        purpose=f"the next attempt to read {event.bucket}/{event.object_key}",
        due_at=due_at,
    )
