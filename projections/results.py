"""Results of runs: whether they hold, why not, their files, and what was checked and changed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from genoflow.events import topics
from genoflow.events.event import Event
from genoflow.events.log.port import Vector
from genoflow.events.log.recorded import Recorded
from genoflow.events.result_file import ResultFile
from genoflow.events.results_amended import ResultsAmended
from genoflow.events.results_checked import ResultsChecked
from genoflow.events.results_collected import ResultsCollected
from genoflow.events.results_held import ResultsHeld
from genoflow.events.results_published import ResultsPublished
from genoflow.events.results_retracted import ResultsRetracted
from genoflow.events.run_inputs_invalidated import RunInputsInvalidated
from genoflow.events.run_superseded import RunSuperseded
from genoflow.projections.as_of import relation
from genoflow.projections.model import ReadModel
from genoflow.projections.paging import LIMIT_DEFAULT, Found, Where, counts, one, page
from genoflow.projections.row import Row, Table
from genoflow.projections.run_stages import RANK, Stages
from genoflow.projections.store import Connection

FileKey = tuple[str, str, str]  # bucket, key, version
BYTES_MAX = 2**63 - 1  # what a column holds; one file may claim half of it


@dataclass(frozen=True, slots=True)
class ResultsRow(Row):
    """What a run came to; `counts` while it is an answer that may be used."""

    run_id: str
    first_at: datetime
    state: str
    since: datetime
    waits_for: str | None
    counts: bool = False
    case_id: str | None = None
    case_revision: int | None = None
    project_id: str | None = None
    pipeline: str | None = None
    pipeline_version: str | None = None
    reference: str | None = None
    profile: str | None = None
    profile_version: str | None = None
    manifest_sha256: str | None = None
    collected_at: datetime | None = None
    published_at: datetime | None = None
    reason_code: str | None = None  # of the newest decision about them
    reason: str | None = None
    decided_by: str | None = None  # the person, where one released or retracted them
    role: str | None = None
    superseded_by: str | None = None
    amends_run_id: str | None = None
    files: int = 0  # that may be used, else all that were collected
    size_bytes: int = 0  # of them
    held_id: UUID | None = None  # the ResultsHeld that was said last, while no check passed
    checked_id: UUID | None = None  # the newest check
    changed_id: UUID | None = None  # the newest amendment or retraction
    void_reads: int = 0  # read sets that the run took and that do not count any more


@dataclass(frozen=True, slots=True)
class ResultFileRow(Row):
    """A file that a run left; only those that are published may be used."""

    run_id: str
    bucket: str
    object_key: str
    version_id: str
    kind: str
    sample_id: str | None
    size_bytes: int
    sha256: str
    content_type: str
    state: str  # collected, published, replaced, superseded, retracted
    since: datetime


@dataclass(frozen=True, slots=True)
class ResultReasonRow(Row):
    """One reason for which results were held."""

    run_id: str
    held_id: UUID
    number: int
    reason: str


@dataclass(frozen=True, slots=True)
class ResultCheckRow(Row):
    """One metric of results as it was judged."""

    run_id: str
    checked_id: UUID
    number: int
    metric: str
    value: float
    unit: str
    measured_on: str | None
    declared: str | None
    found: str | None
    required_min: float | None
    required_max: float | None
    verdict: str


@dataclass(frozen=True, slots=True)
class ResultChangeRow(Row):
    """One thing in published results that is different now."""

    run_id: str
    changed_id: UUID
    number: int
    what: str
    sample_id: str | None
    before: str
    after: str


RESULTS = Table(
    "results", ResultsRow, ("run_id",),
    indexes=("(first_at, run_id)", "(state, first_at, run_id)", "(case_id)", "(project_id)"),
)  # fmt: skip
FILES = Table(
    "result_files", ResultFileRow, ("run_id", "bucket", "object_key", "version_id"),
    indexes=("(sample_id, kind)", "(bucket, object_key)"),
)  # fmt: skip
REASONS = Table(
    "result_reasons", ResultReasonRow, ("run_id", "held_id", "number"), is_append_only=True
)
CHECKS = Table(
    "result_checks", ResultCheckRow, ("run_id", "checked_id", "number"), is_append_only=True,
    indexes=("(metric, verdict)",),
)  # fmt: skip
CHANGES = Table(
    "result_changes", ResultChangeRow, ("run_id", "changed_id", "number"), is_append_only=True
)


@dataclass(slots=True)
class ResultsState:
    """What is known of a run's results while its events are folded."""

    stages: Stages = field(default_factory=Stages)
    case_id: str | None = None
    row: ResultsRow | None = None  # none before there are any
    files: dict[FileKey, ResultFile] = field(default_factory=dict)
    words: dict[FileKey, tuple[str, datetime]] = field(default_factory=dict)
    collected: set[FileKey] = field(default_factory=set)
    published: set[FileKey] = field(default_factory=set)
    is_published: bool = False
    is_superseded: bool = False
    is_retracted: bool = False
    void_reads: int = 0

    @property
    def counts(self) -> bool:
        """Whether they are an answer now."""
        return self.is_published and not self.is_superseded and not self.is_retracted

    def take(self, files: Iterable[ResultFile]) -> set[FileKey]:
        """Know these files, and tell their names."""
        named = {(one.bucket, one.object_key, one.version_id): one for one in files}
        self.files |= named
        return set(named)

    def word_of(self, key: FileKey) -> str:
        """The state of a file."""
        if key in self.published:
            if self.is_retracted:
                return "retracted"
            return "superseded" if self.is_superseded else "published"
        return "collected" if key in self.collected else "replaced"


