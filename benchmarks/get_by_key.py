"""GET by key over HTTP: `genoflow serve` beside FastAPI with a pool and beside an empty handler.

Every contestant is a program of its own, asked by one load over the same 64 connections. Ours and
the pool look up the key that each request shows, and answer with the same body; ours counts, tags
and records the read as it does in a lab.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import sys
import tempfile
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import asyncpg

from benchmarks import stage_run
from benchmarks.contest import (
    ANSWERS,
    Comparison,
    Contestant,
    Figures,
    Row,
    compete,
    row_of,
)
from benchmarks.get_load import Load
from benchmarks.material import Material
from benchmarks.stage_run import Program
from genoflow.api.identity.permissions import Permission, Role
from genoflow.api.limits import PER_KEY
from genoflow.deploy.api_services import open_services
from genoflow.deploy.local.stack import LocalStack
from genoflow.deploy.settings import Settings, as_environment, inherited_environment, read_settings
from genoflow.events import topics
from genoflow.events.case_joined import CaseJoined
from genoflow.events.envelope import Actor, Producer
from genoflow.events.event import Event, begin
from genoflow.events.log.kafka import KafkaLog
from genoflow.events.log.kafka_topics import TopicAdmin
from genoflow.events.log.memory import MemoryLog
from genoflow.events.read_set_registered import ReadSetRegistered
from genoflow.events.sample_registered import SampleRegistered
from genoflow.projections.models import MODELS
from genoflow.projections.runner import bring_up

OURS = "genoflow serve"
USUAL = "genoflow serve, nothing kept"
POOL = "FastAPI + asyncpg pool"
EMPTY = "Starlette, empty handler"
CEILING = "the load, fixed bytes"
COMPARISONS = (
    Comparison("get_by_key", OURS, POOL, unit=ANSWERS, target=3.0),
    Comparison("get_by_key", OURS, EMPTY, unit=ANSWERS, target=0.4, note="it looks nothing up"),
    Comparison("get_by_key", USUAL, POOL, unit=ANSWERS),
    Comparison("get_by_key", EMPTY, CEILING, unit=ANSWERS, note="what the load can do"),
)
SAMPLES_MAX = 1_000
KEYS = 100  # of one account, as many as it may have: 100,000 calls a minute
READY_SECONDS_MAX = 60.0
BY = Actor(kind="service", id="bench")
# The usual way is taken for any request that asks whether something has changed.
ASKS_WHETHER = b'If-None-Match: "x"\r\n'


@dataclass(frozen=True, slots=True)
class Asked:
    """What every contestant is asked, and where its rows are."""

    settings: Settings
    address: str
    names: Sequence[str]
    keys: Sequence[str]
    count: int

    def requests(self, more: bytes = b"") -> list[bytes]:
        """The requests of a run: every key and every sample in turn."""
        return [
            b"GET /v1/samples/%s HTTP/1.1\r\nHost: lab\r\nX-API-Key: %s\r\n%s\r\n"
            % (self.names[n % len(self.names)].encode(), self.keys[n % KEYS].encode(), more)
            for n in range(self.count)
        ]


async def fill(address: str, names: Sequence[str]) -> None:
    """Rows of samples with two read sets and a case each, by the read models that ship."""
    async with MemoryLog() as log:
        for name in names:
            for fact in _facts(name):
                producer = Producer(service="bench", version="1")
                await log.append(begin(fact, occurred_at=datetime.now(UTC), actor=BY, by=producer))
        connection = await asyncpg.connect(address)
        try:
            await bring_up(log, log.codec, connection, MODELS)
        finally:
            await connection.close()


def _facts(name: str) -> list[Event]:
    read_sets = [
        ReadSetRegistered(
            sample_id=name, read_set_id=f"{name}.{lane}", material="FASTQ",
            expected_files=[{"role": role, "lane": lane} for role in ("R1", "R2")],
            instrument_run_id="RUN1", read_sets_of_sample=2,
        )
        for lane in (1, 2)
    ]  # fmt: skip
    joined = CaseJoined(
        sample_id=name, case_id=f"C-{name}", case_kind="single", role="single",
        subject_ref=f"P-{name}", declared_sex="unknown", assay="panel", material="FASTQ",
        reference="GRCh38", priority="routine",
    )  # fmt: skip
    registered = SampleRegistered(
        sample_id=name, declared_sex="unknown", registered_by="sample sheet"
    )
    return [registered, joined, *read_sets]


@contextlib.asynccontextmanager
async def prepared(log: KafkaLog, count: int) -> AsyncIterator[Asked]:
    """A database with rows, keys that may read them, and the topics that the API needs."""
    with tempfile.TemporaryDirectory(prefix="genoflow-bench-") as home:
        own = Settings(
            home=Path(home), cache=read_settings().cache, kafka=log.address, s3=None,
            registry=None, topic_prefix=log.wire_name(""), partitions=topics.PARTITIONS_EMBEDDED,
        )  # fmt: skip
        async with LocalStack(own, ("postgres",)) as stack:
            address = stack.status.services["postgres"].address
            settings = own.model_copy(update={"postgres": None})
            async with TopicAdmin(log, partitions=topics.PARTITIONS_EMBEDDED) as admin:
                await admin.apply((topics.GOVERNANCE, topics.ACCESS))
            names = [f"S{number:05}" for number in range(min(SAMPLES_MAX, count))]
            await fill(address, names)
            async with open_services(settings) as services:
                made = await services.accounts.create(
                    "bench", None, frozenset({Role.LAB_TECHNICIAN}), BY
                )
                keys = [
                    (await services.keys.create(made, "bench", [Permission.SAMPLES_READ], 1, BY))[1]
                    for _ in range(KEYS)
                ]
            yield Asked(settings, address, names, keys, count)


@contextlib.asynccontextmanager
async def serving(asked: Asked, name: str, command: Sequence[str]) -> AsyncIterator[int]:
    """A contestant that serves, and its port."""
    environment = inherited_environment() | as_environment(asked.settings)
    async with stage_run.serving(name, command, environment) as program:
        yield await port_of(program)


async def port_of(program: Program) -> int:
    """Where a program says that it serves."""
    async with asyncio.timeout(READY_SECONDS_MAX):
        while True:
            program.check()
            if found := re.search(r"at http://127\.0\.0\.1:([0-9]+)", program.said.read_text()):
                return int(found[1])
            await asyncio.sleep(0.05)


async def measure(log: KafkaLog, material: Material, rounds: int) -> list[Row]:
    """Let all serve, and ask them in turn."""
    python = sys.executable
    # No run, and no turn of a round, may ask more than the limits let through within a minute.
    count = min(len(material.events), KEYS * PER_KEY // (2 * (rounds + 2)))
    async with prepared(log, count) as asked, contextlib.AsyncExitStack() as stack:
        ours = [str(Path(python).with_name("genoflow")), "serve", "--port", "0"]
        ports = {OURS: await stack.enter_async_context(serving(asked, OURS, ours))}
        for name, kind in ((POOL, "pool"), (EMPTY, "empty"), (CEILING, "ceiling")):
            command = [python, "-m", "benchmarks.get_anchors", kind, asked.address]
            ports[name] = await stack.enter_async_context(serving(asked, name, command))
        plain, asking = asked.requests(), asked.requests(ASKS_WHETHER)
        few = max(1, count // 5)  # of those that take five times as long

        def contestant(name: str, port: int, requests: Sequence[bytes]) -> Contestant:
            async def run() -> Figures:
                return {ANSWERS: await Load(requests).run(port)}

            return Contestant(name, run)

        contestants = [
            contestant(name, port, plain[:few] if name == POOL else plain)
            for name, port in ports.items()
        ]
        contestants.append(contestant(USUAL, ports[OURS], asking[:few]))
        best = await compete(contestants, rounds)
    return [row_of(comparison, best) for comparison in COMPARISONS]
