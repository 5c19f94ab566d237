"""Jobs that are moved to another queue: at Batch's double by the step, over HTTP, and at moto."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest

from genoflow.deploy.batch_stack import BatchStack
from genoflow.deploy.settings import Settings
from genoflow.events.errors import Retry
from genoflow.processors.adapters import batch_launcher
from genoflow.processors.adapters.batch_launcher import BatchLauncher, Places
from genoflow.processors.adapters.job_notes import NOBODY, JobNotes
from genoflow.processors.adapters.system_clock import SystemClock
from genoflow.processors.job_moves import Moved, MovesJobs
from genoflow.processors.ports import JobOrder, JobState, Urgency
from tests.batch_double import BatchDouble, Job, LostAnswer
from tests.batch_server import DEFINITION, batch_server, faults
from tests.contracts.test_launchers import QUEUES, batch_site, two_clients
from tests.faults.outside import FileStore
from tests.jobs import COUNTS, local_launcher

JOB = uuid4()
NORMAL = JobOrder(("true",))
HIGH, LOW = replace(NORMAL, urgency=Urgency.HIGH), replace(NORMAL, urgency=Urgency.LOW)


class _Host:
    """One that never does anything: what a job does is said by the test."""

    def end(self) -> None:
        """Nothing runs there."""

    def kill(self) -> None:
        """Nothing runs there."""


class Batch:
    """A launcher at the double, whose jobs wait until a test says that they do not."""

    def __init__(self, folder: Path) -> None:
        self.store = FileStore(folder)
        self.double = BatchDouble(
            lambda: 0.0, lambda *_: _Host(), step_seconds=60.0, definitions={DEFINITION: ("head",)}
        )
        places = Places(QUEUES, DEFINITION, "work")
        self.launcher = BatchLauncher(self.double, self.double, self.store, SystemClock(), places)
        self.notes = JobNotes(self.store, "work", JOB)

    @property
    def jobs(self) -> list[Job]:
        """In the order in which they were submitted."""
        return list(self.double.jobs.values())

    def places(self) -> list[tuple[str, str]]:
        """Where each of them is, and its state."""
        return [(str(one.request["jobQueue"])[len("genoflow-") :], one.state) for one in self.jobs]


@pytest.fixture
def batch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Batch:
    """A region with our queues, and lists for which nobody waits long."""
    monkeypatch.setattr(batch_launcher, "LOOK_SECONDS", 0.01)
    monkeypatch.setattr(batch_launcher, "SETTLE_SECONDS", 0.05)
    return Batch(tmp_path)


async def test_a_job_that_waits_is_moved_and_the_first_can_claim_it_no_more(batch: Batch) -> None:
    await batch.launcher.launch(JOB, NORMAL)
    assert await batch.launcher.move(JOB, HIGH) is Moved.MOVED
    assert batch.places() == [("normal", "FAILED"), ("high", "SUBMITTED")]
    first, second = batch.jobs
    assert second.name == first.name
    assert first.ended_by == "its urgency has changed: another job has its place"
    assert await batch.launcher.find(JOB) is JobState.RUNNING
    assert await batch.launcher.move(JOB, HIGH) is Moved.MOVED, "a second time moves nothing"
    await batch.launcher.launch(JOB, NORMAL)
    assert len(batch.jobs) == 2
    assert not await batch.notes.claimed(first.job_id)
    assert not await batch.notes.claimed("a job that a late list did not show")
    assert await batch.notes.claimed(second.job_id)
    assert await batch.notes.claimed(second.job_id), "on another host it goes on"
    assert await batch.launcher.end_orphans() == 0


async def test_a_job_is_moved_as_often_as_somebody_wants(batch: Batch) -> None:
    await batch.launcher.launch(JOB, NORMAL)
    for order in (HIGH, LOW, NORMAL):
        assert await batch.launcher.move(JOB, order) is Moved.MOVED
    assert batch.places() == [
        ("normal", "FAILED"), ("high", "FAILED"), ("low", "FAILED"), ("normal", "SUBMITTED"),
    ]  # fmt: skip
    claimed = [await batch.notes.claimed(one.job_id) for one in batch.jobs]
    assert claimed == [False, False, False, True]


async def test_a_job_stays_that_is_in_that_queue_already(batch: Batch) -> None:
    await batch.launcher.launch(JOB, NORMAL)
    assert await batch.launcher.move(JOB, NORMAL) is Moved.MOVED
    assert batch.places() == [("normal", "SUBMITTED")]


@pytest.mark.parametrize("state", ["STARTING", "RUNNING"])
async def test_a_job_that_has_its_host_goes_on_there(batch: Batch, state: str) -> None:
    await batch.launcher.launch(JOB, NORMAL)
    [job] = batch.jobs
    job.state = state
    assert await batch.launcher.move(JOB, HIGH) is Moved.BEGUN
    job.state = "RUNNABLE"  # Spot took the host, and it has claimed before
    assert await batch.notes.claimed(job.job_id)
    assert await batch.launcher.move(JOB, HIGH) is Moved.BEGUN
    assert batch.places() == [("normal", "RUNNABLE")]


async def test_what_is_over_is_not_moved(batch: Batch) -> None:
    assert await batch.launcher.move(JOB, HIGH) is Moved.OVER, "nobody has launched it"
    await batch.launcher.launch(JOB, NORMAL)
    batch.double.terminate_job(jobId=batch.jobs[0].job_id, reason="by hand")
    assert await batch.launcher.move(JOB, HIGH) is Moved.OVER
    claim = await batch.notes.claim()
    assert claim is not None
    assert claim.job_id == NOBODY
    assert len(batch.jobs) == 1


async def test_a_job_that_nobody_wants_is_not_moved_and_what_was_is_ended(batch: Batch) -> None:
    await batch.launcher.launch(JOB, NORMAL)
    batch.double.fault = faults(("terminate_job", 1, LostAnswer()))
    with pytest.raises(Retry):  # the second is submitted, and the first not ended
        await batch.launcher.move(JOB, HIGH)
    await batch.notes.cancel()
    assert await batch.launcher.move(JOB, HIGH) is Moved.OVER
    assert batch.places() == [("normal", "FAILED"), ("high", "FAILED")]


@pytest.mark.parametrize("lag_seconds", [0.0, 600.0])
async def test_an_answer_that_is_lost_is_a_third_job_only_where_no_list_shows_the_second(
    batch: Batch, lag_seconds: float
) -> None:
    await batch.launcher.launch(JOB, NORMAL)
    batch.double.lag_seconds = lag_seconds
    batch.double.fault = faults(("submit_job done", 1, LostAnswer()))
    with pytest.raises(Retry, match="LostAnswer"):
        await batch.launcher.move(JOB, HIGH)
    assert await batch.launcher.move(JOB, HIGH) is Moved.MOVED
    claimed = [await batch.notes.claimed(one.job_id) for one in batch.jobs]
    assert claimed == ([False, True] if not lag_seconds else [False, False, True])


async def test_a_second_job_that_somebody_ended_is_followed_by_a_third(batch: Batch) -> None:
    await batch.launcher.launch(JOB, NORMAL)
    batch.double.fault = faults(("submit_job done", 1, LostAnswer()))
    with pytest.raises(Retry):
        await batch.launcher.move(JOB, HIGH)
    batch.double.terminate_job(jobId=batch.jobs[1].job_id, reason="by hand")
    assert await batch.launcher.move(JOB, HIGH) is Moved.MOVED
    assert batch.places() == [("normal", "FAILED"), ("high", "FAILED"), ("high", "SUBMITTED")]


async def test_a_job_that_was_faster_than_the_move_goes_on_and_the_other_is_ended(
    batch: Batch,
) -> None:
    await batch.launcher.launch(JOB, NORMAL)

    async def kept(notes: JobNotes, number: int, job_id: str, queue: str) -> None:
        await keep(notes, number, job_id, queue)
        assert await notes.claimed(batch.jobs[0].job_id)  # between the note and the closing

    keep = JobNotes.keep_move
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(JobNotes, "keep_move", kept)
        assert await batch.launcher.move(JOB, HIGH) is Moved.BEGUN
    assert batch.places() == [("normal", "SUBMITTED"), ("high", "FAILED")]
    assert await batch.launcher.move(JOB, HIGH) is Moved.BEGUN
    assert await batch.launcher.find(JOB) is JobState.RUNNING


async def test_a_job_that_began_before_it_was_noted_is_moved(batch: Batch) -> None:
    await batch.launcher.launch(JOB, NORMAL)
    batch.double.fault = faults(("submit_job done", 1, LostAnswer()))
    with pytest.raises(Retry):
        await batch.launcher.move(JOB, HIGH)
    assert await batch.notes.claimed(batch.jobs[1].job_id)
    assert await batch.launcher.move(JOB, HIGH) is Moved.MOVED
    assert batch.places() == [("normal", "FAILED"), ("high", "SUBMITTED")]


async def test_a_job_that_no_list_shows_yet_is_under_way_and_can_be_ended(batch: Batch) -> None:
    batch.double.lag_seconds = 600.0
    await batch.launcher.launch(JOB, NORMAL)
    assert await batch.launcher.move(JOB, HIGH) is Moved.MOVED
    assert await batch.launcher.find(JOB) is JobState.RUNNING
    assert await batch.notes.claim() is None, "nobody has given it up"
    assert (await batch.launcher.says(JOB)).reason_code == "host gone"
    assert batch.places() == [("normal", "FAILED"), ("high", "SUBMITTED")]
    batch.double.lag_seconds = 0.0
    assert (await batch.launcher.says(JOB)).reason_code == "waits for the queue"
    await batch.launcher.cancel(JOB)
    assert batch.double.living() == []


async def test_a_moved_job_that_ends_before_it_claims_is_given_up_for_good(batch: Batch) -> None:
    await batch.launcher.launch(JOB, NORMAL)
    await batch.launcher.move(JOB, HIGH)
    batch.double.terminate_job(jobId=batch.jobs[1].job_id, reason="by hand")
    assert await batch.launcher.find(JOB) is JobState.ENDED
    assert not await batch.notes.claimed(batch.jobs[1].job_id)


def test_of_our_launchers_one_has_queues(batch: Batch, tmp_path: Path) -> None:
    assert isinstance(batch.launcher, MovesJobs)
    assert not isinstance(local_launcher(tmp_path), MovesJobs)


@pytest.fixture
def job_id() -> UUID:
    """A new effect id."""
    return uuid4()


async def test_a_program_of_a_job_that_was_moved_runs_once(job_id: UUID, tmp_path: Path) -> None:
    with batch_server() as server:
        server.double.step_seconds = 600
        settings = Settings(home=tmp_path, aws_endpoint=server.address)
        site = batch_site(tmp_path, *two_clients(settings))
        launcher, order = site.launcher(), site.python(COUNTS)
        assert isinstance(launcher, BatchLauncher)
        await launcher.launch(job_id, order)
        assert await launcher.move(job_id, replace(order, urgency=Urgency.LOW)) is Moved.MOVED
        server.double.step_seconds = 0
        await site.ended(job_id)
    [_, second] = server.double.jobs.values()
    assert (second.request["jobQueue"], second.state) == ("genoflow-low", "SUCCEEDED")
    assert site.counted() == "x"


async def test_at_moto_what_has_ended_is_not_moved(
    aws_settings: Settings, batch_document: dict[str, Any], job_id: UUID, tmp_path: Path
) -> None:
    client, once = two_clients(aws_settings)
    list(BatchStack(client, look_seconds=0.01).apply(batch_document))
    site = batch_site(tmp_path, client, once)
    launcher, order = site.launcher(), site.python(COUNTS)
    assert isinstance(launcher, BatchLauncher)
    await launcher.launch(job_id, order)
    assert await launcher.move(job_id, replace(order, urgency=Urgency.HIGH)) is Moved.OVER
