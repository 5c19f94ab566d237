"""QC: every round of a sample's reads and of an instrument's run, its verdict and its metrics."""

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
from genoflow.events.measured import Measured
from genoflow.events.qc_analysis_failed import QcAnalysisFailed
from genoflow.events.qc_analysis_passed import QcAnalysisPassed
from genoflow.events.qc_failed import QcFailed
from genoflow.events.qc_metrics_recorded import QcMetricsRecorded
from genoflow.events.qc_overridden import QcOverridden
from genoflow.events.qc_passed import QcPassed
from genoflow.events.qc_requested import QcRequested
from genoflow.events.read_set_invalidated import ReadSetInvalidated
from genoflow.events.sequencing_run_qc_failed import SequencingRunQcFailed
from genoflow.events.sequencing_run_qc_passed import SequencingRunQcPassed
from genoflow.events.top_up_requested import TopUpRequested
from genoflow.projections.as_of import relation
from genoflow.projections.model import ReadModel
from genoflow.projections.paging import LIMIT_DEFAULT, Found, Where, counts, one, page
from genoflow.projections.qc_analyses import ANALYSES, HANDLERS, QcAnalysisRow
from genoflow.projections.row import Row, Table
from genoflow.projections.store import Connection

IN_QC, PASSED, FAILED, OVERRIDDEN = "in QC", "QC passed", "QC failed", "QC overridden"
TO_MEASURE, TO_JUDGE, A_PERSON = "to be measured", "its verdict", "a person, or more reads"
MORE_READS = "more reads"
OF_NO_ROUND = 0  # metrics of a question: it is no round of the sample


@dataclass(frozen=True, slots=True)
class QcRow(Row):
    """One round: these reads, by this profile."""

    sample_id: str
    round: int
    first_at: datetime
    state: str
    since: datetime
    waits_for: str | None = None
    is_void: bool = False  # reads that it was about do not count any more
    assay: str | None = None
    profile: str | None = None
    profile_version: str | None = None
    reference: str | None = None
    read_sets: int = 0
    requested_at: datetime | None = None
    measured_at: datetime | None = None
    decided_at: datetime | None = None
    verdict: str | None = None  # passed or failed, whatever a person decided about it
    reason_code: str | None = None
    reason: str | None = None  # why it failed
    instrument_run_id: str | None = None  # that gave no reads, or failed as a whole
    reads_missing: int | None = None
    reads_wanted: int | None = None  # by the top-up that was asked for
    overridden_by: str | None = None
    override_role: str | None = None
    override_reason: str | None = None
    engine: str | None = None
    engine_version: str | None = None
    verdict_id: UUID | None = None  # the event whose metrics count


@dataclass(frozen=True, slots=True)
class RunQcRow(Row):
    """One round of QC of an instrument's run as a whole."""

    instrument_run_id: str
    round: int
    first_at: datetime
    state: str
    since: datetime
    profile: str
    profile_version: str
    reason: str | None
    verdict_id: UUID


@dataclass(frozen=True, slots=True)
class QcReadSetRow(Row):
    """A read set that a round is about."""

    sample_id: str
    round: int
    read_set_id: str


@dataclass(frozen=True, slots=True)
class QcMetricRow(Row):
    """One metric as it was judged, of a sample's reads or of a run."""

    subject: str
    round: int
    verdict_id: UUID
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
    why: str | None = None  # it cannot be told, where that was looked for


QC = Table(
    "qc", QcRow, ("sample_id", "round"),
    indexes=("(first_at, sample_id, round)", "(state, first_at, sample_id, round)"),
)  # fmt: skip
RUN_QC = Table("run_qc", RunQcRow, ("instrument_run_id", "round"))
READ_SETS = Table(
    "qc_read_sets", QcReadSetRow, ("sample_id", "round", "read_set_id"), is_append_only=True,
    indexes=("(read_set_id)",),
)  # fmt: skip
METRICS = Table(
    "qc_metrics", QcMetricRow, ("subject", "round", "verdict_id", "number"), is_append_only=True,
    indexes=("(metric, verdict)", "(verdict_id)"),
)  # fmt: skip


@dataclass(slots=True)
class QcState:
    """What is known of the rounds of a sample, or of a run."""

    rounds: dict[int, QcRow] = field(default_factory=dict)
    read_sets: dict[int, set[str]] = field(default_factory=dict)
    unknown: dict[int, dict[str, str]] = field(default_factory=dict)  # why, by round and metric
    runs: dict[int, RunQcRow] = field(default_factory=dict)
    analyses: dict[UUID, QcAnalysisRow] = field(default_factory=dict)


