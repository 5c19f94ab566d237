"""What a person decides about a run, held against what the log says of it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from genoflow.deploy.people import said_by
from genoflow.events import topics
from genoflow.events.event import Event
from genoflow.events.rerun_requested import RerunRequested
from genoflow.events.run_requested import RunRequested
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
    case_rules.refuse_older(key, (await runs_of(Scanning(subjects), case_id))[-1].key, case_id)
    fact = case_rules.rerun(known, key, reason=reason, request_id=request_id)
    return said_by(person, fact, at, first(RunRequested, story))


async def _story(subjects: Subjects, key: str) -> Sequence[Event]:
    return (await subjects.events_of(topics.RUN, [key]))[key]
