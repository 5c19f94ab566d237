"""What a person decides about a demultiplexing that failed, held against what the log says."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from genoflow.deploy.people import said_by
from genoflow.events.demultiplex_completed import DemultiplexCompleted
from genoflow.events.demultiplex_failed import DemultiplexFailed
from genoflow.events.demultiplex_reopened import DemultiplexReopened
from genoflow.events.demultiplex_requested import DemultiplexRequested
from genoflow.events.errors import Refused
from genoflow.events.event import Event

# By hand, that is: what fails ten times is not mended by another try of the same.
REOPENED_MAX = 10


def reopened(
    run_id: str, story: Iterable[Event], *, reason: str, person: str | None, at: datetime
) -> DemultiplexReopened:
    """The next try of the newest attempt, which failed; Refused where there is none to try."""
    events = list(story)
    if not events:
        raise Refused(
            f"{run_id}: nothing on the log is about this run; name it as its folder is named"
        )
    failed = _failed_last(run_id, events)
    before = sum(isinstance(event, DemultiplexReopened) for event in events)
    if before >= REOPENED_MAX:
        raise Refused(
            f"{run_id}: was tried again {before} times by hand, and {REOPENED_MAX} are the limit; "
            f"mend its sheet, which is an attempt of its own, or sequence its libraries again"
        )
    fact = DemultiplexReopened(
        instrument_run_id=run_id,
        attempt=failed.attempt,
        failed_event_id=failed.envelope.event_id,
        reason=reason,
    )
    return said_by(person, fact, at, failed)


def _failed_last(run_id: str, events: Iterable[Event]) -> DemultiplexFailed:
    last: Event | None = None
    newest = 0
    for event in events:
        if isinstance(event, ATTEMPTS) and event.attempt >= newest:
            last, newest = event, event.attempt
    if isinstance(last, DemultiplexFailed):
        return last
    if isinstance(last, DemultiplexCompleted):
        says = "was demultiplexed; mend its sheet where reads went astray, and it is read anew"
    elif last is None:
        says = f"was not demultiplexed yet; `genoflow run why {run_id}` says what it waits for"
    else:
        says = f"is being demultiplexed, attempt {newest}; wait for its end"
    raise Refused(f"{run_id}: {says}")


ATTEMPTS = (DemultiplexRequested, DemultiplexCompleted, DemultiplexFailed, DemultiplexReopened)
