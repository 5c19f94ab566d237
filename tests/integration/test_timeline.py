"""The timeline: a subject's story with what it follows from, read from the audit trail."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from genoflow.events.event import Event, begin
from genoflow.events.expected_file import ExpectedFile
from genoflow.events.log.memory import MemoryLog
from genoflow.events.read_set_registered import ReadSetRegistered
from genoflow.events.sample_registered import SampleRegistered
from genoflow.events.sequencing_run_completed import SequencingRunCompleted
from genoflow.events.sequencing_run_failed import SequencingRunFailed
from genoflow.events.task_completed import TaskCompleted
from genoflow.projections.audit_trail import AuditTrail
from genoflow.projections.runner import bring_up
from genoflow.projections.timeline import timeline_of
from tests import run_facts
from tests.examples import bare_example, somebody, someone
from tests.partition import CODEC

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
FACTS = 2 + 3 * 2


RUN = "260302_M00001_0001_000000000-D0001"


def said(fact: Event, cause: Event | None = None) -> Event:
    """The fact in its envelope, caused by another."""
    return begin(
        fact, occurred_at=NOW, actor=somebody(), by=someone(),
        correlation_id=cause.envelope.correlation_id if cause else None,
        causation_id=cause.envelope.event_id if cause else None,
    )  # fmt: skip


def story() -> list[Event]:
    """A run that was silent for a while, and what follows from it for three samples."""
    silent = said(SequencingRunFailed(instrument_run_id=RUN, reason_code="silent", reason="silent"))
    completed = said(
        SequencingRunCompleted(
            instrument_run_id=RUN, marker="RTAComplete.txt", run_folder="file:///runs",
            file_count=1, total_bytes=1,
        ),
        silent,
    )  # fmt: skip
    facts = [silent, completed]
    for sample in ("S1", "S2", "S3"):
        facts.append(
            said(SampleRegistered(sample_id=sample, registered_by="sample sheet"), completed)
        )
        read_set = ReadSetRegistered(
            sample_id=sample, read_set_id=f"{sample}.1", material="FASTQ",
            expected_files=(ExpectedFile(role="R1"),), read_sets_of_sample=1,
        )  # fmt: skip
        facts.append(said(read_set, completed))
    return facts


async def bring_up_trail(log: MemoryLog, connection: Any) -> int:
    """Bring the audit trail, which the timeline reads, to the end of the log."""
    return await bring_up(log, CODEC, connection, [AuditTrail()])


async def test_a_sample_is_told_with_what_it_follows_from(connection: Any) -> None:
    async with MemoryLog() as log:
        for event in story():
            await log.append(event)
        assert await bring_up_trail(log, connection) == FACTS
    told = await timeline_of(connection, "S1")
    assert [entry.type for entry in told] == [
        "SequencingRunFailed", "SequencingRunCompleted", "SampleRegistered", "ReadSetRegistered",
    ]  # fmt: skip
    assert {entry.subject for entry in told[2:]} == {"S1"}


async def test_a_sample_and_a_case_are_told_what_their_runs_came_to(connection: Any) -> None:
    asked = said(run_facts.requested())
    task = said(bare_example(TaskCompleted).model_copy(update={"run_id": run_facts.RUN_ID}), asked)
    published = said(run_facts.published(), task)
    elsewhere = UUID(int=9, version=5)
    other = said(
        run_facts.requested(run_id=elsewhere, case_id="C-9", members=(run_facts.member("S9"),))
    )
    async with MemoryLog() as log:
        for event in (asked, task, published, other):
            await log.append(event)
        await bring_up_trail(log, connection)
    for subject in ("S1", run_facts.CASE):
        told = [entry.type for entry in await timeline_of(connection, subject)]
        assert told == ["RunRequested", "TaskCompleted", "ResultsPublished"]  # a cause is told, too
    [only] = await timeline_of(connection, "S9")
    assert only.subject == str(elsewhere)
