"""The job at AWS Batch: who claims an effect, and who goes away; and who launches it."""

from __future__ import annotations

import asyncio
from pathlib import Path
from uuid import UUID

import pytest
from pydantic import ValidationError

from genoflow.deploy.launching import open_launcher
from genoflow.deploy.old_work import clearing_of
from genoflow.deploy.settings import Settings, batch_job_id
from genoflow.events.errors import Parked, Refused
from genoflow.processors.adapters.batch_job import entered
from genoflow.processors.adapters.batch_launcher import BatchLauncher
from genoflow.processors.adapters.job_notes import JobNotes
from genoflow.processors.adapters.local_launcher import LocalLauncher
from genoflow.processors.ports import JobOrder, Ports
from tests.fakes import FakeClock, FakeStore

ORDER = JobOrder(("python", "-m", "program"), b"\x00told")
EFFECT = UUID(int=7)


@pytest.fixture
async def notes() -> JobNotes:
    notes = JobNotes(FakeStore(), "work", EFFECT)
    assert await notes.keep_order(ORDER)
    return notes


async def test_the_first_job_that_claims_it_runs_it_on_whichever_host(notes: JobNotes) -> None:
    assert await entered(notes, "a") == ORDER
    assert await entered(notes, "a") == ORDER  # Spot took the host, and Batch began it again
    assert "another job has claimed" in str(await entered(notes, "b"))
    claim = await notes.claim()
    assert claim is not None
    assert claim.job_id == "a"


async def test_a_job_that_nobody_wants_or_that_was_done_goes(notes: JobNotes) -> None:
    assert await entered(notes, "a") == ORDER
    await notes.leave(b"done")
    assert "has its outcome" in str(await entered(notes, "a"))
    await notes.cancel()
    assert "nobody wants" in str(await entered(notes, "a"))


async def test_a_job_without_an_order_that_can_be_read_is_no_job_of_ours(notes: JobNotes) -> None:
    nothing = JobNotes(FakeStore(), "work", EFFECT)
    with pytest.raises(Parked, match="holds no order; submit jobs through a launcher alone"):
        await entered(nothing, "a")
    store = FakeStore()
    store.keep("work", f"effects/{EFFECT}/order", b'{"program": []}', {})
    with pytest.raises(Parked, match=f"s3://work/effects/{EFFECT}/order: is no order"):
        await entered(JobNotes(store, "work", EFFECT), "a")
    assert not await notes.keep_order(JobOrder(("another",)))
    assert await notes.order() == ORDER


def test_only_batch_starts_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_BATCH_JOB_ID", raising=False)
    with pytest.raises(Refused, match="AWS_BATCH_JOB_ID is not set"):
        batch_job_id()
    monkeypatch.setenv("AWS_BATCH_JOB_ID", "a")
    assert batch_job_id() == "a"


def test_the_settings_say_where_jobs_run(tmp_path: Path) -> None:
    assert isinstance(open_launcher(Settings(home=tmp_path), FakeStore()), LocalLauncher)
    launcher = open_launcher(Settings(home=tmp_path, launcher="awsbatch"), FakeStore())
    assert isinstance(launcher, BatchLauncher)
    # A request that is sent again by itself may be a second job.
    assert launcher._once.meta.config.retries["total_max_attempts"] == 1
    assert launcher._client.meta.config.retries["total_max_attempts"] > 1
    with pytest.raises(ValidationError, match="names no queue for low, normal"):
        Settings(home=tmp_path, batch_queues={"high": "q"})


class Counting(BatchLauncher):
    """A launcher with orphans."""

    def __init__(self) -> None:
        """It asks nobody."""
        self.asked = asyncio.Event()

    async def end_orphans(self) -> int:
        """Note that it was asked."""
        self.asked.set()
        return 1


async def test_a_worker_ends_what_nobody_wants_as_it_works(tmp_path: Path) -> None:
    launcher = Counting()
    beside = clearing_of(tmp_path, Ports(clock=FakeClock(), launcher=launcher))
    assert beside is not None
    clearing = asyncio.create_task(beside)
    async with asyncio.timeout(10):
        await launcher.asked.wait()
    assert not clearing.done()
    clearing.cancel()
    await asyncio.wait([clearing])
    assert clearing_of(tmp_path, Ports(clock=FakeClock())) is None