def _round(state: QcState, event: Any, /, **changes: Any) -> QcRow:
    """This round with these changes."""
    at = event.envelope.occurred_at
    known = state.rounds.get(event.round) or QcRow(event.key, event.round, at, IN_QC, at)
    state.rounds[event.round] = replace(known, **changes)
    return state.rounds[event.round]


def _about(state: QcState, event: Any, /, **changes: Any) -> Iterator[Row]:
    """The same of an event that names the reads which the round is about."""
    named = state.read_sets.setdefault(event.round, set())
    for name in event.read_set_ids:
        if name not in named:
            named.add(name)
            yield QcReadSetRow(event.key, event.round, name)
    if event.profile is not None:
        changes |= {"profile": event.profile, "profile_version": event.profile_version}
    yield _round(state, event, read_sets=len(named), **changes)


def _requested(state: QcState, event: QcRequested) -> Iterator[Row]:
    at = event.envelope.occurred_at
    yield from _about(
        state, event, state=IN_QC, since=at, waits_for=TO_MEASURE, requested_at=at,
        assay=event.assay, reference=event.reference,
    )  # fmt: skip


def _measured(state: QcState, event: QcMetricsRecorded) -> Iterator[Row]:
    state.unknown[event.round] = {one.metric: one.reason for one in event.unknown}
    at = event.envelope.occurred_at
    yield from _about(
        state, event, state=IN_QC, since=at, waits_for=TO_JUDGE, measured_at=at,
        engine=event.engine, engine_version=event.engine_version,
    )  # fmt: skip


def _judged(state: QcState, event: QcPassed | QcFailed) -> Iterator[Row]:
    at, name = event.envelope.occurred_at, event.envelope.event_id
    failed = event if isinstance(event, QcFailed) else None
    why = state.unknown.get(event.round, {})
    yield from _metrics(event.key, event.round, name, event.measured, why)
    yield from _about(
        state, event, state=FAILED if failed else PASSED, since=at, decided_at=at,
        waits_for=A_PERSON if failed else None, verdict="failed" if failed else "passed",
        verdict_id=name, reason_code=failed.reason_code if failed else None,
        reason=failed.reason if failed else None,
        instrument_run_id=failed.instrument_run_id if failed else None,
        reads_missing=failed.reads_missing if failed else None,
        overridden_by=None, override_role=None, override_reason=None, reads_wanted=None,
    )  # fmt: skip


def _overridden(state: QcState, event: QcOverridden) -> Iterator[Row]:
    known = state.rounds.get(event.round)
    if known is None or known.verdict_id != event.overridden_event_id:
        return  # of a verdict that does not hold any more
    yield _round(
        state, event, state=OVERRIDDEN, since=event.envelope.occurred_at, waits_for=None,
        overridden_by=event.envelope.actor.id, override_role=event.role,
        override_reason=event.reason,
    )  # fmt: skip


def _top_up(state: QcState, event: TopUpRequested) -> Iterator[Row]:
    for number, known in state.rounds.items():
        if known.verdict_id == event.failed_event_id:
            waits_for = MORE_READS if known.state == FAILED else known.waits_for
            state.rounds[number] = replace(
                known, reads_wanted=event.reads_wanted, waits_for=waits_for
            )
            yield state.rounds[number]


def _invalidated(state: QcState, event: ReadSetInvalidated) -> Iterator[Row]:
    for number, names in state.read_sets.items():
        if event.read_set_id in names:
            state.rounds[number] = replace(state.rounds[number], is_void=True, waits_for=None)
            yield state.rounds[number]


def _run(state: QcState, event: SequencingRunQcPassed | SequencingRunQcFailed) -> Iterator[Row]:
    if event.sample_id is not None:
        return  # handed to a sample: it is the run's own
    at, name = event.envelope.occurred_at, event.envelope.event_id
    known = state.runs.get(event.round)
    yield from _metrics(event.key, event.round, name, event.measured)
    is_failed = isinstance(event, SequencingRunQcFailed)
    state.runs[event.round] = RunQcRow(
        event.key, event.round, known.first_at if known else at, FAILED if is_failed else PASSED,
        at, event.profile, event.profile_version, getattr(event, "reason", None), name,
    )  # fmt: skip
    yield state.runs[event.round]


