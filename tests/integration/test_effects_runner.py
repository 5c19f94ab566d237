"""The runner over real processes: what dies is tried again and parked, and who leaves takes all."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from genoflow.deploy.local.process import identify
from genoflow.events.file_checksummed import FileChecksummed
from genoflow.processors.adapters.children import ChildPool
from genoflow.processors.checksum_files import CHECKSUM_FILES
from genoflow.processors.ports import Ports
from genoflow.processors.processor import Bytes
from genoflow.processors.runner import Runner
from tests.fakes import FakeClock
from tests.integration.effects import (
    CHILD_COMMAND,
    KINDS,
    effect,
    kind_of,
    never_ends,
    processes_named,
    until,
)
from tests.owner import Owner
from tests.servers import Bucket


class ByteOwner(Owner):
    """An owner whose effects the flow of these tests knows."""

    @property
    def processor_name(self) -> str:
        return "byte-work"


@pytest.fixture
async def runner() -> AsyncIterator[Runner]:
    pool = ChildPool(CHILD_COMMAND)
    opened = Runner(Ports(clock=FakeClock()), pool, pauses_seconds=(0, 0))
    yield opened
    await opened.close()
    await pool.close()


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("crashes", "SIGSEGV", "ended by SIGSEGV"),
        ("crashes", "SIGKILL", "ended by SIGKILL, as the kernel does where memory is short"),
        ("leaves", "", "ended with exit status 0 and no outcome"),
    ],
)
async def test_one_that_dies_is_tried_again_then_parked(
    runner: Runner, name: str, text: str, words: str
) -> None:
    owner = ByteOwner(runner)
    owner.open(KINDS[name], effect(name, 1, text=text))
    owner.open(KINDS["reads"], effect("reads", 2, "S2"))
    await until(lambda: len(owner.outcomes) == 2)
    (parked,) = [outcome.parked for outcome in owner.outcomes if outcome.parked]
    assert words in parked
    assert parked.endswith("requeue it (tried 3 times)")


async def test_one_that_never_ends_is_ended_with_all_it_started(
    runner: Runner, tmp_path: Path
) -> None:
    owner = ByteOwner(runner)
    kind = kind_of(never_ends, seconds_max=2.0)
    owner.open(kind, effect("never_ends", text=str(tmp_path / "ids")))
    living = [identify(pid) for pid in await processes_named(tmp_path / "ids")]
    await until(lambda: runner.doing()[0].progress == (1.0, None, "rounds"))
    await until(lambda: not any(one.alive() for one in living))
    await until(lambda: owner.outcomes)
    assert "never_ends" in (owner.outcomes[0].parked or "")
    assert "not done within 2 s" in (owner.outcomes[0].parked or "")


async def test_the_children_of_an_owner_that_is_dropped_die(runner: Runner, tmp_path: Path) -> None:
    leaves, stays = ByteOwner(runner), ByteOwner(runner)
    leaves.open(KINDS["never_ends"], effect("never_ends", text=str(tmp_path / "ids")))
    living = [identify(pid) for pid in await processes_named(tmp_path / "ids")]
    runner.drop(leaves)
    await until(lambda: not any(one.alive() for one in living))
    stays.open(KINDS["reads"], effect("reads"))
    await until(lambda: stays.outcomes)
    assert (leaves.outcomes, stays.outcomes[0].parked) == ([], None)


async def test_the_real_child_reads_the_real_store(
    s3_bucket: Bucket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = bytes(range(256)) * 100_000
    s3_bucket.client.put_object(Bucket=s3_bucket.name, Key="f", Body=body)
    at = s3_bucket.addresses
    for name, value in {
        "S3": at.s3, "S3_ACCESS_KEY": at.s3_access_key, "S3_SECRET_KEY": at.s3_secret_key,
        "S3_REGION": at.s3_region, "HOME": str(tmp_path),
    }.items():  # fmt: skip
        monkeypatch.setenv(f"GENOFLOW_{name}", value)
    flow = "genoflow.processors.flow:PROCESSORS"
    pool = ChildPool((sys.executable, "-m", "genoflow.deploy.child", flow))
    (kind,) = CHECKSUM_FILES.effects
    assert isinstance(kind, Bytes)
    asked = effect(
        "checksum", subject_topic="gf.sample.v1", subject_key="S1", bucket=s3_bucket.name,
        object_key="f", version_id="null", size_bytes=len(body), declared_md5=None,
        declared_sha256=None,
    )  # fmt: skip
    told: list[float] = []
    (event,) = await pool.perform(
        "checksum-files", asked, kind, 1, lambda done, *_: told.append(done)
    )
    await pool.close()
    assert isinstance(event, FileChecksummed)
    assert event.sha256 == hashlib.sha256(body).hexdigest()
    assert told[0] == 8 * 1024**2
