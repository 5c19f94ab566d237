"""Sources that are asked again: the same facts under the same ids, no more looks than needed."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from genoflow.deploy.open_sources import OpenSources
from genoflow.deploy.subject import LogSubjects
from genoflow.events import topics
from genoflow.events.envelope import Producer
from genoflow.events.errors import Parked, Retry
from genoflow.events.event import Event, begin
from genoflow.events.file_landed import FileLanded
from genoflow.events.log.memory import MemoryLog
from genoflow.events.repair_tried import RepairTried
from genoflow.events.run_exited import RunExited
from genoflow.events.run_started import RunStarted
from genoflow.events.run_submitted import RunSubmitted
from genoflow.events.sequencing_run_completed import SequencingRunCompleted
from genoflow.events.task_completed import TaskCompleted
from genoflow.processors.adapters.directories import Directories
from genoflow.processors.intake.folder_source import FolderSource
from genoflow.processors.intake.illumina.folder import Illumina
from genoflow.processors.intake.landing import READ_SET, ROLE, SAMPLE
from genoflow.processors.intake.looks import PAUSE, Found, Looks
from genoflow.processors.intake.notices import Place
from genoflow.processors.intake.privacy import PrivacyGuard
from genoflow.processors.intake.run_source import Jobs, RunSource
from genoflow.processors.intake.store_source import StoreSource
from genoflow.processors.intake.task_news import TASK_NEWS, task_facts
from genoflow.processors.intake.told import LogOfRuns
from genoflow.processors.intake.watcher import Watcher
from genoflow.processors.intake.weblog import told
from genoflow.processors.job_outcome import JobOutcome, outcome_key
from genoflow.processors.ports import JobState
from genoflow.processors.repair_sources import PAUSES
from genoflow.processors.running.manifest import Submission
from genoflow.processors.running.names import job_name
from genoflow.processors.running.notes import ENGINE, TRACE, note_begin, note_job, read_notes
from genoflow.processors.sources import Answer, Question
from tests.examples import somebody, someone
from tests.fakes import FakeClock, FakeLauncher, FakeStore
from tests.run_facts import CASE, RUN_ID, requested
from tests.run_lab import Store
from tests.sheets import RUN_ID as SEQUENCING_RUN
from tests.sheets import run_files
from tests.shelves import FakeShelves, message, porch_over

OF_S1 = {SAMPLE: "S1", READ_SET: "RS1", ROLE: "R1"}
LAND = Question("store-notifications", "land", topics.SAMPLE.name, "S1", "RS1 R1")


class Shop:
    """A store with files whose messages never came, and the source over it."""

    def __init__(self, log: MemoryLog) -> None:
        self.log, self.clock = log, FakeClock()
        self.crawls = 0
        self.shelves = FakeShelves(self.clock, self._fault)
        self.is_away = False
        self.source = self.another()

    def _fault(self, operation: str) -> None:
        self.crawls += operation == "crawl"
        if self.is_away:
            raise Retry("the store does not answer")

    def another(self, prefix: str = "in/") -> StoreSource:
        """A source of another worker."""
        porch = porch_over(self.log, self.shelves, self.clock)
        return StoreSource(porch, self.shelves, Looks(self.log, self.clock), "raw", prefix)

    async def landed(self) -> list[Event]:
        """What stands on the log."""
        return [one.event async for one in self.log.read_topic(topics.SAMPLE.name)]


@pytest.fixture
async def shop() -> Any:
    async with MemoryLog() as log:
        yield Shop(log)


# -- the object store


async def test_a_crawl_brings_the_fact_that_a_message_would_have_brought(shop: Shop) -> None:
    place = Place("raw", "in/a.gz")
    shop.shelves.put(place, OF_S1)
    shop.shelves.put(Place("raw", "out/b.gz"), OF_S1)
    answer = await shop.source.ask(LAND)
    assert (answer.place, answer.is_shared) == ("s3://raw/in/", False)
    [landed] = answer.brought
    assert isinstance(landed, FileLanded)
    assert [one.envelope.event_id for one in await shop.landed()] == [landed.envelope.event_id]
    async with MemoryLog() as other:
        heard = await porch_over(other, shop.shelves, shop.clock).take([message(place, 1)])
    assert [one.envelope.event_id for one in heard.appended] == [landed.envelope.event_id]
    told = await porch_over(shop.log, shop.shelves, shop.clock).take([message(place, 1)])
    assert told.appended == [], "a message that comes after all says nothing new"


async def test_a_thousand_who_ask_at_once_lead_to_one_crawl(shop: Shop) -> None:
    for number in range(3):
        shop.shelves.put(Place("raw", f"in/{number}.gz"), {**OF_S1, SAMPLE: f"S{number}"})
    asked = [Question(*LAND_AT, f"S{number % 5}", "RS1 R1") for number in range(1_000)]
    answers = await asyncio.gather(*(shop.source.ask(one) for one in asked))
    assert shop.crawls == 3, "one crawl of three objects"
    assert sum(not one.is_shared for one in answers) == 1
    assert [len(one.brought) for one in answers[:5]] == [1, 1, 1, 0, 0]


LAND_AT = (LAND.porch, LAND.stage, LAND.topic)


async def test_the_pause_is_over_before_the_second_try(shop: Shop) -> None:
    shop.shelves.put(Place("raw", "in/a.gz"), OF_S1)
    first = await shop.source.ask(LAND)
    shop.shelves.put(Place("raw", "in/b.gz"), OF_S1)
    shop.clock.jump(PAUSE.total_seconds() - 2)
    shared = await shop.source.ask(LAND)
    assert (shared.is_shared, shared.looked_at) == (True, first.looked_at)
    shop.clock.jump(2)
    again = await shop.source.ask(LAND)
    assert not again.is_shared
    assert [one.key for one in again.brought] == ["S1"]
    assert min(PAUSES) > PAUSE


async def test_a_worker_that_begins_knows_the_looks_on_the_log(shop: Shop) -> None:
    shop.shelves.put(Place("raw", "in/a.gz"), OF_S1)
    answer = await shop.source.ask(LAND)
    tried = RepairTried(
        alert_id=UUID(int=1), number=1, tries_max=4, stage="land", porch=LAND.porch,
        subject_topic=LAND.topic, subject_key="S1", outcome="brought", place=answer.place,
        looked_at=answer.looked_at, reason="so",
    )  # fmt: skip
    at = shop.clock.now()
    await shop.log.append(begin(tried, occurred_at=at, actor=somebody(), by=someone()))
    before = shop.crawls
    shared = await shop.another().ask(LAND)
    assert (shared.is_shared, shop.crawls, shared.brought) == (True, before, ())
    assert not (await shop.another("").ask(LAND)).is_shared, "another place"
    shop.clock.jump(PAUSE.total_seconds())
    assert not (await shop.another().ask(LAND)).is_shared


async def test_a_store_that_is_away_is_asked_again(shop: Shop) -> None:
    shop.shelves.put(Place("raw", "in/a.gz"), OF_S1)
    shop.is_away = True
    with pytest.raises(Retry, match="does not answer"):
        await shop.source.ask(LAND)
    shop.is_away = False
    assert len((await shop.source.ask(LAND)).brought) == 1


async def test_who_asked_first_may_go_and_the_crawl_goes_on(shop: Shop) -> None:
    gate = asyncio.Event()

    async def look() -> Found:
        await gate.wait()
        return Found({"S1": []})

    looks = Looks(shop.log, shop.clock)
    first = asyncio.ensure_future(looks.at("a", look))
    second = asyncio.ensure_future(looks.at("a", look))
    await asyncio.sleep(0.01)
    first.cancel()
    gate.set()
    found = await second
    assert (found.found, found.is_shared) == (Found({"S1": []}), True)
    with pytest.raises(asyncio.CancelledError):
        await first


# -- runs

JOB = UUID(int=9)
BEGUN_AT = datetime(2026, 3, 1, 13, tzinfo=UTC)
ROW = {
    "task_id": "2", "hash": "ab/cdef01", "native_id": "77", "process": "ALIGN", "tag": "S1 S1.A",
    "name": "ALIGN (S1 S1.A)", "status": "COMPLETED", "exit": "0", "attempt": "1",
    "submit": "1000", "start": "1500", "complete": "4000", "duration": "3000", "realtime": "2500",
}  # fmt: skip
RUN = Question(TASK_NEWS, "task", topics.RUN.name, str(RUN_ID), "1/ab/cdef01/1")
BODY = json.dumps(
    {"runName": job_name(RUN_ID, 1), "runId": str(UUID(int=5)), "event": "started"}
).encode()


class Host:
    """A machine with a run in it of which nobody has heard anything."""

    def __init__(self, log: MemoryLog, home: Path) -> None:
        self.log, self.home, self.clock = log, home, FakeClock()
        self.store = FakeStore(self.clock)
        self.state = JobState.ENDED
        self.by = Producer(service=TASK_NEWS, version="0")
        self.asked = begin(
            requested(), occurred_at=self.clock.now(), actor=somebody(), by=someone()
        )
        submitted = RunSubmitted(
            run_id=RUN_ID, case_id=CASE, attempt=1, launcher="local", job_name="gf", job_id=str(JOB)
        )
        self.submitted = self.asked.follow(
            submitted, by=Producer(service="submit-run", version="0")
        )

    async def find(self, effect_id: UUID) -> JobState:
        """What the launcher says."""
        assert effect_id == JOB
        return self.state

    def source(self, launcher: str = "local") -> RunSource:
        """The source over it."""
        fake = FakeLauncher(self.store, "work", lambda _: None)
        fake.find = self.find  # type: ignore[method-assign]
        jobs = Jobs(fake, launcher, self.store, "work", lambda *_: (self.home / "gone", self.home))
        looks = Looks(self.log, self.clock)
        return RunSource(self.log, LogSubjects(self.log), jobs, looks, clock=self.clock, by=self.by)

    def works(self, *rows: dict[str, str]) -> None:
        """Leave what an attempt leaves."""
        note_job(self.home, JOB)
        note_begin(self.home, JOB, "24.10", BODY, BEGUN_AT)
        (self.home / ENGINE).mkdir(exist_ok=True)
        lines = ["\t".join(ROW), *("\t".join(row.values()) for row in rows)]
        (self.home / ENGINE / TRACE).write_text("\n".join(lines) + "\n", encoding="utf-8")

    async def said(self) -> list[Event]:
        """What stands on the log behind the submission."""
        return [one.event async for one in self.log.read_topic(topics.RUN.name)][2:]


@pytest.fixture
async def host(tmp_path: Path) -> Any:
    async with MemoryLog() as log:
        host = Host(log, tmp_path)
        await log.append_atomically([host.asked, host.submitted])
        yield host


async def test_what_a_job_left_is_told_as_the_job_would_have_told_it(host: Host) -> None:
    host.works(ROW)
    answer = await host.source().ask(RUN)
    kinds = [one.type() for one in answer.brought]
    assert kinds == ["RunStarted", "TaskStarted", "TaskCompleted"]
    assert answer.reason == "its job has ended, and 1 tasks have ended"
    started, _, done = answer.brought
    submission = Submission(requested=requested(), attempt=1, job_id=JOB)
    [began] = told(submission, BODY, engine_version="24.10", by=host.by)
    [ended] = task_facts(submission, [ROW], is_over=True, by=host.by)
    assert isinstance(started, RunStarted)
    assert isinstance(done, TaskCompleted)
    assert started.envelope.event_id == began.envelope.event_id
    assert started.envelope.occurred_at == BEGUN_AT
    assert done.envelope.event_id == ended.envelope.event_id
    assert done.envelope.causation_id == host.asked.envelope.event_id
    assert await host.said() == [*answer.brought]
    assert (await host.source().ask(RUN)).brought == (), "it stands on the log by now"


async def test_a_thousand_late_tasks_of_a_run_are_one_look(host: Host) -> None:
    host.works(ROW)
    source = host.source()
    asked = [Question(*RUN_AT, f"1/{number}/1") for number in range(1_000)]
    answers = await asyncio.gather(*(source.ask(one) for one in asked))
    assert sum(not one.is_shared for one in answers) == 1
    assert [one.type() for one in await host.said()] == ["RunStarted", "TaskStarted", ENDED]


RUN_AT, ENDED = (RUN.porch, RUN.stage, RUN.topic, RUN.key), "TaskCompleted"


async def test_that_a_job_has_ended_is_said_as_submit_run_says_it(host: Host) -> None:
    outcome = JobOutcome(exit_code=3, error_tail="no space left")
    await host.store.put("work", outcome_key(JOB), outcome.to_bytes(), {})
    [exited] = (await host.source().ask(RUN)).brought
    assert isinstance(exited, RunExited)
    by = Producer(service="submit-run", version="0")
    assert exited.envelope.event_id == host.asked.follow(exited, by=by).envelope.event_id
    assert (exited.exit_code, exited.error_tail) == (3, "no space left")
    assert (await host.source().ask(RUN)).brought == ()
    host.state = JobState.RUNNING
    answer = await host.source().ask(RUN)
    assert answer.reason == "its job goes on, and its folder is not here"


async def test_the_trace_of_another_attempt_is_nobodys(host: Host) -> None:
    host.works(ROW)
    assert read_notes(host.home, UUID(int=10)) is None
    note_job(host.home, UUID(int=10))
    assert (await host.source().ask(RUN)).brought == ()
    later = read_notes(host.home, UUID(int=10))
    assert later is not None
    assert (later.begun, [*later.rows]) == (None, []), "the trace of the earlier one went"


async def test_who_cannot_be_asked_says_so(host: Host) -> None:
    answer = await host.source("awsbatch").ask(RUN)
    assert answer.reason == "only a worker that has local can ask for it"
    second = Question(TASK_NEWS, "start", topics.RUN.name, str(RUN_ID), "2")
    answer = await host.source().ask(second)
    assert answer.reason == "nothing says that it was submitted"


async def test_a_porch_without_a_source_is_left_to_a_person() -> None:
    with pytest.raises(Parked, match="task-news: this worker knows no source of it"):
        await OpenSources({}).ask(RUN)


async def test_a_source_is_opened_once() -> None:
    opened = list[str]()

    class Nobody:
        async def ask(self, _: Question) -> Answer:
            """Nothing is known."""
            return Answer("nowhere", BEGUN_AT)

    def opener() -> Nobody:
        opened.append("one")
        return Nobody()

    sources = OpenSources({TASK_NEWS: opener})
    await sources.ask(RUN)
    await sources.ask(RUN)
    assert opened == ["one"]


# -- run folders


class Share:
    """A folder of a run on a disk, which a watcher saw when it began."""

    def __init__(self, log: MemoryLog, root: Path) -> None:
        self.log, self.folder = log, root / SEQUENCING_RUN
        self.clock = FakeClock(datetime.now(UTC))
        self.guard = PrivacyGuard(())
        self.vendor = Illumina(self.guard.finds)
        self.by = Producer(service="sequencer-watcher", version="0")

    def write(self, files: dict[str, bytes]) -> None:
        """Write files as an instrument does."""
        for name, body in files.items():
            path = self.folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(body)

    async def begins(self) -> None:
        """The watcher looks once, and dies."""
        watcher = Watcher(
            LogOfRuns(self.log), Directories((self.folder.parent,), self.vendor), self.vendor,
            Store(), bucket="raw", guard=self.guard, clock=self.clock, by=self.by,
        )  # fmt: skip
        await watcher.look()

    def source(self) -> FolderSource:
        """The source over it."""
        return FolderSource(
            LogOfRuns(self.log), lambda path: Directories((path,), self.vendor), self.vendor,
            Looks(self.log, self.clock), guard=self.guard, clock=self.clock, by=self.by,
            pause_seconds=0.01,
        )  # fmt: skip


async def test_a_run_that_ended_unseen_is_told_from_its_folder(tmp_path: Path) -> None:
    question = Question("sequencer-watcher", "sequence", topics.SEQUENCING_RUN.name, SEQUENCING_RUN)
    async with MemoryLog() as log:
        share = Share(log, tmp_path)
        assert (await share.source().ask(question)).brought == ()
        share.write(run_files())
        await share.begins()
        answer = await share.source().ask(question)
        assert (answer.brought, answer.reason) == (
            (), f"{SEQUENCING_RUN} has no marker of its end"
        )  # fmt: skip
        share.write({"RTAComplete.txt": b"done"})
        [ended] = (await share.source().ask(question)).brought
        assert isinstance(ended, SequencingRunCompleted)
        assert ended.envelope.event_id == ended.external_id()
        share.clock.jump(timedelta(minutes=1).total_seconds())
        assert (await share.source().ask(question)).brought == ()
        for path in sorted(share.folder.rglob("*"), reverse=True):
            path.unlink() if path.is_file() else path.rmdir()
        share.folder.rmdir()
        with pytest.raises(Retry, match="let the watcher read"):
            await share.source().ask(question)
