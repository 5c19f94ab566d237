"""Bad input and faults at the command line: one clear error, a non-zero exit, nothing lost."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from genoflow.deploy.addresses import Addresses
from genoflow.deploy.commands.events import EXIT_UNDECODABLE
from genoflow.deploy.settings import Settings
from genoflow.deploy.wiring import every_topic
from genoflow.events import topics
from genoflow.events.codec import PREFIX
from genoflow.events.file_landed import FileLanded
from genoflow.events.log.kafka import KafkaLog
from genoflow.events.log.kafka_topics import TopicAdmin
from genoflow.events.log.partitioner import partition_of
from genoflow.events.log.recorded import Raw
from tests.e2e.workers import genoflow
from tests.examples import example

PARTITIONS = topics.PARTITIONS_EMBEDDED
SAMPLE = topics.SAMPLE.name


@pytest.fixture
def settings(stack: Addresses, suffix: str, tmp_path: Path) -> Settings:
    """A deployment of this test's own on the session's broker."""
    return Settings(
        home=tmp_path, kafka=stack.kafka, topic_prefix=f"t{suffix}.", partitions=PARTITIONS
    )


@pytest.fixture
async def log(settings: Settings) -> KafkaLog:
    """Its log, with every topic in place."""
    assert settings.kafka
    opened = KafkaLog(settings.kafka, prefix=settings.topic_prefix, partitions=PARTITIONS)
    async with TopicAdmin(opened, partitions=PARTITIONS) as admin:
        await admin.apply(every_topic())
    return opened


def assert_refused(done: subprocess.CompletedProcess[str], *said: str) -> None:
    """One error of our own on stderr, naming what has to be named."""
    assert done.returncode != 0, done.stdout
    assert "Traceback" not in done.stderr
    assert done.stderr.startswith("genoflow: "), done.stderr
    for words in said:
        assert words in done.stderr


@pytest.mark.parametrize(
    "words", [("topics", "check"), ("events", "tail", "--no-follow"), ("backup",)], ids=" ".join
)
def test_a_broker_that_is_not_there(settings: Settings, words: tuple[str, ...]) -> None:
    nowhere = settings.model_copy(update={"kafka": "127.0.0.1:1"})
    done = genoflow(nowhere, *words)
    assert_refused(done, "kafka at 127.0.0.1:1", "no broker answers", "genoflow up")


def test_topics_that_are_missing(settings: Settings) -> None:
    name = settings.topic_prefix + topics.SEQUENCING_RUN.name
    assert_refused(
        genoflow(settings, "events", "tail", "--no-follow"),
        f"topic {name} is missing", "genoflow topics apply",
    )  # fmt: skip


async def test_topics_of_another_partition_count(settings: Settings, log: KafkaLog) -> None:
    await log.close()
    other = settings.model_copy(update={"partitions": PARTITIONS + 1})
    for words in (("topics", "apply"), ("events", "tail", "--no-follow")):
        done = genoflow(other, *words)
        assert_refused(done, f"{PARTITIONS} partitions", "GENOFLOW_PARTITIONS=4")
    assert genoflow(settings, "topics", "check").returncode == 0


async def test_an_unknown_schema_id_stops_and_loses_nothing(
    settings: Settings, log: KafkaLog
) -> None:
    value, headers = log.codec.encode(example(FileLanded, 1))
    newer = PREFIX.pack(0, 900_000) + value[PREFIX.size :]
    partition = partition_of(b"S1", PARTITIONS)
    [offset] = await log.append_raw(SAMPLE, partition, [Raw(b"S1", newer, headers, 0)])
    [record] = [r async for r in log.read_topic(SAMPLE)]
    await log.close()
    done = genoflow(settings, "events", "tail", "--no-follow", "--json")
    assert_refused(done, "900000", "deploy the schemas first", f"[{partition}]@{offset}")
    assert record.value == newer


async def test_malformed_bytes_are_shown_as_such_and_the_exit_says_so(
    settings: Settings, log: KafkaLog
) -> None:
    good = example(FileLanded, 1)
    value, headers = log.codec.encode(good)
    partition = partition_of(b"S1", PARTITIONS)
    rows = [Raw(b"S1", value[:-3], headers, 0), Raw(b"S1", b"junk", (), 0)]
    await log.append_raw(SAMPLE, partition, rows)
    await log.append(good)
    await log.close()
    done = genoflow(settings, "events", "tail", "--no-follow", "--json")
    assert done.returncode == EXIT_UNDECODABLE
    assert "Traceback" not in done.stderr
    shown = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(shown) == 3
    assert [row for row in shown if row.get("type") == "FileLanded" and row.get("payload")]


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({"size_bytes": -1}, "FileLanded.size_bytes"),
        ({"size_bytes": "1"}, "FileLanded.size_bytes"),
        ({"sample_id": "x" * 101}, "FileLanded.sample_id"),
        ({"last_modified_at": "2026-03-01T10:00:00"}, "FileLanded.last_modified_at"),
        ({"colour": "red"}, "FileLanded.colour"),
        ({"sample_id": "MRN-1234567"}, "FileLanded.sample_id"),
    ],
)
async def test_an_event_that_breaks_a_rule_keeps_its_whole_file_out(
    settings: Settings, log: KafkaLog, change: dict[str, object], place: str
) -> None:
    good = {
        "type": "FileLanded",
        "occurred_at": "2026-03-01T10:00:00Z",
        "actor": {"kind": "service", "id": "test"},
        "payload": example(FileLanded, 1).payload(),
    }
    bad = good | {"payload": example(FileLanded, 2).payload() | change}
    done = genoflow(
        settings, "events", "append", "-", said=f"{json.dumps(good)}\n{json.dumps(bad)}\n"
    )
    assert_refused(done, "line 2", place, "nothing was appended")
    assert [r async for r in log.read_topic(SAMPLE)] == []
    await log.close()


def test_a_command_that_does_not_exist(settings: Settings) -> None:
    done = genoflow(settings, "evnts")
    assert done.returncode == 2
    assert "No such command 'evnts'" in done.stderr