def _analysis(state: QcState, event: Event) -> Iterator[Row]:
    row = HANDLERS[type(event)](state.analyses, event)
    state.analyses[row.analysis_id] = row
    if isinstance(event, QcAnalysisPassed | QcAnalysisFailed):
        yield from _metrics(event.key, OF_NO_ROUND, event.envelope.event_id, event.measured)
    yield row


def _metrics(
    subject: str,
    number: int,
    name: UUID,
    measured: Iterable[Measured],
    why: Mapping[str, str] | None = None,
) -> Iterator[QcMetricRow]:
    for place, found in enumerate(measured, start=1):
        reason = (why or {}).get(found.metric)
        yield QcMetricRow(subject, number, name, place, **dict(found), why=reason)


USES: Mapping[type[Event], Callable[[QcState, Any], Iterator[Row]]] = {
    QcRequested: _requested, QcMetricsRecorded: _measured, QcPassed: _judged, QcFailed: _judged,
    QcOverridden: _overridden, TopUpRequested: _top_up, ReadSetInvalidated: _invalidated,
    SequencingRunQcPassed: _run, SequencingRunQcFailed: _run,
    **dict.fromkeys(HANDLERS, _analysis),
}  # fmt: skip


class Qc(ReadModel[QcState]):
    """A row a round of a sample or of a run, and a row a metric of its verdict."""

    name = "qc"
    about = "QC of reads and of sequencing runs: rounds, verdicts and metrics"
    reads = (topics.SAMPLE, topics.SEQUENCING_RUN)
    tables = (QC, RUN_QC, READ_SETS, METRICS, ANALYSES)

    def begin(self, _: str) -> QcState:
        """Nothing was judged."""
        return QcState()

    def project(self, state: QcState, record: Recorded) -> Iterable[Row]:
        """The rounds that this event is about."""
        handler = USES.get(type(record.event))
        return handler(state, record.event) if handler is not None else ()


# -- queries

ORDER = ("first_at", "sample_id", "round")
RUN_ORDER = ("instrument_run_id", "round")


async def qc_of(
    connection: Connection, sample_id: str, number: int, *, at: Vector | None = None
) -> Found | None:
    """One round of a sample."""
    where = Where().add("sample_id = {}", sample_id).add("round = {}", number)
    return await one(connection, QC, where, at)


def _where(
    sample_id: str | None, state: str | None, profile: str | None, is_void: bool | None
) -> Where:
    return (
        Where().add("sample_id = {}", sample_id).add("state = {}", state)
        .add("profile = {}", profile).add("is_void = {}", is_void)
    )  # fmt: skip


async def list_qc(
    connection: Connection,
    *,
    sample_id: str | None = None,
    state: str | None = None,
    profile: str | None = None,
    is_void: bool | None = None,
    after: Sequence[Any] | None = None,
    limit: int = LIMIT_DEFAULT,
    at: Vector | None = None,
) -> list[Found]:
    """Rounds, the newest first."""
    where = _where(sample_id, state, profile, is_void)
    select = f"select * from {relation(QC, at)}"
    return await page(connection, select, where, ORDER, after=after, limit=limit, newest_first=True)


async def count_qc(
    connection: Connection,
    *,
    profile: str | None = None,
    is_void: bool | None = None,
    at: Vector | None = None,
) -> dict[str, int]:
    """How many rounds there are in each state."""
    return await counts(connection, QC, _where(None, None, profile, is_void), at)


async def list_run_qc(
    connection: Connection,
    *,
    instrument_run_id: str | None = None,
    state: str | None = None,
    after: Sequence[Any] | None = None,
    limit: int = LIMIT_DEFAULT,
    at: Vector | None = None,
) -> list[Found]:
    """Rounds of QC of runs, by run."""
    where = Where().add("instrument_run_id = {}", instrument_run_id).add("state = {}", state)
    select = f"select * from {relation(RUN_QC, at)}"
    return await page(connection, select, where, RUN_ORDER, after=after, limit=limit)


async def metrics_of(
    connection: Connection, verdict_id: UUID | None, *, at: Vector | None = None
) -> list[Found]:
    """The metrics of the verdict that a row names, in its own order."""
    rows = await connection.fetch(
        f"select * from {relation(METRICS, at)} where verdict_id = $1 order by number", verdict_id
    )
    return [dict(row) for row in rows]