def _collected(state: ResultsState, event: ResultsCollected) -> dict[str, Any]:
    state.collected = state.take(event.files)
    at = event.envelope.occurred_at
    return {"manifest_sha256": event.manifest_sha256, "collected_at": at}


def _checked(_: ResultsState, event: ResultsChecked | ResultsHeld) -> dict[str, Any]:
    name = event.envelope.event_id
    return {
        "profile": event.profile, "profile_version": event.profile_version, "checked_id": name,
        "held_id": name if isinstance(event, ResultsHeld) else None,
    }  # fmt: skip


def _published(state: ResultsState, event: ResultsPublished) -> dict[str, Any]:
    if state.is_published:
        return {}
    state.is_published, state.published = True, state.take(event.files)
    actor = event.envelope.actor.id if event.held_event_id else None
    return {
        "case_revision": event.case_revision, "project_id": event.project_id,
        "pipeline": event.pipeline, "pipeline_version": event.pipeline_version,
        "reference": event.reference, "manifest_sha256": event.manifest_sha256,
        "published_at": event.envelope.occurred_at, "decided_by": actor, "role": event.role,
        "reason": event.reason,
    }  # fmt: skip


def _amended(state: ResultsState, event: ResultsAmended) -> dict[str, Any]:
    state.collected -= state.published
    state.published = state.take(event.files)
    return {
        "amends_run_id": str(event.amends_run_id), "reason_code": event.reason_code,
        "reason": event.reason, "changed_id": event.envelope.event_id,
    }  # fmt: skip


def _superseded(state: ResultsState, event: RunSuperseded) -> dict[str, Any]:
    if state.is_superseded:
        return {}
    state.is_superseded = True
    return {
        "superseded_by": str(event.superseded_by_run_id), "reason_code": event.reason_code,
        "reason": event.reason,
    }  # fmt: skip


def _retracted(state: ResultsState, event: ResultsRetracted) -> dict[str, Any]:
    state.is_retracted = True
    return {
        "reason_code": event.reason_code, "reason": event.reason, "role": event.role,
        "decided_by": event.envelope.actor.id, "changed_id": event.envelope.event_id,
    }  # fmt: skip


def _void(state: ResultsState, _: RunInputsInvalidated) -> dict[str, Any]:
    state.void_reads += 1
    return {}


USES: Mapping[type[Event], Callable[[ResultsState, Any], dict[str, Any]]] = {
    ResultsCollected: _collected, ResultsChecked: _checked, ResultsHeld: _checked,
    ResultsPublished: _published, ResultsAmended: _amended, RunSuperseded: _superseded,
    ResultsRetracted: _retracted, RunInputsInvalidated: _void,
}  # fmt: skip


class Results(ReadModel[ResultsState]):
    """A row a run that came to results, with their files, checks, reasons and changes."""

    name = "results"
    about = "results of runs, whether they hold, and their files with checksums"
    reads = (topics.RUN,)
    tables = (RESULTS, FILES, REASONS, CHECKS, CHANGES)

    def begin(self, _: str) -> ResultsState:
        """Nothing was heard of them."""
        return ResultsState()

    def project(self, state: ResultsState, record: Recorded) -> Iterable[Row]:
        """The results as they are now, and what this event says of them."""
        event = record.event
        handler = USES.get(type(event))
        if type(event) in RANK:
            if not state.stages.hear(event):
                return
        elif handler is None:
            return
        state.case_id = state.case_id or getattr(event, "case_id", None)
        changes = handler(state, event) if handler is not None else {}
        at, stages = event.envelope.occurred_at, state.stages
        if state.row is None:
            if handler in (None, _superseded, _void):
                return  # a run without any has no row here
            state.row = ResultsRow(record.key, at, stages.word, at, None)
        yield from _said(record.key, event)
        yield from _files(state, record.key, at)
        shown = state.published if state.counts else state.collected
        state.row = replace(
            state.row, state=stages.word, since=stages.since or at, waits_for=stages.waits_for,
            counts=state.counts, case_id=state.case_id, files=len(shown),
            size_bytes=min(BYTES_MAX, sum(state.files[key].size_bytes for key in shown)),
            void_reads=state.void_reads, **changes,
        )  # fmt: skip
        yield state.row


