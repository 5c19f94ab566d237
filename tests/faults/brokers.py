"""Brokers that may be killed: one, or three that stand in for each other, behind proxies or not.

Every broker has a second listener. Clients that come through it are told, for every broker, the
address of the proxy before it; without a proxy it is the listener's own.
"""

from __future__ import annotations

import asyncio
import os
import signal
import time
from dataclasses import dataclass, field
from pathlib import Path

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from genoflow.deploy.local.artifacts import KAFKA_JARS, ensure_jars, find_java
from genoflow.deploy.local.class_archive import with_archive
from genoflow.deploy.local.files import free_port, make_directory
from genoflow.deploy.local.process import Launch, Leashed, run_once
from genoflow.deploy.local.servers.kafka import JVM_OPTIONS, Kafka, new_cluster_id
from genoflow.deploy.local.service import NotReady

START_SECONDS_MAX = 90.0  # 9 s for three on a quiet machine
IN_SYNC_SECONDS_MAX = 60.0
PAUSE_SECONDS = 0.1
HEAP = "-Xmx384m"
# What the coordinator does with transactions that a killed broker left: read when one hangs.
TELLS = "-Dorg.slf4j.simpleLogger.log.kafka.coordinator.transaction=info"
INTERNAL_PARTITIONS = 4
SESSION_SECONDS_MIN = 2  # of members of a group; the broker's default is 6


@dataclass(slots=True)
class Broker:
    """One of them: where it listens, and the process while it runs."""

    number: int
    home: Path
    clients: int
    controller: int
    behind: int  # the listener that the proxy speaks to
    told: int  # the port that clients of that listener are told
    process: Leashed | None = None

    @property
    def file(self) -> Path:
        """Its configuration."""
        return self.home / f"broker-{self.number}.properties"

    @property
    def data(self) -> Path:
        """Its log."""
        return self.home / f"broker-{self.number}"


@dataclass(slots=True)
class Cluster:
    """Brokers of our own, started for a scenario and ended with it."""

    home: Path
    cache: Path
    size: int = 1
    proxy_ports: tuple[int, ...] = ()
    brokers: list[Broker] = field(default_factory=list)
    _class_path: list[Path] = field(default_factory=list)

    @property
    def address(self) -> str:
        """Where the machinery of the test asks."""
        return ",".join(f"127.0.0.1:{broker.clients}" for broker in self.brokers)

    @property
    def workers_address(self) -> str:
        """Where the workers ask: through the proxies, where there are any."""
        return ",".join(f"127.0.0.1:{broker.told}" for broker in self.brokers)

    async def start(self) -> None:
        """Format and start all of them, and wait until each answers."""
        make_directory(self.home)
        self._class_path = await ensure_jars(self.cache, KAFKA_JARS, lambda _: None)
        for number in range(1, self.size + 1):
            behind = free_port()
            told = self.proxy_ports[number - 1] if self.proxy_ports else behind
            self.brokers.append(Broker(number, self.home, free_port(), free_port(), behind, told))
        name = new_cluster_id()
        for broker in self.brokers:
            broker.file.write_text(self._properties(broker), encoding="utf-8")
        await asyncio.gather(*(self._format(broker, name) for broker in self.brokers))
        await asyncio.gather(*(self.start_one(broker) for broker in self.brokers))

    async def _format(self, broker: Broker, name: str) -> None:
        tool = ("kafka.tools.StorageTool", "format", "-t", name, "-c", str(broker.file))
        code, output = await run_once(self._java(*tool))
        if code:
            raise RuntimeError(f"{broker.data}: could not be formatted:\n{output}")

    def _java(self, *arguments: str) -> Launch:
        options = (
            HEAP,
            TELLS,
            *(option for option in JVM_OPTIONS if not option.startswith("-Xmx")),
        )
        java, class_path = find_java(), os.pathsep.join(map(str, self._class_path))
        kept = with_archive(self.cache, java, self._class_path)
        return Launch((str(java), *options, *kept, "-cp", class_path, *arguments))

    async def start_one(self, broker: Broker) -> None:
        """Start a broker and wait until it answers."""
        descriptor = os.open(
            self.home / f"broker-{broker.number}.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND
        )
        try:
            broker.process = await Leashed.start(
                self._java("kafka.Kafka", str(broker.file)), descriptor
            )
        finally:
            os.close(descriptor)
        deadline = time.monotonic() + START_SECONDS_MAX
        probe = Kafka(self.home, self.cache)
        answers = False
        while not answers:
            try:
                await probe.probe(f"127.0.0.1:{broker.clients}")
                answers = True
            except NotReady:
                if time.monotonic() > deadline:
                    raise
                await asyncio.sleep(PAUSE_SECONDS)

    async def kill(self, broker: Broker) -> None:
        """kill -9."""
        assert broker.process is not None
        os.kill(broker.process.pid, signal.SIGKILL)
        await broker.process.wait()
        broker.process = None

    async def until_in_sync(self) -> None:
        """Wait until every partition has all its replicas, so that one may be lost again."""
        client = AdminClient({"bootstrap.servers": self.address, "log_level": 0})
        deadline = time.monotonic() + IN_SYNC_SECONDS_MAX
        while True:
            try:
                topics = (await asyncio.to_thread(client.list_topics, timeout=5)).topics
            except KafkaException:
                topics = {}
            rows = [row for topic in topics.values() for row in topic.partitions.values()]
            if rows and all(len(row.isrs) == len(row.replicas) for row in rows):
                return
            if time.monotonic() > deadline:
                raise TimeoutError(f"the brokers are not in sync after {IN_SYNC_SECONDS_MAX} s")
            await asyncio.sleep(PAUSE_SECONDS * 5)

    async def stop(self) -> None:
        """End all of them; their logs stay."""
        for broker in self.brokers:
            if broker.process is not None:
                os.kill(broker.process.pid, signal.SIGKILL)
                await broker.process.wait()
                broker.process = None

    def _properties(self, broker: Broker) -> str:
        voters = ",".join(f"{one.number}@127.0.0.1:{one.controller}" for one in self.brokers)
        replicas, least = self.size, 2 if self.size > 2 else 1
        return f"""process.roles=broker,controller
node.id={broker.number}
controller.quorum.voters={voters}
listeners=PLAINTEXT://127.0.0.1:{broker.clients},PROXIED://127.0.0.1:{broker.behind},\
CONTROLLER://127.0.0.1:{broker.controller}
advertised.listeners=PLAINTEXT://127.0.0.1:{broker.clients},PROXIED://127.0.0.1:{broker.told}
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,PROXIED:PLAINTEXT,CONTROLLER:PLAINTEXT
controller.listener.names=CONTROLLER
inter.broker.listener.name=PLAINTEXT
log.dirs={broker.data}
broker.session.timeout.ms=3000
broker.heartbeat.interval.ms=1000
auto.create.topics.enable=false
log.retention.ms=-1
log.retention.bytes=-1
log.cleaner.dedupe.buffer.size=16777216
offsets.topic.num.partitions={INTERNAL_PARTITIONS}
offsets.topic.replication.factor={replicas}
transaction.state.log.num.partitions={INTERNAL_PARTITIONS}
transaction.state.log.replication.factor={replicas}
transaction.state.log.min.isr={least}
min.insync.replicas={least}
share.coordinator.state.topic.num.partitions=1
share.coordinator.state.topic.replication.factor={replicas}
share.coordinator.state.topic.min.isr={least}
group.initial.rebalance.delay.ms=0
group.min.session.timeout.ms={SESSION_SECONDS_MIN * 1000}
"""
