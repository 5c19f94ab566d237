"""Transfers of run folders under contract: the watcher's own copy, and DataSync."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from genoflow.events.errors import Refused, Retry
from genoflow.events.log.memory import MemoryLog
from genoflow.processors.adapters.datasync import DataSync
from genoflow.processors.adapters.s3_runs import S3RunStore
from genoflow.processors.intake.illumina.folder import Illumina
from genoflow.processors.intake.mirror import Changed, Mirror
from genoflow.processors.intake.run_folders import Shown
from genoflow.processors.intake.transfer import LocalCopy, Transfer
from tests.aws import Moved
from tests.fakes import FakeClock
from tests.run_lab import Folders, Lab
from tests.servers import Bucket
from tests.sheets import RUN_ID, run_files

MARKER = "RTAComplete.txt"
BCL = "Data/Intensities/BaseCalls/L001/C7.1/s_1_1101.bcl"


@dataclass(slots=True)
class Site:
    """A share with one whole run, a bucket, and a transfer between the two."""

    folders: Folders
    bucket: Bucket
    transfer: Transfer
    moved: Moved | None = None

    def shown(self) -> Shown:
        clock = self.folders.clock
        return Illumina(lambda _: None).read(self.folders.look(RUN_ID, clock.now(), whole=True))

    def mirror(self, stopping: Callable[[], bool] = lambda: False) -> Mirror | Changed:
        return self.transfer.mirror(RUN_ID, self.shown(), self.shown, stopping)

    def objects(self) -> dict[str, bytes]:
        client, name = self.bucket.client, self.bucket.name
        keys = [one["Key"] for one in client.list_objects_v2(Bucket=name).get("Contents", [])]
        return {key: client.get_object(Bucket=name, Key=key)["Body"].read() for key in keys}

    @property
    def manifests(self) -> list[str]:
        return [key for key in self.objects() if "/manifest-" in key]


def site_of(kind: str, request: pytest.FixtureRequest) -> Site:
    bucket: Bucket = request.getfixturevalue("s3_bucket")
    folders = Folders(FakeClock())
    folders.write(run_files() | {MARKER: b"done"})
    store = S3RunStore(bucket.client)
    if kind == "copy":
        return Site(folders, bucket, LocalCopy(folders, store, bucket.name))
    moved: Moved = request.getfixturevalue("datasync")

    def move(folder: str) -> None:
        for path, (body, _) in folders.runs[folder.strip("/")].items():
            bucket.client.put_object(Bucket=bucket.name, Key=f"runs{folder}/{path}", Body=body)

    moved.move = move
    transfer = DataSync(moved.client, moved.task, folders, store, poll_seconds=0.01)
    return Site(folders, bucket, transfer, moved)


@pytest.fixture(params=["copy", "datasync"])
def site(request: pytest.FixtureRequest) -> Site:
    return site_of(request.param, request)


@pytest.fixture
def over_datasync(request: pytest.FixtureRequest) -> Site:
    return site_of("datasync", request)


def test_every_file_is_in_the_store_and_in_the_manifest(site: Site) -> None:
    outcome = site.mirror()
    assert isinstance(outcome, Mirror)
    objects, wanted = site.objects(), site.shown().files
    bodies = {path: site.folders.runs[RUN_ID][path][0] for path in wanted}
    assert {path: objects[f"{outcome.prefix}{path}"] for path in wanted} == bodies
    manifest = objects[outcome.manifest_key]
    assert hashlib.sha256(manifest).hexdigest() == outcome.manifest_sha256
    lines = [line.split("\t") for line in manifest.decode().splitlines()]
    assert {path: (sha, int(size)) for sha, size, path in lines} == {
        path: (hashlib.sha256(body).hexdigest(), len(body)) for path, body in bodies.items()
    }
    assert (outcome.bucket, outcome.file_count) == (site.bucket.name, len(bodies))
    assert outcome.total_bytes == sum(map(len, bodies.values()))


def test_a_second_time_finds_the_first(site: Site) -> None:
    assert site.mirror() == site.mirror()
    assert site.moved is None or len(site.moved.begun) == 1


def test_one_that_was_interrupted_is_gone_on_with(site: Site) -> None:
    with pytest.raises(Retry, match="next look"):
        site.mirror(stopping=lambda: True)
    assert site.manifests == []
    assert isinstance(site.mirror(), Mirror)
    assert site.moved is None or len(site.moved.begun) == 1


@pytest.mark.parametrize("change", ["longer", "gone", "another"])
def test_a_folder_that_does_not_hold_still_has_no_manifest(site: Site, change: str) -> None:
    before = site.shown()

    def again() -> Shown:
        site.folders.clock.jump(1)
        if change == "gone":
            site.folders.runs[RUN_ID].pop(BCL, None)
        else:
            site.folders.write({BCL: b"x" * (99 if change == "longer" else 20)})
        return site.shown()

    outcome = site.transfer.mirror(RUN_ID, before, again, lambda: False)
    assert isinstance(outcome, Changed)
    assert BCL in outcome.what
    assert site.manifests == []


# -- what only DataSync can do


def test_no_file_counts_that_differs_from_the_share_whatever_datasync_says(
    over_datasync: Site,
) -> None:
    site = over_datasync
    moved, move = site.moved, site.moved.move if site.moved else None
    assert moved is not None
    assert move is not None

    def spoil(folder: str) -> None:
        move(folder)
        site.bucket.client.put_object(
            Bucket=site.bucket.name, Key=f"runs/{RUN_ID}/{BCL}", Body=b"y" * 20
        )

    moved.move = spoil
    with pytest.raises(Retry, match="is another file after DataSync's success"):
        site.mirror()
    site.bucket.client.delete_object(Bucket=site.bucket.name, Key=f"runs/{RUN_ID}/{BCL}")
    with pytest.raises(Retry, match="is not there after DataSync's success"):
        site.mirror()
    assert site.manifests == []


def test_one_that_failed_is_named_and_another_is_begun(over_datasync: Site) -> None:
    site, moved = over_datasync, over_datasync.moved
    assert moved is not None
    with pytest.raises(Retry, match="goes on; the next look finds it"):
        site.mirror(stopping=lambda: True)
    moved.faults[moved.begun[0]] = "AgentOffline"
    with pytest.raises(Retry, match=r"takes no execution .* now|ended as ERROR \(AgentOffline"):
        site.mirror()
    moved.client.cancel_task_execution(TaskExecutionArn=moved.begun[0])
    assert isinstance(site.mirror(), Mirror)
    assert len(moved.begun) == 2


def test_a_success_of_before_or_of_another_folder_is_not_taken(over_datasync: Site) -> None:
    site, moved = over_datasync, over_datasync.moved
    assert moved is not None
    assert isinstance(site.mirror(), Mirror)
    site.folders.clock.jump(2 * 24 * 3_600)  # written behind the time at which that one began
    site.folders.write({BCL: b"z" * 20})
    assert isinstance(site.mirror(), Mirror)
    assert len(moved.begun) == 2
    assert site.objects()[f"runs/{RUN_ID}/{BCL}"] == b"z" * 20
    site.folders.runs["other"] = {}
    moved.includes = dict.fromkeys(moved.includes, "/other")
    site.transfer = DataSync(
        moved.client, moved.task, site.folders, S3RunStore(site.bucket.client), poll_seconds=0.01
    )
    assert isinstance(site.mirror(), Mirror)
    assert len(moved.begun) == 3


def test_a_task_that_is_busy_is_asked_again_and_one_that_is_not_there_is_named(
    over_datasync: Site,
) -> None:
    site, moved = over_datasync, over_datasync.moved
    assert moved is not None
    moved.client.start_task_execution(
        TaskArn=moved.task, Includes=[{"FilterType": "SIMPLE_PATTERN", "Value": "/other"}]
    )
    with pytest.raises(Retry, match="takes no execution for /"):
        site.mirror()
    gone = DataSync(moved.client, f"{moved.task}0", site.folders, S3RunStore(site.bucket.client))
    with pytest.raises(Refused, match=moved.task):
        gone.mirror(RUN_ID, site.shown(), site.shown, lambda: False)


async def test_nothing_is_said_of_a_run_before_success_and_comparison(over_datasync: Site) -> None:
    site, moved = over_datasync, over_datasync.moved
    assert moved is not None
    async with MemoryLog() as log:
        lab = Lab(log)
        lab.folders.write(run_files() | {MARKER: b"done"})
        store: Any = S3RunStore(site.bucket.client)
        slow = DataSync(moved.client, moved.task, lab.folders, store, poll_seconds=0.01)
        lab.watcher = lab.another(transfer=slow)
        moved.move = lambda _: None  # success, and nothing came
        said = await lab.looks(4)
        assert "SequencingRunCompleted" in said
        assert "SequencingRunMirrored" not in said
        assert "is not there after DataSync's success" in str(lab.passes[-1].problems)
        site.folders = lab.folders
        for path, (body, _) in lab.folders.runs[RUN_ID].items():
            await asyncio.to_thread(
                site.bucket.client.put_object,
                Bucket=site.bucket.name, Key=f"runs/{RUN_ID}/{path}", Body=body,
            )  # fmt: skip
        assert await lab.looks() == ["SequencingRunMirrored"]
        told = (await lab.last()).payload()
        assert (told["bucket"], told["prefix"]) == (site.bucket.name, f"runs/{RUN_ID}/")
