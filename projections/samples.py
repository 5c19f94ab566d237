"""Samples: where each one is, what it waits for and why; read sets, cases, metadata."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from genoflow.events import topics
from genoflow.events.case_joined import CaseJoined
from genoflow.events.case_left import CaseLeft
from genoflow.events.event import Event
from genoflow.events.log.port import Vector
from genoflow.events.log.recorded import Recorded
from genoflow.events.sample_listed import SampleListed
from genoflow.events.sample_metadata_amended import SampleMetadataAmended
from genoflow.projections.as_of import relation
from genoflow.projections.course import Moments, course_of
from genoflow.projections.model import ReadModel
from genoflow.projections.paging import LIMIT_DEFAULT, LIMIT_MAX, Found, Where, counts, one, page
from genoflow.projections.read_set_state import ReadSet
from genoflow.projections.row import Row, Table
from genoflow.projections.sample_metadata import METADATA, add_metadata, metadata_row
from genoflow.projections.sample_state import USES, OnSheet, Sample
from genoflow.projections.sequencing_runs import RUNS
from genoflow.projections.store import Connection

LISTED, UNLISTED = "listed", "unlisted"
NO_SAMPLE = "unassigned/"  # begins the key of a file that nobody has said the sample of


@dataclass(frozen=True, slots=True)
class SampleRow(Row):
    """A sample as it stands."""

    sample_id: str
    state: str
    since: datetime  # when its state and what it waits for became what they are
    waits_for: str | None
    reason: str | None
    known_since: datetime
    registered_by: str | None
    subject_ref: str | None
    project_id: str | None
    specimen: str | None
    declared_sex: str | None
    instrument_run_id: str | None  # whose sheet listed it first
    read_sets: int  # by which it is decided
    cases: int  # that are open
    qc_round: int | None  # that stands
    true_sample_id: str | None  # where it was a wrong label
    sheet_standing: str | None  # LISTED or UNLISTED, where its files name a run with a sheet
    sheet_run_id: str | None  # that run


@dataclass(frozen=True, slots=True)
class ReadSetRow(Row):
    """A read set of a sample, and how far its files are."""

    sample_id: str
    read_set_id: str
    state: str
    since: datetime
    waits_for: str | None
    reason: str | None
    material: str
    library_id: str | None
    instrument_run_id: str | None
    flow_cell_id: str | None
    lane: int | None
    index1: str | None
    index2: str | None
    sheet_revision: int | None
    demultiplex_attempt: int | None
    reads: int | None
    files_expected: int
    files_landed: int
    files_valid: int
    replaces_read_set_id: str | None
    replaced_by_read_set_id: str | None
    moved_to_sample_id: str | None


@dataclass(frozen=True, slots=True)
class SampleCaseRow(Row):
    """A case that a sample is or was a member of, and what it asks for."""

    sample_id: str
    case_id: str
    state: str  # open, or what the case was closed as
    since: datetime
    reason: str | None
    case_kind: str | None
    role: str | None
    assay: str | None
    material: str | None
    reference: str | None
    target_set: str | None
    project_id: str | None
    priority: str | None
    due_at: datetime | None


SAMPLES = Table(
    "samples", SampleRow, ("sample_id",),
    indexes=(
        "(state, sample_id)", "(project_id, sample_id)", "(instrument_run_id)",
        "(since, sample_id) where waits_for is not null",
        f"(sample_id) where sheet_standing = '{UNLISTED}'",
    ),
)  # fmt: skip
READ_SETS = Table(
    "sample_read_sets", ReadSetRow, ("sample_id", "read_set_id"),
    indexes=("(read_set_id)", "(instrument_run_id)"),
)  # fmt: skip
CASES = Table(
    "sample_cases", SampleCaseRow, ("sample_id", "case_id"),
    indexes=("(case_id)", "(project_id)"),
)  # fmt: skip


class Samples(ReadModel[Sample]):
    """One row a sample, one a read set of it, one a case that it joined, one for its metadata."""

    name = "samples"
    about = "where every sample is, since when, what it waits for and why"
    version = 2
    reads = (topics.SAMPLE,)
    tables = (SAMPLES, READ_SETS, CASES, METADATA)

    def begin(self, key: str) -> Sample:
        """Nothing was heard of it."""
        return Sample(key)

    def project(self, state: Sample, record: Recorded) -> Iterable[Row]:
        """The sample as it stands now, and what this event says of its read sets and cases."""
        event = record.event
        if type(event) not in USES or state.key.startswith(NO_SAMPLE):
            return
        for name in state.take(event):
            yield _read_set(state.key, state.read_sets[name])
        if isinstance(event, CaseJoined | CaseLeft):
            yield _case(state, event)
        if isinstance(event, SampleMetadataAmended):
            yield metadata_row(event)
        yield _sample(state, event)


def _sample(sample: Sample, event: Event) -> SampleRow:
    first, standing = sample.registered, sample.standing
    joined = next(iter(sample.cases.values()), None)
    at, sheet = event.envelope.occurred_at, sample.on_sheet
    said = [one for one in (first, joined) if one is not None]
    return SampleRow(
        sample_id=sample.key,
        state=sample.state,
        since=sample.since or at,
        waits_for=sample.wait.waits_for,
        reason=sample.wait.reason,
        known_since=sample.first_at or at,
        registered_by=first.registered_by if first else None,
        subject_ref=next((one.subject_ref for one in said if one.subject_ref), None),
        project_id=next((one.project_id for one in said if one.project_id), None),
        specimen=first.specimen if first else None,
        declared_sex=first.declared_sex if first else None,
        instrument_run_id=first.instrument_run_id if first else None,
        read_sets=len(sample.active),
        cases=len(sample.cases),
        qc_round=standing.round if standing else None,
        true_sample_id=sample.relabelled.true_sample_id if sample.relabelled else None,
        sheet_standing=_standing(sheet),
        sheet_run_id=sheet.instrument_run_id if sheet else None,
    )


def _standing(sheet: OnSheet | None) -> str | None:
    if sheet is None:
        return None
    return LISTED if isinstance(sheet, SampleListed) else UNLISTED


def _read_set(sample_id: str, found: ReadSet) -> ReadSetRow:
    fact, gone = found.registered, found.invalidated
    return ReadSetRow(
        sample_id=sample_id,
        read_set_id=found.name,
        state=found.state,
        since=found.since,
        waits_for=found.wait.waits_for,
        reason=found.wait.reason,
        material=fact.material,
        library_id=fact.library_id,
        instrument_run_id=fact.instrument_run_id,
        flow_cell_id=fact.flow_cell_id,
        lane=fact.lane,
        index1=fact.index1,
        index2=fact.index2,
        sheet_revision=fact.sheet_revision,
        demultiplex_attempt=fact.demultiplex_attempt,
        reads=fact.reads,
        files_expected=len(fact.expected_files),
        files_landed=found.landed,
        files_valid=found.valid,
        replaces_read_set_id=fact.replaces_read_set_id,
        replaced_by_read_set_id=gone.replaced_by_read_set_id if gone else None,
        moved_to_sample_id=gone.moved_to_sample_id if gone else None,
    )


def _case(sample: Sample, event: CaseJoined | CaseLeft) -> SampleCaseRow:
    joined, left = sample.joined.get(event.case_id), sample.left.get(event.case_id)
    return SampleCaseRow(
        sample_id=sample.key,
        case_id=event.case_id,
        state=left.outcome if left else "open",
        since=(left or joined or event).envelope.occurred_at,
        reason=left.reason if left else None,
        case_kind=joined.case_kind if joined else None,
        role=joined.role if joined else None,
        assay=joined.assay if joined else None,
        material=joined.material if joined else None,
        reference=joined.reference if joined else None,
        target_set=joined.target_set if joined else None,
        project_id=joined.project_id if joined else None,
        priority=joined.priority if joined else None,
        due_at=joined.due_at if joined else None,
    )


# -- queries

_VERSIONS = f"""
select s.sample_id, (select build from gf.builds where model = 'samples' and state = 'live')
    || '@' || greatest(s.log_offset,
        (select max(r.log_offset) from live.{READ_SETS.name} r where r.sample_id = s.sample_id),
        (select max(c.log_offset) from live.{CASES.name} c where c.sample_id = s.sample_id),
        (select m.log_offset from live.{METADATA.name} m where m.sample_id = s.sample_id)
    ) as version
