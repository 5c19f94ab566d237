"""The outside world in memory: deterministic, and failing only where a test says so.

Each takes a `fault`, called with the name of an operation before it happens ("store.put") and
again when it has happened but has not been answered ("store.put done"): it may raise Retry, and
the second is the answer that was lost on the way. Every async method gives way at both places, so
that a simulator can end a worker there. Nothing here reads a clock or chance of the machine.
"""

from __future__ import annotations

import asyncio
import contextvars
import hashlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from genoflow.deploy.catalog import takes
from genoflow.events.errors import Retry
from genoflow.events.event import Event
from genoflow.events.pipeline_published import PipelinePublished
from genoflow.events.subscription_created import SubscriptionCreated
from genoflow.processors.catalogued import Document, OfAssay
from genoflow.processors.job_outcome import JobOutcome, outcome_key
from genoflow.processors.ports import (
    UNVERSIONED,
    Clock,
    Hook,
    JobOrder,
    JobState,
    Letter,
    LimsSaidNo,
    ObjectGone,
    ObjectHead,
    Report,
    Undelivered,
)

Fault = Callable[[str], None]
Program = Callable[[JobOrder], JobOutcome | None]  # None: it ended and left no outcome

BEGINNING = datetime(2026, 3, 1, tzinfo=UTC)
PUT_AGAIN_SECONDS = 1.0  # how long a job waits before it leaves its outcome again


def no_fault(_operation: str) -> None:
    """Let every operation succeed."""


class FakeClock:
    """A clock that stands still, or runs with `seconds`; it jumps when told to."""

    def __init__(
        self, at: datetime = BEGINNING, seconds: Callable[[], float] = lambda: 0.0
    ) -> None:
        self._at = at
        self._seconds = seconds

    def now(self) -> datetime:
        return self._at + timedelta(seconds=self._seconds())

    def jump(self, seconds: float) -> None:
        """Move it forwards, or backwards."""
        self._at += timedelta(seconds=seconds)


@dataclass(slots=True)
class _Version:
    head: ObjectHead
    body: bytes


class _Fallible:
    def __init__(self, fault: Fault) -> None:
        self.fault = fault

    async def _before(self, operation: str) -> None:
        await asyncio.sleep(0)
        self.fault(operation)

    async def _after(self, operation: str) -> None:
        await asyncio.sleep(0)
        self.fault(f"{operation} done")


