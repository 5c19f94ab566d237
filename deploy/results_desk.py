"""What a person decides about results: those held are released, those published are withdrawn."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import uuid5

from genoflow.deploy.people import said_by
from genoflow.events.errors import Refused
from genoflow.events.event import Event
from genoflow.events.results_checked import ResultsChecked
from genoflow.events.results_collected import ResultsCollected
from genoflow.events.results_held import ResultsHeld
from genoflow.events.results_published import ResultsPublished
from genoflow.events.results_retracted import ResultsRetracted
from genoflow.events.run_cancelled import RunCancelled
from genoflow.events.run_requested import RunRequested
from genoflow.events.run_superseded import RunSuperseded
from genoflow.processors.running.changed import first, withdrawn
from genoflow.processors.running.publication import answered, left, publication


def released(
    run_id: str,
    story: Sequence[Event],
    *,
    reason: str,
    role: str,
    person: str | None,
    request_id: str | None,
    at: datetime,
) -> ResultsPublished:
    """The results of a run that is held, published all the same; Refused where it is not held."""
    _refuse_gone(run_id, story)
    published = first(ResultsPublished, story)
    if published is not None:
        raise Refused(
            f"run {run_id}: its results are published already (since "
            f"{published.envelope.occurred_at:%Y-%m-%d %H:%M} UTC); `genoflow results show "
            f"{run_id}` lists them"
        )
    held = first(ResultsHeld, story)
    asked, collected = first(RunRequested, story), first(ResultsCollected, story)
    if held is None or asked is None or collected is None:
        raise _not_held(run_id, story)
    fact = publication(
        asked.run_id,
        answered(asked),
        left(collected),
        held_event_id=held.envelope.event_id,
        # Of the hold, so that the same command twice is one decision.
        request_id=request_id or str(uuid5(held.envelope.event_id, "release")),
        role=role,
        reason=reason,
    )
    return said_by(person, fact, at, held)


def taken_back(
    run_id: str,
    story: Sequence[Event],
    *,
    reason_code: str,
    reason: str,
    role: str,
    person: str | None,
    request_id: str | None,
    at: datetime,
) -> ResultsRetracted:
    """The end of published results, file by file; Refused where none of the run's are."""
    _refuse_gone(run_id, story)
    published = first(ResultsPublished, story)
    if published is None:
        raise Refused(
            f"run {run_id}: has published nothing that could be withdrawn; `genoflow run why "
            f"{run_id}` says how far it is"
        )
    fact = ResultsRetracted(
        run_id=published.run_id,
        case_id=published.case_id,
        reason_code=reason_code,
        reason=reason,
        changes=withdrawn(published.files),
        request_id=request_id or str(uuid5(published.envelope.event_id, "withdraw")),
        role=role,
    )
    return said_by(person, fact, at, published)


def _refuse_gone(run_id: str, story: Iterable[Event]) -> None:
    """Where the run does not count any more, nobody decides about its results."""
    known = list(story)
    if not known:
        raise Refused(
            f"run {run_id}: nothing on the log is about it; `genoflow run list` shows those that "
            f"there are"
        )
    retracted, later = first(ResultsRetracted, known), first(RunSuperseded, known)
    if retracted is not None:
        raise Refused(
            f"run {run_id}: its results were retracted already, {retracted.reason_code} "
            f"({retracted.reason.rstrip('.')}); `genoflow results show {run_id}` tells more"
        )
    if later is not None:
        raise Refused(
            f"run {run_id}: does not count any more, {later.reason_code}; decide about the run "
            f"that took its place: `genoflow results show {later.superseded_by_run_id}`"
        )
    if first(RunCancelled, known) is not None:
        raise Refused(f"run {run_id}: was cancelled; have its case run again")


def _not_held(run_id: str, story: Sequence[Event]) -> Refused:
    if first(ResultsChecked, story) is not None:
        return Refused(
            f"run {run_id}: passed its checks and is published by itself; `genoflow workers` "
            f"shows whether a worker runs"
        )
    return Refused(
        f"run {run_id}: is not held, no results of it were checked yet; `genoflow run why "
        f"{run_id}` says how far it is"
    )
