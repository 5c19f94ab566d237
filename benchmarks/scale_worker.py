"""Ours: the worker that ships, with every processor that reads about runs, beside that place.

    python -m benchmarks.scale_worker ADDRESS PREFIX SOCKET

It prints a line when a task passes a point of its life, for those who time a restore.
"""

from __future__ import annotations

import asyncio
import base64
import json
import os
import signal
import sys
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from benchmarks import scale_material as material
from benchmarks.scale_backend import JOBS_PER_DESCRIBE, LINE_BYTES_MAX
from genoflow.deploy.garbage import settle
from genoflow.deploy.subject import LogSubjects
from genoflow.deploy.subscriptions import LogSubscriptions
from genoflow.events import topics
from genoflow.events.log.kafka import KafkaLog
from genoflow.processors.adapters.system_clock import SystemClock
from genoflow.processors.flow import PROCESSORS
from genoflow.processors.intake.landing import SHA256
from genoflow.processors.ports import (
    Deployment,
    JobOrder,
    JobState,
    ObjectGone,
    ObjectHead,
    Ports,
)
from genoflow.processors.processor import Processor
from genoflow.processors.tell_lims import PREFIX as TELL_LIMS
from genoflow.processors.worker import PASSING, Identity, Worker

TOLD = frozenset({"before-fence", "before-begin"})
GATHER_SECONDS = 0.1  # who asks within it is asked for by one call
CONNECTIONS = 16
MODULE = "benchmarks.scale_worker"


def rows() -> tuple[Processor, ...]:
    """Every processor that reads the topic of runs; no LIMS is to be told."""
    return tuple(
        one
        for one in PROCESSORS.values()
        if one.reads == topics.RUN and not one.name.startswith(TELL_LIMS)
    )


class Wire:
    """Lines to that place and back, over a few connections."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._free: asyncio.LifoQueue[Any] = asyncio.LifoQueue()
        self._open = 0

    async def ask(self, **said: Any) -> dict[str, Any]:
        """What it answers."""
        if self._free.empty() and self._open < CONNECTIONS:
            self._open += 1
            pair = await asyncio.open_unix_connection(self._path, limit=LINE_BYTES_MAX)
        else:
            pair = await self._free.get()
        reader, writer = pair
        writer.write(json.dumps(said).encode() + b"\n")
        await writer.drain()
        answer: dict[str, Any] = json.loads(await reader.readline())
        self._free.put_nowait(pair)
        return answer


class Batch:
    """The port of launchers; whoever looks at the same time is asked for together, 100 a call."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self._waiting: dict[str, asyncio.Future[JobState]] = {}
        self._gathering: asyncio.Task[None] | None = None

    async def find(self, effect_id: UUID) -> JobState:
        """What became of a job."""
        name = str(effect_id)
        if name not in self._waiting:
            self._waiting[name] = asyncio.get_running_loop().create_future()
        found = self._waiting[name]
        if self._gathering is None or self._gathering.done():
            self._gathering = asyncio.create_task(self._gather())
        return await asyncio.shield(found)

    async def _gather(self) -> None:
        while self._waiting:
            if len(self._waiting) < JOBS_PER_DESCRIBE:
                await asyncio.sleep(GATHER_SECONDS)
            names = list(self._waiting)[:JOBS_PER_DESCRIBE]
            answer = await self._wire.ask(ask="describe", jobs=names)
            for name, state in zip(names, answer["states"], strict=True):
                self._waiting.pop(name).set_result(JobState(state))

    async def launch(self, effect_id: UUID, order: JobOrder) -> None:
        """Submit it."""
        document = order.document.decode()
        await self._wire.ask(ask="submit", job=str(effect_id), document=document)

    async def cancel(self, effect_id: UUID) -> None:
        """Nobody cancels here."""


class Objects:
    """What the effects of runs ask of a store."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire

    async def get(self, bucket: str, key: str) -> bytes | None:  # noqa: ARG002 -- the port's own
        """The bytes of an object."""
        body = (await self._wire.ask(ask="get", key=key))["body"]
        return base64.b64decode(body) if body is not None else None

    async def head(self, bucket: str, key: str) -> ObjectHead:
        """What is known of an object."""
        body = await self.get(bucket, key)
        if body is None:
            raise ObjectGone(f"s3://{bucket}/{key}: there is no such object")
        return ObjectHead(
            bucket=bucket, key=key, version_id="1", size_bytes=len(body), etag="e",
            last_modified_at=datetime.now(UTC), metadata={SHA256: material.SHA256},
        )  # fmt: skip

    async def put(self, bucket: str, key: str, body: bytes, metadata: Mapping[str, str]) -> Any:
        """Nobody puts here."""
        raise NotImplementedError

    put_if_absent = copy = put


def tell(point: str) -> None:
    """Print when a task begins to be taken over, and when it begins to read."""
    if point in TOLD:
        print(point, time.time(), flush=True)


async def run(address: str, prefix: str, path: str) -> None:
    """Work until SIGTERM."""
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    wire = Wire(path)
    async with KafkaLog(address, prefix=prefix, partitions=None) as log:
        store: Any = Objects(wire)
        ports = Ports(
            clock=SystemClock(), store=store, launcher=Batch(wire), outcome_bucket=material.BUCKET,
            deployment=Deployment(results_bucket=material.BUCKET),
            subscriptions=LogSubscriptions(log, LogSubjects(log)), subjects=LogSubjects(log),
        )  # fmt: skip
        worker = Worker(log, log.codec, rows(), ports, identity=Identity("scale", "1"), reach=tell)
        settle()  # as `genoflow work` does
        try:
            await worker.run(stop)
        except PASSING as error:  # as `genoflow work`: a fresh start mends it, under the same id
            print("restarted", time.time(), error, flush=True)
            os.execv(sys.executable, [sys.executable, "-m", MODULE, *sys.argv[1:]])


if __name__ == "__main__":
    asyncio.run(run(*sys.argv[1:4]))
    os._exit(0)
