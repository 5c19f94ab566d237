"""Jobs at AWS Batch: they outlive the worker, and are looked up by a name made of their effect id.

SubmitJob takes no token of the caller, its answer may be lost, and ListJobs shows a job late. So
two jobs of one name may be submitted, and at most one of them does anything: the one that claims
the effect (job_notes.py). Where nothing is claimed and every job has ended, the launcher claims it
for nobody before it says so: then it is true for good.

Batch moves no job to another queue. So a job whose urgency changes is submitted a second time, and
the first one is ended when it cannot claim any more.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

from botocore.exceptions import BotoCoreError, ClientError

from genoflow.events.errors import Retry
from genoflow.processors.adapters.job_notes import NOBODY, JobNotes, Noted, Placed
from genoflow.processors.adapters.s3_errors import meaning
from genoflow.processors.job_moves import Moved
from genoflow.processors.job_news import JobNews
from genoflow.processors.ports import Clock, JobOrder, JobState, ObjectStore, Urgency

PREFIX = "gf-"
OVER = ("SUCCEEDED", "FAILED")
ON_HOST = ("STARTING", "RUNNING")
# Why a job that is RUNNABLE has no host, in the words of Batch.
NO_CAPACITY = re.compile(r"MISCONFIGURATION|CAPACITY|MAX_RESOURCE|SERVICE_ROLE", re.IGNORECASE)
REASON_CHARACTERS_MAX = 500
SETTLE_SECONDS = 20.0  # after a try of unknown end: longer than lists were seen to lag behind
LOOK_SECONDS = 2.0
# A job that was noted and that Batch does not describe is one that it does not show yet; later, one
# that it has forgotten, as it does a day to a week after the end.
FORGOTTEN_AFTER = timedelta(minutes=15)
CANCEL_SECONDS_MAX = 45.0  # Batch gives a container 30 s between its two signals
SECONDS_MIN = 60  # Batch takes no shorter time-out
LABEL_CHARACTERS_MAX = 256
NOT_IN_LABELS = re.compile(r"[^\w\s.:/=+@-]")
# Of 10 attempts, which is Batch's most: a host that went away is another's turn, all else is not.
RETRIES: Mapping[str, Any] = {
    "attempts": 10,
    "evaluateOnExit": [
        {"onStatusReason": "Host EC2*", "action": "RETRY"},
        {"onReason": "*", "action": "EXIT"},
    ],
}
InThread = Callable[..., Awaitable[Any]]


@dataclass(frozen=True, slots=True)
class Places:
    """Where jobs go, and what each of them is."""

    queues: Mapping[Urgency, str]
    definition: str
    bucket: str  # of the notes and of outcomes
    labels: Mapping[str, str] = field(default_factory=dict)  # of every job


class BatchLauncher:
    """The port over two boto3 clients: `once` repeats no request, and only submits."""

    def __init__(
        self,
        client: Any,
        once: Any,
        store: ObjectStore,
        clock: Clock,
        places: Places,
        *,
        in_thread: InThread = asyncio.to_thread,
    ) -> None:
        self._client = client
        self._once = once
        self._store = store
        self._clock = clock
        self._places = places
        self._in_thread = in_thread

    async def find(self, effect_id: UUID) -> JobState:
        """What became of the job that has claimed it; before that, of all jobs of its name."""
        notes = self._notes(effect_id)
        claim = await notes.claim()
        noted = [claim] if claim else await self._noted(notes)
        found = {} if claim else await self._named(effect_id)
        found |= await self._described(*noted)
        if any(one.job_id not in found and self._is_young(one) for one in noted):
            return JobState.RUNNING  # Batch does not show it yet
        if any(state not in OVER for state in found.values()):
            return JobState.RUNNING
        if not noted and not found:
            return JobState.UNKNOWN
        if claim is None and not await notes.claimed(NOBODY):
            return JobState.RUNNING  # one that no list shows has claimed it just now
        return JobState.ENDED

    async def launch(self, effect_id: UUID, order: JobOrder) -> None:
        """Submit it, unless a job of its name is known, was begun, or is wanted by nobody."""
        notes = self._notes(effect_id)
        if await notes.job() or await notes.claim() or await notes.is_cancelled():
            return
        is_first = await notes.keep_order(order)
        found = await self._named(effect_id)
        if not is_first and not found:
            found = await self._settled(lambda: self._named(effect_id))
        if found:
            await notes.keep_job(min(found, key=lambda job_id: found[job_id] in OVER))
            return
        await notes.keep_job(await self._submitted(effect_id, order))

    async def move(self, effect_id: UUID, order: JobOrder) -> Moved:
        """Submit it in the queue of this order, and end it elsewhere, unless it works already.

        1. Where its newest job is in that queue, or one has a host, nothing is submitted.
        2. Else another one is: said before in moving.<n>, so that a later try looks for it first.
        3. It is noted, and the claim is closed to the others; who was faster than that stays.
        4. Whoever cannot claim any more is ended.
        """
        notes, queue = self._notes(effect_id), self._places.queues[order.urgency]
        if await self.find(effect_id) is not JobState.RUNNING:
            return Moved.OVER
        moves = await notes.moves()
        if await notes.claim() is None and not (moves and moves[-1].queue == queue):
            number = len(moves) + 1
            if (found := await self._as_it_is(notes, moves, queue)) is not None:  # 1
                return found
            job_id = await self._another(notes, number, order)  # 2
            await notes.keep_move(number, job_id, queue)  # 3
            moves = await notes.moves()
        await notes.close_before(len(moves))
        claim = await notes.claim()
        stays = claim.job_id if claim else moves[-1].job_id
        is_wanted = stays != NOBODY and not await notes.is_cancelled()
        await self._end_others(notes, stays if is_wanted else NOBODY)  # 4
        if not is_wanted:
            return Moved.OVER
        is_there = (stays, queue) in {(one.job_id, one.queue) for one in moves}
        is_there = is_there or stays in await self._in_queue(effect_id, queue)
        return Moved.MOVED if is_there else Moved.BEGUN

    async def _as_it_is(self, notes: JobNotes, moves: Sequence[Placed], queue: str) -> Moved | None:
        """What there is to say of a job that need not be moved; None of one that is."""
        found = await self._named(notes.effect_id)
        if await notes.job() is None and found:  # its launch was killed before it noted it
            await notes.keep_job(min(found, key=lambda job_id: found[job_id] in OVER))
        noted = await self._noted(notes)
        found |= await self._described(*noted)
        here = await self._in_queue(notes.effect_id, queue)
        if not moves and any(one.job_id in here for one in noted):
            return Moved.MOVED
        may_claim = {moves[-1].job_id} if moves else found.keys()
        has_host = any(found.get(job_id) in ON_HOST for job_id in may_claim)
        return Moved.BEGUN if has_host and not await notes.is_moving(len(moves) + 1) else None

    async def _another(self, notes: JobNotes, number: int, order: JobOrder) -> str:
        """The job that is to take the place of those before: of an earlier try, or a new one."""
        queue = self._places.queues[order.urgency]
        known = {one.job_id for one in await self._noted(notes)}

        async def newer() -> dict[str, str]:
            found = await self._in_queue(notes.effect_id, queue)
            living = {one: state for one, state in found.items() if state not in OVER}
            return {one: state for one, state in living.items() if one not in known}

        is_first = await notes.begin_move(number, queue)
        found = {} if is_first else await newer() or await self._settled(newer)
        return min(found) if found else await self._submitted(notes.effect_id, order)

    async def _end_others(self, notes: JobNotes, stays: str) -> None:
        noted = await self._noted(notes)
        found = await self._named(notes.effect_id) | await self._described(*noted)
        unseen = {one.job_id for one in noted if one.job_id not in found and self._is_young(one)}
        living = {job_id for job_id, state in found.items() if state not in OVER}
        for job_id in sorted((living | unseen) - {stays}):
            await self._terminate(job_id, "its urgency has changed: another job has its place")

    async def cancel(self, effect_id: UUID) -> None:
        """End every job of its name; one that starts later finds that nobody wants it."""
        notes = self._notes(effect_id)
        await notes.cancel()  # before anybody is asked who runs: see job_notes.py
        known = await notes.claim(), *await self._noted(notes)
        told: set[str] = set()
        until = self._clock.now() + timedelta(seconds=CANCEL_SECONDS_MAX)
        while True:
            found = await self._named(effect_id) | await self._described(*known)
            living = [job_id for job_id, state in found.items() if state not in OVER]
            if not living:
                return
            for job_id in living:
                if job_id not in told:
                    await self._terminate(job_id, "nobody wants it any more")
                    told.add(job_id)
            if self._clock.now() >= until:
                raise Retry(
                    f"{_name(effect_id)}: {', '.join(living)} was told to end and has not ended "
                    f"within {CANCEL_SECONDS_MAX:g} s; ask again"
                )
            await asyncio.sleep(LOOK_SECONDS)

    async def says(self, effect_id: UUID) -> JobNews:
        """What Batch says of the job that has claimed it, else of the one that was noted."""
        notes = self._notes(effect_id)
        noted = await notes.claim() or next(iter(await self._noted(notes)), None)
        if noted is None or noted.job_id == NOBODY:
            return JobNews("host gone", "AWS Batch was never heard of to have its job")
        async with _asked(noted.job_id):
            answer = await self._in_thread(self._client.describe_jobs, jobs=[noted.job_id])
        return told_of(noted.job_id, answer["jobs"])

    async def end_orphans(self) -> int:
        """End jobs that nobody wants: cancelled ones, and those that another one has forestalled.

        They would go by themselves once a host runs them; ended now, no host is paid for it.
        """
        ended = 0
        for queue in self._queues:
            for name, job_id, state in await self._listed(queue, f"{PREFIX}*"):
                effect_id = _effect_of(name)
                if state in OVER or effect_id is None:
                    continue
                notes = self._notes(effect_id)
                claim = await notes.claim()
                is_anothers = claim is not None and claim.job_id != job_id
                if is_anothers or await notes.is_cancelled():
                    await self._terminate(job_id, "another job has its effect, or nobody wants it")
                    ended += 1
        return ended

    # -- what is known

    def _notes(self, effect_id: UUID) -> JobNotes:
        return JobNotes(self._store, self._places.bucket, effect_id)

    async def _noted(self, notes: JobNotes) -> list[Noted | Placed]:
        """The jobs of which notes tell, the newest first."""
        moves, job = await notes.moves(), await notes.job()
        return [*reversed(moves), *([job] if job else [])]

    def _is_young(self, noted: Noted | Placed) -> bool:
        is_nobodys = noted.job_id == NOBODY
        return not is_nobodys and self._clock.now() - noted.noted_at < FORGOTTEN_AFTER

    async def _settled(self, look: Callable[[], Awaitable[dict[str, str]]]) -> dict[str, str]:
        """The jobs of a list, once it shows one or has had its time to."""
        until = self._clock.now() + timedelta(seconds=SETTLE_SECONDS)
        while self._clock.now() < until:
            await asyncio.sleep(LOOK_SECONDS)
            if found := await look():
                return found
        return {}

    # -- Batch

    @property
    def _queues(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(self._places.queues.values()))

    async def _named(self, effect_id: UUID) -> dict[str, str]:
        """The jobs of the name with their states, in whichever queue they are."""
        name = _name(effect_id)
        found = [await self._listed(queue, name) for queue in self._queues]
        return {job_id: state for rows in found for _, job_id, state in rows}

    async def _in_queue(self, effect_id: UUID, queue: str) -> dict[str, str]:
        rows = await self._listed(queue, _name(effect_id))
        return {job_id: state for _, job_id, state in rows}

    async def _listed(self, queue: str, name: str) -> list[tuple[str, str, str]]:
        found: list[tuple[str, str, str]] = []
        more: dict[str, str] = {}
        wanted = [{"name": "JOB_NAME", "values": [name]}]
        while True:
            async with _asked(queue):
                answer = await self._in_thread(
                    self._client.list_jobs, jobQueue=queue, filters=wanted, **more
                )
            found += [
                (one["jobName"], one["jobId"], one["status"]) for one in answer["jobSummaryList"]
            ]
            if not answer.get("nextToken"):
                return found
            more = {"nextToken": answer["nextToken"]}

    async def _described(self, *noted: Noted | Placed | None) -> dict[str, str]:
        wanted = sorted({one.job_id for one in noted if one and one.job_id != NOBODY})
        if not wanted:
            return {}
        async with _asked(", ".join(wanted)):
            answer = await self._in_thread(self._client.describe_jobs, jobs=wanted)
        return {one["jobId"]: one["status"] for one in answer["jobs"]}

    async def _submitted(self, effect_id: UUID, order: JobOrder) -> str:
        async with _asked(_name(effect_id)):
            answer = await self._in_thread(self._once.submit_job, **self._request(effect_id, order))
        return str(answer["jobId"])

    async def _terminate(self, job_id: str, reason: str) -> None:
        async with _asked(job_id):
            await self._in_thread(self._client.terminate_job, jobId=job_id, reason=reason)

    def _request(self, effect_id: UUID, order: JobOrder) -> dict[str, Any]:
        places = self._places
        labels = {**places.labels, **dict(order.labels), "genoflow:effect": str(effect_id)}
        return {
            "jobName": _name(effect_id),
            "jobQueue": places.queues[order.urgency],
            "jobDefinition": places.definition,
            "parameters": {"effect": str(effect_id), "bucket": places.bucket},
            "retryStrategy": RETRIES,
            "timeout": {"attemptDurationSeconds": max(order.seconds_max, SECONDS_MIN)},
            "tags": {name: _label(value) for name, value in labels.items()},
            "propagateTags": True,
        }


def told_of(job_id: str, found: Sequence[Mapping[str, Any]]) -> JobNews:
    """What a description of a job means to whoever waits for news of it."""
    if not found or found[0]["status"] in OVER:
        return JobNews("host gone", f"AWS Batch has no job {job_id} any more that runs")
    state, said = found[0]["status"], str(found[0].get("statusReason") or "").rstrip(".")
    because = f" ({said[:REASON_CHARACTERS_MAX]})" if said else ""
    if state in ON_HOST:
        return JobNews(
            "no news", f"AWS Batch has job {job_id} as {state}{because}, and it says nothing"
        )
    if NO_CAPACITY.search(said):
        return JobNews("no capacity", f"AWS Batch finds no host for job {job_id}{because}")
    return JobNews("waits for the queue", f"AWS Batch has job {job_id} as {state}{because}")


def _label(value: str) -> str:
    """What Batch takes as the value of a tag."""
    return NOT_IN_LABELS.sub("_", value)[:LABEL_CHARACTERS_MAX]


def _name(effect_id: UUID) -> str:
    return f"{PREFIX}{effect_id}"


def _effect_of(name: str) -> UUID | None:
    try:
        return UUID(name.removeprefix(PREFIX))
    except ValueError:
        return None  # somebody else's job


@asynccontextmanager
async def _asked(place: str) -> AsyncIterator[None]:
    try:
        yield
    except (BotoCoreError, ClientError) as error:
        raise meaning(error, f"AWS Batch, {place}") from error
