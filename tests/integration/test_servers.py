"""Each fixture of tests/servers.py gives a real server, and each test its own part of it."""

from __future__ import annotations

import json
import urllib.request

import asyncpg
import pytest
from aiokafka.admin import AIOKafkaAdminClient

from genoflow.events.errors import StackFault
from tests.servers import Bucket, Choice, Servers, choose


async def test_kafka_answers(kafka_address: str) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka_address)
    await admin.start()
    try:
        cluster = await admin.describe_cluster()
    finally:
        await admin.close()
    assert len(cluster["brokers"]) == 1


async def test_a_database_is_empty_and_its_own(postgres_url: str) -> None:
    connection = await asyncpg.connect(postgres_url)
    try:
        await connection.execute("create table mine (id int)")
        assert await connection.fetchval("show data_checksums") == "on"
        assert await connection.fetchval("select current_user") != "root"
    finally:
        await connection.close()


def test_a_bucket_is_empty_and_its_own(s3_bucket: Bucket) -> None:
    assert s3_bucket.client.list_objects_v2(Bucket=s3_bucket.name)["KeyCount"] == 0
    s3_bucket.client.put_object(Bucket=s3_bucket.name, Key="a/b", Body=b"x", IfNoneMatch="*")
    assert s3_bucket.client.get_object(Bucket=s3_bucket.name, Key="a/b")["Body"].read() == b"x"


def test_the_registry_lists_its_subjects(registry_address: str) -> None:
    with urllib.request.urlopen(f"{registry_address}/subjects", timeout=10) as answer:
        assert isinstance(json.load(answer), list)


EMBEDDED = "containers: not run"


@pytest.mark.parametrize(
    ("wanted", "engine", "embedded", "expected"),
    [
        ("", False, True, Choice(Servers.EMBEDDED, f"{EMBEDDED} (no Docker engine answers)")),
        (
            "",
            True,
            True,
            Choice(Servers.EMBEDDED, f"{EMBEDDED} (set GENOFLOW_TEST_SERVERS=containers)"),
        ),
        (
            "embedded",
            False,
            True,
            Choice(Servers.EMBEDDED, f"{EMBEDDED} (no Docker engine answers)"),
        ),
        ("containers", True, True, Choice(Servers.CONTAINERS, "containers: run")),
        ("", True, False, Choice(Servers.CONTAINERS, "containers: run")),
    ],
)
def test_the_servers_of_a_run_are_chosen(
    wanted: str, engine: bool, embedded: bool, expected: Choice
) -> None:
    assert choose(wanted, engine, embedded) == expected


@pytest.mark.parametrize(
    ("wanted", "engine", "embedded", "words"),
    [
        ("containers", False, True, "no Docker engine answers"),
        ("podman", True, True, "it can be embedded or containers"),
        ("", False, False, "make setup-dev"),
        ("embedded", True, False, "make setup-dev"),
    ],
)
def test_a_run_without_servers_says_what_to_do(
    wanted: str, engine: bool, embedded: bool, words: str
) -> None:
    with pytest.raises(StackFault, match=words):
        choose(wanted, engine, embedded)
