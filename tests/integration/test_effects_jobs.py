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
from genoflow.processors.job_outcome import (
    ERROR_TAIL_BYTES_MAX,
    OUTPUT_BYTES_MAX,
    JobOutcome,
    outcome_key,
    read_outcome,
)
from genoflow.processors.ports import JobOrder, JobState
from tests.fakes import FakeStore
from tests.integration.effects import PATIENCE_SECONDS, ROOT, processes_named, until
from tests.servers import Bucket

# What the launcher starts: the job leaves its outcome in a folder that stands for the store, once
# a file says that the store is there.
WRAPPER = f"""
import os, sys; sys.path.insert(0, {str(ROOT)!r})
from pathlib import Path
from genoflow.events.errors import Retry
from genoflow.processors.adapters import local_job
local_job.PAUSES_SECONDS = (0.05,)
def make_put():
    store = Path(sys.argv[3])
    def put(body):
        if not (store / "is-there").exists():
            raise Retry("the store is away")
        home = store / sys.argv[4]
        home.parent.mkdir(parents=True, exist_ok=True)
        try:
            with home.open("xb") as file:
                file.write(body)
        except FileExistsError:
            pass
    return put
local_job.run_job(Path(sys.argv[1]), int(sys.argv[2]), make_put)
"""
COUNTS = "import os,sys; open('../../count','a').write('x'); print(sys.stdin.read())"
WAITS = (
    "import os,subprocess,sys,time;"
    "helper = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)']);"
    "open('../../ids','w').write(f'{os.getpid()} {helper.pid}\\n'); time.sleep(600)"
)
STUBBORN = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN);" + WAITS
# A worker that launches a job, says so, and waits to be killed.
OWNER = f"""
import asyncio, sys; sys.path.insert(0, {str(ROOT)!r})
from pathlib import Path
from uuid import UUID
from genoflow.processors.adapters.local_launcher import LocalLauncher
from genoflow.processors.ports import JobOrder
from tests.integration.test_effects_jobs import WAITS, launcher_of
async def main():
    launcher = launcher_of(Path(sys.argv[1]))
    await launcher.launch(UUID(sys.argv[2]), JobOrder((sys.executable, "-c", WAITS)))
    print("launched", flush=True)
    await asyncio.sleep(600)
asyncio.run(main())
"""


def launcher_of(home: Path) -> LocalLauncher:
    return LocalLauncher(home / "jobs", (sys.executable, "-c", WRAPPER), str(home / "store"))


def python(code: str, document: bytes = b"") -> JobOrder:
    return JobOrder((sys.executable, "-c", code), document)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "store").mkdir()
    (tmp_path / "store" / "is-there").touch()
    return tmp_path


@pytest.fixture
async def job(home: Path) -> AsyncIterator[UUID]:
    """A new effect id; whatever runs under it is ended after the test."""
    effect_id = uuid4()
    yield effect_id
    await launcher_of(home).cancel(effect_id)


async def ended(launcher: LocalLauncher, job: UUID) -> None:
    async with asyncio.timeout(PATIENCE_SECONDS):
        while await launcher.find(job) is not JobState.ENDED:
            await asyncio.sleep(0.02)


def outcome(home: Path, job: UUID) -> JobOutcome:
    return read_outcome((home / "store" / outcome_key(job)).read_bytes())


async def test_a_job_runs_once_and_leaves_its_outcome(home: Path, job: UUID) -> None:
    launcher = launcher_of(home)
    assert await launcher.find(job) is JobState.UNKNOWN
    await launcher.launch(job, python(COUNTS, b"told"))
    await ended(launcher, job)
    assert outcome(home, job) == JobOutcome(exit_code=0, output="told\n", output_size_bytes=5)
    await launcher.launch(job, python(COUNTS))
    await ended(launcher, job)
    assert (home / "jobs" / "count").read_text() == "x"


async def test_of_many_workers_who_launch_at_once_one_does(home: Path, job: UUID) -> None:
    """Launchers of their own, as in processes of their own: the lock is per open file."""
    launchers = [launcher_of(home) for _ in range(6)]
    order = python(COUNTS)
    looks = [launcher.find(job) for launcher in launchers]
    await asyncio.gather(*(launcher.launch(job, order) for launcher in launchers), *looks)
    await ended(launchers[0], job)
    assert (home / "jobs" / "count").read_text() == "x"


