"""`python -m benchmarks.debezium`: Debezium's JDBC sink over the rows of benchmarks/projection.py.

It is run by hand, once for a release of the sink, and writes benchmarks/debezium.json. What it is
given is the finished rows, flattened, as JSON on one topic for each path, in the order of the log;
nothing is to be decoded by schema ids, folded or looked up. Its tables are there and have a key.

Kafka Connect runs alone (`connect-standalone`) with the sink as a plug-in, jars by the lock beside
this file. The clock begins when a tenth of the events is in Postgres and ends with the last one.
"""

from __future__ import annotations

import asyncio
import base64
import json
import os
import socket
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import asyncpg
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from benchmarks.contest import RATE
from benchmarks.projection import INSERTS, MODELS, RECORDED, UPDATES, Projections, Ready, fill
from benchmarks.servers import bench_settings
from genoflow.deploy.local import jars
from genoflow.deploy.local.artifacts import find_java
from genoflow.deploy.local.stack import LocalStack
from genoflow.deploy.settings import read_settings
from genoflow.events import topics
from genoflow.events.log.kafka import KafkaLog
from genoflow.projections.audit_trail import AuditTrail
from genoflow.projections.runner import bring_up

LOCK = Path(__file__).with_name("debezium.lock")
SETS = ("connect", "debezium")  # the class path of Connect, and its plug-in
VERSION = "3.5.0.Final"
EVENTS = 60_000
WARM_FRACTION = 0.1
SECONDS_MAX = 300.0
LOOK_SECONDS = 0.1
FAILED = "uncaught and unrecoverable"  # what Connect says of a task, and lives on without it
PARTITIONS = topics.PARTITIONS_EMBEDDED
NAMES = {INSERTS: "flat_inserts", UPDATES: "flat_updates"}  # topics and tables
JAVA = ("-Xmx1g", "-XX:+UseParallelGC", "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn")

# As the manual of Connect has it for a worker alone.
WORKER = {
    "key.converter": "org.apache.kafka.connect.storage.StringConverter",
    "value.converter": "org.apache.kafka.connect.json.JsonConverter",
    "value.converter.schemas.enable": "true",
    "offset.flush.interval.ms": "1000",
    # Fetches as large as its batches, as the sink's manual says.
    "connector.client.config.override.policy": "All",
    "consumer.max.poll.records": "5000",
    "consumer.fetch.min.bytes": "262144",
    "consumer.max.partition.fetch.bytes": "4194304",
}
# For throughput, as the sink's manual says: large batches, one task for each partition, a pool
# that has a connection for each, no look at the table's definition; and the reduction buffer,
# which writes a row of a batch once. The driver joins the statements of a batch into one.
SINK = {
    "name": "sink",
    "connector.class": "io.debezium.connector.jdbc.JdbcSinkConnector",
    "tasks.max": str(PARTITIONS),
    "insert.mode": "upsert",
    "primary.key.mode": "record_value",
    "schema.evolution": "none",
    "batch.size": "5000",
    "use.reduction.buffer": "true",
    "connection.pool.min_size": str(PARTITIONS),
    "connection.pool.max_size": str(2 * PARTITIONS),
    "collection.name.format": "${topic}",
}
KINDS: dict[str, dict[str, Any]] = {
    "text": {"type": "string"},
    "bigint": {"type": "int64"},
    "integer": {"type": "int32"},
    "bytea": {"type": "bytes"},
    "timestamptz": {"type": "string", "name": "io.debezium.time.ZonedTimestamp", "version": 1},
    "uuid": {"type": "string", "name": "io.debezium.data.Uuid", "version": 1},
    "jsonb": {"type": "string", "name": "io.debezium.data.Json", "version": 1},
}


def schema_of(ready: Ready) -> dict[str, Any]:
    """Connect's schema of a flattened row."""
    fields = [
        {"field": one.name, "optional": one.is_nullable, **KINDS[one.kind]}
        for one in ready.table.columns
    ]
    return {"type": "struct", "name": ready.table.name, "optional": False, "fields": fields}


def flattened(ready: Ready) -> Iterator[tuple[str, bytes]]:
    """Key and value of every row, in the order of the log; the worker is told their schema."""
    names = [one.name for one in ready.table.columns]
    for row in ready.rows:
        key = str(row["subject_id"])
        yield key, json.dumps({name: _plain(row[name]) for name in names}).encode()


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    if isinstance(value, UUID):
        return str(value)
    return base64.b64encode(value).decode() if isinstance(value, bytes) else value


def produce(address: str, topic: str, ready: Ready) -> None:
    """Make the topic and put the rows on it."""
    admin = AdminClient({"bootstrap.servers": address})
    admin.create_topics([NewTopic(topic, PARTITIONS, 1)])[topic].result()
    options: dict[str, Any] = {"bootstrap.servers": address, "linger.ms": 5}
    options["queue.buffering.max.messages"] = 1_000_000
    producer = Producer(options)
    for key, value in flattened(ready):
        producer.produce(topic, value, key=key)
    if producer.flush(60):
        raise AssertionError(f"{topic}: not everything was delivered")