from live.{SAMPLES.name} s where s.sample_id = any($1::text[])
"""


async def sample_of(
    connection: Connection, sample_id: str, *, at: Vector | None = None
) -> Found | None:
    """One sample."""
    return await one(connection, SAMPLES, Where().add("sample_id = {}", sample_id), at)


async def read_sets_of(
    connection: Connection,
    sample_id: str,
    *,
    after: Sequence[str] | None = None,
    limit: int = LIMIT_MAX,
    at: Vector | None = None,
) -> list[Found]:
    """Its read sets, those that do not count any more too, by their ids."""
    select = f"select sample_read_sets.* from {relation(READ_SETS, at)}"
    where = Where().add("sample_id = {}", sample_id)
    return await page(connection, select, where, ("read_set_id",), after=after, limit=limit)


async def cases_of(
    connection: Connection,
    sample_id: str,
    *,
    after: Sequence[str] | None = None,
    limit: int = LIMIT_MAX,
    at: Vector | None = None,
) -> list[Found]:
    """The cases that it joined, those that it left too, by their ids."""
    select = f"select sample_cases.* from {relation(CASES, at)}"
    where = Where().add("sample_id = {}", sample_id)
    return await page(connection, select, where, ("case_id",), after=after, limit=limit)


async def sample_versions(connection: Connection, sample_ids: Sequence[str]) -> dict[str, str]:
    """What changes with anything that is told of each of these samples, of those that are known.

    All rows of a sample are fed by one partition, so the last offset of any of them moves it.
    """
    rows = await connection.fetch(_VERSIONS, list(sample_ids))
    return {row["sample_id"]: row["version"] for row in rows}


async def list_samples(
    connection: Connection,
    *,
    state: str | None = None,
    project: str | None = None,
    case: str | None = None,
    run: str | None = None,
    waits_for: str | None = None,
    waits_since: datetime | None = None,
    sheet_standing: str | None = None,
    metadata: Sequence[str] = (),
    after: Sequence[str] | None = None,
    limit: int = LIMIT_DEFAULT,
    at: Vector | None = None,
) -> list[Found]:
    """Samples by their ids; `run` is an instrument's, and `case` one that they are in or were.

    With `waits_since`, those that wait for something since then or longer; with `metadata`, those
    that have each of these, written NAME:VALUE.
    """
    where = _asked(at, project, case, run).add("state = {}", state)
    where.add("waits_for = {}", waits_for).add("sheet_standing = {}", sheet_standing)
    add_metadata(where, metadata, at)
    where.add("waits_for is not null and since <= {}", waits_since)
    select = f"select samples.* from {relation(SAMPLES, at)}"
    return await page(connection, select, where, ("sample_id",), after=after, limit=limit)


async def count_samples(
    connection: Connection,
    *,
    project: str | None = None,
    case: str | None = None,
    run: str | None = None,
    at: Vector | None = None,
) -> dict[str, int]:
    """How many samples are in each state."""
    return await counts(connection, SAMPLES, _asked(at, project, case, run), at)


async def count_waiting(connection: Connection, *, at: Vector | None = None) -> dict[str, int]:
    """How many samples wait, by what they wait for."""
    rows = await connection.fetch(
        f"select waits_for, count(*) as number from {relation(SAMPLES, at)} "
        f"where waits_for is not null group by waits_for order by waits_for"
    )
    return {row["waits_for"]: row["number"] for row in rows}


async def waiting_course(connection: Connection, moments: Moments) -> list[int]:
    """How many samples waited for anything at each moment."""
    return await course_of(connection, SAMPLES, "waits_for is not null", moments)


async def waiting(
    connection: Connection,
    longer_than_seconds: float,
    now: datetime,
    *,
    project: str | None = None,
    case: str | None = None,
    run: str | None = None,
    after: tuple[datetime, str] | None = None,
    limit: int = LIMIT_DEFAULT,
    at: Vector | None = None,
) -> list[Found]:
    """Samples that have waited that long, with what for, why and since when; the longest first.

    One that waits for its reads names the run that should read it, and what that run waits for.
    """
    where = _asked(at, project, case, run)
    where.add(
        "samples.waits_for is not null and samples.since <= {}",
        now - timedelta(seconds=longer_than_seconds),
    )
    select = f"""
        select samples.*, sequencing_runs.instrument_run_id as run,
            sequencing_runs.state as run_state, sequencing_runs.since as run_since,
            sequencing_runs.waits_for as run_waits_for, sequencing_runs.reason as run_reason
        from {relation(SAMPLES, at)} left join {relation(RUNS, at)}
            on sequencing_runs.instrument_run_id = samples.instrument_run_id
            and samples.waits_for = 'reads'
    """
    key = ("samples.since", "samples.sample_id")
    return await page(connection, select, where, key, after=after, limit=limit)


def _asked(at: Vector | None, project: str | None, case: str | None, run: str | None) -> Where:
    cases, read_sets = relation(CASES, at), relation(READ_SETS, at)
    return (
        Where()
        .add(f"samples.sample_id in (select sample_id from {cases} where case_id = {{}})", case)
        .add(
            "(samples.project_id = {} or samples.sample_id in "
            f"(select sample_id from {cases} where project_id = {{}}))",
            project, project,
        )
        .add(
            "(samples.instrument_run_id = {} or samples.sample_id in "
            f"(select sample_id from {read_sets} where instrument_run_id = {{}}))",
            run, run,
        )
    )  # fmt: skip
