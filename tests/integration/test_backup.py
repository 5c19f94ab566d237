"""Taking backups, and everything that can be wrong with one."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from genoflow.deploy.backup import take as taking
from genoflow.deploy.backup.broker import Broker
from genoflow.deploy.backup.manifest import read_manifest
from genoflow.deploy.backup.vault import Vault
from genoflow.deploy.settings import Settings
from genoflow.deploy.wiring import open_log, open_s3
from genoflow.events import topics
from genoflow.events.errors import DamagedFile, Retry
from tests.integration.lab import (
    Lab,
    add,
    create,
    fails,
    fill,
    held,
    killed_after,
    lose,
    of_its_own,
    running_lab,
    same_but_moved,
    segments_of,
    succeeds,
)


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """The running stack."""
    with running_lab(tmp_path_factory.mktemp("lab")) as found:
        yield found


@pytest.fixture
def mine(lab: Lab, suffix: str) -> Settings:
    """A deployment and a bucket of a test's own on that stack."""
    return of_its_own(lab, suffix)


# -- taking backups


def test_only_what_is_new_is_sealed_and_what_was_sealed_is_kept(mine: Settings) -> None:
    asyncio.run(create(mine))
    asyncio.run(add(mine, 0))
    first = succeeds(mine, "backup", "--keep-days", "2")
    before = segments_of(mine)
    assert f"60 records of {len(topics.TOPICS) + 1} topics" in first
    assert first.count("sealed ") == len(before)
    assert "sealed " not in succeeds(mine, "backup", "--keep-days", "2")
    asyncio.run(add(mine, 60, 1))
    third = succeeds(mine, "backup", "--keep-days", "9")
    assert third.count("sealed ") == 1
    after = segments_of(mine)
    assert [segment for segment in after if segment in before] == before
    assert sum(segment.records for segment in after) == 61
    client = open_s3(mine)
    for segment in after:
        place = {"Bucket": mine.backup_bucket, "Key": segment.key, "VersionId": segment.version_id}
        until = client.head_object(**place)["ObjectLockRetainUntilDate"]
        assert until > datetime.now(UTC) + timedelta(days=8)  # the lock was renewed
        with pytest.raises(client.exceptions.ClientError, match="AccessDenied"):
            client.delete_object(**place)
    client.close()
    assert succeeds(mine, "backup", "list").count("manifests/") == 3
    assert f"{len(after)} segments, 61 records" in succeeds(mine, "backup", "verify")


@pytest.mark.long
def test_one_topic_can_be_sealed_anew_and_the_others_stay(mine: Settings) -> None:
    asyncio.run(create(mine))
    asyncio.run(add(mine, 0))
    succeeds(mine, "backup")
    said = succeeds(mine, "backup", "--topic", topics.CASE.name)
    assert f"60 records of {len(topics.TOPICS) + 1} topics" in said
    assert "is no topic here" in fails(mine, "backup", "--topic", "gf.no.v1")


@pytest.mark.long
def test_full_seals_everything_anew(mine: Settings) -> None:
    asyncio.run(create(mine))
    asyncio.run(add(mine, 0))
    succeeds(mine, "backup")
    asyncio.run(add(mine, 60))
    assert "120 records" in succeeds(mine, "backup", "--full")
    assert "120 records" in succeeds(mine, "backup", "verify")


