"""Kafka: one broker that is its own controller (KRaft), made to forget nothing."""

from __future__ import annotations

import asyncio
import base64
import os
import struct
import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from genoflow.deploy.local.artifacts import KAFKA_JARS, ensure_jars, find_java
from genoflow.deploy.local.class_archive import Learn, with_archive
from genoflow.deploy.local.files import free_port, make_directory, remove_tree, write_atomically
from genoflow.deploy.local.process import Launch, Leashed, run_once
from genoflow.deploy.local.service import PROBE_SECONDS_MAX, NotReady, Report, check_directory
from genoflow.events.errors import StackFault

OFFSETS_RETENTION_MINUTES = 10 * 365 * 24 * 60  # ten years: a lab that pauses is not replayed
INTERNAL_PARTITIONS = 4  # a laptop has a few readers; the default of 50 costs files and seconds
CLEANER_BUFFER_BYTES = 16 * 1024 * 1024  # 128 MB is the default: a quarter of the heap, for nothing
CLEANER_BACKOFF_MS = 5_000  # a laptop's changelogs are small, and what is read back is a demo
# A broker that was killed is let in again when its last session has passed: 9 s by default, all of
# the wait after a crash. There is no second broker that could take over, so nothing needs longer.
SESSION_MS = 3_000
HEARTBEAT_MS = 1_000  # three beats fit in a session
API_METADATA = 3
METADATA_VERSION = 1
LEARNING_SECONDS_MAX = 60.0  # ready in 2 s, on a busy machine in 20
PAUSE_SECONDS = 0.1
ANSWER_BYTES_MAX = 1 << 20  # one broker, no topics asked for: a few dozen bytes
JVM_OPTIONS = (
    "-Xmx512m",
    "-XX:+UseSerialGC",  # one small heap on two cores: threads for collection cost more
    "-XX:TieredStopAtLevel=1",  # start-up counts, peak speed does not: ready in 2 s
    "-XX:+ExitOnOutOfMemoryError",
    "-Djava.awt.headless=true",
    "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
    "-Dorg.slf4j.simpleLogger.log.kafka.server.KafkaRaftServer=info",
    "-Dorg.slf4j.simpleLogger.showDateTime=true",
    "-Dorg.slf4j.simpleLogger.dateTimeFormat=yyyy-MM-dd'T'HH:mm:ss.SSSXXX",
)


def properties(data: Path, ports: tuple[int, ...]) -> str:
    """Return the broker's configuration for these two ports: clients, then its own controller."""
    clients, controller = ports
    return f"""process.roles=broker,controller
node.id=1
controller.quorum.bootstrap.servers=127.0.0.1:{controller}
listeners=PLAINTEXT://127.0.0.1:{clients},CONTROLLER://127.0.0.1:{controller}
advertised.listeners=PLAINTEXT://127.0.0.1:{clients}
controller.listener.names=CONTROLLER
inter.broker.listener.name=PLAINTEXT
log.dirs={data}
broker.session.timeout.ms={SESSION_MS}
broker.heartbeat.interval.ms={HEARTBEAT_MS}
auto.create.topics.enable=false
log.retention.ms=-1
log.retention.bytes=-1
log.cleaner.dedupe.buffer.size={CLEANER_BUFFER_BYTES}
log.cleaner.backoff.ms={CLEANER_BACKOFF_MS}
offsets.retention.minutes={OFFSETS_RETENTION_MINUTES}
offsets.topic.num.partitions={INTERNAL_PARTITIONS}
offsets.topic.replication.factor=1
transaction.state.log.num.partitions={INTERNAL_PARTITIONS}
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
share.coordinator.state.topic.num.partitions=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
group.initial.rebalance.delay.ms=0
"""


def new_cluster_id() -> str:
    """Return a random id in Kafka's form: sixteen bytes in URL-safe base64, no leading dash."""
    random = uuid.uuid4().bytes
    # A dash would be read as an option. It is digit 62: without its top bit, the first is below 32.
    first = bytes([random[0] & 0x7F])
    return base64.urlsafe_b64encode(first + random[1:]).decode().rstrip("=")


