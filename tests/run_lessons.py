"""What makes the histories of runs meet: few attempts, and few ends that come too early."""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from genoflow.events.case_closed import CaseClosed
from genoflow.events.case_ready import CaseReady
from genoflow.events.event import Event
from genoflow.events.results_amended import ResultsAmended
from genoflow.events.results_checked import ResultsChecked
from genoflow.events.results_collected import ResultsCollected
from genoflow.events.results_held import ResultsHeld
from genoflow.events.results_release_proposed import ResultsReleaseProposed
from genoflow.events.results_release_refused import ResultsReleaseRefused
from genoflow.events.results_retracted import ResultsRetracted
from genoflow.events.results_retraction_proposed import ResultsRetractionProposed
from genoflow.events.results_retraction_refused import ResultsRetractionRefused
from genoflow.events.run_cancellation_refused import RunCancellationRefused
from genoflow.events.run_cancelled import RunCancelled
from genoflow.events.run_exited import RunExited
from genoflow.events.run_failed import RunFailed
from genoflow.events.run_lost import RunLost
from genoflow.events.run_requested import RunRequested
from genoflow.events.run_retry_proposed import RunRetryProposed
from genoflow.events.run_retry_refused import RunRetryRefused
from genoflow.events.run_retry_requested import RunRetryRequested
from genoflow.events.run_submitted import RunSubmitted
from genoflow.events.run_succeeded import RunSucceeded
from genoflow.events.run_superseded import RunSuperseded
from genoflow.events.task_started import TaskStarted
from genoflow.processors.processor import Processor
from genoflow.processors.watch_runs import ENDS
from tests.examples import example

SELDOM = 0.1  # of what ends a story: else most histories are over before they have begun
# Whether a launch has ended when its run is cancelled depends on the worker's pace, and its outcome
# with it: too many of them, and two trials of one history may differ.
CANCELLED = 0.03
ATTEMPTS = (1, 1, 2)
# Where a person settles what becomes of a run: what ends its story is seldom there by itself.
USUAL_OF_SETTLING: Mapping[type[Event], tuple[type[Event], ...]] = {
    RunCancelled: (RunRequested,),
    RunSuperseded: (RunRequested,),
    RunSucceeded: (RunFailed,),
    RunRetryRequested: (RunRetryProposed,),
    RunRetryRefused: (RunFailed,),
    RunSubmitted: (RunRequested,),
    RunCancellationRefused: (ResultsCollected,),
    ResultsReleaseRefused: (ResultsHeld,),
    ResultsRetractionRefused: (RunRetryProposed,),
    ResultsChecked: (ResultsReleaseProposed,),
    ResultsAmended: (ResultsHeld,),
    ResultsRetracted: (ResultsRetractionProposed,),
}


def taught(row: Processor, event: Event, source: random.Random) -> Event:
    """The event as the histories of these rows have it."""
    if row.name == "watch-runs":
        return _watched(event, source)
    seldom = CANCELLED if isinstance(event, RunCancelled) else SELDOM
    if isinstance(event, RunCancelled | CaseClosed) and source.random() > seldom:
        kind = RunRequested if isinstance(event, RunCancelled) else CaseReady
        event = example(kind, source.randrange(10**9))
    assert type(event) in (*row.on, *row.folds)
    fields = _narrowed(event, source)
    if row.name == "submit-run" and isinstance(event, RunRequested) and source.random() > SELDOM:
        fields["findings"] = ()  # a run that is refused waits for no archive
    return type(event)(**dict(event) | fields).enveloped(event.envelope)


def _watched(event: Event, source: random.Random) -> Event:
    """The event as the row has it that hears whether a run is silent: of few jobs, few ends."""
    if isinstance(event, ENDS) and source.random() > SELDOM:
        event = example(TaskStarted, source.randrange(10**9))
    fields: dict[str, Any] = {
        "attempt": source.choice(ATTEMPTS), "launcher": "local", "job_id": str(UUID(int=9)),
    }  # fmt: skip
    named = {name: value for name, value in fields.items() if name in type(event).model_fields}
    return type(event)(**dict(event) | named).enveloped(event.envelope)


def _narrowed(event: Event, source: random.Random) -> dict[str, Any]:
    if isinstance(event, RunRequested):
        return {"attempts_max": 3, "launcher": "local"}
    if isinstance(event, RunFailed):
        return {"attempt": source.choice(ATTEMPTS), "will_retry": source.random() > SELDOM}
    if isinstance(event, RunExited | RunLost):
        return {"attempt": source.choice(ATTEMPTS)}
    if isinstance(event, CaseReady):
        revision = source.choice((1, 2, 3))
        return {"revision": revision, "supersedes_run_id": None, "run_id": None}
    if isinstance(event, CaseClosed):
        return {"outcome": source.choice(("cancelled", "cancelled", "published"))}
    return {}


def failed(source: random.Random) -> dict[str, Any]:
    """A failure that is mostly final, so that somebody may ask for more."""
    return {"will_retry": source.random() < SELDOM}