class FakeStore(_Fallible):
    """ObjectStore and ByteStore: every version is kept, and counted upwards per key.

    One that keeps no versions has the newest object of each key.
    """

    def __init__(
        self, clock: Clock | None = None, fault: Fault = no_fault, *, keeps_versions: bool = True
    ) -> None:
        super().__init__(fault)
        self._keeps_versions = keeps_versions
        self.versions: dict[tuple[str, str], list[_Version]] = {}
        self._clock = clock or FakeClock()

    async def put(
        self, bucket: str, key: str, body: bytes, metadata: Mapping[str, str]
    ) -> ObjectHead:
        await self._before("store.put")
        head = self.keep(bucket, key, body, metadata)
        await self._after("store.put")
        return head

    async def head(self, bucket: str, key: str) -> ObjectHead:
        await self._before("store.head")
        kept = self.versions.get((bucket, key))
        await self._after("store.head")
        if kept is None:
            raise ObjectGone(f"s3://{bucket}/{key}: there is no such object; put it there")
        return kept[-1].head

    async def get(self, bucket: str, key: str) -> bytes | None:
        await self._before("store.get")
        kept = self.versions.get((bucket, key))
        await self._after("store.get")
        return None if kept is None else kept[-1].body

    async def put_if_absent(self, bucket: str, key: str, body: bytes) -> bool:
        await self._before("store.put_if_absent")
        written = (bucket, key) not in self.versions
        if written:
            self.keep(bucket, key, body, {})
        await self._after("store.put_if_absent")
        return written

    async def copy(
        self, bucket: str, key: str, version_id: str, to_key: str, metadata: Mapping[str, str]
    ) -> ObjectHead:
        await self._before("store.copy")
        kept = self.versions.get((bucket, key), ())
        found = next((one for one in kept if one.head.version_id == version_id), None)
        if found is None:
            raise ObjectGone(
                f"s3://{bucket}/{key}@{version_id}: there is no such version; put it there"
            )
        head = self.keep(bucket, to_key, found.body, metadata)
        await self._after("store.copy")
        return head

    def chunks(
        self, bucket: str, key: str, version_id: str, size_bytes: int, etag: str = ""
    ) -> Iterator[bytes]:
        self.fault("store.chunks")
        body = self._body(bucket, key, version_id, etag)
        for start in range(0, len(body), size_bytes):
            yield body[start : start + size_bytes]
            self.fault("store.chunks piece")

    def span(
        self, bucket: str, key: str, version_id: str, start: int, end: int, etag: str = ""
    ) -> bytes:
        self.fault("store.span")
        return self._body(bucket, key, version_id, etag)[start:end]

    def _body(self, bucket: str, key: str, version_id: str, etag: str) -> bytes:
        for kept in self.versions.get((bucket, key), ()):
            if kept.head.version_id == version_id:
                if version_id == UNVERSIONED and etag not in ("", kept.head.etag):
                    raise ObjectGone(f"s3://{bucket}/{key}: another object has taken its place")
                return kept.body
        raise ObjectGone(
            f"s3://{bucket}/{key}@{version_id}: there is no such version; put it there"
        )

    def keep(self, bucket: str, key: str, body: bytes, metadata: Mapping[str, str]) -> ObjectHead:
        """Write a version at once, without faults: how a test lays out its world."""
        kept = self.versions.setdefault((bucket, key), [])
        head = ObjectHead(
            bucket=bucket,
            key=key,
            version_id=f"v{len(kept) + 1}" if self._keeps_versions else UNVERSIONED,
            size_bytes=len(body),
            etag=hashlib.md5(body, usedforsecurity=False).hexdigest(),
            last_modified_at=self._clock.now(),
            metadata=dict(metadata),
        )
        if not self._keeps_versions:
            kept.clear()
        kept.append(_Version(head, body))
        return head


@dataclass(slots=True)
class _Job:
    order: JobOrder
    state: JobState = JobState.RUNNING
    task: asyncio.Task[None] | None = None


