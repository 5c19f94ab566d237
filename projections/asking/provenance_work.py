"""How results were worked out: each submission of their run, and each task that ended."""

from __future__ import annotations

import re
from typing import Any

from genoflow.events.event import Event
from genoflow.events.run_exited import RunExited
from genoflow.events.run_failed import RunFailed
from genoflow.events.run_lost import RunLost
from genoflow.events.run_started import RunStarted
from genoflow.events.run_submitted import RunSubmitted
from genoflow.events.run_succeeded import RunSucceeded
from genoflow.events.task_completed import TaskCompleted
from genoflow.events.task_failed import TaskFailed
from genoflow.projections.asking import provenance_parts as parts
from genoflow.projections.asking.provenance_chain import Known

ENDS: dict[type[Event], str] = {RunSucceeded: "succeeded", RunFailed: "failed", RunLost: "lost"}
OF_AN_ATTEMPT: tuple[type[Event], ...] = (RunSubmitted, RunStarted, RunExited, *ENDS)
DIGEST = re.compile(r"sha256:[0-9a-f]{64}$")


def attempts_of(known: Known) -> list[parts.AttemptMade]:
    """Every submission, the first one first."""
    by_number: dict[int, dict[type[Event], Any]] = {}
    for record in known.story:
        said: Any = record.event
        if type(said) in OF_AN_ATTEMPT:
            by_number.setdefault(said.attempt, {})[type(said)] = said
    return [_attempt(number, by_number[number]) for number in sorted(by_number)]


def _attempt(number: int, said: dict[type[Event], Any]) -> parts.AttemptMade:
    started, exited = said.get(RunStarted), said.get(RunExited)
    job = next((one.job_id for one in said.values() if getattr(one, "job_id", None)), None)
    last = [kind for kind in (RunFailed, RunSucceeded, RunLost) if kind in said]
    return parts.AttemptMade(
        attempt=number, job_id=job,
        engine=started.engine if started else None,
        engine_version=started.engine_version if started else None,
        session_id=started.session_id if started else None,
        resumed=started.resumed if started else None,
        exit_code=exited.exit_code if exited else None,
        ended=ENDS[last[0]] if last else None,
        event_ids=[one.envelope.event_id for one in said.values()],
    )  # fmt: skip


def tasks_of(known: Known) -> list[parts.TaskDone]:
    """Every task that ended, in the order of the log."""
    ended = (record.event for record in known.story)
    return [_task(one) for one in ended if isinstance(one, TaskCompleted | TaskFailed)]


def _task(event: TaskCompleted | TaskFailed) -> parts.TaskDone:
    ended, container = "failed", None
    if isinstance(event, TaskCompleted):
        ended, container = "cached" if event.is_cached else "completed", event.container
    digest = DIGEST.search(container or "")
    return parts.TaskDone(
        attempt=event.attempt, task_id=event.task_id, task_attempt=event.task_attempt,
        process=event.process, name=event.task_name, sample_id=event.sample_id, ended=ended,
        exit_code=event.exit_code, container=container,
        container_digest=digest[0] if digest else None, event_id=event.envelope.event_id,
    )  # fmt: skip