@dataclass(slots=True)
class Kafka:
    """The embedded broker."""

    home: Path
    cache: Path
    name: str = "kafka"
    port_count: int = 2
    learning: Sequence[str] = ()  # options of Java for a broker that only shows what it loads
    _class_path: list[Path] = field(default_factory=list)

    @property
    def data(self) -> Path:
        """The directory with the log: the one thing that must not be lost."""
        return self.home / "kafka"

    async def fetch(self, report: Report) -> None:
        """Make sure that Java and the broker's jars are here."""
        find_java()
        self._class_path = await ensure_jars(self.cache, KAFKA_JARS, report)

    def _java(self, *arguments: str) -> Launch:
        java = find_java()
        options = self.learning or with_archive(self.cache, java, self._class_path)
        class_path = os.pathsep.join(map(str, self._class_path))
        return Launch((str(java), *JVM_OPTIONS, *options, "-cp", class_path, *arguments))

    async def prepare(self) -> None:
        """Format the log directory beside its place and rename it: it is whole or not there."""
        if check_directory(self.data, "meta.properties", "Kafka"):
            return
        unfinished = self.home / "kafka.new"
        remove_tree(unfinished)  # never used: only the rename makes it a log
        make_directory(unfinished)
        configuration = self.home / "run" / "kafka.format.properties"
        # These ports only fill the form: the real ones are chosen at each start.
        write_atomically(configuration, properties(unfinished, (1, 2)))
        tool = ("kafka.tools.StorageTool", "format", "--standalone", "-t", new_cluster_id())
        code, output = await run_once(self._java(*tool, "-c", str(configuration)))
        if code != 0:
            remove_tree(unfinished)
            raise StackFault(
                f"{unfinished}: Kafka could not format it:\n{output}\n"
                "free some space or mend the directory, then run `genoflow up` again"
            )
        unfinished.rename(self.data)

    def launch(self, ports: tuple[int, ...]) -> Launch:
        """Write the configuration for these ports and say what to execute."""
        configuration = self.home / "run" / "kafka.properties"
        write_atomically(configuration, properties(self.data, ports))
        return self._java("kafka.Kafka", str(configuration))

    def address(self, ports: tuple[int, ...]) -> str:
        """Return the bootstrap address."""
        return f"127.0.0.1:{ports[0]}"

    async def probe(self, address: str) -> None:
        """Ask for the cluster's brokers over Kafka's own protocol."""
        host, _, port = address.split(",", maxsplit=1)[0].strip().rpartition(":")
        try:
            async with asyncio.timeout(PROBE_SECONDS_MAX):
                brokers = await _count_brokers(host, int(port))
        except (OSError, TimeoutError, EOFError, ValueError, struct.error) as error:
            raise NotReady(f"{address}: {error or 'no answer'}") from error
        if brokers < 1:
            raise NotReady(f"{address}: answers, but knows no broker yet")


def learner(cache: Path) -> Learn:
    """How a broker is run once, until it answers."""

    async def learn(folder: Path, options: Sequence[str]) -> tuple[int, str]:
        make_directory(folder / "run")
        broker = Kafka(folder, cache)
        await broker.fetch(_silent)
        await broker.prepare()
        broker.learning = options
        ports = (free_port(), free_port())
        said = folder / "said"
        with said.open("wb") as output:
            running = await Leashed.start(broker.launch(ports), output.fileno())
            try:
                answers = await _until_it_answers(broker, broker.address(ports))
            finally:
                await running.stop()
        return (0 if answers else 1), said.read_text(encoding="utf-8", errors="replace")

    return learn


async def _until_it_answers(broker: Kafka, address: str) -> bool:
    until = time.monotonic() + LEARNING_SECONDS_MAX
    while time.monotonic() < until:
        try:
            await broker.probe(address)
        except NotReady:
            await asyncio.sleep(PAUSE_SECONDS)
        else:
            return True
    return False


def _silent(_: str) -> None:
    """Tell nobody."""


async def _count_brokers(host: str, port: int) -> int:
    reader, writer = await asyncio.open_connection(host, port)
    try:
        # Header: api key, version, correlation id, no client id. Body: a list of no topics.
        question = struct.pack(">hhihi", API_METADATA, METADATA_VERSION, 1, -1, 0)
        writer.write(struct.pack(">i", len(question)) + question)
        (size,) = struct.unpack(">i", await reader.readexactly(4))
        if not 8 <= size <= ANSWER_BYTES_MAX:
            raise ValueError("does not speak Kafka's protocol")
        answer = await reader.readexactly(size)
        _, brokers = struct.unpack(">ii", answer[:8])
        return int(brokers)
    finally:
        writer.close()
