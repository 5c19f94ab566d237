"""Launchers under contract: this machine, AWS Batch's double, and what moto can show of Batch."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from botocore.exceptions import ClientError

from genoflow.deploy.batch_stack import BatchStack
from genoflow.deploy.local.process import identify
from genoflow.deploy.settings import Settings
from genoflow.deploy.wiring import aws_client
from genoflow.events.errors import Parked, Retry
from genoflow.processors.adapters import batch_launcher
from genoflow.processors.adapters.batch_launcher import BatchLauncher, Places
from genoflow.processors.adapters.job_notes import NOBODY, JobNotes
from genoflow.processors.adapters.system_clock import SystemClock
from genoflow.processors.job_outcome import ERROR_TAIL_BYTES_MAX, OUTPUT_BYTES_MAX, JobOutcome
from genoflow.processors.ports import JobOrder, JobState, Urgency
from tests.batch_double import LostAnswer, throttled
from tests.batch_server import DEFINITION, BatchServer, batch_server, faults
from tests.faults.outside import FileStore
from tests.integration.effects import processes_named, until
from tests.jobs import COUNTS, STUBBORN, WAITS, Site, local_site

QUEUES = {one: f"genoflow-{one.value}" for one in Urgency}


@pytest.fixture
async def job(site: Site) -> AsyncIterator[UUID]:
    """A new effect id; whatever runs under it is ended after the test."""
    effect_id = uuid4()
    yield effect_id
    await site.launcher().cancel(effect_id)


class EveryLauncher:
    """What each launcher promises, whether or not it can run anything."""

    def submitted(self, request: pytest.FixtureRequest, job: UUID) -> int:
        """How many jobs of this name there are."""
        raise NotImplementedError

    async def test_a_job_is_begun_once_and_found_by_another_worker(
        self, site: Site, job: UUID, request: pytest.FixtureRequest
    ) -> None:
        assert await site.launcher().find(job) is JobState.UNKNOWN
        await site.launcher().launch(job, site.python(COUNTS))
        assert await site.launcher().find(job) is not JobState.UNKNOWN
        await site.ended(job)
        await site.launcher().launch(job, site.python(COUNTS))
        await site.ended(job)
        assert self.submitted(request, job) == 1

    async def test_a_job_that_was_cancelled_before_is_never_begun(
        self, site: Site, job: UUID, request: pytest.FixtureRequest
    ) -> None:
        await site.launcher().cancel(job)
        assert await site.launcher().find(job) is JobState.UNKNOWN
        await site.launcher().launch(job, site.python(COUNTS))
        assert await site.launcher().find(job) is JobState.UNKNOWN
        assert self.submitted(request, job) == 0

    async def test_what_has_ended_can_be_cancelled_and_stays_ended(
        self, site: Site, job: UUID
    ) -> None:
        await site.launcher().launch(job, site.python(COUNTS))
        await site.ended(job)
        await site.launcher().cancel(job)
        assert await site.launcher().find(job) is JobState.ENDED


class RunsPrograms(EveryLauncher):
    """What a launcher promises of the programs that it really runs."""

    def submitted(self, request: pytest.FixtureRequest, job: UUID) -> int:
        return len(request.getfixturevalue("site").counted())

    async def test_a_program_is_told_its_document_and_leaves_its_outcome(
        self, site: Site, job: UUID
    ) -> None:
        await site.launcher().launch(job, site.python(COUNTS, b"told"))
        await site.ended(job)
        told = JobOutcome(exit_code=0, output="told\n", output_size_bytes=5)
        assert site.outcome(job) == told

    async def test_of_many_workers_who_launch_at_once_one_does(self, site: Site, job: UUID) -> None:
        launchers, order = [site.launcher() for _ in range(6)], site.python(COUNTS)
        looks = [launcher.find(job) for launcher in launchers]
        await asyncio.gather(*(launcher.launch(job, order) for launcher in launchers), *looks)
        await site.ended(job)
        assert site.counted() == "x"

    @pytest.mark.parametrize("code", [WAITS, STUBBORN])
    async def test_cancel_ends_all_that_a_job_started(
        self, site: Site, job: UUID, code: str
    ) -> None:
        launcher = site.launcher()
        await launcher.launch(job, site.python(code))
        living = [identify(pid) for pid in await processes_named(site.home / "ids")]
        assert await launcher.find(job) is JobState.RUNNING
        await launcher.cancel(job)
        assert await launcher.find(job) is JobState.ENDED
        await until(lambda: not any(one.alive() for one in living))
        await launcher.cancel(job)
        assert not site.has_outcome(job) or site.outcome(job).exit_code < 0

    async def test_much_output_and_a_failure_are_kept_within_limits(
        self, site: Site, job: UUID
    ) -> None:
        much = OUTPUT_BYTES_MAX + 7
        code = f"import sys; sys.stdout.write('x' * {much}); sys.stderr.write('y' * 99999 + 'end')"
        await site.launcher().launch(job, site.python(f"{code}; sys.exit(3)"))
        await site.ended(job)
        found = site.outcome(job)
        assert (found.exit_code, found.output_size_bytes) == (3, much)
        assert len(found.output) == OUTPUT_BYTES_MAX
        assert len(found.error_tail) == ERROR_TAIL_BYTES_MAX
        assert found.error_tail.endswith("end")

    async def test_a_program_that_is_not_there_is_an_outcome(self, site: Site, job: UUID) -> None:
        await site.launcher().launch(job, JobOrder(("no-such-program",)))
        await site.ended(job)
        assert site.outcome(job).exit_code == 127
        assert "no-such-program" in site.outcome(job).error_tail


class TestOnThisMachine(RunsPrograms):
    """Processes of this machine."""

    @pytest.fixture
    def site(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Site:
        monkeypatch.setattr("genoflow.processors.adapters.local_launcher.CANCEL_GRACE_SECONDS", 1.0)
        return local_site(tmp_path)


def batch_site(home: Path, client: Any, once: Any) -> Site:
    """A site at AWS Batch, wherever these clients lead; its store is a folder."""
    root = home / "store"
    root.mkdir()
    places = Places(QUEUES, DEFINITION, str(root), {"genoflow:environment": "tests"})
    store = FileStore(root)
    return Site(home, lambda: BatchLauncher(client, once, store, SystemClock(), places))


def two_clients(settings: Settings) -> tuple[Any, Any]:
    """One that asks again by itself, and one that never does."""
    return aws_client(settings, "batch"), aws_client(settings, "batch", repeats=0)


class TestAtMoto(EveryLauncher):
    """Amazon's own words as moto has them; each job has ended well when it is submitted."""

    @pytest.fixture
    def site(self, aws_settings: Settings, batch_document: dict[str, Any], tmp_path: Path) -> Site:
        client, once = two_clients(aws_settings)
        list(BatchStack(client, look_seconds=0.01).apply(batch_document))
        return batch_site(tmp_path, client, once)

    def submitted(self, request: pytest.FixtureRequest, job: UUID) -> int:
        client = aws_client(request.getfixturevalue("aws_settings"), "batch")
        named = [{"name": "JOB_NAME", "values": [f"gf-{job}"]}]
        found = [client.list_jobs(jobQueue=one, filters=named) for one in QUEUES.values()]
        return sum(len(one["jobSummaryList"]) for one in found)

    async def test_a_queue_that_is_not_there_waits_for_a_person(
        self, site: Site, job: UUID, aws_settings: Settings, tmp_path: Path
    ) -> None:
        home = tmp_path / "another"
        home.mkdir()
        client, once = two_clients(aws_settings)
        elsewhere = Places(dict.fromkeys(Urgency, "nowhere"), DEFINITION, "b")
        launcher = BatchLauncher(client, once, FileStore(home), SystemClock(), elsewhere)
        with pytest.raises(Parked, match="AWS Batch, nowhere: ClientException"):
            await launcher.launch(job, site.python(COUNTS))


