"""Lost messages and lost news on a real broker and a real store: a worker brings what was lost."""

from __future__ import annotations

import asyncio
import io
import json
import random
from collections.abc import AsyncIterator, Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID, uuid5

import pytest

from genoflow.deploy.addresses import Addresses
from genoflow.deploy.attempt_folder import RUNS
from genoflow.deploy.launching import jobs_folder
from genoflow.deploy.settings import Settings
from genoflow.deploy.wiring import open_store_porch
from genoflow.events import topics
from genoflow.events.alert_raised import AlertRaised
from genoflow.events.alert_resolved import AlertResolved
from genoflow.events.alert_rule import AlertRule
from genoflow.events.alert_rules_published import AlertRulesPublished
from genoflow.events.envelope import Producer
from genoflow.events.event import E, Event, begin
from genoflow.events.expected_file import ExpectedFile
from genoflow.events.identity import GENOFLOW
from genoflow.events.log.kafka import KafkaLog
from genoflow.events.log.kafka_topics import TopicAdmin
from genoflow.events.log.recorded import Recorded
from genoflow.events.read_set_registered import ReadSetRegistered
from genoflow.events.repair_tried import BROUGHT, RepairTried
from genoflow.events.run_exited import RunExited
from genoflow.events.run_submitted import RunSubmitted
from genoflow.processors.adapters.local_job import BEGUN
from genoflow.processors.flow import PROCESSORS
from genoflow.processors.intake.landing import READ_SET, ROLE, SAMPLE, landed
from genoflow.processors.intake.notices import Place
from genoflow.processors.intake.task_news import TASK_NEWS, task_facts
from genoflow.processors.intake.weblog import told
from genoflow.processors.job_outcome import JobOutcome, outcome_key
from genoflow.processors.running.manifest import Submission
from genoflow.processors.running.names import job_name
from genoflow.processors.running.notes import ENGINE, TRACE, note_begin, note_job
from genoflow.processors.watchtower.kept import Key, Value
from genoflow.processors.watchtower.watch import Watch
from tests.e2e.workers import settings_of, working
from tests.examples import bare_example, somebody, someone
from tests.run_facts import requested
from tests.servers import Bucket
from tests.shelves import message

SUBJECTS, LOSS, SECONDS_MAX = 40, 0.2, 60.0
ROWS = ("repair-sources", "clock-alert")
TOLD_ON = (topics.SAMPLE, topics.RUN)
NEEDED = (*TOLD_ON, topics.SEQUENCING_RUN, topics.ALERT, topics.PARKED, topics.WORKERS)
NEWS = Producer(service=TASK_NEWS, version="0")
LIMITS = {
    "kind": "missing", "severity": "warning", "group_by": "stage", "quantile": 0.99, "margin": 2.0,
    "floor_seconds": 60.0, "ceiling_seconds": 3_600.0, "observations_min": 1_000,
}  # fmt: skip
STAGES = ("land", "start", "run", "task")
RULES = AlertRulesPublished(
    document_id="alerts", version="1", title="Missing", content_sha256="0" * 64,
    rules=tuple(AlertRule(rule=f"missing-{one}", stage=one, **LIMITS) for one in STAGES),
)  # fmt: skip


class _Nowhere:
    def write(self, key: Key, value: Value | None) -> None:
        """Keep nothing."""


