"""The embedded stack keeps its data and leaves nothing running, whatever is killed."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import asyncpg
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from genoflow.deploy.addresses import resolve
from genoflow.deploy.local import stack as local_stack
from genoflow.deploy.local.files import free_port
from genoflow.deploy.local.process import identify
from genoflow.deploy.local.state import StackStatus, State, read_status
from genoflow.deploy.settings import Settings
from genoflow.deploy.wiring import s3_client
from tests.integration.stacks import (
    all_gone,
    cli,
    pids,
    private,
    until,
)
from tests.servers import embedded_settings

TOPIC = "kept"


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """One home for this file: its servers are formatted once and killed often."""
    chosen = embedded_settings(tmp_path_factory.mktemp("home"))
    yield chosen
    local_stack.down(chosen)
    local_stack.reset(chosen)


@pytest.fixture
def running(settings: Settings) -> StackStatus:
    """The stack of that home, started where a test before this one stopped it."""
    return local_stack.up(settings)


@pytest.fixture(scope="module")
async def written(settings: Settings) -> None:
    """What has to be there ever after, written for whichever test comes first."""
    local_stack.up(settings)
    await write_everywhere(settings)


async def write_everywhere(settings: Settings) -> None:
    """Leave a record, a row and an object that have to be there ever after."""
    addresses = resolve(settings)
    admin = AIOKafkaAdminClient(bootstrap_servers=addresses.kafka)
    await admin.start()
    await admin.create_topics([NewTopic(TOPIC, 1, 1)])
    await admin.close()
    producer = AIOKafkaProducer(
        bootstrap_servers=addresses.kafka, enable_idempotence=True, transactional_id="kept"
    )
    await producer.start()
    async with producer.transaction():
        for number in range(100):
            await producer.send_and_wait(TOPIC, str(number).encode())
    await producer.stop()
    connection = await asyncpg.connect(addresses.postgres)
    await connection.execute("create table kept as select * from generate_series(1, 100) as id")
    await connection.close()
    client = s3_client(addresses)
    client.create_bucket(Bucket="kept")
    client.put_object(Bucket="kept", Key="a/b", Body=b"object")
    client.close()


async def assert_everything_is_there(settings: Settings) -> None:
    addresses = resolve(settings)
    consumer = AIOKafkaConsumer(
        bootstrap_servers=addresses.kafka,
        isolation_level="read_committed",
        auto_offset_reset="earliest",
    )
    await consumer.start()
    found: list[bytes] = []
    try:
        partition = TopicPartition(TOPIC, 0)
        consumer.assign([partition])
        while len(found) < 100:
            records = await consumer.getmany(partition, timeout_ms=20_000)
            assert records, f"only {len(found)} records of 100 came back"
            found += [record.value for record in records[partition]]
    finally:
        await consumer.stop()
    assert found == [str(number).encode() for number in range(100)]
    connection = await asyncpg.connect(addresses.postgres)
    assert await connection.fetchval("select count(*) from kept") == 100
    await connection.close()
    client = s3_client(addresses)
    assert client.get_object(Bucket="kept", Key="a/b")["Body"].read() == b"object"
    client.close()


def test_the_commands_start_find_show_and_stop_a_stack(settings: Settings) -> None:
    first = cli(settings, "up")
    assert first.returncode == 0, first.stderr
    second = cli(settings, "up")
    assert (second.returncode, second.stdout) == (0, first.stdout)
    shown_once = re.search(
        r"admin: .* created\nits password, shown only now: (\S+)\n", first.stderr
    )
    assert shown_once, first.stderr
    assert "password" not in second.stderr, "there is an account already"
    kept = [path.read_text(errors="replace") for path in (settings.home / "logs").iterdir()]
    assert not any(shown_once[1] in text for text in (first.stdout, *kept))

    shown = cli(settings, "status", "--json")
    assert shown.returncode == 0
    facts = json.loads(shown.stdout)
    assert facts["home"] == str(settings.home)
    assert [service["name"] for service in facts["services"]] == [
        *("kafka", "postgres", "s3", "registry")
    ]
    for service in facts["services"]:
        assert service["state"] == "ready"
        assert service["address"] in first.stdout
        os.kill(service["pid"], 0)

    status = read_status(settings)
    assert cli(settings, "down").stdout == "stopped\n"
    assert all_gone(status)
    assert cli(settings, "status").returncode == 3
    assert cli(settings, "down").stdout == f"nothing runs in {settings.home}\n"


@pytest.mark.usefixtures("written")
async def test_a_killed_supervisor_takes_all_along_and_nothing_is_lost(
    settings: Settings, running: StackStatus
) -> None:
    running.supervisor.kill(signal.SIGKILL)
    until(lambda: not running.supervisor.alive(), "the supervisor gone")
    again = local_stack.up(settings)  # at once: it waits for what the dead one left
    assert not any(process.alive() for process in running.processes)
    assert {name: one.address for name, one in again.services.items()} == {
        name: one.address for name, one in running.services.items()
    }
    await assert_everything_is_there(settings)


@pytest.mark.usefixtures("written")
@pytest.mark.long
async def test_everything_killed_at_once_recovers(settings: Settings, running: StackStatus) -> None:
    for process in (running.supervisor, *running.processes):
        process.kill(signal.SIGKILL)
    until(lambda: not running.supervisor.alive(), "the supervisor gone")
    local_stack.up(settings)
    await assert_everything_is_there(settings)


@pytest.mark.usefixtures("written")
async def test_a_killed_service_is_started_again(settings: Settings, running: StackStatus) -> None:
    before = pids(running)
    for pid in before.values():
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
    until(
        lambda: (
            read_status(settings).ready
            and not set(pids(read_status(settings)).values()) & set(before.values())
        ),
        "every service ready under a new process id",
    )
    await assert_everything_is_there(settings)


@pytest.mark.usefixtures("written")
async def test_a_killed_leash_takes_its_service_along_and_both_come_back(
    settings: Settings, running: StackStatus
) -> None:
    before = pids(running)
    for process in running.processes:
        if process.pid not in before.values():
            process.kill(signal.SIGKILL)
    until(lambda: not any(process.alive() for process in running.processes), "all of them gone")
    until(lambda: read_status(settings).ready, "every service ready again")
    await assert_everything_is_there(settings)


@pytest.mark.usefixtures("written")
@pytest.mark.long
async def test_taken_ports_are_replaced_and_the_data_is_the_same(
    settings: Settings, running: StackStatus
) -> None:
    local_stack.down(settings)
    kept = json.loads((settings.home / "ports.json").read_text())
    with ExitStack() as thieves:
        for port in (*kept["kafka"], *kept["postgres"]):
            thief = thieves.enter_context(socket.socket())
            thief.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            thief.bind(("127.0.0.1", port))
            thief.listen()
        again = local_stack.up(settings)
    before, after = running.services, again.services
    assert after["postgres"].address != before["postgres"].address
    assert after["kafka"].address != before["kafka"].address
    assert after["s3"].address == before["s3"].address
    await assert_everything_is_there(settings)


@pytest.mark.usefixtures("written")
@pytest.mark.long
async def test_what_dead_processes_left_behind_is_no_obstacle(settings: Settings) -> None:
    local_stack.down(settings)
    # Files of a killed supervisor and a killed Postgres, whose ids now belong to this test.
    mark = settings.home / "postgres" / "postmaster.pid"
    mark.write_text(f"{os.getpid()}\n{settings.home / 'postgres'}\n")
    facts = json.loads((settings.home / "stack.json").read_text())
    facts["supervisor"] = [os.getpid(), "1"]
    facts["processes"] = [[os.getpid(), "1"]]
    (settings.home / "stack.json").write_text(json.dumps(facts))
    (settings.home / "lock").write_text("left behind")
    assert read_status(settings).services["kafka"].state is State.STOPPED
    assert local_stack.up(settings).ready
    assert identify(os.getpid()).alive()
    await assert_everything_is_there(settings)


def test_reset_asks_and_then_removes_the_data_only(settings: Settings) -> None:
    local_stack.down(settings)
    (settings.home / "notes.txt").write_text("mine")
    refused = cli(settings, "reset", said="n\n")
    assert refused.returncode == 1
    assert (settings.home / "kafka" / "meta.properties").exists()
    assert cli(settings, "reset", "--yes").returncode == 0
    assert {path.name for path in settings.home.iterdir()} == {"lock", "notes.txt"}
    assert settings.cache.exists()


def test_an_address_in_the_settings_replaces_a_server(
    tmp_path: Path, settings: Settings, kafka_address: str
) -> None:
    with private(tmp_path, kafka=kafka_address) as chosen:
        status = local_stack.up(chosen, ("kafka", "postgres"))
        assert status.services["kafka"].state is State.EXTERNAL
        assert status.services["kafka"].pid is None
        assert not (tmp_path / "kafka").exists()
        assert resolve(chosen, ("kafka", "postgres")).kafka == kafka_address
        shown = json.loads(cli(chosen, "status", "--json").stdout)["services"]
        assert [one["state"] for one in shown] == ["external", "ready", "stopped", "stopped"]

        silent = chosen.model_copy(update={"kafka": f"127.0.0.1:{free_port()}"})
        result = cli(silent, "status")
        assert result.returncode == 3
        assert "unreachable" in result.stdout