def _files(state: ResultsState, run_id: str, at: datetime) -> Iterator[ResultFileRow]:
    for key, file in state.files.items():
        word = state.word_of(key)
        before = state.words.get(key)
        if before is None or before[0] != word:
            state.words[key] = (word, at)
        yield ResultFileRow(run_id, state=word, since=state.words[key][1], **dict(file))


def _said(run_id: str, event: Event) -> Iterator[Row]:
    """What an event lists, as rows that never change."""
    name = event.envelope.event_id
    if isinstance(event, ResultsHeld):
        for number, reason in enumerate(event.reasons, start=1):
            yield ResultReasonRow(run_id, name, number, reason)
    if isinstance(event, ResultsChecked | ResultsHeld):
        for number, measured in enumerate(event.measured, start=1):
            yield ResultCheckRow(run_id, name, number, **dict(measured))
    if isinstance(event, ResultsAmended | ResultsRetracted):
        for number, change in enumerate(event.changes, start=1):
            yield ResultChangeRow(run_id, name, number, **dict(change))


# -- queries

ORDER = ("first_at", "run_id")
FILE_ORDER = ("run_id", "bucket", "object_key", "version_id")


async def results_of(
    connection: Connection, run_id: str, *, at: Vector | None = None
) -> Found | None:
    """What a run came to; None where it has no results."""
    return await one(connection, RESULTS, Where().add("run_id = {}", run_id), at)


DETAILS = ((REASONS, "held_id"), (CHECKS, "checked_id"), (CHANGES, "changed_id"))


async def details_of(
    connection: Connection, results: Found, *, at: Vector | None = None
) -> dict[str, list[Found]]:
    """By table: why they are held, what was checked last, and what is different now."""
    found = {}
    for table, name in DETAILS:
        rows = await connection.fetch(
            f"select * from {relation(table, at)} where run_id = $1 and {name} = $2 "
            f"order by number", results["run_id"], results[name],
        )  # fmt: skip
        found[table.name] = [dict(row) for row in rows]
    return found


def _where(
    state: str | None, case_id: str | None, project_id: str | None, is_counting: bool | None
) -> Where:
    return (
        Where().add("state = {}", state).add("case_id = {}", case_id)
        .add("project_id = {}", project_id).add("counts = {}", is_counting)
    )  # fmt: skip


async def list_results(
    connection: Connection,
    *,
    state: str | None = None,
    case_id: str | None = None,
    project_id: str | None = None,
    is_counting: bool | None = None,
    after: Sequence[Any] | None = None,
    limit: int = LIMIT_DEFAULT,
    at: Vector | None = None,
) -> list[Found]:
    """Results, the newest first."""
    where = _where(state, case_id, project_id, is_counting)
    select = f"select * from {relation(RESULTS, at)}"
    return await page(connection, select, where, ORDER, after=after, limit=limit, newest_first=True)


async def count_results(
    connection: Connection,
    *,
    case_id: str | None = None,
    project_id: str | None = None,
    is_counting: bool | None = None,
    at: Vector | None = None,
) -> dict[str, int]:
    """How many runs' results there are in each state."""
    where = _where(None, case_id, project_id, is_counting)
    return await counts(connection, RESULTS, where, at)


async def list_files(
    connection: Connection,
    *,
    run_id: str | None = None,
    sample_id: str | None = None,
    kind: str | None = None,
    state: str | None = None,
    after: Sequence[Any] | None = None,
    limit: int = LIMIT_DEFAULT,
    at: Vector | None = None,
) -> list[Found]:
    """Files of results, of one run or of all."""
    where = (
        Where().add("run_id = {}", run_id).add("sample_id = {}", sample_id)
        .add("kind = {}", kind).add("state = {}", state)
    )  # fmt: skip
    select = f"select * from {relation(FILES, at)}"
    return await page(connection, select, where, FILE_ORDER, after=after, limit=limit)
