"""The buckets on two stores: one that has all that Amazon has, and a real one that has less."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from genoflow.deploy.bucket_store import Buckets, Found
from genoflow.deploy.buckets import CLASSES, ENCRYPTION, LIFECYCLE, LOCK, POLICY, wanted
from genoflow.deploy.settings import Settings
from genoflow.deploy.wiring import aws_client, open_s3
from genoflow.events.errors import Refused
from genoflow.events.stored_version import StoredVersion
from genoflow.processors.adapters.s3_remover import S3Remover
from genoflow.processors.adapters.system_clock import SystemClock
from tests.servers import Bucket


def of_this_test(settings: Settings, suffix: str) -> Settings:
    names = {f"{name}_bucket": f"{name}-{suffix}" for name in CLASSES}
    keys = {name: f"alias/{name}-{suffix}" for name in CLASSES}
    more = {"bucket_encryption": keys, "raw_lock_days": 1, "cors_origins": ("https://a.example",)}
    return settings.model_copy(update=names | more)


def told(found: list[Found], aspect: str) -> dict[str, str]:
    return {one.wanted.bucket_class: one.says for one in found if one.aspect == aspect}


def test_amazons_buckets_become_what_the_table_says_and_stay_so(
    aws_settings: Settings, suffix: str
) -> None:
    mine = of_this_test(aws_settings, suffix)
    keys = aws_client(mine, "kms")
    store, want = Buckets(open_s3(mine), keys), wanted(mine)
    missing = list(store.check(want))
    assert [one.says for one in missing] == ["is missing"] * len(CLASSES)
    with pytest.raises(Refused, match=r"--create-keys for an alias"):
        list(store.apply(want, create_keys=False))
    left = [one for one in store.check(want) if one.differs]
    assert {one.aspect for one in left} == {ENCRYPTION}
    assert {one.wanted.bucket_class for one in left} == {*CLASSES}
    done = list(store.apply(want, create_keys=True))
    assert {one.aspect for one in done if one.was_set} == {ENCRYPTION}
    assert not any(one.differs for one in store.check(want))
    again = list(store.apply(want, create_keys=True))
    assert not any(one.was_set for one in again)
    # What somebody changes is a difference, in the words of both.
    store_client = open_s3(mine)
    store_client.delete_bucket_lifecycle(Bucket=mine.references_bucket)
    [changed] = [one for one in store.check(want) if one.differs]
    assert (changed.wanted.bucket_class, changed.aspect) == ("references", LIFECYCLE)
    assert "is not set, wanted" in changed.says
    assert "INTELLIGENT_TIERING" in changed.says
    keys.delete_alias(AliasName=f"alias/raw-{suffix}")
    gone = told([one for one in store.check(want) if one.differs], ENCRYPTION)
    assert gone == {"raw": f"names alias/raw-{suffix}, and there is no such key"}


async def test_a_real_store_has_locks_and_policies_and_says_what_it_has_not(
    s3_bucket: Bucket, tmp_path: Path, suffix: str
) -> None:
    mine = of_this_test(Settings(home=tmp_path), suffix)
    store, want = Buckets(s3_bucket.client, None), wanted(mine)
    done = list(store.apply(want, create_keys=False))
    found = list(store.check(want))
    assert [one.says for one in found if one.differs] == []
    assert all("our sweeper does" in says for says in told(found, LIFECYCLE).values())
    assert all("does not encrypt" in says for says in told(found, ENCRYPTION).values())
    assert told(done, LOCK)["raw"].startswith("was set to")
    assert told(found, POLICY) == {"raw": "is as wanted"}
    assert not any(one.was_set for one in store.apply(want, create_keys=False))
    await immutable(s3_bucket.client, mine.raw_bucket)


async def immutable(client: Any, bucket: str) -> None:
    """What lands in the raw bucket stays, whoever deletes it, and the remover says until when."""
    version = client.put_object(Bucket=bucket, Key="in/a", Body=b"reads")["VersionId"]
    with pytest.raises(ClientError, match="object lock"):
        client.delete_object(Bucket=bucket, Key="in/a", VersionId=version)
    file = StoredVersion(bucket=bucket, object_key="in/a", version_id=version, size_bytes=5)
    kept = await S3Remover(client, SystemClock()).remove(file)
    assert (kept.is_gone, kept.is_locked) == (False, True)
    assert kept.locked_until is not None
    assert client.head_object(Bucket=bucket, Key="in/a")["VersionId"] == version
