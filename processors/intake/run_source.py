"""A run asked again: its launcher whether the job goes on, its folder what its tasks came to.

The facts are those that the job itself would have told, under the same ids. That a job has ended
submit-run says, by the outcome that the job left; where that is there and nobody has said so, it is
said here in the same words, as the same fact.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from uuid import UUID

from genoflow.events import topics
from genoflow.events.envelope import Actor, Producer
from genoflow.events.event import Event, begin
from genoflow.events.log.port import EventLog
from genoflow.events.run_exited import RunExited
from genoflow.events.run_lost import RunLost
from genoflow.events.run_requested import RunRequested
from genoflow.events.run_submitted import RunSubmitted
from genoflow.events.subjects import Subjects
from genoflow.events.task_completed import TaskCompleted
from genoflow.events.task_failed import TaskFailed
from genoflow.events.task_started import TaskStarted
from genoflow.processors import submit_run
from genoflow.processors.intake.looks import Found, Looks
from genoflow.processors.intake.task_news import TASK_NEWS, Row, task_facts, task_fields, time_of
from genoflow.processors.intake.weblog import told
from genoflow.processors.job_outcome import outcome_key
from genoflow.processors.ports import Clock, JobState, Launcher, ObjectStore
from genoflow.processors.running.manifest import Submission
from genoflow.processors.running.notes import Notes, read_notes
from genoflow.processors.running.prices import Prices
from genoflow.processors.sources import Answer, Question

SAYS = {
    JobState.RUNNING: "its job goes on",
    JobState.ENDED: "its job has ended",
    JobState.UNKNOWN: "its launcher knows no such job",
}

# Where a job may have worked: by the run, and by the id of the job.
Folders = Callable[[UUID, UUID], Sequence[Path]]


@dataclass(frozen=True, slots=True)
class Jobs:
    """Where runs of this deployment are done, and where they leave what."""

    launcher: Launcher
    name: str  # of the launcher, as runs have it
    store: ObjectStore
    outcome_bucket: str
    folders: Folders


class RunSource:
    """Asks the launcher of an attempt, and reads what its folder on this machine says."""

    def __init__(
        self, log: EventLog, subjects: Subjects, jobs: Jobs, looks: Looks, *, clock: Clock,
        by: Producer, prices: Prices | None = None,
    ) -> None:  # fmt: skip
        self._log = log
        self._subjects = subjects
        self._jobs = jobs
        self._looks = looks
        self._clock = clock
        self._by = by
        self._prices = prices

    async def ask(self, question: Question) -> Answer:
        """What the newest look at the attempt has told of it."""
        attempt = int(question.item.partition("/")[0] or 1)
        place = f"attempt {attempt} of run {question.key}"
        return await self._looks.answer(question, place, lambda: self._look(question.key, attempt))

    async def _look(self, key: str, attempt: int) -> Found:
        """Tell what the attempt came to, as far as it can be seen from here."""
        story = (await self._subjects.events_of(topics.RUN, [key]))[key]
        submission, submitted = submission_of(story, attempt)
        if submission is None or submitted is None:
            return Found(reason="nothing says that it was submitted")
        if submitted.launcher != self._jobs.name:
            return Found(reason=f"only a worker that has {submitted.launcher} can ask for it")
        state = await self._jobs.launcher.find(submission.job_id)
        notes = await asyncio.to_thread(self._notes, submission)
        known = {one.envelope.event_id for one in story}
        facts = self._facts(submission, notes, state is not JobState.RUNNING, known)
        if state is JobState.ENDED:
            facts += await self._end(submission, submitted, story)
        brought = await self._append(facts, known)
        trace = "its folder is not here" if notes is None else f"{len(notes.rows)} tasks have ended"
        return Found({key: brought}, f"{SAYS[state]}, and {trace}")

    def _notes(self, submission: Submission) -> Notes | None:
        for folder in self._jobs.folders(submission.requested.run_id, submission.job_id):
            notes = read_notes(folder, submission.job_id)
            if notes is not None:
                return notes
        return None

    def _facts(
        self, submission: Submission, notes: Notes | None, is_over: bool, known: set[UUID]
    ) -> list[Event]:
        if notes is None:
            return []
        found: list[Event] = []
        if notes.begun is not None:
            begun = notes.begun
            said = told(
                submission, begun.body.encode(), engine_version=begun.engine_version, by=self._by
            )
            found += [_at(one, begun.at) for one in said]
        ends = task_facts(submission, notes.rows, is_over=is_over, by=self._by, prices=self._prices)
        # That a task has begun is told before its end or not at all: behind it, whoever counts
        # what is under way would wait for another end, and the end says when it was begun.
        lacking = {_try(one) for one in ends if one.envelope.event_id not in known}
        starts = [_started(submission, row, self._by) for row in notes.rows]
        found += [one for one in starts if one is not None and _try(one) in lacking]
        return [*found, *ends]

    async def _end(
        self, submission: Submission, submitted: RunSubmitted, story: Sequence[Event]
    ) -> list[Event]:
        """That the job has ended, where it left how and nobody has said it."""
        ends = [one for one in story if isinstance(one, RunExited | RunLost)]
        if any(one.attempt == submission.attempt for one in ends):
            return []
        body = await self._jobs.store.get(self._jobs.outcome_bucket, outcome_key(submission.job_id))
        cause = submitted.envelope.causation_id
        opened = next((one for one in story if one.envelope.event_id == cause), None)
        if body is None or opened is None:
            return []
        # Its id is that of the fact which submit-run owes: derived from what opened the attempt.
        by = Producer(service=submit_run.NAME, version=self._by.version)
        return [
            opened.follow(
                fact, by=by, occurred_at=self._clock.now(), effect_id=submission.job_id,
                actor=Actor(kind="service", id=TASK_NEWS),
            )
            for fact in submit_run.collect(submission, body)
        ]  # fmt: skip

    async def _append(self, facts: Sequence[Event], known: set[UUID]) -> list[Event]:
        lacking = [one for one in facts if one.envelope.event_id not in known]
        for fact in lacking:
            await self._log.append_again(fact)
        return lacking


def submission_of(
    story: Sequence[Event], attempt: int
) -> tuple[Submission | None, RunSubmitted | None]:
    """The attempt as its job was told of it; none where nobody has submitted it."""
    asked = next((one for one in story if isinstance(one, RunRequested)), None)
    submitted = next(
        (one for one in story if isinstance(one, RunSubmitted) and one.attempt == attempt), None
    )
    if asked is None or submitted is None:
        return None, None
    try:
        job_id = UUID(submitted.job_id)
    except ValueError:
        return None, submitted
    requested = RunRequested(**dict(asked))
    return (
        Submission(
            requested=requested, attempt=attempt, job_id=job_id,
            caused_by=submitted.envelope.causation_id,
            correlation_id=submitted.envelope.correlation_id,
        ),
        submitted,
    )  # fmt: skip


def _started(submission: Submission, row: Row, by: Producer) -> TaskStarted | None:
    """That a task has begun, which its row says, too; one that was not done anew never did."""
    at = time_of(row, "start")
    if at is None or row["status"] == "CACHED":
        return None
    native_id = row.get("native_id", "")
    fact = TaskStarted(
        **task_fields(submission, row), native_id=native_id if native_id not in ("", "-") else None
    )
    return begin(
        fact, occurred_at=at, actor=Actor(kind="service", id=TASK_NEWS), by=by,
        correlation_id=submission.correlation_id, causation_id=submission.caused_by,
    )  # fmt: skip


def _try(fact: TaskStarted | TaskCompleted | TaskFailed) -> tuple[str, int]:
    return fact.task_id, fact.task_attempt


def _at(event: Event, at: datetime) -> Event:
    return event.enveloped(event.envelope.model_copy(update={"occurred_at": at}))
