"""Real servers for the tests: one stack per session, and a part of it for each test alone.

The embedded stack is the first choice, containers are the second implementation of the same
fixtures: `GENOFLOW_TEST_SERVERS=containers` asks for them, and they step in where the embedded
servers are not installed. Only this file reads the environment of the tests.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import signal
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import asyncpg
import pytest
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from testcontainers.core.container import DockerContainer

from genoflow.deploy.addresses import Addresses, resolve
from genoflow.deploy.local import artifacts
from genoflow.deploy.local import stack as local_stack
from genoflow.deploy.local.files import free_port
from genoflow.deploy.local.gateway import binary_path, find_go
from genoflow.deploy.local.state import read_status
from genoflow.deploy.settings import Settings, as_environment, read_settings
from genoflow.deploy.wiring import s3_client
from genoflow.events.errors import StackFault
from tests import in_memory

KAFKA_IMAGE = "apache/kafka:4.0.2"
POSTGRES_IMAGE = "postgres:18.4"
S3_IMAGE = "versity/versitygw:v1.8.0"
DOCKER_SOCKET = "/var/run/docker.sock"
# Of four partitions each: half of what a broker may have where a process may open 20,000 files.
TOPICS_MAX = 2_500
_DELETED_MS_MAX = 300_000
DOCKER_SECONDS_MAX = 3.0  # a local socket answers in milliseconds


class Servers(StrEnum):
    """Which implementation serves a run."""

    EMBEDDED = "embedded"
    CONTAINERS = "containers"


@dataclass(frozen=True, slots=True)
class Choice:
    """The implementation that serves this run, and what its summary says of the other one."""

    servers: Servers
    report: str


def choose(wanted: str, engine: bool, embedded: bool) -> Choice:
    """Choose the servers of a run, or say why there are none; pure, so that it is tested."""
    if wanted not in ("", *Servers):
        raise StackFault(
            f"GENOFLOW_TEST_SERVERS is {wanted!r}; it can be embedded or containers, or be unset"
        )
    if wanted == Servers.CONTAINERS and not engine:
        raise StackFault(
            "GENOFLOW_TEST_SERVERS is containers, but no Docker engine answers; "
            "start one, or unset it"
        )
    if wanted == Servers.CONTAINERS or (engine and not embedded and not wanted):
        return Choice(Servers.CONTAINERS, "containers: run")
    if not embedded:
        raise StackFault(
            "the embedded servers are not installed here"
            + ("" if engine else " and no Docker engine answers")
            + "; run `make setup-dev`"
        )
    reason = "set GENOFLOW_TEST_SERVERS=containers" if engine else "no Docker engine answers"
    return Choice(Servers.EMBEDDED, f"containers: not run ({reason})")


def engine_answers() -> bool:
    """Say whether a Docker engine answers a ping."""
    host = os.environ.get("DOCKER_HOST", f"unix://{DOCKER_SOCKET}")
    parts = urlsplit(host)
    family = socket.AF_UNIX if parts.scheme == "unix" else socket.AF_INET
    target = parts.path if family == socket.AF_UNIX else (parts.hostname, parts.port or 2375)
    with socket.socket(family) as connection:
        connection.settimeout(DOCKER_SECONDS_MAX)
        try:
            connection.connect(target)
            connection.sendall(b"GET /_ping HTTP/1.0\r\n\r\n")
            return b" 200 " in connection.recv(64)
        except OSError:
            return False


def embedded_works(settings: Settings) -> bool:
    """Say whether the embedded servers' programs are here or can be built."""
    try:
        artifacts.find_java()
        artifacts.find_postgres()
    except StackFault:
        return False
    return binary_path(settings.cache).exists() or find_go() is not None


def session_choice() -> Choice:
    """Choose for this run, from the environment and from what answers."""
    wanted = os.environ.get("GENOFLOW_TEST_SERVERS", "")
    return choose(wanted, engine_answers(), embedded_works(read_settings()))


def embedded_settings(home: Path) -> Settings:
    """Return settings for a private stack: the shared cache, and nobody's existing servers."""
    return Settings(
        home=home, cache=read_settings().cache, kafka=None, postgres=None, s3=None, registry=None
    )