class TestAtTheDouble(RunsPrograms):
    """Batch that behaves: what the others cannot show stands here, too."""

    @pytest.fixture
    def server(self) -> Iterator[BatchServer]:
        with batch_server() as server:
            yield server

    @pytest.fixture
    def site(self, server: BatchServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Site:
        monkeypatch.setattr("tests.batch_double.GRACE_SECONDS", 1.0)
        monkeypatch.setattr(batch_launcher, "LOOK_SECONDS", 0.1)
        monkeypatch.setattr(batch_launcher, "SETTLE_SECONDS", 1.0)
        settings = Settings(home=tmp_path, aws_endpoint=server.address)
        return batch_site(tmp_path, *two_clients(settings))

    async def test_a_job_is_where_its_order_says_and_carries_its_labels(
        self, site: Site, job: UUID, server: BatchServer
    ) -> None:
        labels = (("genoflow:case", "C1"), ("genoflow:assay", "wgs (PCR-free)"))
        order = JobOrder(("true",), urgency=Urgency.HIGH, labels=labels, seconds_max=7)
        await site.launcher().launch(job, order)
        await site.ended(job)
        [said] = [one.request for one in server.double.jobs.values()]
        assert (said["jobName"], said["jobQueue"]) == (f"gf-{job}", "genoflow-high")
        assert said["timeout"] == {"attemptDurationSeconds": 60}
        assert said["tags"] == {
            "genoflow:environment": "tests", "genoflow:case": "C1", "genoflow:effect": str(job),
            "genoflow:assay": "wgs _PCR-free_",
        }  # fmt: skip
        assert said["propagateTags"] is True

    async def test_an_answer_that_is_lost_is_no_second_job(
        self, site: Site, job: UUID, server: BatchServer
    ) -> None:
        server.double.lag_seconds = 0.3
        server.double.fault = faults(("submit_job done", 1, LostAnswer()))
        with pytest.raises(Retry, match=f"AWS Batch, gf-{job}: ConnectionClosedError"):
            await site.launcher().launch(job, site.python(COUNTS))
        await site.launcher().launch(job, site.python(COUNTS))
        await site.ended(job)
        assert (server.double.asked.count("submit_job"), site.counted()) == (1, "x")

    async def test_of_two_jobs_that_a_late_list_made_one_runs_and_the_other_goes(
        self, site: Site, job: UUID, server: BatchServer
    ) -> None:
        double = server.double
        double.lag_seconds, double.step_seconds = 600, 600  # it waits for a host, and is not listed
        double.fault = faults(("submit_job done", 1, LostAnswer()))
        with pytest.raises(Retry):
            await site.launcher().launch(job, site.python(COUNTS))
        await site.launcher().launch(job, site.python(COUNTS))
        double.lag_seconds, double.step_seconds = 0, 0
        await until(lambda: not double.living())
        await site.ended(job)
        assert [one.state for one in double.jobs.values()] == ["SUCCEEDED", "SUCCEEDED"]
        assert site.counted() == "x"

    async def test_a_host_that_is_taken_is_followed_by_another_of_the_same_job(
        self, site: Site, job: UUID, server: BatchServer
    ) -> None:
        launcher = site.launcher()
        await launcher.launch(job, site.python(WAITS))
        living = [identify(pid) for pid in await processes_named(site.home / "ids")]
        (site.home / "ids").unlink()
        [at_batch] = server.double.jobs.values()
        server.double.reclaim(at_batch)
        await until(lambda: not any(one.alive() for one in living))
        assert await launcher.find(job) is JobState.RUNNING
        await processes_named(site.home / "ids")
        assert (at_batch.attempt, at_batch.reasons[0][:8]) == (2, "Host EC2")
        assert not site.has_outcome(job)

    async def test_a_job_that_somebody_ends_leaves_no_outcome_and_has_ended(
        self, site: Site, job: UUID, server: BatchServer
    ) -> None:
        await site.launcher().launch(job, site.python(WAITS))
        await processes_named(site.home / "ids")
        [at_batch] = server.double.jobs.values()
        server.double.terminate_job(jobId=at_batch.job_id, reason="by hand")
        await site.ended(job)
        assert not site.has_outcome(job)
        assert (at_batch.attempt, at_batch.reason) == (1, "by hand")

    async def test_a_job_that_never_began_is_claimed_for_nobody_before_it_counts_as_ended(
        self, site: Site, job: UUID, server: BatchServer
    ) -> None:
        server.double.step_seconds = 600
        await site.launcher().launch(job, site.python(COUNTS))
        [at_batch] = server.double.jobs.values()
        server.double.terminate_job(jobId=at_batch.job_id, reason="by hand")
        await site.ended(job)
        notes = JobNotes(FileStore(site.home / "store"), "b", job)
        claim = await notes.claim()
        assert claim is not None
        assert claim.job_id == NOBODY
        assert not await notes.claimed("a job that comes late")

    async def test_requests_that_are_refused_for_their_number_are_made_again(
        self, site: Site, job: UUID, server: BatchServer
    ) -> None:
        server.double.fault = faults(
            ("submit_job", 1, throttled("SubmitJob")), ("list_jobs", 1, throttled("ListJobs"))
        )
        with pytest.raises(Retry, match="TooManyRequestsException"):
            await site.launcher().launch(job, site.python(COUNTS))
        await site.launcher().launch(job, site.python(COUNTS))
        await site.ended(job)
        assert site.counted() == "x"

    async def test_jobs_that_nobody_wants_are_ended_and_no_others(
        self, site: Site, job: UUID, server: BatchServer
    ) -> None:
        server.double.step_seconds = 600
        double, launcher, wanted = server.double, site.launcher(), uuid4()
        request: dict[str, Any] = {
            "jobQueue": "genoflow-low", "jobDefinition": DEFINITION,
            "parameters": {"effect": str(job), "bucket": "b"},
        }  # fmt: skip
        names = [f"gf-{job}"] * 4 + [f"gf-{wanted}", "gf-somebody-elses"]
        made = [double.submit_job(jobName=name, **request)["jobId"] for name in names]
        await JobNotes(FileStore(site.home / "store"), "b", job).claimed(made[2])
        assert isinstance(launcher, BatchLauncher)
        assert await launcher.end_orphans() == 3
        assert [one.job_id for one in double.living()] == [made[2], made[4], made[5]]
        assert await launcher.end_orphans() == 0


def test_the_double_and_moto_refuse_the_same_request_alike(
    aws_settings: Settings, tmp_path: Path
) -> None:
    said = []
    with batch_server() as server:
        at_double = Settings(home=tmp_path, aws_endpoint=server.address)
        for settings in (aws_settings, at_double):
            client = aws_client(settings, "batch")
            with pytest.raises(ClientError) as caught:
                client.list_jobs(jobQueue="nowhere", filters=[{"name": "JOB_NAME", "values": []}])
            said.append(caught.value.response["Error"]["Code"])
    assert said == ["ClientException", "ClientException"]
