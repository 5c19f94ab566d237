"""A small story of results with everything that their provenance tells, for tests."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from itertools import count
from typing import Any

from genoflow.deploy.subject import LogSubjects
from genoflow.events import topics
from genoflow.events.case_member_ready import CaseMemberReady
from genoflow.events.case_opened import CaseOpened
from genoflow.events.envelope import Actor
from genoflow.events.event import Event, begin
from genoflow.events.file_landed import FileLanded
from genoflow.events.log.memory import MemoryLog
from genoflow.events.log.recorded import EPOCH
from genoflow.events.qc_failed import QcFailed
from genoflow.events.qc_overridden import QcOverridden
from genoflow.events.results_held import ResultsHeld
from genoflow.events.results_retracted import ResultsRetracted
from genoflow.events.run_exited import RunExited
from genoflow.events.run_requested import RunRequested
from genoflow.events.run_started import RunStarted
from genoflow.events.run_submitted import RunSubmitted
from genoflow.events.run_succeeded import RunSucceeded
from genoflow.events.task_completed import TaskCompleted
from genoflow.events.validated import Validated
from genoflow.projections.asking.provenance import provenance_of
from genoflow.projections.asking.provenance_asked import records_behind
from genoflow.projections.asking.provenance_check import faults_in
from genoflow.projections.asking.provenance_parts import Provenance
from tests.asked import like
from tests.examples import somebody, someone
from tests.partition import CODEC, MOMENT
from tests.run_facts import CASE, RUN_ID, collected, member, pipeline, published, ready, requested

RUN = str(RUN_ID)
DIGEST = "sha256:" + "9" * 64
A_PERSON = Actor(kind="person", id="a.b")


def from_outside(
    event: Event, minute: int, *, cause: Event | None = None, actor: Actor = A_PERSON
) -> Any:
    """A fact of a porch, because of an event where there is one."""
    envelope = cause.envelope if cause is not None else None
    return begin(
        event, occurred_at=MOMENT.replace(minute=minute), actor=actor, by=someone(),
        correlation_id=envelope.correlation_id if envelope else None,
        causation_id=envelope.event_id if envelope else None,
    )  # fmt: skip


def _reads() -> list[Event]:
    """Two files that land and are read, QC that fails, and a person who lets them through."""
    facts: list[Event] = []
    for file in member().files:
        place = dict(file) | {"sample_id": "S1"}
        landed = from_outside(like(FileLanded, **_known(FileLanded, place)), 1, actor=somebody())
        found = like(Validated, **_known(Validated, place), md5="7" * 32, reference=None)
        facts += [landed, landed.follow(found, by=someone())]
    failed = facts[-1].follow(like(QcFailed, sample_id="S1", round=1), by=someone())
    overridden = like(
        QcOverridden, sample_id="S1", round=1, overridden_event_id=failed.envelope.event_id,
        role="director", reason="a small panel",
    )  # fmt: skip
    return [*facts, failed, failed.follow(overridden, by=someone(), actor=A_PERSON)]


def _known(kind: type[Event], fields: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if name in kind.model_fields}


def _worked(asked: RunRequested) -> list[Event]:
    """One submission with a task, and what it left, held and let go by a person."""
    said: dict[str, Any] = {"run_id": RUN_ID, "attempt": 1, "job_id": "J1"}
    submitted = asked.follow(like(RunSubmitted, **said, case_id=CASE), by=someone())
    started = like(RunStarted, **said, engine="nextflow", engine_version="24.10.0")
    task = like(
        TaskCompleted, **said, task_id="ab/12", process="CALL", is_cached=False, exit_code=0,
        container=f"ghcr.io/lab/bwa@{DIGEST}",
    )  # fmt: skip
    news = [from_outside(one, 3, cause=submitted, actor=somebody()) for one in (started, task)]
    exited = from_outside(
        like(RunExited, **said, exit_code=0, signal=None), 4, cause=submitted, actor=somebody()
    )
    ended = exited.follow(like(RunSucceeded, **said, case_id=CASE), by=someone())
    left = exited.follow(collected(), by=someone())
    held = left.follow(like(ResultsHeld, run_id=RUN_ID, case_id=CASE), by=someone())
    released = published(
        held_event_id=held.envelope.event_id, request_id="r1", role="director", reason="looked at"
    )
    return [submitted, *news, exited, ended, left, held, from_outside(released, 5, cause=held)]


def story() -> list[Event]:
    """From two files and an order to results that a person released."""
    reads = _reads()
    opened = from_outside(like(CaseOpened, case_id=CASE), 0)
    member_ready = like(
        CaseMemberReady, case_id=CASE, sample_id="S1", round=1, verdict="overridden",
        verdict_event_id=reads[-1].envelope.event_id, files=member().files,
    )  # fmt: skip
    of_member = reads[-1].follow(member_ready, by=someone())
    declared = of_member.follow(ready(), by=someone())
    asked = declared.follow(requested(), by=someone())
    catalog = from_outside(pipeline(), 0)
    return [catalog, opened, *reads, of_member, declared, asked, *_worked(asked)]


def retracted() -> Any:
    """A person takes the results back."""
    fact = like(ResultsRetracted, run_id=RUN_ID, case_id=CASE, role="director", reason="a swap")
    return from_outside(fact, 9)


async def told(events: Sequence[Event]) -> tuple[Provenance, list[str]]:
    """The provenance that these events give, and what contradicts it."""
    moments = count()  # a millisecond each: what was recorded earlier is told earlier
    async with MemoryLog(
        topics.TOPICS, partitions=4, codec=CODEC,
        now=lambda: EPOCH + timedelta(milliseconds=next(moments)),
    ) as log:  # fmt: skip
        for event in events:
            await log.append(event)
        records = await records_behind(LogSubjects(log), RUN)
        found = provenance_of(RUN, records)
        return found, faults_in(found, records)
