"""The facts of a generated run, in the order in which the porches would report them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import datetime, timedelta
from uuid import UUID

from genoflow.deploy.demo.generated_run import (
    INSTRUMENT,
    READ_LENGTH,
    READS_PER_FILE,
    GeneratedRun,
    GeneratedSample,
)
from genoflow.events.envelope import Actor, Producer
from genoflow.events.event import Event, begin
from genoflow.events.expected_file import ExpectedFile
from genoflow.events.read_cycles import ReadCycles
from genoflow.events.read_set_registered import ReadSetRegistered
from genoflow.events.sample_registered import SampleRegistered
from genoflow.events.sample_sheet_attached import SampleSheetAttached
from genoflow.events.sample_sheet_row import SampleSheetRow
from genoflow.events.sequencing_run_completed import SequencingRunCompleted
from genoflow.events.sequencing_run_started import SequencingRunStarted
from genoflow.processors.intake.landing import landed
from genoflow.processors.ports import ObjectHead

INDEX_LENGTH = 8
HOURS_OF_A_RUN = 5  # a MiSeq's shortest paired run; the end is now, the start lies before it


class Story:
    """Puts the envelope around each fact of one run: one correlation, one porch."""

    def __init__(self, run: GeneratedRun, ended_at: datetime, by: Producer) -> None:
        self.run = run
        self._ended_at = ended_at
        self._started_at = ended_at - timedelta(hours=HOURS_OF_A_RUN)
        self._by = by
        self._correlation: UUID | None = None

    def _fact(self, event: Event, at: datetime, cause: Event | None = None) -> Event:
        fact = begin(
            event,
            occurred_at=at,
            actor=Actor(kind="instrument", id=INSTRUMENT),
            by=self._by,
            correlation_id=self._correlation,
            causation_id=cause.envelope.event_id if cause else None,
        )
        self._correlation = fact.envelope.correlation_id
        return fact

    def of_the_run(self) -> Iterator[Event]:
        """The run begins, its sheet is attached, it completes, and its samples are known."""
        run, folder = self.run, f"file:///runs/{self.run.run_id}"
        digest = hashlib.sha256(run.run_id.encode()).hexdigest()
        started = self._fact(
            SequencingRunStarted(
                instrument_run_id=run.run_id, instrument_id=INSTRUMENT, instrument_model="MiSeq",
                platform="illumina", run_number=run.run_number, flow_cell_id=run.flow_cell_id,
                lanes=1, reads=_cycles(), run_folder=folder, run_info_sha256=digest,
            ),
            self._started_at,
        )  # fmt: skip
        yield started
        attached = self._fact(
            SampleSheetAttached(
                instrument_run_id=run.run_id, revision=1, sheet_version="v2",
                sheet_uri=f"{folder}/SampleSheet.csv", i5_orientation="forward",
                sheet_sha256=hashlib.sha256(run.sheet).hexdigest(),
                rows=tuple(_row(sample) for sample in run.samples),
            ),
            self._started_at + timedelta(minutes=1),
            started,
        )  # fmt: skip
        yield attached
        files = [file for sample in run.samples for file in sample.files]
        completed = self._fact(
            SequencingRunCompleted(
                instrument_run_id=run.run_id, marker="RTAComplete.txt", run_folder=folder,
                cycles_done=2 * (READ_LENGTH + INDEX_LENGTH), file_count=len(files) + 1,
                total_bytes=sum(len(file.body) for file in files) + len(run.sheet),
            ),
            self._ended_at,
            started,
        )  # fmt: skip
        yield completed
        for sample in run.samples:
            yield from self._of_a_sample(sample, attached, completed)

    def _of_a_sample(
        self, sample: GeneratedSample, attached: Event, completed: Event
    ) -> Iterator[Event]:
        yield self._fact(
            SampleRegistered(
                sample_id=sample.sample_id, registered_by="sample sheet",
                instrument_run_id=self.run.run_id, project_id="DEMO",
            ),
            self._ended_at,
            attached,
        )  # fmt: skip
        yield self._fact(
            ReadSetRegistered(
                sample_id=sample.sample_id, read_set_id=read_set_of(sample, self.run),
                material="FASTQ", library_id=sample.library_id, lane=1, sheet_revision=1,
                instrument_run_id=self.run.run_id, flow_cell_id=self.run.flow_cell_id,
                index1=sample.index1, index2=sample.index2, demultiplex_attempt=1,
                expected_files=tuple(ExpectedFile(role=f.role, lane=1) for f in sample.files),
                read_sets_of_sample=1, reads=READS_PER_FILE,
            ),
            self._ended_at,
            completed,
        )  # fmt: skip

    def of_a_file(self, head: ObjectHead) -> Event:
        """A file of the run is complete in the store: what its head says, nothing else."""
        fact = landed(head)
        return self._fact(fact, fact.last_modified_at)


def read_set_of(sample: GeneratedSample, run: GeneratedRun) -> str:
    """Library, flow cell and lane: what a read set is."""
    return f"{sample.library_id}.{run.flow_cell_id}.1"


def _cycles() -> tuple[ReadCycles, ...]:
    plan = ((READ_LENGTH, False), (INDEX_LENGTH, True), (INDEX_LENGTH, True), (READ_LENGTH, False))
    return tuple(
        ReadCycles(number=number, cycles=cycles, is_index=is_index)
        for number, (cycles, is_index) in enumerate(plan, start=1)
    )


def _row(sample: GeneratedSample) -> SampleSheetRow:
    return SampleSheetRow(
        lane=1, sample_id=sample.sample_id, library_id=sample.library_id,
        index1=sample.index1, index2=sample.index2, project_id="DEMO",
    )  # fmt: skip