async def test_a_job_outlives_its_owner_and_the_next_finds_it(home: Path, job: UUID) -> None:
    owner = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", OWNER, str(home), str(job)), stdout=asyncio.subprocess.PIPE,
        start_new_session=True,
    )  # fmt: skip
    assert owner.stdout is not None
    assert await owner.stdout.readline() == b"launched\n"
    program, helper = [identify(pid) for pid in await processes_named(home / "jobs" / "ids")]
    os.killpg(owner.pid, signal.SIGKILL)
    await owner.wait()
    launcher = launcher_of(home)
    assert await launcher.find(job) is JobState.RUNNING
    await launcher.launch(job, python(COUNTS))
    assert not (home / "jobs" / "count").exists()
    program.kill(signal.SIGKILL)
    await ended(launcher, job)
    assert outcome(home, job).exit_code == -signal.SIGKILL
    await until(lambda: not helper.alive())  # what it left behind is ended with it


@pytest.mark.parametrize("code", [WAITS, STUBBORN])
async def test_cancel_ends_all_that_a_job_started(
    home: Path, job: UUID, code: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("genoflow.processors.adapters.local_launcher.CANCEL_GRACE_SECONDS", 1.0)
    launcher = launcher_of(home)
    await launcher.launch(job, python(code))
    living = [identify(pid) for pid in await processes_named(home / "jobs" / "ids")]
    assert await launcher.find(job) is JobState.RUNNING
    await launcher.cancel(job)
    assert await launcher.find(job) is JobState.ENDED
    await until(lambda: not any(one.alive() for one in living))
    await launcher.cancel(job)
    if code == WAITS:
        assert outcome(home, job).exit_code == -signal.SIGTERM


async def test_a_job_whose_wrapper_was_killed_runs_until_its_program_ends(
    home: Path, job: UUID
) -> None:
    launcher = launcher_of(home)
    await launcher.launch(job, python(WAITS))
    program, helper = [identify(pid) for pid in await processes_named(home / "jobs" / "ids")]
    wrapper = identify(int((home / "jobs" / str(job) / BEGUN).read_text()))
    wrapper.kill(signal.SIGKILL)
    await until(lambda: not wrapper.alive())
    assert await launcher.find(job) is JobState.RUNNING
    helper.kill(signal.SIGKILL)
    program.kill(signal.SIGKILL)
    await ended(launcher, job)
    assert not (home / "store" / outcome_key(job)).exists()  # and the runner parks it


async def test_a_store_that_is_away_is_waited_for(home: Path, job: UUID) -> None:
    (home / "store" / "is-there").unlink()
    launcher = launcher_of(home)
    await launcher.launch(job, python("print('done')"))
    log = home / "jobs" / str(job) / "wrapper.log"
    await until(lambda: log.read_text().count("the store is away; trying again in 0.05 s") > 1)
    assert await launcher.find(job) is JobState.RUNNING
    (home / "store" / "is-there").touch()
    await ended(launcher, job)
    assert outcome(home, job).output == "done\n"


async def test_much_output_and_a_failure_are_kept_within_limits(home: Path, job: UUID) -> None:
    launcher = launcher_of(home)
    much = OUTPUT_BYTES_MAX + 7
    code = f"import sys; sys.stdout.write('x' * {much}); sys.stderr.write('y' * 99999 + 'end')"
    await launcher.launch(job, python(f"{code}; sys.exit(3)"))
    await ended(launcher, job)
    found = outcome(home, job)
    assert (found.exit_code, found.output_size_bytes) == (3, much)
    assert len(found.output) == OUTPUT_BYTES_MAX
    assert len(found.error_tail) == ERROR_TAIL_BYTES_MAX
    assert found.error_tail.endswith("end")


async def test_a_program_that_is_not_there_is_an_outcome(home: Path, job: UUID) -> None:
    launcher = launcher_of(home)
    await launcher.launch(job, JobOrder(("no-such-program",)))
    await ended(launcher, job)
    assert outcome(home, job).exit_code == 127
    assert "no-such-program" in (home / "jobs" / str(job) / STDERR).read_text()


async def test_a_wrapper_that_does_not_begin_is_tried_again(home: Path, job: UUID) -> None:
    broken = LocalLauncher(home / "jobs", (sys.executable, "-c", "exit('no settings')"), "b")
    with pytest.raises(Retry, match="could not be begun, exit status 1: no settings; mend that"):
        await broken.launch(job, python(COUNTS))
    assert await broken.find(job) is JobState.UNKNOWN
    await launcher_of(home).launch(job, python(COUNTS))
    await ended(launcher_of(home), job)
    assert outcome(home, job).exit_code == 0


def made_old(home: Path, job: UUID) -> Path:
    """What the job left, as if nothing had happened there for two days."""
    left = home / "jobs" / str(job)
    for path in (*left.iterdir(), left):
        os.utime(path, (0, 0))
    return left


async def test_what_an_old_job_left_is_removed_and_it_is_not_lost(home: Path, job: UUID) -> None:
    launcher, store = launcher_of(home), FakeStore()
    assert await launcher.clear(store, 0) == 0  # there is no job yet
    await launcher.launch(job, python(COUNTS))
    await ended(launcher, job)
    store.keep(str(home / "store"), outcome_key(job), outcome(home, job).to_bytes(), {})
    assert await launcher.clear(store, 60) == 0  # it ended just now
    left = made_old(home, job)
    away = home / "jobs" / f"{uuid4()}{AWAY}"
    away.mkdir()  # of a worker that was killed
    both = await asyncio.gather(launcher.clear(store, 60), launcher_of(home).clear(store, 60))
    assert sum(both) == 1
    assert not left.exists()
    assert not away.exists()
    assert await launcher.find(job) is JobState.ENDED
    await launcher.launch(job, python(COUNTS))  # a worker that stood still since it looked
    await launcher.cancel(job)
    assert await launcher.find(job) is JobState.ENDED
    assert (home / "jobs" / "count").read_text() == "x"


async def test_what_a_lost_job_left_stays_and_what_nobody_wants_goes(home: Path, job: UUID) -> None:
    launcher, store = launcher_of(home), FakeStore()
    await launcher.launch(job, python(COUNTS))
    await ended(launcher, job)
    left = made_old(home, job)
    assert await launcher.clear(store, 60) == 0
    assert (left / STDERR).exists()
    (left / CANCELLED).touch()
    made_old(home, job)
    assert await launcher.clear(store, 60) == 1


async def test_what_still_runs_is_not_removed(home: Path, job: UUID) -> None:
    launcher, store = launcher_of(home), FakeStore()
    await launcher.launch(job, python(WAITS))
    await processes_named(home / "jobs" / "ids")
    store.keep(str(home / "store"), outcome_key(job), b"of another try", {})
    left = made_old(home, job)
    assert await launcher.clear(store, 60) == 0
    assert left.is_dir()
    assert await launcher.find(job) is JobState.RUNNING


async def test_the_real_wrapper_leaves_the_outcome_in_the_object_store(
    home: Path, job: UUID, s3_bucket: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    at = s3_bucket.addresses
    for name, value in {
        "S3": at.s3, "S3_ACCESS_KEY": at.s3_access_key, "S3_SECRET_KEY": at.s3_secret_key,
        "S3_REGION": at.s3_region, "HOME": str(home / "data"),
    }.items():  # fmt: skip
        monkeypatch.setenv(f"GENOFLOW_{name}", value)
    command = (sys.executable, "-m", "genoflow.deploy.job")
    launcher = LocalLauncher(home / "jobs", command, s3_bucket.name)
    await launcher.launch(job, python(COUNTS, b"told"))
    await ended(launcher, job)
    client = s3_client(at)
    left = await S3Store(client).get(s3_bucket.name, outcome_key(job))
    client.close()
    assert left is not None
    assert read_outcome(left).output == "told\n"


async def test_a_job_that_was_cancelled_before_is_never_begun(home: Path, job: UUID) -> None:
    launcher = launcher_of(home)
    await launcher.cancel(job)
    assert await launcher.find(job) is JobState.UNKNOWN
    await launcher.launch(job, python(COUNTS))
    assert await launcher.find(job) is JobState.UNKNOWN
    assert not (home / "jobs" / "count").exists()
