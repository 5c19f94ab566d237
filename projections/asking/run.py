"""A run of a pipeline: how far it is, how it ended, and what its results wait for."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from genoflow.events.event import Event
from genoflow.events.results_amended import ResultsAmended
from genoflow.events.results_checked import ResultsChecked
from genoflow.events.results_collected import ResultsCollected
from genoflow.events.results_held import ResultsHeld
from genoflow.events.results_published import ResultsPublished
from genoflow.events.results_retracted import ResultsRetracted
from genoflow.events.run_cancelled import RunCancelled
from genoflow.events.run_cost_recorded import RunCostRecorded
from genoflow.events.run_exited import RunExited
from genoflow.events.run_failed import RunFailed
from genoflow.events.run_inputs_awaited import RunInputsAwaited
from genoflow.events.run_inputs_invalidated import RunInputsInvalidated
from genoflow.events.run_lost import RunLost
from genoflow.events.run_requested import RunRequested
from genoflow.events.run_retry_requested import RunRetryRequested
from genoflow.events.run_started import RunStarted
from genoflow.events.run_stuck import RunStuck
from genoflow.events.run_submitted import RunSubmitted
from genoflow.events.run_succeeded import RunSucceeded
from genoflow.events.run_superseded import RunSuperseded
from genoflow.events.stored_version import name_of
from genoflow.events.task_completed import TaskCompleted
from genoflow.events.task_failed import TaskFailed
from genoflow.events.task_news import TaskNews
from genoflow.events.task_started import TaskStarted
from genoflow.events.task_submitted import TaskSubmitted
from genoflow.projections.asking.run_news import Beside, awaited
from genoflow.projections.asking.subject import A_WORKER, Answer, Subject, Uses, fold
from genoflow.projections.run_failures import failure_facts, in_words
from genoflow.projections.run_ranks import RANKS
from genoflow.projections.run_stages import RANK, Stages, from_archives
from genoflow.projections.words import listed


@dataclass(slots=True)
class Run(Subject):
    """What is known of a run."""

    requested: RunRequested | None = None
    stages: Stages = field(default_factory=Stages)  # how far it is, as its rows are told
    stage: Event | None = None  # the fact that says so
    job_id: str | None = None
    started: RunStarted | None = None  # of the newest attempt that began to work
    failures: list[RunFailed] = field(default_factory=list)  # of every attempt
    tasks: dict[str, TaskNews] = field(default_factory=dict)  # the newest news of each
    collected: ResultsCollected | None = None
    checked: ResultsChecked | ResultsHeld | None = None
    published: ResultsPublished | None = None
    amended: ResultsAmended | None = None  # the newest: what it says replaces what others said
    superseded: RunSuperseded | None = None
    retracted: ResultsRetracted | None = None
    invalid: list[RunInputsInvalidated] = field(default_factory=list)
    beside: Beside = field(default_factory=Beside)

    @property
    def attempt(self) -> int:
        """Which submission it is about."""
        return self.stages.attempt

    @property
    def counts(self) -> bool:
        """Whether its results are an answer now."""
        return self.published is not None and not self.superseded and not self.retracted

    @property
    def is_over(self) -> bool:
        """Whether it has no results that count, and will have none."""
        if isinstance(self.stage, RunFailed):
            return not self.stage.will_retry
        return isinstance(self.stage, RunCancelled | RunSuperseded | ResultsRetracted)

    @property
    def case_id(self) -> str | None:
        """The case that it is for, where that is known."""
        for fact in (self.requested, self.stage, *self.invalid):
            if fact is not None and (case := getattr(fact, "case_id", None)):
                return str(case)
        return None

    @property
    def at(self) -> datetime | None:
        """Since when it is where it is."""
        return self.stages.since or self.first_at


def _stage(run: Run, event: Event) -> None:
    run.beside.hear(event)
    if isinstance(event, RunFailed):
        run.failures.append(event)
    if not run.stages.hear(event):
        return  # news of a submission that was given up
    run.job_id = getattr(event, "job_id", None) or run.job_id
    if run.stages.kind is type(event):
        run.stage = event
    if isinstance(event, RunRequested):
        run.requested = event
    elif isinstance(event, RunStarted):
        run.started = event
    elif isinstance(event, ResultsCollected):
        run.collected = event
    elif isinstance(event, ResultsChecked | ResultsHeld):
        run.checked = event
    elif isinstance(event, ResultsPublished):
        run.published = run.published or event
    elif isinstance(event, ResultsAmended):
        run.amended = event
    elif isinstance(event, RunSuperseded):
        run.superseded = run.superseded or event
    elif isinstance(event, ResultsRetracted):
        run.retracted = event


def _task(run: Run, event: TaskNews) -> None:
    run.beside.hear(event)
    before = run.tasks.get(event.task_id)
    done = isinstance(before, TaskCompleted)
    if event.attempt >= run.attempt and not (done and isinstance(event, TaskStarted)):
        run.tasks[event.task_id] = event


def _invalid(run: Run, event: RunInputsInvalidated) -> None:
    run.invalid.append(event)


def _beside(run: Run, event: RunStuck | RunCostRecorded) -> None:
    is_under_way = isinstance(run.stage, RunSubmitted | RunStarted)
    if isinstance(event, RunCostRecorded) or (is_under_way and event.attempt == run.attempt):
        run.beside.hear(event)


USES: Uses = {
    **dict.fromkeys(RANK, _stage),
    **dict.fromkeys((TaskSubmitted, TaskStarted, TaskCompleted, TaskFailed), _task),
    RunInputsInvalidated: _invalid,
    **dict.fromkeys((RunStuck, RunCostRecorded), _beside),
    **dict.fromkeys(RANKS, lambda run, event: run.beside.hear(event)),
}


def run_of(key: str, events: Iterable[Event]) -> Run:
    """What these events tell of the run."""
    return fold(Run(key), events, USES)


# -- why


def why(run: Run) -> list[Answer]:
    """What it waits for, or how it ended; and which of its reads do not count any more."""
    return [*_way(run), *run.beside.why(), *(_of_void_reads(one) for one in run.invalid)]


def of_later(run: Run, others: Iterable[Run]) -> list[Answer]:
    """That the results of a run will not count for long: `others` were asked for after it."""
    later = next((one for one in others if not one.is_over), None)
    if run.is_over or later is None:
        return []
    says = (
        f"will not count any more once a later run of its case is published: {later.key} is "
        f"{word(later)}"
    )
    return [Answer(says, later.at, f"ask `genoflow run why {later.key}`", is_waiting=False)]


def _of_void_reads(one: RunInputsInvalidated) -> Answer:
    return Answer(
        f"took reads of {one.sample_id} that do not count any more: read set {one.read_set_id}, "
        f"{one.reason_code} ({one.reason.rstrip('.')})",
        one.envelope.occurred_at, f"use nothing of it; ask `genoflow case why {one.case_id}`",
        is_waiting=False,
    )  # fmt: skip


def _way(run: Run) -> list[Answer]:
    stage = run.stage
    if stage is None or RANK[type(stage)] <= RANK[RunLost]:
        return _on_its_way(run)
    if isinstance(stage, RunFailed):
        return [_failed(run, stage)]
    if isinstance(stage, RunCancelled | RunSuperseded | ResultsRetracted):
        return [_gone(run, stage)]
    if isinstance(stage, ResultsHeld):
        return _held(run, stage)
    if isinstance(stage, ResultsPublished | ResultsAmended):
        return _published(run, stage)
    says = {
        RunSucceeded: "succeeded, and waits for its results to be collected",
        ResultsCollected: "waits for the check of its results",
        ResultsChecked: "is checked, and waits to be published",
    }[type(stage)]
    return [Answer(says, run.at, A_WORKER)]


def _on_its_way(run: Run) -> list[Answer]:
    stage = run.stage
    job = run.job_id or "unknown"
    if isinstance(stage, RunSubmitted):
        queue = f" in queue {stage.queue}" if stage.queue else ""
        says = (
            f"waits for {stage.launcher} to start job {job}{queue}, attempt {run.attempt}{_of(run)}"
        )
        return [Answer(says, run.at, f"see what {stage.launcher} says of that job")]
    if isinstance(stage, RunStarted):
        return _running(run, stage)
    if isinstance(stage, RunExited):
        how = f"by {stage.signal}" if stage.signal else f"with exit code {stage.exit_code}"
        says = f"ended {how}, and waits for the verdict from its output manifest"
        return [Answer(says, run.at, A_WORKER)]
    if isinstance(stage, RunLost):
        says = f"was lost by {stage.launcher}, job {job}: {stage.reason.rstrip('.')}"
        return [Answer(says, run.at, "it is submitted again or given up, by itself")]
    if isinstance(stage, RunInputsAwaited):
        says = (
            f"waits for {from_archives(stage)}: a restore of each is asked for, and they are "
            f"looked at again by {stage.expected_by:%Y-%m-%d %H:%M} UTC"
        )
        return [Answer(says, run.at, "it is submitted by itself once they are restored")]
    launcher = f" to {run.requested.launcher}" if run.requested else ""
    if isinstance(stage, RunRetryRequested):
        launcher += f" once more, as {stage.envelope.actor.id} asked ({stage.reason.rstrip('.')})"
    return [Answer(f"waits to be submitted{launcher}", run.at, A_WORKER)]


def _running(run: Run, stage: RunStarted) -> list[Answer]:
    done = sum(isinstance(one, TaskCompleted) for one in run.tasks.values())
    busy = sorted(
        one.task_name for one in run.tasks.values() if isinstance(one, TaskStarted | TaskSubmitted)
    )
    at_work = f"; at work: {listed(busy)}" if busy else ""
    resumed = ", going on from what was done" if stage.resumed else ""
    says = (
        f"is running on {stage.engine}, attempt {run.attempt}{_of(run)}{resumed}: {done} tasks "
        f"are done{at_work}"
    )
    failed = [
        Answer(
            f"had a task fail: {one.task_name} ({one.reason.rstrip('.')})",
            one.envelope.occurred_at,
            "the engine tries it again" if one.will_retry else "the run fails by it",
        )
        for one in run.tasks.values()
        if isinstance(one, TaskFailed)
    ]
    return [Answer(says, run.at), *failed]


def _failed(run: Run, stage: RunFailed) -> Answer:
    where = f" in {stage.failed_process}" if stage.failed_process else ""
    missing = (
        f"; not in the manifest: {listed(stage.missing_outputs)}" if stage.missing_outputs else ""
    )
    if stage.reason_code == "inputs disagree":
        says = f"was refused before it was submitted ({stage.reason.rstrip('.')})"
    else:
        says = (
            f"failed in attempt {stage.attempt}{_of(run)}{where}, {stage.reason_code} "
            f"({stage.reason.rstrip('.')}{missing})"
        )
    says += in_words(stage)
    way = (
        "another attempt follows by itself" if stage.will_retry
        else f"`genoflow run explain {run.key}` has its last lines; mend the cause, then `genoflow "
        f"run retry {run.key}` goes on from there, and `genoflow run again {run.key}` begins anew"
    )  # fmt: skip
    return Answer(says, run.at, way)


def _held(run: Run, stage: ResultsHeld) -> list[Answer]:
    """Each reason, and after the last one how a person lets the results go."""
    says = [f"holds its results back: {reason.rstrip('.')}" for reason in stage.reasons]
    way = f"`genoflow results release {run.key} --role ROLE --reason TEXT` where they are right"
    return [
        *(Answer(one, run.at) for one in says[:-1]),
        Answer(says[-1], run.at, f"a person decides: {way}; else mend it and run it again"),
    ]


def _published(run: Run, stage: ResultsPublished | ResultsAmended) -> list[Answer]:
    kinds = listed(dict.fromkeys(one.kind for one in stage.files))
    way = f"`genoflow results show {run.key}` lists them"
    how = "published" if isinstance(stage, ResultsPublished) else "published, as amended"
    count = f"{len(stage.files):,} file{'' if len(stage.files) == 1 else 's'}"
    found = [Answer(f"is {how}: {count} ({kinds})", run.at, way, is_waiting=False)]
    release = run.published
    if release is not None and release.held_event_id is not None:
        person, reason = release.envelope.actor.id, (release.reason or "").rstrip(".")
        says = f"was held, and {person} released its results as {release.role}: {reason}"
        found.append(Answer(says, release.envelope.occurred_at, is_waiting=False))
    if isinstance(stage, ResultsAmended):
        whats = (f"{o.what} of {o.sample_id}" if o.sample_id else o.what for o in stage.changes)
        says = (
            f"takes the place of run {stage.amends_run_id}, {stage.reason_code} "
            f"({stage.reason.rstrip('.')}): different are {listed(whats)}"
        )
        found.append(Answer(says, run.at, is_waiting=False))
    return found


def _of(run: Run) -> str:
    if run.requested is None or run.attempt > run.requested.attempts_max:
        return ""  # a person asked for one more
    return f" of {run.requested.attempts_max}"


def _gone(run: Run, stage: RunCancelled | RunSuperseded | ResultsRetracted) -> Answer:
    reason = stage.reason.rstrip(".")
    if isinstance(stage, RunSuperseded):
        later = stage.superseded_by_run_id
        says = f"does not count any more, {stage.reason_code} ({reason})"
        return Answer(says, run.at, f"ask `genoflow run why {later}`", is_waiting=False)
    if isinstance(stage, ResultsRetracted):
        actor = stage.envelope.actor
        who = f" by {actor.id} as {stage.role}" if stage.role else ""
        says = f"had its results retracted{who}, {stage.reason_code} ({reason})"
        return Answer(says, run.at, "use nothing that it published", is_waiting=False)
    actor = stage.envelope.actor
    who = f" by {actor.id}" if actor.kind == "person" else ""
    way = f"`genoflow run again {run.key}` where it is wanted after all"
    return Answer(f"was cancelled{who} ({reason})", run.at, way, is_waiting=False)


def word(run: Run) -> str:
    """Its state in a word."""
    return run.stages.word


def facts(run: Run) -> dict[str, Any]:
    """All that matters of it, for `show`."""
    asked = run.requested
    found: dict[str, Any] = {
        "run": run.key, "state": word(run), "case": run.case_id, "attempt": run.attempt,
        "job": run.job_id, "last": run.last_type, "last_at": run.last_at,
    }  # fmt: skip
    if asked is not None:
        found |= {
            "case_revision": asked.case_revision, "members": [m.sample_id for m in asked.members],
            "pipeline": f"{asked.pipeline} {asked.pipeline_version}",
            "reference": f"{asked.reference} {asked.reference_version}",
            "launcher": asked.launcher, "attempts_max": asked.attempts_max,
            "priority": run.beside.priority or asked.priority, "due_at": asked.due_at,
        }  # fmt: skip
        if asked.findings:
            found["findings"] = [one.model_dump() for one in asked.findings]
    if isinstance(run.stage, RunInputsAwaited):
        found |= awaited(run.stage, run.at)
    found["tasks"] = [
        {"task": one.task_name, "state": type(one).__name__.removeprefix("Task").lower()}
        for one in run.tasks.values()
    ]
    if run.started is not None:
        found |= {
            "engine": f"{run.started.engine} {run.started.engine_version}",
            "session": run.started.session_id, "resumed": run.started.resumed,
        }  # fmt: skip
    found |= run.beside.costs()
    if run.failures:
        found["failed_attempts"] = [
            {"attempt": one.attempt, "because": one.reason_code, "retried": one.will_retry}
            for one in run.failures
        ]
    if isinstance(run.stage, RunCancelled):
        found |= {"reason": run.stage.reason, "cancelled_by": run.stage.envelope.actor.id}
    if isinstance(run.stage, RunFailed):
        found |= {"reason": run.stage.reason, "error_tail": run.stage.error_tail}
        found |= failure_facts(run.stage)
    results = run.amended or run.published or run.collected
    if results is not None:
        found["results"] = [
            {
                "kind": one.kind, "sample": one.sample_id, "size_bytes": one.size_bytes,
                "sha256": one.sha256, "file": name_of(one),
            }
            for one in results.files
        ]  # fmt: skip
    if run.invalid:
        found["void_reads"] = [
            {"sample": one.sample_id, "read_set": one.read_set_id, "reason": one.reason_code}
            for one in run.invalid
        ]
    if run.checked is not None:
        found["checks"] = [one.model_dump(exclude_none=True) for one in run.checked.measured]
    if isinstance(run.checked, ResultsHeld):
        found["held"] = [{"reason": one} for one in run.checked.reasons]
    if run.superseded is not None:
        found["superseded_by"] = str(run.superseded.superseded_by_run_id)
    return found
