"""The folder of a run: shared by its attempts, and gone when one has left all that it owes."""

from __future__ import annotations

import asyncio
import os
import shutil
from pathlib import Path
from uuid import UUID

import pytest

from genoflow.deploy.attempt_folder import RUNS, attempt_folder, clear_runs, done_with
from genoflow.deploy.old_work import keep_clear
from genoflow.processors.adapters.local_launcher import LocalLauncher
from genoflow.processors.running.manifest import Fault, RunManifest
from tests.fakes import FakeStore

RUN = UUID(int=9)


def old(folder: Path) -> None:
    """As if nothing had happened there for long."""
    for path in (*folder.iterdir(), folder):
        os.utime(path, (0, 0))


def test_attempts_share_a_folder_one_after_another(tmp_path: Path) -> None:
    own = tmp_path / "own"
    with attempt_folder(tmp_path, RUN, own) as first:
        assert first == tmp_path / RUNS / str(RUN)
        with attempt_folder(tmp_path, RUN, own) as second:
            assert second == own
        shutil.rmtree(first)  # this attempt is done, and the next one begins
        with attempt_folder(tmp_path, RUN, own) as third:
            assert third == first
            assert first.is_dir()
    with attempt_folder(tmp_path, RUN, own) as again:
        assert again == first


@pytest.mark.parametrize(("may_pass", "stays"), [(None, False), (False, True), (True, True)])
def test_the_folder_stays_where_the_run_failed_and_may_go_on(
    tmp_path: Path, may_pass: bool | None, stays: bool
) -> None:
    fault = Fault(reason_code="out of memory", reason="r", may_pass=bool(may_pass))
    manifest = RunManifest(
        run_id=RUN, attempt=2, job_id=RUN, engine="e", engine_version="1",
        fault=None if may_pass is None else fault, duration_seconds=1.0,
    )  # fmt: skip
    with attempt_folder(tmp_path, RUN, tmp_path) as folder:
        done_with(folder, manifest)
    assert folder.exists() == stays


def test_what_a_run_that_was_ended_left_goes_away_later(tmp_path: Path) -> None:
    assert clear_runs(tmp_path, 60) == 0
    with attempt_folder(tmp_path, RUN, tmp_path) as folder:
        (folder / "engine").mkdir()
        old(folder)
        assert clear_runs(tmp_path, 60) == 0  # an attempt works there, though nothing is new
        assert (folder / "engine").is_dir()
    (folder / "engine").rmdir()
    assert clear_runs(tmp_path, 60) == 0  # something happened just now
    old(folder)
    assert clear_runs(tmp_path, 60) == 1
    assert not folder.exists()


async def test_a_worker_removes_what_is_old_as_it_works(tmp_path: Path) -> None:
    with attempt_folder(tmp_path, RUN, tmp_path) as folder:
        old(folder)
    launcher = LocalLauncher(tmp_path / "jobs", (), "outcomes")
    clearing = asyncio.create_task(keep_clear(tmp_path, launcher, FakeStore()))
    async with asyncio.timeout(10):
        while folder.exists():
            await asyncio.sleep(0.01)
    assert not clearing.done()  # it looks again tomorrow
    clearing.cancel()
    await asyncio.wait([clearing])