@dataclass(frozen=True, slots=True)
class Sink:
    """One run of the sink over one topic."""

    folder: Path
    kafka: str
    postgres: str
    classes: Mapping[str, Path]
    path: str
    ready: Ready

    def configured(self) -> list[str]:
        """The two files of `connect-standalone`, written."""
        name, with_schema = NAMES[self.path], json.dumps(schema_of(self.ready))
        parts = urlsplit(self.postgres)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        worker = WORKER | {
            "bootstrap.servers": self.kafka,
            "listeners": f"http://127.0.0.1:{port}",
            "offset.storage.file.filename": str(self.folder / f"{name}.offsets"),
            "plugin.path": str(self.classes["debezium"].parent),
            "value.converter.schema.content": with_schema,
        }
        sink = SINK | {
            "topics": name,
            "connection.url": f"jdbc:postgresql://{parts.hostname}:{parts.port}{parts.path}"
            "?reWriteBatchedInserts=true",
            "connection.username": parts.username or "postgres",
            "connection.password": parts.password or "",
            "primary.key.fields": ",".join(self.ready.table.key),
        }
        files = []
        for kind, settings in (("worker", worker), ("sink", sink)):
            file = self.folder / f"{name}.{kind}.properties"
            escaped = {k: v.replace("\\", "\\\\") for k, v in settings.items()}
            file.write_text("".join(f"{k}={v}\n" for k, v in escaped.items()), encoding="utf-8")
            files.append(str(file))
        return files

    async def timed(self, connection: Any) -> float:
        """Events a second from the first tenth to the last."""
        name, table = NAMES[self.path], self.ready.table
        create = replace(table, name=name).create("public")[0]
        await connection.execute(create)
        count = "count(*)" if self.path == INSERTS else "coalesce(sum(events), 0)::bigint"
        java = [str(find_java()), *JAVA, "-cp", f"{self.classes['connect']}/*"]
        said = self.folder / f"{name}.said"
        with said.open("wb") as out:
            program = await asyncio.create_subprocess_exec(
                *java, "org.apache.kafka.connect.cli.ConnectStandalone", *self.configured(),
                cwd=self.folder, stdout=out, stderr=out,
            )  # fmt: skip
        try:
            return await self._watched(connection, f"select {count} from {name}", program, said)
        finally:
            if program.returncode is None:
                program.kill()
            await program.wait()

    async def _watched(self, connection: Any, count: str, program: Any, said: Path) -> float:
        loop = asyncio.get_running_loop()
        wanted, deadline = len(self.ready.rows), loop.time() + SECONDS_MAX
        first: tuple[float, int] | None = None
        while True:
            found, now = await connection.fetchval(count), loop.time()
            if first is None and found >= wanted * WARM_FRACTION:
                first = now, found
            if found >= wanted and first is not None:
                return float((found - first[1]) / (now - first[0]))
            words = said.read_text(encoding="utf-8", errors="replace")
            if program.returncode is not None or now > deadline or FAILED in words:
                raise AssertionError(f"the sink ended at {found:,} of {wanted:,}: {words[-4_000:]}")
            await asyncio.sleep(LOOK_SECONDS)


def fetched() -> dict[str, Path]:
    """The jars of both sets, fetched where they are not here, and checked."""
    found = {}
    for name in SETS:
        wanted = jars.read_lock(name, LOCK)
        identity = jars.sha256_of_text("".join(jar.sha256 for jar in wanted))
        folder = read_settings().cache / f"bench-{identity[:12]}" / name
        if not folder.exists():
            folder.mkdir(parents=True)
            jars.fetch_all(wanted, folder)
        jars.check(wanted, folder)
        found[name] = folder
    return found


async def measure(events: int) -> dict[str, Any]:
    """What the sink reaches on both paths, beside ours on the same servers just before."""
    classes = fetched()
    found: dict[str, Any] = {
        "version": VERSION, "events": events, "date": datetime.now(UTC).date().isoformat(),
        "worker": WORKER, "sink": SINK,
    }  # fmt: skip
    with tempfile.TemporaryDirectory(prefix="genoflow-bench-") as home:
        async with LocalStack(bench_settings(Path(home)), ("kafka", "postgres")) as stack:
            kafka, postgres = (stack.status.services[n].address for n in ("kafka", "postgres"))
            connection = await asyncpg.connect(postgres)
            async with KafkaLog(kafka, prefix="flat.", partitions=PARTITIONS) as log:
                await fill(log, events)
                await bring_up(log, log.codec, connection, [AuditTrail()])
                ours = Projections(log, connection, events, {})
                for path in MODELS:
                    rate = (await ours.ours(path))[RATE]
                    produce(kafka, NAMES[path], ours.ready[path])
                    sink = Sink(Path(home), kafka, postgres, classes, path, ours.ready[path])
                    load, copies = os.getloadavg()[0], [await ours.copy(path)]
                    reached = await sink.timed(connection)
                    copies += [await ours.copy(path), await ours.copy(path)]
                    found[path] = {
                        "events_per_second": round(reached),
                        "copy_beside": round(max(one[RATE] for one in copies)),
                        "ours_before": round(rate),
                        "load": [round(load, 2), round(os.getloadavg()[0], 2)],
                    }
                    print(path, found[path], flush=True)
            await connection.close()
    return found


if __name__ == "__main__":
    said = asyncio.run(measure(int(sys.argv[1]) if sys.argv[1:] else EVENTS))
    RECORDED.write_text(json.dumps(said, indent=2) + "\n", encoding="utf-8")