class Lab:
    """A deployment in which things happened hours ago, and some of it was never told."""

    def __init__(self, settings: Settings, bucket: Bucket, log: KafkaLog) -> None:
        self.settings, self.bucket, self.log = settings, bucket, log
        self.source = random.Random(5)
        self.at = datetime.now(UTC) - timedelta(hours=5)
        self.lost: set[UUID] = set()
        self.porch, self.shelves = open_store_porch(settings, log)
        self.watch = Watch(self._append, someone(), _Nowhere())
        self.watch.rule_by(RULES)
        self.alerts: list[Event] = []
        self._seen: set[tuple[object, ...]] = set()

    async def _append(self, events: Iterable[Event]) -> None:
        self.alerts += (found := list(events))
        await self.log.append_atomically(found)

    def loses(self, event_id: UUID) -> bool:
        """Whether it is not told."""
        is_lost = self.source.random() < LOSS
        if is_lost:
            self.lost.add(event_id)
        return is_lost

    async def sample(self, number: int) -> None:
        """Two promised files, which lie in the bucket; their messages may not come."""
        name, read_set = f"S{number}", f"RS{number}"
        promised = tuple(ExpectedFile(role=role) for role in ("R1", "R2"))
        fields = {"read_set_id": read_set, "sample_id": name, "expected_files": promised}
        fact = bare_example(ReadSetRegistered).model_copy(update=fields)
        await self.log.append(_begun(fact, self.at))
        for role in ("R1", "R2"):
            place = Place(self.bucket.name, f"in/{name}_{role}.fastq.gz")
            metadata = {SAMPLE: name, READ_SET: read_set, ROLE: role}
            self.bucket.client.put_object(
                Bucket=place.bucket, Key=place.key, Body=io.BytesIO(b"@r"), Metadata=metadata
            )
            [kept] = (await self.shelves.look(place)).kept
            head = await self.shelves.head(place, kept.version_id)
            if not self.loses(landed(head).external_id()):
                await self.porch.take([message(place, number)])

    async def run(self, number: int) -> None:
        """A run that is over, with all that it left on this machine and in the bucket."""
        run_id, at = uuid5(GENOFLOW, f"run {number}"), self.at
        asked = _begun(requested(run_id=run_id), at)
        job = uuid5(run_id, "job")
        submitted = RunSubmitted(
            run_id=run_id, case_id=asked.case_id, attempt=1, launcher="local",
            job_name=job_name(run_id, 1), job_id=str(job),
        )  # fmt: skip
        submission = Submission(
            requested=requested(run_id=run_id), attempt=1, job_id=job,
            caused_by=asked.envelope.event_id,
        )  # fmt: skip
        by = Producer(service="submit-run", version="0")
        await self.log.append_atomically([asked, asked.follow(submitted, by=by)])
        exited = RunExited(run_id=run_id, attempt=1, job_id=str(job), exit_code=0)
        for fact in (
            *self._news(submission, at), asked.follow(exited, by=by, occurred_at=at),
        ):  # fmt: skip
            ends = fact.type() != "TaskStarted"
            if not (ends and self.loses(fact.envelope.event_id)):
                await self.log.append(fact)
        home = jobs_folder(self.settings.home) / str(job)
        home.mkdir(parents=True)
        (home / BEGUN).write_text("1", encoding="ascii")
        outcome = JobOutcome(exit_code=0).to_bytes()
        self.bucket.client.put_object(
            Bucket=self.bucket.name, Key=outcome_key(job), Body=io.BytesIO(outcome)
        )

    def _news(self, submission: Submission, at: datetime) -> list[Event]:
        run_id = submission.requested.run_id
        folder = self.settings.home / RUNS / str(run_id)
        (folder / ENGINE).mkdir(parents=True)
        name = {"runName": job_name(run_id, 1), "runId": str(run_id)}
        body = json.dumps(name | {"event": "started"}).encode()
        note_job(folder, submission.job_id)
        note_begin(folder, submission.job_id, "24.10", body, at)
        moment = str(int(at.timestamp() * 1_000))
        row = {
            "task_id": "1", "hash": f"ab/{run_id.hex[:6]}", "native_id": "7", "process": "ALIGN",
            "tag": "S1", "name": "ALIGN", "status": "COMPLETED", "exit": "0", "attempt": "1",
            "submit": moment, "start": moment, "complete": moment, "duration": "1", "realtime": "1",
        }  # fmt: skip
        trace = "\n".join(["\t".join(row), "\t".join(row.values())])
        (folder / ENGINE / TRACE).write_text(f"{trace}\n", encoding="utf-8")
        begun = json.dumps(name | {"event": "process_started", "trace": row}).encode()
        [started] = told(submission, body, engine_version="24.10", by=NEWS)
        return [
            started.enveloped(started.envelope.model_copy(update={"occurred_at": at})),
            *told(submission, begun, engine_version="24.10", by=NEWS),
            *task_facts(submission, [row], is_over=True, by=NEWS),
        ]

    async def records(self) -> list[Recorded]:
        """Everything about samples and runs."""
        return [one for topic in TOLD_ON async for one in self.log.read_topic(topic.name)]

    async def looks(self) -> None:
        """The tower takes what is new, and says what is due."""
        news = [one for one in await self.records() if tuple(one.position) not in self._seen]
        self._seen |= {tuple(one.position) for one in news}
        await self.watch.take(news)
        await self.watch.look(datetime.now(UTC).timestamp())

    async def tries(self) -> list[RepairTried]:
        """What the worker has said by now."""
        found = [one.event async for one in self.log.read_topic(topics.ALERT.name)]
        return [one for one in found if isinstance(one, RepairTried)]


def _begun(fact: E, at: datetime) -> E:
    return begin(fact, occurred_at=at, actor=somebody(), by=someone())


@pytest.fixture
async def lab(
    stack: Addresses, s3_bucket: Bucket, suffix: str, tmp_path: Path
) -> AsyncIterator[Lab]:
    s3_bucket.client.put_bucket_versioning(
        Bucket=s3_bucket.name, VersioningConfiguration={"Status": "Enabled"}
    )
    name = s3_bucket.name
    settings = settings_of(
        stack, suffix, tmp_path, raw_bucket=name, work_bucket=name, repair_prefix="in/"
    )
    async with KafkaLog(stack.kafka, prefix=f"t{suffix}.", partitions=2) as log:
        async with TopicAdmin(log, partitions=2) as admin:
            await admin.apply((*NEEDED, *(PROCESSORS[row].changelog for row in ROWS)))
        yield Lab(settings, s3_bucket, log)


async def test_a_worker_brings_what_was_lost_and_the_alerts_are_over(
    lab: Lab, tmp_path: Path
) -> None:
    for number in range(SUBJECTS):
        await (lab.run(number) if number % 2 else lab.sample(number))
    before = {UUID(str(one.event_id)) for one in await lab.records()}
    await lab.looks()
    alerts = [one for one in lab.alerts if isinstance(one, AlertRaised)]
    assert len(lab.lost) > 15
    assert not lab.lost & before
    with working(lab.settings, tmp_path / "work.log", *ROWS):
        async with asyncio.timeout(SECONDS_MAX):
            while len(tries := await lab.tries()) < len(alerts):
                await asyncio.sleep(0.3)
    after = [UUID(str(one.event_id)) for one in await lab.records()]
    assert sorted(after) == sorted(before | lab.lost), "the very facts that were lost, each once"
    assert {one.alert_id for one in tries} == {one.alert_id for one in alerts}
    crawled = [one for one in tries if one.stage == "land"]
    assert len({one.looked_at for one in crawled}) == 1, "one crawl for all of them"
    assert sum(not one.is_shared for one in crawled) == 1
    assert {one.outcome for one in crawled} == {BROUGHT}
    assert {one.porch for one in tries} == {"store-notifications", TASK_NEWS}
    await lab.looks()
    over = {one.alert_id for one in lab.alerts if isinstance(one, AlertResolved)}
    still = [one for one in alerts if one.alert_id not in over]
    # Nobody has said that these runs have succeeded: that is owed by a row that is not at work.
    assert {one.stage for one in still} <= {"run"}
