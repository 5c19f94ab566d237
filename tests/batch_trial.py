"""A run at AWS Batch in virtual time: the real rows, worker, launcher and job over the double.

Where the worker is ended a trial's endings say; where Spot takes a host, `taken_at` does: at that
step of each attempt in turn. What came of it is judged by what every run is promised.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from genoflow.events.event import Event
from genoflow.events.run_cancelled import RunCancelled
from genoflow.events.run_priority_requested import RunPriorityRequested
from genoflow.processors.adapters.batch_job import entered
from genoflow.processors.adapters.batch_launcher import BatchLauncher, Places
from genoflow.processors.adapters.job_notes import CANCELLED, JobNotes
from genoflow.processors.collect_results import COLLECT_RESULTS
from genoflow.processors.job_outcome import JobOutcome
from genoflow.processors.ports import Deployment, Ports, Urgency
from genoflow.processors.processor import Processor
from genoflow.processors.running.manifest import Submission
from genoflow.processors.submit_run import SUBMIT_RUN
from tests.batch_double import BatchDouble, Job
from tests.run_facts import RUN_ID, requested
from tests.simulation.loop import Process, SimulatedLoop
from tests.spec import heard
from tests.trial import OUTCOMES, Ending, Trial, Tried
from tests.whole.compute import leave_results

QUEUES = {one: f"genoflow-{one.value}" for one in Urgency}
DEFINITION = "genoflow-head"
TICK_SECONDS = 0.5
PROGRAM_SECONDS = 4.0
END_SECONDS = 1.0  # from SIGTERM to the end of a job


@dataclass(frozen=True, slots=True)
class Weather:
    """What goes wrong around the worker of one trial."""

    step_seconds: float = 1.0  # of a job in each state before RUNNING
    lag_seconds: float = 0.0  # of Batch's lists
    answer_seconds: float = 0.0  # of Batch, each
    program_seconds: float = PROGRAM_SECONDS
    fault: Callable[[str], None] = lambda _: None
    taken_at: Sequence[int] = ()  # the step of each attempt at which Spot takes its host
    cancelled_after: float | None = None
    # When somebody wants another priority, and which.
    wishes: Sequence[tuple[float, str]] = ()
    deliveries: int = 1  # of the request


@dataclass(slots=True)
class Played:
    """What came of one trial, and what of it breaks a promise."""

    tried: Tried
    programs: list[tuple[UUID, str, int]] = field(default_factory=list)
    unwanted: int = 0  # programs that began after their job was cancelled
    submitted: int = 0
    taken: int = 0
    hosts_ended: int = 0
    broken: list[str] = field(default_factory=list)


class _Host:
    """One attempt of a job, as a process of the loop."""

    def __init__(self, loop: SimulatedLoop, process: Process, over: Callable[[int], None]) -> None:
        self._loop = loop
        self._process = process
        self._over = over

    def end(self) -> None:
        self.kill()
        self._loop.spawn(self._loop.process("host"), self._leave())

    def kill(self) -> None:
        self._loop.kill(self._process)

    async def _leave(self) -> None:
        await asyncio.sleep(END_SECONDS)
        self._over(143)


class BatchTrial(Trial):
    """One request for a run, until all is at rest."""

    def __init__(self, weather: Weather = Weather(), endings: Sequence[Ending] = ()) -> None:
        self._weather = weather
        asked = heard(requested(launcher="awsbatch"))
        super().__init__(SUBMIT_RUN, [asked] * weather.deliveries, endings)
        loop = self._loop
        self.double = BatchDouble(
            loop.time, self._start, [*QUEUES.values()], weather.step_seconds, weather.lag_seconds,
            weather.fault,
        )  # fmt: skip
        self.double.definitions[DEFINITION] = ("head", "Ref::effect")
        self._played = Played(self._tried)
        self._working: Counter[UUID] = Counter()

    def rows(self, row: Processor) -> tuple[Processor, ...]:
        return row, COLLECT_RESULTS

    def ports(self) -> Ports:
        return Ports(
            self._clock, self._store, self.launcher(), None, OUTCOMES,
            deployment=Deployment(launcher="awsbatch"),
        )  # fmt: skip

    def launcher(self) -> BatchLauncher:
        """The real one; each request is two steps of the loop, and no thread."""
        places = Places(QUEUES, DEFINITION, OUTCOMES)
        return BatchLauncher(
            self.double, self.double, self._store, self._clock, places, in_thread=self._stepped
        )

    async def _stepped(self, call: Callable[..., Any], **given: Any) -> Any:
        await asyncio.sleep(self._weather.answer_seconds / 2)
        answer = call(**given)
        await asyncio.sleep(self._weather.answer_seconds / 2)
        return answer

    def play(self) -> Played:
        """Run it to rest, and judge it."""
        self.run()
        played = self._played
        played.submitted = self.double.asked.count("submit_job")
        wishes = len(self._weather.wishes)
        played.broken += _broken(played, self.double, wishes, is_wanted=self._is_wanted)
        return played

    @property
    def _is_wanted(self) -> bool:
        return self._weather.cancelled_after is None

    async def _whole(self) -> None:
        ticking = asyncio.ensure_future(self._tick())
        cancelling = asyncio.ensure_future(self._cancel(self._weather.cancelled_after))
        self._wishing = asyncio.ensure_future(self._wish(self._weather.wishes))
        await super()._whole()
        await cancelling
        # What nobody wants any more is looked for every ten minutes, beside the work.
        await asyncio.sleep(self._weather.lag_seconds)
        self._played.hosts_ended = await self.launcher().end_orphans()
        await asyncio.sleep(2 * END_SECONDS + TICK_SECONDS)
        ticking.cancel()

    def _unrest(self, *, timers: bool) -> str:
        is_over = self._wishing.done()
        return super()._unrest(timers=timers) if is_over else "somebody will want something else"

    async def _tick(self) -> None:
        while True:
            self.double.tick()
            await asyncio.sleep(TICK_SECONDS)

    async def _cancel(self, after_seconds: float | None) -> None:
        if after_seconds is None:
            return
        await asyncio.sleep(after_seconds)
        fact = RunCancelled(run_id=RUN_ID, case_id="C1", request_id="r", reason="not wanted")
        said: Event = heard(fact)
        await self._log.append_atomically([said])

    async def _wish(self, wishes: Sequence[tuple[float, str]]) -> None:
        for number, (after_seconds, priority) in enumerate(wishes):
            await asyncio.sleep(after_seconds)
            reason = f"wish {number}"
            fact = RunPriorityRequested(
                run_id=RUN_ID, case_id="C1", priority=priority, reason=reason
            )
            said: Event = heard(fact)
            await self._log.append_atomically([said])

    def _start(self, job: Job, over: Callable[[int], None]) -> _Host:
        process = self._loop.process(f"{job.job_id}.{job.attempt}")
        taken_at = [*self._weather.taken_at]
        if self._played.taken < len(taken_at):
            process.fuse = taken_at[self._played.taken]
            process.burnt = lambda: self._take(job)
        number = job.attempt
        self._loop.spawn(process, self._head(job, number, over))
        return _Host(self._loop, process, over)

    def _take(self, job: Job) -> None:
        self._played.taken += 1
        self.double.reclaim(job)

    async def _head(self, job: Job, number: int, over: Callable[[int], None]) -> None:
        notes = JobNotes(self._store, OUTCOMES, UUID(job.command[1]))
        order = await entered(notes, job.job_id)
        if not isinstance(order, str):
            self._played.programs.append((notes.effect_id, job.job_id, number))
            self._played.unwanted += self._was_cancelled(notes)
            await asyncio.sleep(self._weather.program_seconds)
            leave_results(self._store, Submission.model_validate_json(order.document))
            await asyncio.sleep(0)
            await notes.leave(JobOutcome(exit_code=0).to_bytes())
        await asyncio.sleep(0)
        over(0)

    def _was_cancelled(self, notes: JobNotes) -> bool:
        kept = self._store.versions.get((OUTCOMES, f"effects/{notes.effect_id}/{CANCELLED}"))
        return kept is not None and kept[0].head.last_modified_at < self._clock.now()


def _broken(played: Played, double: BatchDouble, wishes: int, *, is_wanted: bool) -> list[str]:
    said = Counter(str(fact["type"]) for fact in played.tried.facts)
    answers = said.pop("RunPriorityChanged", 0) + said.pop("RunPriorityKept", 0)
    jobs = {job_id for _, job_id, _ in played.programs}
    found = [f"parked: {error}" for error in played.tried.parked]
    if len(jobs) > 1:
        found.append(f"the program ran in {len(jobs)} jobs")
    if living := double.living():
        found.append(f"left running: {[job.state for job in living]}")
    if played.unwanted:
        found.append("a program began after its job was cancelled")
    # Of several that wait for the job to be submitted, the newest is answered.
    if not min(wishes, 1) <= answers <= wishes:
        found.append(f"{wishes} wishes for another priority had {answers} answers")
    if is_wanted:
        wanted = {"RunSubmitted": 1, "RunExited": 1, "ResultsCollected": 1, "RunSucceeded": 1}
        if dict(said) != wanted:
            found.append(f"the log says {dict(said)}")
        if not jobs:
            found.append("no program ran")
    elif said["RunSubmitted"] > 1 or said["RunExited"] > 1 or said["RunLost"]:
        found.append(f"of a cancelled run the log says {dict(said)}")
    return found