def cli_environment(settings: Settings) -> dict[str, str]:
    """Return the environment in which the command line has exactly these settings."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith("GENOFLOW_")}
    return {**kept, **as_environment(settings)}


@contextmanager
def running_stack(settings: Settings) -> Iterator[Addresses]:
    """Run what the settings do not name, for this process and no longer; remove its data after."""
    tether, hold = os.pipe()
    try:
        local_stack.up(settings, tether=tether)
        yield resolve(settings)
    finally:
        os.close(tether)
        status = read_status(settings)
        for process in (status.supervisor, *status.processes):
            process.kill(signal.SIGKILL)  # what it would close in order is removed anyway
        os.close(hold)
        local_stack.down(settings)
        local_stack.reset(settings)


def _kafka_container(port: int) -> DockerContainer:
    facts = {
        "NODE_ID": "1",
        "PROCESS_ROLES": "broker,controller",
        "CONTROLLER_QUORUM_VOTERS": "1@localhost:9093",
        "LISTENERS": "PLAINTEXT://:9092,CONTROLLER://:9093",
        "ADVERTISED_LISTENERS": f"PLAINTEXT://127.0.0.1:{port}",
        "CONTROLLER_LISTENER_NAMES": "CONTROLLER",
        "INTER_BROKER_LISTENER_NAME": "PLAINTEXT",
        "LISTENER_SECURITY_PROTOCOL_MAP": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
        "OFFSETS_TOPIC_REPLICATION_FACTOR": "1",
        "TRANSACTION_STATE_LOG_REPLICATION_FACTOR": "1",
        "TRANSACTION_STATE_LOG_MIN_ISR": "1",
        "GROUP_INITIAL_REBALANCE_DELAY_MS": "0",
        "AUTO_CREATE_TOPICS_ENABLE": "false",
    }
    container = DockerContainer(KAFKA_IMAGE).with_bind_ports(9092, port)
    for name, value in facts.items():
        container.with_env(f"KAFKA_{name}", value)
    return container


@contextmanager
def running_containers(settings: Settings) -> Iterator[Addresses]:
    """Run Kafka, Postgres and S3 in containers, and our own registry beside them."""
    kafka, postgres, s3 = free_port(), free_port(), free_port()
    secret = secrets.token_hex(16)
    serve = f"mkdir -p /a/buckets /a/older && exec versitygw --port :7070 --access genoflow \
        --secret {secret} --quiet posix --versioning-dir /a/older /a/buckets"
    containers = [
        _kafka_container(kafka),
        DockerContainer(POSTGRES_IMAGE)
        .with_env("POSTGRES_PASSWORD", secret)
        .with_bind_ports(5432, postgres),
        DockerContainer(S3_IMAGE, entrypoint=["/bin/sh", "-c", serve]).with_bind_ports(7070, s3),
    ]
    with ExitStack() as running:
        for container in containers:
            running.enter_context(container)
        named: dict[str, Any] = {
            "kafka": f"127.0.0.1:{kafka}",
            "postgres": f"postgresql://postgres:{secret}@127.0.0.1:{postgres}/postgres",
            "s3": f"http://127.0.0.1:{s3}",
            "s3_secret_key": secret,
        }
        existing = Settings(home=settings.home, cache=settings.cache, registry=None, **named)
        local_stack.wait_until_external_answer(existing)
        yield running.enter_context(running_stack(existing))


def pytest_configure(config: pytest.Config) -> None:
    """Keep a place for what the summary will say; the servers come with the first test of them."""
    config.stash[_SERVERS] = None
    config.stash[_NOT_DONE] = []


_SERVERS = pytest.StashKey[str | None]()
# The broker of this process, once a test has asked for it, and what servers themselves write on.
_KAFKA = pytest.StashKey[tuple[str, frozenset[str]]]()
_NOT_DONE = pytest.StashKey[list[str]]()


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Hand over what the summary will say, where another process prints it."""
    output = getattr(session.config, "workeroutput", None)
    if output is not None:
        output["servers"] = session.config.stash[_SERVERS]
        output["not_done"] = session.config.stash[_NOT_DONE]


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Take over what a process that ran tests will not print itself."""
    output = getattr(node, "workeroutput", {})  # none of one that has crashed
    stash = node.config.stash
    stash[_SERVERS] = stash[_SERVERS] or output.get("servers")
    known = stash[_NOT_DONE]
    known += [one for one in output.get("not_done", ()) if one not in known]


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Say which servers were not tried, so that nobody takes silence for a pass."""
    servers = config.stash[_SERVERS]
    if servers is not None:
        terminalreporter.write_line(f"servers: {servers}")
    for text in config.stash[_NOT_DONE]:
        terminalreporter.write_line(f"not done: {text}")


