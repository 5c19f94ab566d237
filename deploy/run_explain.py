"""What happened to a run, in sentences: why there is one, how it went, and what can be done."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from uuid import UUID

from genoflow.events import topics
from genoflow.events.case_member_ready import CaseMemberReady
from genoflow.events.case_ready import CaseReady
from genoflow.events.event import Event
from genoflow.events.rerun_requested import RerunRequested
from genoflow.events.run_failed import RunFailed
from genoflow.events.run_lost import RunLost
from genoflow.events.run_requested import RunRequested
from genoflow.events.run_retry_requested import RunRetryRequested
from genoflow.events.run_started import RunStarted
from genoflow.events.run_submitted import RunSubmitted
from genoflow.events.run_succeeded import RunSucceeded
from genoflow.events.task_failed import TaskFailed
from genoflow.processors.running.changed import first
from genoflow.projections.asking.asked import about_pipeline_run
from genoflow.projections.asking.source import Source
from genoflow.projections.asking.subject import moment
from genoflow.projections.run_ranks import RANKS, told_of
from genoflow.projections.words import listed

TAIL_LINES = 8  # of what failed: where the reason stands, and no more than fits beside the rest
CLASSES = {
    "data": "the data: its inputs are not what the pipeline can use",
    "pipeline": "the pipeline: its code or its parameters",
    "infrastructure": "the infrastructure: machines, network or storage, and not the case",
    "lab": "the laboratory: the material or its labels",
}


async def explained(source: Source, key: str) -> list[str]:
    """The sentences, in the order of what happened; NotThere where nothing is known of it."""
    key = key.lower()
    told = await about_pipeline_run(source, key)
    story = (await source.events_of(topics.RUN, [key]))[key]
    asked = first(RunRequested, story)
    said = [*(await _asked_for(source, asked) if asked else ())]
    said += [sentence for event in story for sentence in _step(event, story)]
    now = [f"Now: {one}" for one in told.sentences]
    return [*said, *now]


# -- why there is one


async def _asked_for(source: Source, asked: RunRequested) -> list[str]:
    case = (await source.events_of(topics.CASE, [asked.case_id]))[asked.case_id]
    by_id = {one.envelope.event_id: one for one in case}
    cause = _named(by_id, asked.envelope.causation_id)
    what = f"{asked.pipeline} {asked.pipeline_version} on {asked.reference}"
    samples = listed(one.sample_id for one in asked.members)
    found = [
        f"{moment(asked.envelope.occurred_at)}: it was asked for, for case {asked.case_id} "
        f"({samples}): {what}, priority {asked.priority}."
    ]
    if isinstance(cause, CaseReady):
        last = _named(by_id, cause.envelope.causation_id)
        whose = ""
        if isinstance(last, CaseMemberReady):
            whose = f", when the reads of {last.sample_id} had {last.verdict} in round {last.round}"
        found.append(f"Because the case was ready, revision {cause.revision}{whose}.")
    elif isinstance(cause, RerunRequested):
        found.append(
            f"Because {cause.envelope.actor.id} wanted run {cause.run_id} again: "
            f"{cause.reason.rstrip('.')}."
        )
    if asked.supersedes_run_id is not None:
        found.append(f"It is to take the place of run {asked.supersedes_run_id}.")
    return found


def _named(known: dict[UUID, Event], name: UUID | None) -> Event | None:
    return known.get(name) if name is not None else None


# -- how it went


def _step(event: Event, story: Sequence[Event]) -> Iterator[str]:
    at = moment(event.envelope.occurred_at)
    if isinstance(event, RunSubmitted):
        yield f"{at}: attempt {event.attempt} was given to {event.launcher}, job {event.job_id}."
    elif isinstance(event, RunStarted):
        how = "went on from what was done" if event.resumed else "began"
        yield f"{at}: it {how}, on {event.engine} {event.engine_version}."
    elif isinstance(event, RunLost):
        yield f"{at}: {event.launcher} lost its job: {event.reason.rstrip('.')}."
    elif isinstance(event, RunRetryRequested):
        who, why = event.envelope.actor.id, event.reason.rstrip(".")
        yield f"{at}: {who} asked that it goes on ({why}), as attempt {event.attempt}."
    elif isinstance(event, RANKS):
        yield f"{at}: it {told_of(event)}."
    elif isinstance(event, RunFailed):
        yield from _failure(event, story)
    elif isinstance(event, RunSucceeded):
        cached = f", {event.tasks_cached} of them earlier" if event.tasks_cached else ""
        yield f"{at}: it succeeded: {event.tasks_completed} tasks were done{cached}."


def _failure(event: RunFailed, story: Sequence[Event]) -> Iterator[str]:
    at, where = moment(event.envelope.occurred_at), ""
    if event.failed_process is not None:
        where = f" in the step {event.failed_process}"
    yield (
        f"{at}: attempt {event.attempt} failed{where}, {event.reason_code}: "
        f"{event.reason.rstrip('.')}."
    )
    # A failure that was classed says so; one of an earlier release does not.
    named = event.payload().get("failure_class")
    if named is not None:
        yield f"The cause lies with {CLASSES.get(str(named), str(named))}."
    tasks = [o for o in story if isinstance(o, TaskFailed) and o.attempt == event.attempt]
    if tasks:
        yield _task(tasks[-1])
    if event.missing_outputs:
        yield f"Not in its manifest: {listed(event.missing_outputs)}."
    tail = (tasks[-1].error_tail if tasks else "") or event.error_tail
    if lines := [line for line in tail.splitlines() if line.strip()][-TAIL_LINES:]:
        yield "\n".join(["The last that it wrote:", *(f"    {line.strip()}" for line in lines)])


def _task(task: TaskFailed) -> str:
    how = f"with exit code {task.exit_code}" if task.exit_code is not None else "without an end"
    how = f"by {task.signal}" if task.signal else how
    tries = f", try {task.task_attempt}" if task.task_attempt > 1 else ""
    return f"Its task {task.task_name} ended {how}{tries}: {task.reason.rstrip('.')}."
