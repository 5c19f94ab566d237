"""A rule that is due, on a real store and a real broker: done once, whatever dies in between."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from genoflow.events import topics
from genoflow.events.errors import Stop
from genoflow.events.log.kafka import KafkaLog
from genoflow.events.log.kafka_topics import TopicAdmin
from genoflow.events.stored_version import StoredVersion
from genoflow.processors.adapters.s3_remover import S3Remover
from genoflow.processors.adapters.s3_shelves import S3Shelves
from genoflow.processors.adapters.system_clock import SystemClock
from genoflow.processors.ports import Removal
from genoflow.processors.sweep_files import SWEEP_FILES
from tests.servers import Bucket
from tests.sweeping import (
    OUTCOME,
    hold,
    landed,
    release,
    requested,
    rules,
    submitted,
    succeeded,
    sweeper,
)
from tests.workers import Lab, until

RULES = rules(reads=10, work=7)
KEY = "in/a.gz"


class Dies(S3Remover):
    """Deletes for real, and is gone before it can say so."""

    async def remove(self, file: StoredVersion) -> Removal:
        """Delete it, then end the worker."""
        await super().remove(file)
        raise Stop("the machine went away")


@pytest.fixture
async def lab(kafka_address: str, suffix: str, no_ends: None) -> AsyncIterator[Lab]:
    declared = topics.declared(row.changelog for row in SWEEP_FILES)
    async with KafkaLog(kafka_address, prefix=f"s{suffix}.", partitions=2) as log:
        async with TopicAdmin(log, partitions=2) as admin:
            await admin.apply(declared)
        yield Lab(log)


async def test_a_file_whose_rule_is_due_goes_once_and_a_hold_keeps_what_it_is_on(
    lab: Lab, s3_bucket: Bucket
) -> None:
    client, name = s3_bucket.client, s3_bucket.name
    client.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
    first = client.put_object(Bucket=name, Key=KEY, Body=b"old")
    newer = client.put_object(Bucket=name, Key=KEY, Body=b"newer")["VersionId"]
    client.put_object(Bucket=name, Key=OUTCOME, Body=b"{}")
    told = {"bucket": name, "version_id": first["VersionId"], "size_bytes": 3}
    file = landed(KEY, **told, etag=first["ETag"].strip('"'))
    for fact in (file, requested(file), submitted(), succeeded(1)):
        await lab.log.append(fact)
    lab.remover = Dies(client, SystemClock())
    await proposed(lab, client, name, 10)
    assert isinstance(await lab.ended(SWEEP_FILES[0]), Stop)
    assert await lab.said("FileDeleted") == []
    assert versions(client, name) == {newer}

    lab.remover = S3Remover(client, SystemClock())
    async with lab.working(*SWEEP_FILES, name="w2") as running:
        await until(lambda: both_are_told(lab), running)
    [of_sample] = await events(lab, "FileDeleted")
    [of_run] = await events(lab, "FileDeleted", topics.RUN)
    assert (of_sample.rule, of_sample.version_id) == ("reads-10", first["VersionId"])
    assert (of_run.rule, of_run.object_key) == ("work-7", OUTCOME)
    assert versions(client, name, "") == {newer}
    assert await proposed(lab, client, name, 11) == 0

    again = landed(KEY, bucket=name, version_id=newer, size_bytes=5, etag="another")
    await lab.log.append(again)
    await lab.log.append(hold(day=11))
    assert await proposed(lab, client, name, 30) == 0
    await lab.log.append(release(day=30))
    assert await proposed(lab, client, name, 31) == 1
    async with lab.working(SWEEP_FILES[0], name="w3") as running:
        await until(lambda: is_refused(lab), running)
    [refused] = await events(lab, "DeletionRefused")
    assert refused.reason_code == "changed"  # it is not what had landed
    assert versions(client, name) == {newer}


async def proposed(lab: Lab, client: Any, bucket: str, day: float) -> int:
    """Look on this day, and say what is due."""
    porch = sweeper(lab.log, S3Shelves(client), day, work=bucket)
    return await porch.propose((await porch.look((RULES,))).proposals)


async def events(lab: Lab, kind: str, topic: topics.Topic = topics.SAMPLE) -> list[Any]:
    return [one.event for one in await lab.said(kind, topic)]


async def both_are_told(lab: Lab) -> bool:
    return all([await lab.said("FileDeleted", one) for one in (topics.SAMPLE, topics.RUN)])


async def is_refused(lab: Lab) -> bool:
    return bool(await lab.said("DeletionRefused"))


def versions(client: Any, bucket: str, prefix: str = "in/") -> set[str]:
    found = client.list_object_versions(Bucket=bucket, Prefix=prefix).get("Versions", ())
    return {one["VersionId"] for one in found}
