"""What a person decides about a run, held against what the log says of it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from genoflow.api.job_orders import PRIORITIES, case_of_job
from genoflow.deploy.people import said_by
from genoflow.events import topics
from genoflow.events.case_opened import CaseOpened
from genoflow.events.case_priority_changed import CasePriorityChanged
from genoflow.events.errors import Refused
from genoflow.events.event import Event
from genoflow.events.rerun_requested import RerunRequested
from genoflow.events.run_requested import RunRequested
from genoflow.events.run_retry_requested import RunRetryRequested
from genoflow.events.subjects import Subjects
from genoflow.processors import case_rules, run_rules
from genoflow.processors.running.changed import first
from genoflow.projections.asking.asked import runs_of
from genoflow.projections.asking.source import Scanning


async def cancelled(
    subjects: Subjects,
    key: str,
    *,
    reason: str,
    person: str | None,
    request_id: str | None,
    at: datetime,
) -> Event:
    """The end of a run that nobody wants; Refused where it is over."""
    key = key.lower()
    story = await _story(subjects, key)
    known = run_rules.run_of(story)
    ruled = run_rules.cancelled(known, key, reason=reason, request_id=request_id)
    return said_by(person, ruled.fact, at, first(RunRequested, story))


async def retried(
    subjects: Subjects,
    key: str,
    *,
    reason: str,
    person: str | None,
    request_id: str | None,
    at: datetime,
) -> RunRetryRequested:
    """The wish that a run goes on; Refused where it did not fail, or is not the newest."""
    key = key.lower()
    story = await _story(subjects, key)
    known = run_rules.run_of(story)
    ruled = run_rules.retried(known, key, reason=reason, request_id=request_id)
    await _refuse_older(subjects, key, ruled.fact.case_id)
    return said_by(person, ruled.fact, at, first(RunRequested, story))


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
    key = key.lower()
    story = await _story(subjects, key)
    known = run_rules.run_of(story)
    case_id = case_rules.can_be_had_again(known, key)
    facts = (await subjects.events_of(topics.CASE, [case_id]))[case_id]
    case_rules.refuse_closed(case_rules.case_of(facts), case_id)
    await _refuse_older(subjects, key, case_id)
    fact = case_rules.rerun(known, key, reason=reason, request_id=request_id)
    return said_by(person, fact, at, first(RunRequested, story))


async def ranked(
    subjects: Subjects,
    key: str,
    *,
    priority: str,
    reason: str,
    person: str | None,
    request_id: str | None,
    at: datetime,
) -> CasePriorityChanged:
    """Another priority of the case of a run; Refused where nothing is owed, or it has that one."""
    key = key.lower()
    asked = first(RunRequested, await _story(subjects, key))
    case_id = asked.case_id if asked else _case_of_job(key)
    facts = (await subjects.events_of(topics.CASE, [case_id]))[case_id]
    ruled = case_rules.ranked(
        case_rules.case_of(facts), case_id, PRIORITIES[priority], reason=reason,
        run_id=asked.run_id if asked else None, request_id=request_id,
    )  # fmt: skip
    return said_by(person, ruled.fact, at, asked or first(CaseOpened, facts))


def _case_of_job(key: str) -> str:
    """The case that a job is which has no run yet."""
    try:
        return case_of_job(UUID(key))
    except ValueError as error:
        raise Refused(
            f"run {key!r}: is the id of no run; `genoflow run list` shows them"
        ) from error


async def _refuse_older(subjects: Subjects, key: str, case_id: str) -> None:
    case_rules.refuse_older(key, (await runs_of(Scanning(subjects), case_id))[-1].key, case_id)


async def _story(subjects: Subjects, key: str) -> Sequence[Event]:
    return (await subjects.events_of(topics.RUN, [key]))[key]