@pytest.mark.long
def test_a_partition_is_sealed_in_segments_of_bounded_size(
    mine: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(taking, "SEGMENT_BYTES_MAX", 1_000)
    asyncio.run(fill(mine))
    before = asyncio.run(held(mine))

    async def run() -> int:
        client = open_s3(mine)
        vault = Vault(client, mine.backup_bucket, timedelta(days=1))
        async with open_log(mine) as log, Broker(log) as broker:
            done = await taking.take(broker, vault, lambda _: None)
        client.close()
        return done.records

    assert asyncio.run(run()) == sum(len(rows) for rows in before.topics.values())
    filled = sum(1 for offsets in before.offsets.values() if offsets)
    assert len(segments_of(mine)) > 2 * filled  # without the bound it is one each
    assert "all as they were sealed" in succeeds(mine, "backup", "verify")
    asyncio.run(lose(mine))
    succeeds(mine, "restore")
    same_but_moved(before, asyncio.run(held(mine)))


def test_a_bucket_without_object_lock_is_refused(mine: Settings) -> None:
    asyncio.run(create(mine))
    client = open_s3(mine)
    client.create_bucket(Bucket=mine.backup_bucket)
    client.close()
    assert "exists without object lock" in fails(mine, "backup")


def test_two_backups_at_once_cannot_both_be_the_next(mine: Settings) -> None:
    client = open_s3(mine)
    vault = Vault(client, mine.backup_bucket, timedelta(days=1))
    vault.ensure_bucket()
    vault.ensure_bucket()
    assert vault.seal_new("backup/c/manifests/00000001.json", b"{}")
    assert not vault.seal_new("backup/c/manifests/00000001.json", b"{other}")
    with pytest.raises(DamagedFile, match="is no manifest that this release reads"):
        vault.manifest("backup/c/manifests/00000001.json")
    client.close()


@pytest.mark.long
def test_a_log_that_lost_records_is_not_sealed_over_its_backup(mine: Settings) -> None:
    asyncio.run(create(mine))
    asyncio.run(add(mine, 0))
    succeeds(mine, "backup")
    asyncio.run(lose(mine))
    asyncio.run(create(mine))
    said = fails(mine, "backup")
    assert "it is not the log that was sealed, or lost a part of it" in said
    assert "restore" in said


def test_a_backup_that_was_killed_is_none_and_the_next_is_whole(mine: Settings) -> None:
    asyncio.run(create(mine))
    asyncio.run(add(mine, 0))
    killed_after(mine, "sealed", "backup")
    assert "holds no backup" in succeeds(mine, "backup", "list")
    assert "holds no backup" in fails(mine, "restore")
    succeeds(mine, "backup")
    assert "60 records" in succeeds(mine, "backup", "verify")


# -- a backup that is damaged


@pytest.fixture
def sealed(mine: Settings) -> Settings:
    """A deployment that was sealed and then lost."""
    asyncio.run(fill(mine))
    succeeds(mine, "backup")
    asyncio.run(lose(mine))
    return mine


def test_a_flipped_bit_on_the_store_is_found_before_anything_is_trusted(sealed: Settings) -> None:
    segment = segments_of(sealed)[0]
    path = sealed.home / "s3" / "buckets" / sealed.backup_bucket / segment.key
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.chmod(0o600)
    with path.open("r+b") as file:
        file.write(data)
    for words in (("backup", "verify"), ("restore",)):
        said = fails(sealed, *words)
        assert segment.key in said
        assert "are not those that were sealed" in said


def test_a_newer_version_of_a_segment_changes_nothing(sealed: Settings) -> None:
    client = open_s3(sealed)
    segment = segments_of(sealed)[0]
    client.put_object(Bucket=sealed.backup_bucket, Key=segment.key, Body=b"forged")
    client.close()
    assert "all as they were sealed" in succeeds(sealed, "backup", "verify")


@pytest.mark.long
def test_a_missing_segment_is_named(mine: Settings) -> None:
    asyncio.run(create(mine))
    asyncio.run(add(mine, 0))
    succeeds(mine, "backup")
    client = open_s3(mine)
    segment = segments_of(mine)[0]
    client.delete_object(
        Bucket=mine.backup_bucket, Key=segment.key, VersionId=segment.version_id,
        BypassGovernanceRetention=True,
    )  # fmt: skip
    client.close()
    assert f"{segment.key}: is gone from the backup" in fails(mine, "backup", "verify")
    assert f"{segment.key}: is gone from the backup; seal all with --full" in fails(mine, "backup")
    assert "60 records" in succeeds(mine, "backup", "--full")
    asyncio.run(lose(mine))
    succeeds(mine, "restore")


def test_a_manifest_with_a_gap_is_refused() -> None:
    segment = {
        "first": 0, "next": 5, "records": 5, "size_bytes": 1, "sha256": "", "key": "k",
        "version_id": "v",
    }  # fmt: skip
    later = segment | {"first": 6, "next": 9}
    manifest: dict[str, Any] = {
        "format": 1, "cluster": "c", "prefix": "", "number": 1, "taken_at": "", "groups": {},
        "topics": {"gf.sample.v1": [{"first": 0, "segments": [segment, later]}]},
    }  # fmt: skip
    with pytest.raises(DamagedFile, match="offset 5 is followed by a segment from 6 to 9"):
        read_manifest(json.dumps(manifest).encode(), "m.json")
    with pytest.raises(DamagedFile, match="is no manifest that this release reads"):
        read_manifest(json.dumps(manifest | {"format": 2}).encode(), "m.json")


def test_an_object_store_that_is_away_is_one_clear_error(mine: Settings) -> None:
    asyncio.run(create(mine))
    away = mine.model_copy(update={"s3": "http://127.0.0.1:1"})
    with pytest.raises(Retry, match="the object store does not answer"):
        Vault(open_s3(away), "backup-away", timedelta(days=1)).exists()
