"""A place where runs work, in a process of its own: it takes jobs, and posts their news.

    python -m benchmarks.scale_backend ADDRESS PREFIX SOCKET RUNS TASKS SECONDS

It stands for AWS Batch and the heads of all runs. Whoever asks it waits for a token, at the rates
of its API. News goes the way that a head's goes: payloads of weblog, made facts by the porch,
appended to the log. Every other run says by news that it has exited; the rest leave the outcome of
their job, as heads do today, and somebody has to look.
"""

from __future__ import annotations

import asyncio
import base64
import heapq
import json
import signal
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from benchmarks import scale_material as material
from genoflow.events.envelope import Actor
from genoflow.events.event import Event, begin
from genoflow.events.log.kafka import KafkaLog
from genoflow.events.run_exited import RunExited
from genoflow.processors.intake.weblog import told
from genoflow.processors.job_outcome import JobOutcome, outcome_key
from genoflow.processors.running.manifest import Submission
from genoflow.processors.running.names import attempt_prefix, manifest_key

SUBMITS_PER_SECOND = 200.0  # Batch's quota is 50; here all are to be at work within a minute
DESCRIBES_PER_SECOND = 10.0  # calls, of 100 jobs each: assumed, for Amazon states no number
JOBS_PER_DESCRIBE = 100
POST_SECONDS = 0.1  # how often heads post together
LINE_BYTES_MAX = 16 * 1024 * 1024


class Tokens:
    """So many calls a second; who comes too early waits for its turn."""

    def __init__(self, per_second: float) -> None:
        self.taken = 0
        self._pause = 1.0 / per_second
        self._next = 0.0

    async def take(self) -> None:
        """Return when the next call may be made."""
        self.taken += 1
        now = asyncio.get_running_loop().time()
        self._next = max(self._next, now) + self._pause
        await asyncio.sleep(self._next - self._pause - now)


@dataclass(slots=True)
class Job:
    """One submission."""

    number: int
    submission: Submission
    ended_at: float | None = None


@dataclass(slots=True)
class Place:
    """All jobs, their objects, and the news that is due."""

    log: KafkaLog
    numbers: dict[str, int]
    tasks: int
    seconds: float
    jobs: dict[str, Job] = field(default_factory=dict)
    objects: dict[str, bytes] = field(default_factory=dict)
    submits: Tokens = field(default_factory=lambda: Tokens(SUBMITS_PER_SECOND))
    describes: Tokens = field(default_factory=lambda: Tokens(DESCRIBES_PER_SECOND))
    described: int = 0
    asked: int = 0  # of the store
    began_at: float = 0.0
    posted: int = 0
    lags: list[float] = field(default_factory=list)  # of every post: due until appended
    due: list[tuple[float, int, str, material.Payload]] = field(default_factory=list)

    async def answer(self, said: dict[str, Any]) -> dict[str, Any]:
        """What is asked for by one line."""
        asked = said["ask"]
        if asked == "submit":
            await self.submits.take()
            self._begin(said["job"], Submission.model_validate_json(said["document"]))
            return {}
        if asked == "describe":
            await self.describes.take()
            self.described += len(said["jobs"])
            return {"states": [self._state(one) for one in said["jobs"]]}
        if asked == "get":
            self.asked += 1
            body = self.objects.get(said["key"])
            return {"body": base64.b64encode(body).decode() if body is not None else None}
        if asked == "go":
            self._go()
            return {}
        return {
            "submitted": len(self.jobs), "submits": self.submits.taken, "posted": self.posted,
            "describes": self.describes.taken, "described": self.described, "asked": self.asked,
            "waiting": len(self.due), "lags": self.lags if said.get("whole") else [],
            "ended": {job: one.ended_at for job, one in self._ended()} if said.get("whole") else {},
        }  # fmt: skip

    def _begin(self, job_id: str, submission: Submission) -> None:
        number = self.numbers[str(submission.requested.run_id)]
        self.jobs.setdefault(job_id, Job(number, submission))

    def _state(self, job_id: str) -> str:
        job = self.jobs.get(job_id)
        if job is None:
            return "unknown"
        return "running" if job.ended_at is None else "ended"

    def _ended(self) -> Iterator[tuple[str, Job]]:
        for job in self.jobs.values():
            if job.ended_at is not None:
                yield str(job.submission.requested.run_id), job

    def _go(self) -> None:
        """All jobs begin to work now."""
        self.began_at = time.time()
        self.due = [
            (one.at, count, job_id, one)
            for job_id, job in self.jobs.items()
            for count, one in enumerate(material.life_of(job.number, self.tasks, self.seconds))
        ]
        heapq.heapify(self.due)

    async def post(self) -> None:
        """Post what is due, for ever."""
        while True:
            begun = time.time()
            some: list[tuple[float, Event]] = []
            while self.due and self.began_at + self.due[0][0] <= begun:
                at, _, job_id, payload = heapq.heappop(self.due)
                some += [(at, fact) for fact in self._facts(self.jobs[job_id], payload)]
            if some:
                await self.log.append_bulk([fact for _, fact in some])
                now = time.time()
                self.lags += [round(now - self.began_at - at, 3) for at, _ in some]
                self.posted += len(some)
            await asyncio.sleep(max(0.0, POST_SECONDS - (time.time() - begun)))

    def _facts(self, job: Job, payload: material.Payload) -> list[Event]:
        if payload.event != "exited":
            body = payload.body(job.submission, self.began_at)
            return told(job.submission, body, engine_version=material.ENGINE_VERSION,
                        by=material.BY)  # fmt: skip
        asked, attempt = job.submission.requested, job.submission.attempt
        left = attempt_prefix(asked.output_prefix, attempt)
        self.objects[f"{left}/called.vcf"] = material.OUTPUT
        self.objects[manifest_key(asked.output_prefix, attempt)] = material.manifest_of(
            job.submission, self.tasks
        )
        self.objects[outcome_key(job.submission.job_id)] = JobOutcome(exit_code=0).to_bytes()
        job.ended_at = self.began_at + payload.at
        return [self._exited(job)] if says_so(job.number) else []

    def _exited(self, job: Job) -> Event:
        submission = job.submission
        fact = RunExited(
            run_id=submission.requested.run_id, attempt=submission.attempt, exit_code=0,
            job_id=str(submission.job_id),
        )  # fmt: skip
        return begin(
            fact, occurred_at=datetime.now(UTC), actor=Actor(kind="service", id="task-news"),
            by=material.BY, correlation_id=submission.correlation_id,
            causation_id=submission.caused_by,
        )  # fmt: skip


def says_so(number: int) -> bool:
    """Whether a run says itself that it has exited."""
    return number % 2 == 0


async def run(words: list[str]) -> None:
    """Serve until SIGTERM."""
    address, prefix, path, runs, tasks, seconds = words
    numbers = {str(one): number for number, one in enumerate(material.run_ids(int(runs)))}
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    async with KafkaLog(address, prefix=prefix, partitions=None) as log:
        place = Place(log, numbers, int(tasks), float(seconds))

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            while line := await reader.readline():
                writer.write(json.dumps(await place.answer(json.loads(line))).encode() + b"\n")
                await writer.drain()
            writer.close()

        server = await asyncio.start_unix_server(serve, path, limit=LINE_BYTES_MAX)
        posting = asyncio.create_task(place.post())
        stopped = asyncio.create_task(stop.wait())
        async with server:
            await asyncio.wait({posting, stopped}, return_when=asyncio.FIRST_COMPLETED)
        if posting.done():
            posting.result()
        posting.cancel()


if __name__ == "__main__":
    asyncio.run(run(sys.argv[1:7]))
