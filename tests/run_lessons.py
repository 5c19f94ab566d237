"""What makes the histories of runs meet: few attempts, and few ends that come too early."""

from __future__ import annotations

import random
from typing import Any

from genoflow.events.case_closed import CaseClosed
from genoflow.events.case_ready import CaseReady
from genoflow.events.event import Event
from genoflow.events.run_cancelled import RunCancelled
from genoflow.events.run_exited import RunExited
from genoflow.events.run_failed import RunFailed
from genoflow.events.run_lost import RunLost
from genoflow.events.run_requested import RunRequested
from genoflow.processors.processor import Processor
from tests.examples import example

SELDOM = 0.1  # of what ends a story: else most histories are over before they have begun
# Whether a launch has ended when its run is cancelled depends on the worker's pace, and its outcome
# with it: too many of them, and two trials of one history may differ.
CANCELLED = 0.03
ATTEMPTS = (1, 1, 2)


def taught(row: Processor, event: Event, source: random.Random) -> Event:
    """The event as the histories of these rows have it."""
    seldom = CANCELLED if isinstance(event, RunCancelled) else SELDOM
    if isinstance(event, RunCancelled | CaseClosed) and source.random() > seldom:
        kind = RunRequested if isinstance(event, RunCancelled) else CaseReady
        event = example(kind, source.randrange(10**9))
    assert type(event) in (*row.on, *row.folds)
    return type(event)(**dict(event) | _narrowed(event, source)).enveloped(event.envelope)


def _narrowed(event: Event, source: random.Random) -> dict[str, Any]:
    if isinstance(event, RunRequested):
        return {"attempts_max": 3, "launcher": "local"}
    if isinstance(event, RunFailed):
        return {"attempt": source.choice(ATTEMPTS), "will_retry": source.random() > SELDOM}
    if isinstance(event, RunExited | RunLost):
        return {"attempt": source.choice(ATTEMPTS)}
    if isinstance(event, CaseReady):
        return {"revision": source.choice((1, 2, 3)), "supersedes_run_id": None}
    if isinstance(event, CaseClosed):
        return {"outcome": source.choice(("cancelled", "cancelled", "published"))}
    return {}
