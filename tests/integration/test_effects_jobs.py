"""Jobs on this machine: they outlive whoever launched them, and are begun once."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from genoflow.deploy.local.process import identify
from genoflow.deploy.wiring import s3_client
from genoflow.events.errors import Retry
from genoflow.processors.adapters.local_job import BEGUN, CANCELLED, STDERR
from genoflow.processors.adapters.local_launcher import AWAY, LocalLauncher
from genoflow.processors.adapters.s3 import S3Store
from genoflow.processors.job_outcome import outcome_key, read_outcome
from genoflow.processors.ports import JobOrder, JobState
from tests.fakes import FakeStore
from tests.integration.effects import ROOT, processes_named, until
from tests.jobs import COUNTS, WAITS, Site, local_launcher, local_site
from tests.servers import Bucket

# A worker that launches a job, says so, and waits to be killed.
OWNER = f"""
import asyncio, sys; sys.path.insert(0, {str(ROOT)!r})
from pathlib import Path
from uuid import UUID
from tests.jobs import WAITS, local_site
async def main():
    site = local_site(Path(sys.argv[1]))
    await site.launcher().launch(UUID(sys.argv[2]), site.python(WAITS))
    print("launched", flush=True)
    await asyncio.sleep(600)
asyncio.run(main())
"""


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return local_site(tmp_path)


@pytest.fixture
async def job(site: Site) -> AsyncIterator[UUID]:
    """A new effect id; whatever runs under it is ended after the test."""
    effect_id = uuid4()
    yield effect_id
    await site.launcher().cancel(effect_id)


async def test_a_job_outlives_its_owner_and_the_next_finds_it(site: Site, job: UUID) -> None:
    owner = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", OWNER, str(site.home), str(job)), stdout=asyncio.subprocess.PIPE,
        start_new_session=True,
    )  # fmt: skip
    assert owner.stdout is not None
    assert await owner.stdout.readline() == b"launched\n"
    program, helper = [identify(pid) for pid in await processes_named(site.home / "ids")]
    os.killpg(owner.pid, signal.SIGKILL)
    await owner.wait()
    launcher = site.launcher()
    assert await launcher.find(job) is JobState.RUNNING
    await launcher.launch(job, site.python(COUNTS))
    assert site.counted() == ""
    program.kill(signal.SIGKILL)
    await site.ended(job)
    assert site.outcome(job).exit_code == -signal.SIGKILL
    await until(lambda: not helper.alive())  # what it left behind is ended with it


async def test_a_job_whose_wrapper_was_killed_runs_until_its_program_ends(
    site: Site, job: UUID
) -> None:
    launcher = site.launcher()
    await launcher.launch(job, site.python(WAITS))
    program, helper = [identify(pid) for pid in await processes_named(site.home / "ids")]
    wrapper = identify(int((site.home / "jobs" / str(job) / BEGUN).read_text()))
    wrapper.kill(signal.SIGKILL)
    await until(lambda: not wrapper.alive())
    assert await launcher.find(job) is JobState.RUNNING
    helper.kill(signal.SIGKILL)
    program.kill(signal.SIGKILL)
    await site.ended(job)
    assert not site.has_outcome(job)  # and the runner parks it


async def test_a_store_that_is_away_is_waited_for(site: Site, job: UUID) -> None:
    (site.home / "store" / "is-there").unlink()
    launcher = site.launcher()
    await launcher.launch(job, site.python("print('done')"))
    log = site.home / "jobs" / str(job) / "wrapper.log"
    await until(lambda: log.read_text().count("the store is away; trying again in 0.05 s") > 1)
    assert await launcher.find(job) is JobState.RUNNING
    (site.home / "store" / "is-there").touch()
    await site.ended(job)
    assert site.outcome(job).output == "done\n"


async def test_a_program_that_is_not_there_is_an_outcome(site: Site, job: UUID) -> None:
    launcher = site.launcher()
    await launcher.launch(job, JobOrder(("no-such-program",)))
    await site.ended(job)
    assert site.outcome(job).exit_code == 127
    assert "no-such-program" in (site.home / "jobs" / str(job) / STDERR).read_text()


async def test_a_wrapper_that_does_not_begin_is_tried_again(site: Site, job: UUID) -> None:
    broken = LocalLauncher(site.home / "jobs", (sys.executable, "-c", "exit('no settings')"), "b")
    with pytest.raises(Retry, match="could not be begun, exit status 1: no settings; mend that"):
        await broken.launch(job, site.python(COUNTS))
    assert await broken.find(job) is JobState.UNKNOWN
    await site.launcher().launch(job, site.python(COUNTS))
    await site.ended(job)
    assert site.outcome(job).exit_code == 0


def made_old(site: Site, job: UUID) -> Path:
    """What the job left, as if nothing had happened there for two days."""
    left = site.home / "jobs" / str(job)
    for path in (*left.iterdir(), left):
        os.utime(path, (0, 0))
    return left


async def test_what_an_old_job_left_is_removed_and_it_is_not_lost(site: Site, job: UUID) -> None:
    launcher, store = local_launcher(site.home), FakeStore()
    assert await launcher.clear(store, 0) == 0  # there is no job yet
    await launcher.launch(job, site.python(COUNTS))
    await site.ended(job)
    store.keep(str(site.home / "store"), outcome_key(job), site.outcome(job).to_bytes(), {})
    assert await launcher.clear(store, 60) == 0  # it ended just now
    left = made_old(site, job)
    away = site.home / "jobs" / f"{uuid4()}{AWAY}"
    away.mkdir()  # of a worker that was killed
    both = await asyncio.gather(*(local_launcher(site.home).clear(store, 60) for _ in range(2)))
    assert sum(both) == 1
    assert not left.exists()
    assert not away.exists()
    assert await launcher.find(job) is JobState.ENDED
    await launcher.launch(job, site.python(COUNTS))  # a worker that stood still since it looked
    await launcher.cancel(job)
    assert await launcher.find(job) is JobState.ENDED
    assert site.counted() == "x"


async def test_what_a_lost_job_left_stays_and_what_nobody_wants_goes(site: Site, job: UUID) -> None:
    launcher, store = local_launcher(site.home), FakeStore()
    await launcher.launch(job, site.python(COUNTS))
    await site.ended(job)
    left = made_old(site, job)
    assert await launcher.clear(store, 60) == 0
    assert (left / STDERR).exists()
    (left / CANCELLED).touch()
    made_old(site, job)
    assert await launcher.clear(store, 60) == 1


async def test_what_still_runs_is_not_removed(site: Site, job: UUID) -> None:
    launcher, store = local_launcher(site.home), FakeStore()
    await launcher.launch(job, site.python(WAITS))
    await processes_named(site.home / "ids")
    store.keep(str(site.home / "store"), outcome_key(job), b"of another try", {})
    left = made_old(site, job)
    assert await launcher.clear(store, 60) == 0
    assert left.is_dir()
    assert await launcher.find(job) is JobState.RUNNING


async def test_the_real_wrapper_leaves_the_outcome_in_the_object_store(
    site: Site, job: UUID, s3_bucket: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    at = s3_bucket.addresses
    for name, value in {
        "S3": at.s3, "S3_ACCESS_KEY": at.s3_access_key, "S3_SECRET_KEY": at.s3_secret_key,
        "S3_REGION": at.s3_region, "HOME": str(site.home / "data"),
    }.items():  # fmt: skip
        monkeypatch.setenv(f"GENOFLOW_{name}", value)
    command = (sys.executable, "-m", "genoflow.deploy.job")
    launcher = LocalLauncher(site.home / "jobs", command, s3_bucket.name)
    await launcher.launch(job, site.python(COUNTS, b"told"))
    await site.ended(job)
    client = s3_client(at)
    left = await S3Store(client).get(s3_bucket.name, outcome_key(job))
    client.close()
    assert left is not None
    assert read_outcome(left).output == "told\n"
