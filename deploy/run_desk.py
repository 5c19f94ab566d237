"""What a person decides about a run, held against what the log says of it."""

from __future__ import annotations

from datetime import datetime
from uuid import uuid5

from genoflow.deploy.asking.asked import runs_of
from genoflow.deploy.asking.case import case_of
from genoflow.deploy.asking.run import Run, run_of, word
from genoflow.deploy.people import said_by
from genoflow.events import topics
from genoflow.events.errors import Refused
from genoflow.events.rerun_requested import RerunRequested
from genoflow.events.run_cancelled import RunCancelled
from genoflow.events.run_failed import RunFailed
from genoflow.events.run_requested import RunRequested
from genoflow.processors.subjects import Subjects

# A run in one of these states is over: there is nothing of it to end.
OVER = ("succeeded", "cancelled", "superseded", "collected", "checked", "held", "published",
        "amended", "retracted")  # fmt: skip
AGAIN = ("failed", "cancelled")


async def run_and_request(subjects: Subjects, key: str) -> tuple[Run, RunRequested]:
    """What is known of a run that was asked for; Refused where none was under this id."""
    key = key.lower()
    run = run_of(key, (await subjects.events_of(topics.RUN, [key]))[key])
    if run.requested is None:
        raise Refused(
            f"run {key!r}: was never asked for; `genoflow run list` shows those that were"
        )
    return run, run.requested


async def cancelled(
    subjects: Subjects,
    key: str,
    *,
    reason: str,
    person: str | None,
    request_id: str | None,
    at: datetime,
) -> RunCancelled:
    """The end of a run that nobody wants; Refused where it is over."""
    run, asked = await run_and_request(subjects, key)
    final = isinstance(run.stage, RunFailed) and not run.stage.will_retry
    if final or word(run) in OVER:
        raise Refused(
            f"run {run.key}: is {word(run)} already, and there is nothing to end; `genoflow run "
            f"why {run.key}` says what can be done"
        )
    fact = RunCancelled(
        run_id=asked.run_id,
        case_id=asked.case_id,
        attempt=run.attempt or None,
        # Of the request for the run, so that the same command twice is one decision.
        request_id=request_id or str(uuid5(asked.envelope.event_id, "cancel")),
        reason=reason,
    )
    return said_by(person, fact, at, asked)


async def again(
    subjects: Subjects,
    key: str,
    *,
    reason: str,
    person: str | None,
    request_id: str | None,
    at: datetime,
) -> RerunRequested:
    """The wish for a run once more; Refused where it did not fail, or is not the newest."""
    run, asked = await run_and_request(subjects, key)
    if word(run) not in AGAIN or (isinstance(run.stage, RunFailed) and run.stage.will_retry):
        raise Refused(
            f"run {run.key}: is {word(run)}, and only a run that failed or was cancelled is run "
            f"again; `genoflow run why {run.key}` says what it waits for"
        )
    case = case_of(
        asked.case_id, (await subjects.events_of(topics.CASE, [asked.case_id]))[asked.case_id]
    )
    if case.closed is not None:
        raise Refused(
            f"case {asked.case_id}: is closed, {case.closed.outcome}; open another case under an "
            f"id of its own where more is owed"
        )
    newest = (await runs_of(subjects, asked.case_id))[-1]
    if newest.key != run.key:
        raise Refused(
            f"run {run.key}: a later run of case {asked.case_id} has taken its place; ask about "
            f"`genoflow run why {newest.key}`"
        )
    fact = RerunRequested(
        case_id=asked.case_id,
        run_id=asked.run_id,
        request_id=request_id or str(uuid5(asked.envelope.event_id, "again")),
        reason=reason,
    )
    return said_by(person, fact, at, asked)
