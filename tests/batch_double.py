"""AWS Batch that behaves: every state, lists that lag behind, retries of attempts, time-outs.

It has boto3's own methods, raises boto3's own errors, and moves with a clock that it is given:
behind `tests/batch_server.py` it answers over HTTP and its jobs are processes; in `BatchTrial`
(tests/batch_trial.py) its time is virtual.

A `fault` is called with the name of an operation before it happens and again when it has happened
and was not answered ("submit_job done"): it may raise `throttled()` at the first and `LostAnswer`
at the second.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any, Protocol

from botocore.exceptions import ClientError, ConnectionClosedError

WAITING = ("SUBMITTED", "PENDING", "RUNNABLE")
ON_HOST = ("STARTING", "RUNNING")
OVER = ("SUCCEEDED", "FAILED")
ORDER = (*WAITING, *ON_HOST)
EXITED = "Essential container in task exited"
RECLAIMED = "Host EC2 (instance i-0a1b2c3d4e5f60718) terminated."
TIMED_OUT = "Job attempt duration exceeded timeout"
PAGE_JOBS = 3  # of a list: whoever reads the first page alone misses some
GRACE_SECONDS = 30.0  # between the two signals, as Amazon's hosts have it
LOST_CODE = 137


class LostAnswer(ConnectionClosedError):  # type: ignore[misc]  # botocore has no types
    """It was done, and nobody hears of it."""

    def __init__(self) -> None:
        super().__init__(endpoint_url="the double")


def refused(operation: str, code: str, message: str, status: int) -> ClientError:
    """What boto3 raises for an answer of this kind."""
    answer: Any = {
        "Error": {"Code": code, "Message": message},
        "ResponseMetadata": {"HTTPStatusCode": status},
    }
    return ClientError(answer, operation)


def throttled(operation: str) -> ClientError:
    """Batch asks for fewer requests; nothing was done."""
    return refused(operation, "TooManyRequestsException", "Too Many Requests", 429)


class Host(Protocol):
    """What runs one attempt of a job."""

    def end(self) -> None:
        """Tell it to end."""

    def kill(self) -> None:
        """End it and all that it started, at once."""


@dataclass(slots=True)
class Job:
    """One job, as Batch keeps it."""

    job_id: str
    request: Mapping[str, Any]
    command: Sequence[str]
    state: str = "SUBMITTED"
    reason: str = ""
    submitted_at: float = 0.0
    moved_at: float = 0.0
    attempt: int = 0
    reasons: list[str] = field(default_factory=list)  # why each attempt ended
    ended_by: str = ""  # why somebody had it ended
    told_at: float | None = None
    host: Host | None = None

    @property
    def name(self) -> str:
        """What it was called."""
        return str(self.request["jobName"])

    @property
    def seconds_max(self) -> float:
        """How long an attempt may take."""
        return float(self.request.get("timeout", {}).get("attemptDurationSeconds", 1e9))

    def summary(self) -> dict[str, Any]:
        """As a list shows it."""
        return {"jobId": self.job_id, "jobName": self.name, "status": self.state}


# Begins an attempt; what it is given is to be called once, with the exit code, when that is over.
Start = Callable[[Job, Callable[[int], None]], Host]


@dataclass
class BatchDouble:
    """One region of Batch with some queues."""

    now: Callable[[], float]
    start: Start
    queues: Sequence[str] = ("genoflow-high", "genoflow-normal", "genoflow-low")
    step_seconds: float = 0.0  # in each state before RUNNING
    lag_seconds: float = 0.0  # before a list shows a job, or a description has it
    fault: Callable[[str], None] = lambda _: None
    jobs: dict[str, Job] = field(default_factory=dict)
    definitions: dict[str, Sequence[str]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    forgotten: set[str] = field(default_factory=set)
    _lock: threading.RLock = field(default_factory=threading.RLock)

    # -- what boto3 calls

    def submit_job(self, **request: Any) -> dict[str, Any]:
        """Take a job; two requests are two jobs, whatever they are called."""
        return self._answered("submit_job", self._submit, request)

    def list_jobs(self, **request: Any) -> dict[str, Any]:
        """A page of the jobs of a queue whose name is asked for."""
        return self._answered("list_jobs", self._list, request)

    def describe_jobs(self, **request: Any) -> dict[str, Any]:
        """The jobs of these ids, those that there are."""
        return self._answered("describe_jobs", self._describe, request)

    def terminate_job(self, **request: Any) -> dict[str, Any]:
        """End a job, wherever it stands."""
        return self._answered("terminate_job", self._terminate, request)

    def _answered(
        self, name: str, do: Callable[[Mapping[str, Any]], dict[str, Any]], given: Mapping[str, Any]
    ) -> dict[str, Any]:
        with self._lock:
            self.tick()
            self.fault(name)
            self.asked.append(name)
            answer = do(given)
            self.fault(f"{name} done")
            return answer

    def _submit(self, request: Mapping[str, Any]) -> dict[str, Any]:
        self._check_queue("SubmitJob", request)
        if request["jobDefinition"] not in self.definitions:
            raise refused("SubmitJob", "ClientException", "JobDefinition not found", 400)
        parameters = request.get("parameters", {})
        command = [
            parameters.get(word.removeprefix("Ref::"), word) if word.startswith("Ref::") else word
            for word in self.definitions[request["jobDefinition"]]
        ]
        job = Job(f"00000000-0000-4000-8000-{len(self.jobs):012x}", dict(request), command)
        job.submitted_at = job.moved_at = self.now()
        self.jobs[job.job_id] = job
        return {"jobId": job.job_id, "jobName": job.name}

    def _check_queue(self, operation: str, request: Mapping[str, Any]) -> None:
        if request["jobQueue"] not in self.queues:
            raise refused(operation, "ClientException", "JobQueue not found", 400)

    def _list(self, request: Mapping[str, Any]) -> dict[str, Any]:
        self._check_queue("ListJobs", request)
        [wanted] = [one["values"] for one in request["filters"] if one["name"] == "JOB_NAME"]
        found = [
            job.summary()
            for job in self.jobs.values()
            if job.request["jobQueue"] == request["jobQueue"]
            and self._is_shown(job)
            and any(fnmatchcase(job.name, pattern) for pattern in wanted)
        ]
        start = int(request.get("nextToken", 0))
        page = {"jobSummaryList": found[start : start + PAGE_JOBS]}
        more = {"nextToken": str(start + PAGE_JOBS)} if len(found) > start + PAGE_JOBS else {}
        return page | more

    def _describe(self, request: Mapping[str, Any]) -> dict[str, Any]:
        found = [self.jobs[one] for one in request["jobs"] if one in self.jobs]
        return {"jobs": [job.summary() for job in found if self._is_shown(job)]}

    def _terminate(self, request: Mapping[str, Any]) -> dict[str, Any]:
        job = self.jobs.get(request["jobId"])
        if job is not None and job.state not in OVER and not job.ended_by:
            job.ended_by = request["reason"]
            if job.state in WAITING:
                self._over(job, "FAILED", job.ended_by)
            elif job.host is not None:
                job.told_at = self.now()
                job.host.end()
        return {}

    def _is_shown(self, job: Job) -> bool:
        is_late = self.now() < job.submitted_at + self.lag_seconds
        return not is_late and job.job_id not in self.forgotten

    # -- what happens by itself

    def tick(self) -> None:
        """Move every job as far as the time has it."""
        with self._lock:
            for job in list(self.jobs.values()):
                self._move(job)

    def _move(self, job: Job) -> None:
        now = self.now()
        while job.state in ORDER[:-1] and now >= job.moved_at + self.step_seconds:
            job.state = ORDER[ORDER.index(job.state) + 1]
            job.moved_at += self.step_seconds
            if job.state == "RUNNING":
                self._begin(job)
        if job.state != "RUNNING" or job.host is None:
            return
        if job.told_at is not None and now >= job.told_at + GRACE_SECONDS:
            job.host.kill()
        if now >= job.moved_at + job.seconds_max:
            job.host.kill()
            self._ended(job, job.attempt, LOST_CODE, TIMED_OUT)

    def _begin(self, job: Job) -> None:
        job.attempt += 1
        number = job.attempt
        job.moved_at = self.now()

        def over(code: int) -> None:
            with self._lock:
                self._ended(job, number, code, EXITED)

        job.host = self.start(job, over)
        if job.ended_by:  # while it was STARTING
            job.told_at = self.now()
            job.host.end()

    def reclaim(self, job: Job) -> None:
        """Spot takes the host: nothing of the attempt does anything more."""
        with self._lock:
            if job.state != "RUNNING" or job.host is None:
                return
            job.host.kill()
            self._ended(job, job.attempt, LOST_CODE, RECLAIMED)

    def _ended(self, job: Job, attempt: int, code: int, reason: str) -> None:
        if job.attempt != attempt or job.state != "RUNNING":
            return  # its host was taken before it said so
        job.reasons.append(reason)
        job.host = None
        if code == 0:
            self._over(job, "SUCCEEDED", reason)
        elif job.ended_by or reason == TIMED_OUT or not self._goes_on(job, code, reason):
            self._over(job, "FAILED", job.ended_by or reason)
        else:
            job.state, job.moved_at = "RUNNABLE", self.now()

    def _goes_on(self, job: Job, code: int, reason: str) -> bool:
        strategy = job.request.get("retryStrategy", {})
        if job.attempt >= strategy.get("attempts", 1):
            return False
        shown = {"onStatusReason": reason, "onReason": "", "onExitCode": str(code)}
        for rule in strategy.get("evaluateOnExit", ()):
            conditions = [name for name in shown if name in rule]
            if all(fnmatchcase(shown[name], rule[name]) for name in conditions):
                return bool(rule["action"] == "RETRY")
        return True

    def _over(self, job: Job, state: str, reason: str) -> None:
        job.state, job.reason, job.moved_at = state, reason, self.now()

    def living(self) -> list[Job]:
        """Jobs that are not over."""
        return [job for job in self.jobs.values() if job.state not in OVER]
