"""Runs of instruments: how far each one is, what it waits for, and what was told apart in it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from genoflow.events import topics
from genoflow.events.demultiplex_completed import DemultiplexCompleted
from genoflow.events.demultiplex_failed import DemultiplexFailed
from genoflow.events.demultiplex_reopened import DemultiplexReopened
from genoflow.events.demultiplex_requested import DemultiplexRequested
from genoflow.events.event import Event
from genoflow.events.log.port import Vector
from genoflow.events.log.recorded import Recorded
from genoflow.events.sample_sheet_amended import SampleSheetAmended
from genoflow.events.sample_sheet_attached import SampleSheetAttached
from genoflow.events.sample_sheet_refused import SampleSheetRefused
from genoflow.events.sequencing_run_completed import SequencingRunCompleted
from genoflow.events.sequencing_run_failed import SequencingRunFailed
from genoflow.events.sequencing_run_mirrored import SequencingRunMirrored
from genoflow.events.sequencing_run_qc_failed import SequencingRunQcFailed
from genoflow.events.sequencing_run_qc_passed import SequencingRunQcPassed
from genoflow.events.sequencing_run_started import SequencingRunStarted
from genoflow.projections.as_of import relation
from genoflow.projections.model import ReadModel
from genoflow.projections.paging import LIMIT_DEFAULT, Found, Where, counts, one, page
from genoflow.projections.row import Row, Table
from genoflow.projections.store import Connection

Sheet = SampleSheetAttached | SampleSheetAmended
Verdict = SequencingRunQcPassed | SequencingRunQcFailed
Demultiplexing = (
    DemultiplexRequested | DemultiplexCompleted | DemultiplexFailed | DemultiplexReopened
)
Wait = tuple[str | None, str | None]  # what for, and why
PROBLEMS_MAX = 5  # of a sheet, in a row: each has 2,000 characters at most


@dataclass(frozen=True, slots=True)
class SequencingRunRow(Row):
    """A run of an instrument as it stands."""

    instrument_run_id: str
    state: str
    since: datetime  # when its state and what it waits for became what they are
    waits_for: str | None
    reason: str | None
    instrument_id: str | None
    instrument_model: str | None
    platform: str | None
    flow_cell_id: str | None
    lanes: int | None
    started_at: datetime | None
    completed_at: datetime | None
    mirrored_at: datetime | None
    total_bytes: int | None  # as they were mirrored
    sheet_revision: int | None
    sheet_samples: int | None
    demultiplex_attempt: int | None
    reads_total: int | None
    reads_undetermined: int | None
    undetermined_fraction: float | None
    qc: str | None  # passed or failed


@dataclass(frozen=True, slots=True)
class DemultiplexedRow(Row):
    """What one attempt found of one library in one lane."""

    instrument_run_id: str
    attempt: int
    number: int  # in the list of its attempt
    lane: int
    sample_id: str
    library_id: str
    read_set_id: str | None
    reads: int
    bases: int | None
    perfect_index_fraction: float | None
    q30_fraction: float | None


RUNS = Table(
    "sequencing_runs", SequencingRunRow, ("instrument_run_id",),
    indexes=("(state, instrument_run_id)", "(flow_cell_id)"),
)  # fmt: skip
DEMULTIPLEXED = Table(
    "demultiplexed", DemultiplexedRow, ("instrument_run_id", "attempt", "number"),
    indexes=("(sample_id)",), is_append_only=True,
)  # fmt: skip


@dataclass
class SequencingRun:
    """What is known of a run; without slots, so that a class with some can build on it."""

    key: str
    started: SequencingRunStarted | None = None
    completed: SequencingRunCompleted | None = None
    failed: SequencingRunFailed | None = None
    mirrored: SequencingRunMirrored | None = None
    sheet: Sheet | None = None
    refused: SampleSheetRefused | None = None  # the newest, until a sheet is taken
    demultiplex: Demultiplexing | None = None
    counted: DemultiplexCompleted | None = None
    judged: Verdict | None = None
    told: tuple[str, str | None] | None = None  # its state, and what it waits for
    since: datetime | None = None


def _started(run: SequencingRun, event: SequencingRunStarted) -> None:
    run.started = run.started or event


def _completed(run: SequencingRun, event: SequencingRunCompleted) -> None:
    run.completed = run.completed or event
    run.failed = None  # what was missing has come


def _failed(run: SequencingRun, event: SequencingRunFailed) -> None:
    run.failed = event


def _mirrored(run: SequencingRun, event: SequencingRunMirrored) -> None:
    run.mirrored = event


def _sheet(run: SequencingRun, event: Sheet) -> None:
    run.sheet, run.refused = event, None


def _refused(run: SequencingRun, event: SampleSheetRefused) -> None:
    run.refused = event


def _demultiplex(run: SequencingRun, event: Demultiplexing) -> None:
    if run.demultiplex is None or event.attempt >= run.demultiplex.attempt:
        run.demultiplex = event
    if isinstance(event, DemultiplexCompleted) and (
        run.counted is None or event.attempt >= run.counted.attempt
    ):
        run.counted = event


def _judged(run: SequencingRun, event: Verdict) -> None:
    run.judged = event


USES: Mapping[type[Event], Callable[[SequencingRun, Any], None]] = {
    SequencingRunStarted: _started,
    SequencingRunCompleted: _completed,
    SequencingRunFailed: _failed,
    SequencingRunMirrored: _mirrored,
    SampleSheetAttached: _sheet,
    SampleSheetAmended: _sheet,
    SampleSheetRefused: _refused,
    DemultiplexRequested: _demultiplex,
    DemultiplexCompleted: _demultiplex,
    DemultiplexFailed: _demultiplex,
    DemultiplexReopened: _demultiplex,
    SequencingRunQcPassed: _judged,
    SequencingRunQcFailed: _judged,
}


def word(run: SequencingRun) -> str:
    """Its state in a word or two."""
    if run.failed is not None:
        return "failed"
    if run.sheet is None:
        return "waits for sheet"
    if run.mirrored is None:
        return "waits for files" if run.completed is None else "waits for copy"
    if isinstance(run.demultiplex, DemultiplexFailed):
        return "demultiplexing failed"
    is_done = isinstance(run.demultiplex, DemultiplexCompleted)
    return "demultiplexed" if is_done else "in demultiplexing"


def wait_of(run: SequencingRun) -> Wait:
    """What it waits for, and why."""
    if run.failed is not None:
        return "a decision", f"{run.failed.reason_code}: {run.failed.reason}"
    if run.refused is not None:
        problems = run.refused.problems
        more = f"; {len(problems) - PROBLEMS_MAX} more" if len(problems) > PROBLEMS_MAX else ""
        return "a mended sheet", "; ".join(problems[:PROBLEMS_MAX]) + more
    if run.sheet is None:
        return "its sample sheet", "none has come"
    if run.completed is None:
        return "the instrument", "it has not ended"
    if run.mirrored is None:
        return "its copy", "it is not yet in the object store"
    return _demultiplexing(run)


def _demultiplexing(run: SequencingRun) -> Wait:
    newest = run.demultiplex
    if newest is None:
        return "demultiplexing", "it was not yet asked for"
    if isinstance(newest, DemultiplexFailed):
        return "a decision", f"attempt {newest.attempt}: {newest.reason_code}: {newest.reason}"
    if isinstance(newest, DemultiplexReopened):
        return "demultiplexing", f"attempt {newest.attempt + 1}: {newest.reason}"
    if isinstance(newest, DemultiplexRequested):
        return "demultiplexing", f"attempt {newest.attempt} is under way"
    if isinstance(run.judged, SequencingRunQcFailed):
        return "a decision", f"it failed QC as a whole: {run.judged.reason}"
    return None, None


class SequencingRuns(ReadModel[SequencingRun]):
    """One row a run, and one a library of a lane that an attempt told apart."""

    name = "sequencing-runs"
    about = "how far every run of an instrument is, and the reads of each sample and lane in it"
    reads = (topics.SEQUENCING_RUN,)
    tables = (RUNS, DEMULTIPLEXED)

    def begin(self, key: str) -> SequencingRun:
        """Nothing was heard of it."""
        return SequencingRun(key)

    def project(self, state: SequencingRun, record: Recorded) -> Iterable[Row]:
        """The run as it stands now, and what a demultiplexing counted."""
        event = record.event
        handler = USES.get(type(event))
        if handler is None:
            return
        handler(state, event)
        waits_for, reason = wait_of(state)
        told = (word(state), waits_for)
        if told != state.told:
            state.told, state.since = told, event.envelope.occurred_at
        if isinstance(event, DemultiplexCompleted):
            yield from _libraries(event)
        yield _row(state, told[0], state.since or event.envelope.occurred_at, waits_for, reason)


def _row(
    run: SequencingRun, state: str, since: datetime, waits_for: str | None, reason: str | None
) -> SequencingRunRow:
    started, counted, mirrored = run.started, run.counted, run.mirrored
    return SequencingRunRow(
        instrument_run_id=run.key,
        state=state,
        since=since,
        waits_for=waits_for,
        reason=reason,
        instrument_id=started.instrument_id if started else None,
        instrument_model=started.instrument_model if started else None,
        platform=started.platform if started else None,
        flow_cell_id=started.flow_cell_id if started else None,
        lanes=started.lanes if started else None,
        started_at=started.envelope.occurred_at if started else None,
        completed_at=run.completed.envelope.occurred_at if run.completed else None,
        mirrored_at=mirrored.envelope.occurred_at if mirrored else None,
        total_bytes=mirrored.total_bytes if mirrored else None,
        sheet_revision=run.sheet.revision if run.sheet else None,
        sheet_samples=len({row.sample_id for row in run.sheet.rows}) if run.sheet else None,
        demultiplex_attempt=run.demultiplex.attempt if run.demultiplex else None,
        reads_total=counted.reads_total if counted else None,
        reads_undetermined=counted.reads_undetermined if counted else None,
        undetermined_fraction=counted.undetermined_fraction if counted else None,
        qc=_verdict(run.judged),
    )


def _verdict(judged: Verdict | None) -> str | None:
    if judged is None:
        return None
    return "passed" if isinstance(judged, SequencingRunQcPassed) else "failed"


def _libraries(event: DemultiplexCompleted) -> Iterable[DemultiplexedRow]:
    for number, library in enumerate(event.libraries):
        yield DemultiplexedRow(
            event.instrument_run_id, event.attempt, number, library.lane, library.sample_id,
            library.library_id, library.read_set_id, library.reads, library.bases,
            library.perfect_index_fraction, library.q30_fraction,
        )  # fmt: skip


# -- queries


async def sequencing_run_of(
    connection: Connection, instrument_run_id: str, *, at: Vector | None = None
) -> Found | None:
    """One run."""
    where = Where().add("instrument_run_id = {}", instrument_run_id)
    return await one(connection, RUNS, where, at)


async def list_sequencing_runs(
    connection: Connection,
    *,
    state: str | None = None,
    flow_cell: str | None = None,
    sample: str | None = None,
    waits_since: datetime | None = None,
    after: Sequence[str] | None = None,
    limit: int = LIMIT_DEFAULT,
    at: Vector | None = None,
) -> list[Found]:
    """Runs by their ids; those of a `sample` are those in which it was told apart.

    With `waits_since`, those that wait for something since then or longer.
    """
    told_apart = f"select instrument_run_id from {relation(DEMULTIPLEXED, at)}"
    where = (
        Where()
        .add("state = {}", state)
        .add("flow_cell_id = {}", flow_cell)
        .add(f"instrument_run_id in ({told_apart} where sample_id = {{}})", sample)
        .add("waits_for is not null and since <= {}", waits_since)
    )
    select = f"select sequencing_runs.* from {relation(RUNS, at)}"
    return await page(connection, select, where, ("instrument_run_id",), after=after, limit=limit)


async def count_sequencing_runs(
    connection: Connection, *, at: Vector | None = None
) -> dict[str, int]:
    """How many runs are in each state."""
    return await counts(connection, RUNS, Where(), at)


async def demultiplexed_of(
    connection: Connection,
    instrument_run_id: str,
    *,
    attempt: int | None = None,
    sample: str | None = None,
    after: tuple[int, int] | None = None,
    limit: int = LIMIT_DEFAULT,
    at: Vector | None = None,
) -> list[Found]:
    """What was told apart in a run, in the order of its attempts; all of them if none is named."""
    where = (
        Where()
        .add("instrument_run_id = {}", instrument_run_id)
        .add("attempt = {}", attempt)
        .add("sample_id = {}", sample)
    )
    select = f"select demultiplexed.* from {relation(DEMULTIPLEXED, at)}"
    key = ("attempt", "number")
    return await page(connection, select, where, key, after=after, limit=limit)
