"""A run as it moves: followed on the log, and shown as one screen or as lines."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Iterable, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from genoflow.api.job_orders import case_of_job
from genoflow.deploy.event_lines import event_of
from genoflow.deploy.subject import LogSubjects
from genoflow.events import topics
from genoflow.events.case_closed import CaseClosed
from genoflow.events.case_opened import CaseOpened
from genoflow.events.case_proposed import CaseProposed
from genoflow.events.case_refused import CaseRefused
from genoflow.events.errors import NotThere
from genoflow.events.log.partitioner import partition_of
from genoflow.events.log.port import EventLog
from genoflow.events.log.recorded import Recorded
from genoflow.events.run_failed import RunFailed
from genoflow.projections.run_tasks import TaskKey, TaskRow
from genoflow.projections.runs import RunRow, Runs, RunState
from genoflow.projections.words import listed

LOOK_SECONDS = 0.5  # between two looks at the clock, where nothing happens
BAR_CHARACTERS = 30
NAME_CHARACTERS_MAX = 40
USUAL = "routine"  # the priority of which nobody need be told
SUCCEEDED = ("succeeded", "collected", "checked", "held", "published", "amended")
OVER = (*SUCCEEDED, "cancelled", "superseded", "retracted")
EXIT_SUCCEEDED, EXIT_FAILED = 0, 1


@dataclass(frozen=True, slots=True)
class Seen:
    """A run at one moment."""

    run: RunRow
    tasks: Mapping[TaskKey, TaskRow]
    exit_code: int | None = None  # of its newest attempt, where that has failed

    @property
    def is_over(self) -> bool:
        """Whether nothing more is to come of its tasks."""
        return self.run.state in OVER or (self.run.state == "failed" and not self.run.waits_for)

    @property
    def code(self) -> int:
        """With what whoever waited for it ends: 0 where it succeeded, else as it failed."""
        if self.run.state in SUCCEEDED:
            return EXIT_SUCCEEDED
        return self.exit_code or EXIT_FAILED

    @property
    def of_attempt(self) -> list[TaskRow]:
        """The tries of tasks of the newest attempt, in the order in which they began."""
        mine = [one for one in self.tasks.values() if one.attempt == self.run.attempt]
        return sorted(mine, key=lambda one: (one.submitted_at or one.since, one.name))


@dataclass(slots=True)
class _Following:
    """What is known so far."""

    key: str
    model: Runs = field(default_factory=Runs)
    state: RunState = field(default_factory=RunState)
    seen: set[UUID] = field(default_factory=set)
    exit_code: int | None = None

    def hear(self, records: Iterable[Recorded]) -> bool:
        """Take these in; whether one of them was about the run."""
        is_news = False
        for record in records:
            event = event_of(record) if record.key == self.key else None
            if event is None or event.envelope.event_id in self.seen:
                continue
            self.seen.add(event.envelope.event_id)
            list(self.model.project(self.state, record))
            if isinstance(event, RunFailed):
                self.exit_code = event.exit_code
            is_news = True
        return is_news

    @property
    def now(self) -> Seen | None:
        if self.state.row is None:
            return None
        return Seen(self.state.row, dict(self.state.tasks), self.exit_code)


async def followed(
    log: EventLog, key: str, waits: Callable[[str], object] = lambda _: None
) -> AsyncGenerator[tuple[Seen, bool], None]:
    """The run as of now, then again with each change and twice a second; whether it changed.

    Ends when the run is over. `waits` is told of a job whose case has no run yet. NotThere where
    nothing is known of either.
    """
    name = topics.RUN.name
    place = (name, partition_of(key.encode(), await log.partitions(name)))
    start, stop = (await log.starts(name))[place], (await log.ends(name))[place]
    known = _Following(key)
    async with aclosing(log.read({place: start}, {place: stop})) as records:
        async for record in records:
            known.hear([record])
    if known.now is None:
        waits(await _case_without_run(log, key))
    else:
        yield known.now, True
        if known.now.is_over:
            return
    async with await log.reader({place: stop}) as reader:
        while True:
            is_news = known.hear(await reader.poll(timeout_seconds=LOOK_SECONDS))
            if known.now is None:
                continue
            yield known.now, is_news
            if known.now.is_over:
                return


async def _case_without_run(log: EventLog, key: str) -> str:
    """The case of a job that is to have this run; NotThere where nobody has asked for it."""
    try:
        case_id = case_of_job(UUID(key))
    except ValueError:
        case_id = key
    story = (await LogSubjects(log).events_of(topics.CASE, [case_id]))[case_id]
    is_asked = any(isinstance(one, CaseOpened | CaseProposed) for one in story)
    if not is_asked or any(isinstance(one, CaseClosed | CaseRefused) for one in story):
        raise NotThere(
            f"run {key!r}: nothing on the log is about it; `genoflow run list` shows those that "
            f"there are"
        )
    return case_id


# -- as one screen


def screen(seen: Seen, at: datetime, width: int, height: int, usual: int | None) -> list[str]:
    """The run as it fills a terminal: what it is, how far, and its tasks, the newest last."""
    run = seen.run
    since = run.started_at or run.submitted_at or run.requested_at or run.first_at
    until = run.ended_at if seen.is_over and run.ended_at else at
    what = f"{run.pipeline} {run.pipeline_version}" if run.pipeline else "a pipeline"
    urgency = "" if run.priority in {None, USUAL} else f" · {run.priority}"
    step = f" · {run.current_step}" if run.current_step else ""
    head = [
        f"run {run.run_id} · case {run.case_id or 'unknown'} · {what}{urgency}",
        f"{run.state}{_waits(run)}{_attempt(run)} · {spent((until - since).total_seconds())}",
        f"{_bar(run, usual)}{step}",
        "",
    ]
    rows = [_task_line(one, at) for one in seen.of_attempt]
    room = max(1, height - len(head) - 2)
    if len(rows) > room:
        rows = [f"({len(rows) - room:,} earlier ones are not shown)", *rows[-room:]]
    return [line[:width] for line in [*head, *rows]]


def _waits(run: RunRow) -> str:
    return f", waits for {run.waits_for}" if run.waits_for else ""


def _attempt(run: RunRow) -> str:
    return f" · attempt {run.attempt}" if run.attempt > 1 else ""


def _bar(run: RunRow, usual: int | None) -> str:
    """`[####----] 2 of 4 tasks, 50 %`; without a bar where nobody knows how many there will be."""
    total = run.tasks_expected or usual
    done = run.tasks_completed
    if not total:
        return f"{done} tasks are done, {run.tasks_at_work} at work"
    total = max(total, run.tasks_submitted)
    full = BAR_CHARACTERS * done // total
    bar = "#" * full + "-" * (BAR_CHARACTERS - full)
    return f"[{bar}] {done} of {total} tasks, {100 * done // total} %"


def _task_line(task: TaskRow, at: datetime) -> str:
    name = task.name if len(task.name) <= NAME_CHARACTERS_MAX else f"{task.name[:39]}…"
    return f"{name:<{NAME_CHARACTERS_MAX}}  {_word(task):<10} {_took(task, at):>10}{_note(task)}"


def _word(task: TaskRow) -> str:
    return "cached" if task.is_cached else {"started": "at work"}.get(task.state, task.state)


def _took(task: TaskRow, at: datetime) -> str:
    if task.is_cached:
        return ""
    if task.state == "started" and task.started_at is not None:
        return spent((at - task.started_at).total_seconds())
    return spent(task.work_seconds) if task.work_seconds is not None else ""


def _note(task: TaskRow) -> str:
    if task.state != "failed":
        return ""
    how = f"exit code {task.exit_code}" if task.exit_code is not None else task.signal or "no end"
    return f"  {how}{', tried again' if task.will_retry else ''}"


def spent(seconds: float) -> str:
    """A length of time as people read it: 4 s, 2 min 05 s, 1 h 02 min."""
    whole = max(0, int(seconds))
    if whole < 60:
        return f"{whole} s"
    if whole < 3_600:
        return f"{whole // 60} min {whole % 60:02} s"
    return f"{whole // 3_600} h {whole % 3_600 // 60:02} min"


# -- as lines


@dataclass(slots=True)
class Lines:
    """What has changed since the last look, a line each: for what is no terminal."""

    stage: tuple[object, ...] = ()
    urgency: tuple[str | None, str | None] | None = None
    tasks: dict[TaskKey, str] = field(default_factory=dict)

    def of(self, seen: Seen) -> list[str]:
        """The lines that these news make."""
        found = []
        stage = (seen.run.state, seen.run.waits_for, seen.run.attempt)
        if stage != self.stage:
            self.stage = stage
            run = seen.run
            found.append(f"run {run.run_id}: {run.state}{_waits(run)}{_attempt(run)}")
        urgency = (seen.run.priority, seen.run.priority_kept)
        if self.urgency not in {None, urgency}:
            kept = f", {seen.run.priority_kept}" if seen.run.priority_kept else ""
            found.append(f"run {seen.run.run_id}: priority {seen.run.priority}{kept}")
        self.urgency = urgency
        for task in seen.of_attempt:
            word = _word(task)
            if self.tasks.get(task.try_key) != word:
                self.tasks[task.try_key] = word
                found.append(f"task {task.name}: {word}{_note(task)}")
        return found


def last_line(seen: Seen) -> str:
    """How it ended."""
    run = seen.run
    cached = sum(one.is_cached for one in seen.of_attempt)
    from_before = f", {cached} of them by an earlier attempt" if cached else ""
    done = f"{run.tasks_completed} tasks are done{from_before}"
    failed = [one.name for one in seen.of_attempt if one.state == "failed"]
    what = f"; failed: {listed(failed)}" if failed else ""
    reason = f" ({run.reason.rstrip('.')})" if run.reason else ""
    return f"run {run.run_id}: {run.state}{reason}: {done}{what}"
