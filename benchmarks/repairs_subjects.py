"""The subjects of a lab that loses events: samples whose files come, and runs with their tasks."""

from __future__ import annotations

import json
from datetime import datetime
from functools import partial
from typing import Any
from uuid import uuid5

from benchmarks.repairs_lab import Deed, Lab
from genoflow.events.envelope import Producer
from genoflow.events.event import E, begin
from genoflow.events.expected_file import ExpectedFile
from genoflow.events.identity import GENOFLOW
from genoflow.events.read_set_registered import ReadSetRegistered
from genoflow.events.run_exited import RunExited
from genoflow.events.run_requested import RunRequested
from genoflow.events.run_submitted import RunSubmitted
from genoflow.processors.intake.landing import READ_SET, ROLE, SAMPLE, landed
from genoflow.processors.intake.notices import Place
from genoflow.processors.intake.task_news import TASK_NEWS, task_facts
from genoflow.processors.intake.weblog import told
from genoflow.processors.job_outcome import JobOutcome, outcome_key
from genoflow.processors.ports import JobState
from genoflow.processors.running.manifest import Submission
from genoflow.processors.running.names import job_name
from genoflow.processors.running.notes import ENGINE, TRACE, note_begin, note_job
from tests.examples import bare_example, somebody, someone
from tests.run_facts import requested
from tests.shelves import FakeShelves

TASKS = ("ALIGN", "CALL", "REPORT")


def subject(lab: Lab, number: int) -> Deed:
    """How the subject of this number begins: each second one is a run."""
    return (Sample if number % 2 else Run)(lab, number).begins


class Sample:
    """A read set with two files."""

    def __init__(self, lab: Lab, number: int) -> None:
        self._lab, self._number = lab, number
        self._name, self._read_set = f"S{number}", f"RS{number}"

    async def begins(self) -> None:
        """Files are promised, and come after a while each."""
        lab, now = self._lab, self._lab.clock.now()
        promised = tuple(ExpectedFile(role=role) for role in ("R1", "R2"))
        fact = bare_example(ReadSetRegistered).model_copy(
            update={
                "read_set_id": self._read_set, "sample_id": self._name, "expected_files": promised,
                "instrument_run_id": None,
            }
        )  # fmt: skip
        await lab.tell(_begun(fact, now))
        for part, role in enumerate(("R1", "R2")):
            lab.at(now + lab.length("land"), partial(self._put, role, part))

    async def _put(self, role: str, part: int) -> None:
        lab = self._lab
        place = Place("raw", f"in/{self._name}/{role}.fastq.gz")
        metadata = {SAMPLE: self._name, READ_SET: self._read_set, ROLE: role}
        kept = lab.shelves.put(place, metadata)
        head = await _head(lab.shelves, place, kept.version_id)
        item = f"{self._read_set} {role}"
        if not lab.loses(landed(head).external_id(), self._name, "land", item):
            await lab.hear(place, 2 * self._number + part)


class Run:
    """A run of three tasks, one after another, on a machine of its own."""

    def __init__(self, lab: Lab, number: int) -> None:
        self._lab = lab
        self._id = uuid5(GENOFLOW, f"run {number}")
        self._rows: list[dict[str, str]] = []
        self._by = Producer(service=TASK_NEWS, version="0")
        self._folder = lab.folder / str(self._id)

    async def begins(self) -> None:
        """It is asked for and submitted, and begins after a while."""
        lab, now = self._lab, self._lab.clock.now()
        self._asked: RunRequested = _begun(requested(run_id=self._id), now)
        job = uuid5(GENOFLOW, f"job {self._id}")
        submitted = RunSubmitted(
            run_id=self._id, case_id=self._asked.case_id, attempt=1, launcher="local",
            job_name=job_name(self._id, 1), job_id=str(job),
        )  # fmt: skip
        by = Producer(service="submit-run", version="0")
        self._submission = Submission(
            requested=requested(run_id=self._id), attempt=1, job_id=job,
            caused_by=self._asked.envelope.event_id,
            correlation_id=self._asked.envelope.correlation_id,
        )  # fmt: skip
        await lab.tell(self._asked)
        await lab.tell(self._asked.follow(submitted, by=by, occurred_at=now))
        lab.jobs[job] = JobState.RUNNING
        lab.at(now + lab.length("start"), self._starts)

    async def _starts(self) -> None:
        lab, now = self._lab, self._lab.clock.now()
        body = json.dumps(
            {"runName": job_name(self._id, 1), "runId": str(self._id), "event": "started"}
        ).encode()
        (self._folder / ENGINE).mkdir(parents=True)
        note_job(self._folder, self._submission.job_id)
        note_begin(self._folder, self._submission.job_id, "24.10", body, now)
        [fact] = told(self._submission, body, engine_version="24.10", by=self._by)
        started = fact.enveloped(fact.envelope.model_copy(update={"occurred_at": now}))
        if not lab.loses(started.envelope.event_id, str(self._id), "start", "1"):
            await lab.tell(started)
        await self._task(0)

    async def _task(self, number: int) -> None:
        lab, now = self._lab, self._lab.clock.now()
        ends = now + lab.length("task")
        row = {
            "task_id": str(number + 1), "hash": f"{number:02}/{self._id.hex[:6]}",
            "native_id": "7", "process": TASKS[number], "tag": "S1", "name": TASKS[number],
            "status": "COMPLETED", "exit": "0", "attempt": "1", "submit": _ms(now),
            "start": _ms(now), "complete": _ms(ends), "duration": "1", "realtime": "1",
        }  # fmt: skip
        begun = {
            "runName": job_name(self._id, 1), "runId": str(self._id), "event": "process_started",
            "trace": row | {"status": "RUNNING", "complete": ""},
        }  # fmt: skip
        for fact in told(
            self._submission, json.dumps(begun).encode(), engine_version="24.10", by=self._by
        ):
            await lab.tell(fact)
        lab.at(ends, partial(self._ended, number, row))

    async def _ended(self, number: int, row: dict[str, str]) -> None:
        lab = self._lab
        self._rows.append(row)
        lines = ["\t".join(row), *("\t".join(one.values()) for one in self._rows)]
        (self._folder / ENGINE / TRACE).write_text("\n".join(lines) + "\n", encoding="utf-8")
        [fact] = task_facts(self._submission, [row], is_over=False, by=self._by)
        item = f"1/{row['hash']}/1"
        if not lab.loses(fact.envelope.event_id, str(self._id), "task", item):
            await lab.tell(fact)
        await (self._task(number + 1) if number + 1 < len(TASKS) else self._exits())

    async def _exits(self) -> None:
        lab, job = self._lab, self._submission.job_id
        await lab.store.put("work", outcome_key(job), JobOutcome(exit_code=0).to_bytes(), {})
        lab.jobs[job] = JobState.ENDED
        fact = RunExited(run_id=self._id, attempt=1, job_id=str(job), exit_code=0)
        by = Producer(service="submit-run", version="0")
        exited = self._asked.follow(fact, by=by, occurred_at=lab.clock.now())
        if not lab.loses(exited.envelope.event_id, str(self._id), "run", "1"):
            await lab.tell(exited)


def _begun(fact: E, at: datetime) -> E:
    return begin(fact, occurred_at=at, actor=somebody(), by=someone())


def _ms(at: datetime) -> str:
    return str(int(at.timestamp() * 1_000))


async def _head(shelves: FakeShelves, place: Place, version_id: str) -> Any:
    """The head of what was put just now, whether the store answers or not."""
    fault, shelves.fault = shelves.fault, lambda _: None
    try:
        return await shelves.head(place, version_id)
    finally:
        shelves.fault = fault