@pytest.fixture
def not_done(request: pytest.FixtureRequest) -> Callable[[str], None]:
    """Note what this machine does not let a test try; the summary says it."""
    return request.config.stash[_NOT_DONE].append


@pytest.fixture(scope="session")
def stack(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Addresses]:
    """The running servers of this session."""
    choice = session_choice()
    request.config.stash[_SERVERS] = f"{choice.servers}; {choice.report}"
    serve = running_containers if choice.servers is Servers.CONTAINERS else running_stack
    with (
        in_memory.folder(tmp_path_factory.mktemp("stack")) as home,
        serve(embedded_settings(home)) as addresses,
    ):
        request.config.stash[_KAFKA] = addresses.kafka, asyncio.run(_topics(addresses.kafka))
        yield addresses
        del request.config.stash[_KAFKA]


@pytest.fixture(scope="module", autouse=True)
def not_too_many_topics(request: pytest.FixtureRequest) -> Iterator[None]:
    """Delete what earlier tests have put on the broker, when it is much.

    A broker keeps a file open for each partition. All topics of all tests would be more than it
    may open: then it creates no topic any more, and says so in its own log alone. To delete them
    takes it as long as to create them, and it does nothing else meanwhile. On some of them the
    servers themselves write: those stay.
    """
    yield
    address, servers_own = request.config.stash.get(_KAFKA, ("", frozenset()))
    if address:
        asyncio.run(_delete_topics(address, servers_own))


@asynccontextmanager
async def _admin(address: str) -> AsyncIterator[AIOKafkaAdminClient]:
    admin = AIOKafkaAdminClient(bootstrap_servers=address, request_timeout_ms=_DELETED_MS_MAX)
    await admin.start()
    try:
        yield admin
    finally:
        await admin.close()


async def _topics(address: str) -> frozenset[str]:
    async with _admin(address) as admin:
        return frozenset(await admin.list_topics())


async def _delete_topics(address: str, servers_own: frozenset[str]) -> None:
    async with _admin(address) as admin:
        names = [name for name in await admin.list_topics() if not name.startswith("__")]
        if len(names) <= TOPICS_MAX:
            return
        await admin.delete_topics([name for name in names if name not in servers_own])
        last = f"behind-{secrets.token_hex(4)}"
        await admin.create_topics([NewTopic(last, 1, 1)])
        while (await admin.describe_topics([last]))[0]["error_code"]:
            await asyncio.sleep(0.1)


@pytest.fixture
def suffix() -> str:
    """A random word that makes a test's topics, groups and buckets its own."""
    return secrets.token_hex(4)


@pytest.fixture(scope="session")
def kafka_address(stack: Addresses) -> str:
    """The broker's bootstrap address."""
    return stack.kafka


@pytest.fixture(scope="session")
def registry_address(stack: Addresses) -> str:
    """The base address of the schema registry."""
    return stack.registry


@asynccontextmanager
async def database(postgres: str, name: str, template: str = "template1") -> AsyncIterator[str]:
    """The address of a new copy of a template, which is dropped at the end of the block."""
    connection = await asyncpg.connect(postgres)
    try:
        await connection.execute(f'create database "{name}" template "{template}"')
        yield urlsplit(postgres)._replace(path=f"/{name}").geturl()
        await connection.execute(f'drop database "{name}" with (force)')
    finally:
        await connection.close()


@pytest.fixture
async def postgres_url(stack: Addresses, suffix: str) -> AsyncIterator[str]:
    """The address of an empty database that is this test's alone."""
    async with database(stack.postgres, f"test_{suffix}") as url:
        yield url


@dataclass(frozen=True, slots=True)
class Bucket:
    """An empty bucket, and a client that may do everything with it."""

    name: str
    client: Any
    addresses: Addresses


@pytest.fixture
def s3_bucket(stack: Addresses, suffix: str) -> Iterator[Bucket]:
    """A bucket that is this test's alone."""
    client = s3_client(stack)
    name = f"test-{suffix}"
    client.create_bucket(Bucket=name)
    yield Bucket(name, client, replace(stack))
    client.close()