class FakeLauncher(_Fallible):
    """Runs a function for each order after a delay, in the context that it was made in.

    A job outlives the worker that launched it: whoever kills what runs in a worker's context
    leaves jobs alone. `asked` counts launches that were asked for, `begun` those that began
    something; the port promises that no id is begun twice.
    """

    def __init__(
        self,
        store: FakeStore,
        bucket: str,
        program: Program,
        delay_seconds: Callable[[UUID], float] = lambda _: 1.0,
        fault: Fault = no_fault,
    ) -> None:
        super().__init__(fault)
        self.jobs: dict[UUID, _Job] = {}
        self.asked: Counter[UUID] = Counter()
        self.begun: Counter[UUID] = Counter()
        self.cancelled: set[UUID] = set()
        self._store = store
        self._bucket = bucket
        self._program = program
        self._delay_seconds = delay_seconds
        self._context = contextvars.copy_context()

    async def find(self, effect_id: UUID) -> JobState:
        await self._before("launcher.find")
        job = self.jobs.get(effect_id)
        state = JobState.UNKNOWN if job is None else job.state
        await self._after("launcher.find")
        return state

    async def launch(self, effect_id: UUID, order: JobOrder) -> None:
        await self._before("launcher.launch")
        self.asked[effect_id] += 1
        if effect_id not in self.jobs and effect_id not in self.cancelled:
            self.begun[effect_id] += 1
            job = self.jobs[effect_id] = _Job(order)
            job.task = asyncio.get_running_loop().create_task(
                self._run(effect_id, job), name=f"job {effect_id}", context=self._context.copy()
            )
        await self._after("launcher.launch")

    async def cancel(self, effect_id: UUID) -> None:
        await self._before("launcher.cancel")
        self.cancelled.add(effect_id)
        job = self.jobs.get(effect_id)
        if job is not None and job.state is JobState.RUNNING:
            job.state = JobState.ENDED
            assert job.task is not None
            job.task.cancel()
        await self._after("launcher.cancel")

    async def _run(self, effect_id: UUID, job: _Job) -> None:
        await asyncio.sleep(self._delay_seconds(effect_id))
        outcome = self._program(job.order)
        while outcome is not None:
            try:
                await self._store.put_if_absent(
                    self._bucket, outcome_key(effect_id), outcome.to_bytes()
                )
                break
            except Retry:
                await asyncio.sleep(PUT_AGAIN_SECONDS)
        job.state = JobState.ENDED

    async def close(self) -> None:
        """End the jobs that still run: the end of a test, not of a worker."""
        tasks = [job.task for job in self.jobs.values() if job.task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


class FakeMail(_Fallible):
    """Keeps every letter that it took responsibility for, in order, repetitions too."""

    def __init__(self, fault: Fault = no_fault) -> None:
        super().__init__(fault)
        self.sent: list[Letter] = []

    async def send(self, letter: Letter) -> None:
        await self._before("mail.send")
        self.sent.append(letter)
        await self._after("mail.send")

    def times(self, message_id: UUID) -> int:
        """How often a letter with this id was sent."""
        return sum(letter.message_id == message_id for letter in self.sent)


class FakeCatalog:
    """CatalogReader over a list: a later one of a kind is the newer one."""

    def __init__(self, *documents: Event) -> None:
        self._documents = documents

    async def find(
        self, kind: type[Document], document_id: str, version: str | None = None
    ) -> Document | None:
        found = [
            one
            for one in self._documents
            if isinstance(one, kind) and one.document_id == document_id
        ]
        return next((one for one in reversed(found) if version in (None, one.version)), None)

    async def standing(self, pipeline: str) -> Mapping[str, str]:
        return {
            one.version: "active"
            for one in self._documents
            if isinstance(one, PipelinePublished) and one.document_id == pipeline
        }

    async def default_for(
        self, kind: type[OfAssay], assay: str, material: str | None = None
    ) -> OfAssay | None:
        found = [
            one
            for one in self._documents
            if isinstance(one, kind) and assay in one.assays and takes(one, material)
        ]
        return found[-1] if found else None


class FakeLims(_Fallible):
    """A lab's information system that knows by its id what it was sent, or says no."""

    def __init__(self, fault: Fault = no_fault, no: LimsSaidNo | None = None) -> None:
        super().__init__(fault)
        self.taken: dict[UUID, Report] = {}
        self.times_sent = 0
        self._no = no

    async def knows(self, report: Report) -> bool:
        await self._before("lims.knows")
        return report.event_id in self.taken

    async def take(self, report: Report) -> bool:
        await self._before("lims.take")
        if self._no is not None:
            raise self._no
        self.times_sent += 1
        self.taken[report.event_id] = report
        await self._after("lims.take")
        return True

    async def orders(self) -> Sequence[tuple[str, object]]:
        return []


class FakeWebhooks:
    """Keeps every hook that it was given, and answers yes, or with this error."""

    def __init__(self, error: Undelivered | None = None) -> None:
        self.posted: list[Hook] = []
        self._error = error

    async def post(self, hook: Hook, at: datetime) -> int:
        self.posted.append(hook)
        if self._error is not None:
            raise self._error
        return 204


class FakeSubscriptions:
    """SubscriptionReader over a list, and the projects of some cases."""

    def __init__(
        self, *wishes: SubscriptionCreated, projects: Mapping[str, str] | None = None
    ) -> None:
        self._wishes = wishes
        self._projects = projects or {}

    async def in_force(self) -> Sequence[SubscriptionCreated]:
        return self._wishes

    async def project_of(self, case_id: str) -> str | None:
        return self._projects.get(case_id)
