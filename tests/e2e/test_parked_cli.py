"""`genoflow parked` on real servers: what waits, why, what would follow, and what came of it."""

from __future__ import annotations

import asyncio
import io
import json
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import fastavro
import pytest

from genoflow.deploy.addresses import Addresses
from genoflow.deploy.commands.parked import EXIT_PARKED_AGAIN
from genoflow.deploy.settings import Settings
from genoflow.deploy.wiring import open_log, open_s3
from genoflow.events import topics
from genoflow.events.avro import to_avro
from genoflow.events.codec import PREFIX
from genoflow.events.envelope import Envelope
from genoflow.events.event_requeued import EventRequeued
from genoflow.events.file_landed import FileLanded
from genoflow.events.log.kafka import KafkaLog
from genoflow.events.log.partitioner import partition_of
from genoflow.events.log.recorded import Raw
from tests.contracts.logs import landed
from tests.e2e.workers import facts, genoflow, owners, settings_of, succeeds, until, working

CHECKSUM = "checksum-files"
SAMPLE = topics.SAMPLE.name


@pytest.fixture(scope="module")
def settings(stack: Addresses, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """A deployment for the tests of this file, with a worker that computes checksums."""
    home = tmp_path_factory.mktemp("parked")
    found = settings_of(stack, secrets.token_hex(4), home)
    succeeds(found, "topics", "apply")
    with working(found, home / "worker.log", "--once", CHECKSUM):
        until(lambda: all(owners(found, CHECKSUM)), "the worker owns every partition")
        yield found


def on_the_log(settings: Settings, *records: tuple[str, bytes] | FileLanded) -> None:
    """Append events as they are, or bytes under a key as another program might write them."""

    async def append() -> None:
        async with open_log(settings) as log:
            for record in records:
                await _append(log, record)

    asyncio.run(append())


async def _append(log: KafkaLog, record: tuple[str, bytes] | FileLanded) -> None:
    if isinstance(record, FileLanded):
        await log.append(record)
        return
    key, value = record[0].encode(), record[1]
    partition = partition_of(key, await log.partitions(SAMPLE))
    await log.append_raw(SAMPLE, partition, [Raw(key, value, (), 0)])


def foreign(settings: Settings, event: FileLanded, **changes: Any) -> bytes:
    """The bytes that a program without our rules would write."""
    codec = open_log(settings).codec
    edition = codec.registry.current("FileLanded")
    values = {**to_avro(FileLanded)(event), "envelope": to_avro(Envelope)(event.envelope)}
    out = io.BytesIO()
    out.write(PREFIX.pack(0, edition.id))
    fastavro.schemaless_writer(out, edition.parsed, values | changes)
    return out.getvalue()


def parked(settings: Settings, subject: str) -> list[dict[str, Any]]:
    """What waits of a subject."""
    every = json.loads(succeeds(settings, "parked", "list", "--json"))["parked"]
    return [one for one in every if one["subject"] == subject]


def waits(settings: Settings, subject: str, count: int = 1) -> list[dict[str, Any]]:
    """The same once there are so many."""
    until(lambda: len(parked(settings, subject)) == count, f"{count} of {subject} are parked")
    return parked(settings, subject)


@pytest.mark.long
def test_an_event_is_mended_and_its_key_drains(settings: Settings, tmp_path: Path) -> None:
    broken = landed("P1", 1, bucket="nowhere-to-be-found")
    bad = foreign(settings, broken, declared_md5="not an md5")
    on_the_log(settings, ("P1", bad), landed("P1", 2), landed("P1", 3))
    [one] = waits(settings, "P1")
    assert (one["processor"], one["behind"], one["effect_id"]) == (CHECKSUM, 2, None)
    assert "declared_md5" in one["error"]
    page = succeeds(settings, "parked", "list")
    assert one["id"][:8] in page
    assert max(map(len, page.splitlines())) <= 100

    whole = json.loads(succeeds(settings, "parked", "show", one["id"][:8], "--json"))
    assert [row["type"] for row in whole["queue"]] == ["FileLanded", "FileLanded"]
    assert whole["event"]["fields"]["declared_md5"] == "not an md5"
    assert "MalformedEvent" in whole["error_trace"]
    assert "not an md5" in succeeds(settings, "parked", "show", one["position"])

    again = genoflow(settings, "parked", "requeue", one["id"], "--dry-run")
    assert again.returncode == EXIT_PARKED_AGAIN
    assert "would be parked again" in again.stdout
    assert facts(settings, "EventRequeued") == []

    file = tmp_path / "event.json"
    succeeds(settings, "parked", "edit", one["id"], "--to-file", str(file))
    document = json.loads(file.read_text())
    document["payload"]["declared_md5"] = None
    refuse_another_fact(settings, one["id"], document, file)
    file.write_text(json.dumps(document))
    words = ("parked", "edit", one["id"], "--from-file", str(file), "--as", "a.b")
    told = succeeds(settings, *words, "--dry-run")
    assert '-    "declared_md5": "not an md5",' in told
    assert told.count("would begin the effect checksum") == 3
    assert "3 of its key's events would go through" in told

    said = succeeds(settings, *words)
    assert "the key is free again, 2 events behind it went on" in said
    assert "stands at" in succeeds(settings, *words)
    [request] = facts(settings, "EventRequeued")
    assert isinstance(request, EventRequeued)
    assert (request.envelope.actor.kind, request.envelope.actor.id) == ("person", "a.b")
    assert str(request.envelope.causation_id) == one["id"]
    refused = genoflow(settings, "parked", "discard", one["id"], "--reason", "too late")
    assert refused.returncode == 1
    assert "a.b has answered it with EventRequeued" in refused.stderr


def refuse_another_fact(
    settings: Settings, name: str, document: dict[str, Any], file: Path
) -> None:
    """An edit mends a fact and makes no other one; tests/unit/test_parked_edit.py has the rest."""
    file.write_text(json.dumps(document | {"subject": "P2"}))
    done = genoflow(settings, "parked", "edit", name, "--from-file", str(file))
    assert (done.returncode, done.stdout) == (1, "")
    assert "subject: is P1 and cannot become P2" in done.stderr
    assert facts(settings, "EventRequeued") == []


def test_an_effect_is_opened_again_and_its_event_is_not_decided_twice(
    settings: Settings, suffix: str
) -> None:
    bucket, body = f"late-{suffix}", b"ACGT" * 100
    fact = landed("P4", len(body), bucket=bucket)
    client = open_s3(settings)
    on_the_log(settings, fact)
    [one] = waits(settings, "P4")
    assert one["effect_id"] is not None
    effect = json.loads(succeeds(settings, "parked", "show", one["id"], "--json"))["effect"]
    assert (effect["name"], effect["arguments"]["bucket"]) == ("checksum", bucket)
    refused = genoflow(settings, "parked", "edit", one["id"], "--editor")
    assert refused.returncode == 1
    assert "its event, which was taken" in refused.stderr

    told = succeeds(settings, "parked", "requeue", one["id"], "--dry-run")
    assert f"would begin the effect checksum {one['effect_id']}" in told
    said = succeeds(settings, "parked", "requeue", one["id"], code=EXIT_PARKED_AGAIN)
    assert "parked again" in said
    [again] = waits(settings, "P4")
    assert again["id"] != one["id"]
    assert again["effect_id"] == one["effect_id"]
    assert "stands at" in succeeds(settings, "parked", "requeue", one["id"]), "asked before"
    assert len([e for e in facts(settings, "EventRequeued") if e.key == "P4"]) == 1

    client.create_bucket(Bucket=bucket)
    client.put_object(Bucket=bucket, Key=fact.object_key, Body=body)
    client.close()
    assert "the effect is closed" in succeeds(
        settings, "parked", "discard", again["id"], "--reason", "uploaded under another name"
    )
    assert parked(settings, "P4") == []


def test_an_answer_waits_for_a_worker(stack: Addresses, suffix: str, tmp_path: Path) -> None:
    settings = settings_of(stack, suffix, tmp_path)
    succeeds(settings, "topics", "apply")
    stray = open_log(settings).codec.encode(landed("P6", 1))[0]
    with working(settings, tmp_path / "worker.log", "--once", CHECKSUM):
        until(lambda: all(owners(settings, CHECKSUM)), "the worker owns every partition")
        on_the_log(settings, ("P5", stray))
        [one] = waits(settings, "P5")
        assert "stands under the key 'P5'" in one["error"]
    told = succeeds(settings, "parked", "discard", one["id"], "--reason", "a stray", "--dry-run")
    assert "1 of its key's events would go through, the parked one left out" in told
    assert parked(settings, "P5") == [one]
    said = succeeds(settings, "parked", "discard", one["id"], "--reason", "a stray")
    assert f"nobody works on {CHECKSUM} there now" in said
    assert parked(settings, "P5") == [], "a person has answered"


def test_what_is_not_there_is_said_to_be_so(settings: Settings) -> None:
    for words in (
        ("show", "abcdef"), ("requeue", "gf.sample.v1[0]@999"), ("edit", "abc", "--editor"),
    ):  # fmt: skip
        done = genoflow(settings, "parked", *words)
        assert done.returncode == 1
        assert "nothing was parked under this id or position" in done.stderr
    assert genoflow(settings, "parked", "requeue").returncode == 2
    assert genoflow(settings, "parked", "discard", "abcdef").returncode == 2
