"""Objects in S3's archives, as moto stands for them: asked back, read, and told of."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from genoflow.deploy.settings import Settings
from genoflow.deploy.wiring import open_s3, open_store_porch
from genoflow.events import topics
from genoflow.events.file_restored import FileRestored
from genoflow.events.file_tier_changed import FileTierChanged
from genoflow.events.log.memory import MemoryLog
from genoflow.processors.adapters.s3 import S3ByteStore
from genoflow.processors.adapters.s3_archive import S3Archive
from genoflow.processors.intake.heard import Message
from genoflow.processors.intake.landing import ROLE, SAMPLE
from genoflow.processors.intake.reconcile import reconcile
from genoflow.processors.ports import ObjectArchived
from genoflow.processors.restoring import RESTORED_DAYS


def completed(bucket: str, key: str, version: str) -> Message:
    """What S3 sends when a restore is done."""
    said = {
        "eventName": "ObjectRestore:Completed", "eventTime": "2026-03-01T00:00:00Z",
        "s3": {
            "bucket": {"name": bucket},
            "object": {"key": key, "versionId": version, "sequencer": "01"},
        },
        "glacierEventData": {"restoreEventData": {"lifecycleRestoreStorageClass": "GLACIER"}},
    }  # fmt: skip
    return Message("sqs", "https://queue", "m", json.dumps({"Records": [said]}).encode())


async def test_an_archived_object_is_asked_back_read_and_told_of(aws_settings: Settings) -> None:
    client, bucket = open_s3(aws_settings), aws_settings.raw_bucket
    client.create_bucket(Bucket=bucket)
    client.put_bucket_versioning(
        Bucket=bucket, VersioningConfiguration={"Status": "Enabled"}
    )  # fmt: skip
    version = client.put_object(
        Bucket=bucket, Key="in/a.gz", Body=b"x", StorageClass="GLACIER",
        Metadata={SAMPLE: "S1", ROLE: "R1"},
    )["VersionId"]  # fmt: skip
    place = bucket, "in/a.gz", version
    archive, bytes_of = S3Archive(client), S3ByteStore(client)

    head = await archive.head(*place)
    assert (head.archived_in, head.is_readable, head.is_restoring) == ("GLACIER", False, False)
    with pytest.raises(ObjectArchived, match=rf"{bucket}/in/a.gz@{version}.*it is archived"):
        list(bytes_of.chunks(*place))
    await archive.restore(head, RESTORED_DAYS)
    head = await archive.head(*place)
    assert head.is_readable
    assert head.restored_until is not None
    left = head.restored_until - datetime.now(UTC)
    assert timedelta(days=RESTORED_DAYS - 1) < left < timedelta(days=RESTORED_DAYS + 1)
    assert b"".join(bytes_of.chunks(*place)) == b"x"
    await archive.restore(head, RESTORED_DAYS)  # it is made to stay longer

    async with MemoryLog() as log:
        porch, shelves = open_store_porch(aws_settings, log)
        crawl = await reconcile(porch, shelves, bucket)
        assert dict(crawl.missing) == {"FileLanded": 1, "FileTierChanged": 1}
        heard = await porch.take([completed(*place)])
        (restored,) = heard.appended
        assert isinstance(restored, FileRestored)
        assert (restored.key, restored.storage_class) == ("S1", "GLACIER")
        assert restored.restored_until == (await archive.head(*place)).restored_until
        assert (await porch.take([completed(*place)])).appended == []
        again, _ = open_store_porch(aws_settings, log)
        assert dict((await reconcile(again, shelves, bucket)).missing) == {}
        told = [one.event async for one in log.read_topic(topics.SAMPLE.name)]
        (moved,) = (one for one in told if isinstance(one, FileTierChanged))
        assert (moved.key, moved.storage_class) == ("S1", "GLACIER")
