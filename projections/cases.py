"""Cases: what was ordered, who of its members is ready, and which run answers it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import datetime
from typing import Any

from genoflow.events import topics
from genoflow.events.case_answered import CaseAnswered
from genoflow.events.case_closed import CaseClosed
from genoflow.events.case_member_ready import CaseMemberReady
from genoflow.events.case_member_withdrawn import CaseMemberWithdrawn
from genoflow.events.case_opened import CaseOpened
from genoflow.events.case_priority_changed import CasePriorityChanged
from genoflow.events.case_ready import CaseReady
from genoflow.events.event import Event
from genoflow.events.log.port import Vector
from genoflow.events.log.recorded import EPOCH, Recorded
from genoflow.events.rerun_requested import RerunRequested
from genoflow.projections.as_of import relation
from genoflow.projections.model import ReadModel
from genoflow.projections.paging import LIMIT_DEFAULT, Found, Where, page
from genoflow.projections.row import PLACE, Row, Table
from genoflow.projections.runs import RUNS
from genoflow.projections.store import Connection
from genoflow.projections.words import listed

UNKNOWN, READY = "unknown", "ready"
AWAITED, WITHDRAWN = "awaited", "withdrawn"  # of a member that is not ready
NAMED_MAX = 3  # members that a reason names; the others are counted


@dataclass(frozen=True, slots=True)
class CaseRow(Row):
    """One order; a query adds the run that answers it, whose state is then the case's."""

    case_id: str
    first_at: datetime
    state: str
    since: datetime
    waits_for: str | None = None
    kind: str | None = None
    assay: str | None = None
    material: str | None = None
    reference: str | None = None
    target_set: str | None = None
    qc_profile: str | None = None
    pipeline: str | None = None
    project_id: str | None = None
    priority: str | None = None
    due_at: datetime | None = None
    source: str | None = None
    ordered_by: str | None = None
    members: int = 0
    members_ready: int = 0
    revision: int | None = None
    opened_at: datetime | None = None
    ready_at: datetime | None = None
    answered_at: datetime | None = None
    answered_by: str | None = None  # the run that published last
    rerun_of: str | None = None  # the run that a person wants once more
    closed_at: datetime | None = None
    closed_by: str | None = None
    close_reason: str | None = None
    closing_run_id: str | None = None


@dataclass(frozen=True, slots=True)
class CaseMemberRow(Row):
    """One sample of a case."""

    case_id: str
    sample_id: str
    state: str  # awaited, ready, withdrawn
    since: datetime
    role: str | None = None
    subject_ref: str | None = None
    declared_sex: str | None = None
    affected: bool | None = None
    is_ordered: bool = False  # the order names it
    round: int | None = None  # of QC, which let it through
    verdict: str | None = None
    reason: str | None = None  # why its reads do not count any more
    read_set_id: str | None = None


CASES = Table(
    "cases", CaseRow, ("case_id",),
    indexes=("(first_at, case_id)", "(state, first_at, case_id)", "(project_id)", "(due_at)"),
)  # fmt: skip
MEMBERS = Table("case_members", CaseMemberRow, ("case_id", "sample_id"), indexes=("(sample_id)",))


@dataclass
class Case:
    """What is known of a case; without slots, so that a class with some can build on it."""

    key: str
    opened: CaseOpened | None = None
    ready: CaseReady | None = None
    closed: CaseClosed | None = None
    answered: dict[str, CaseAnswered] = field(default_factory=dict)  # by their runs
    members: dict[str, CaseMemberReady] = field(default_factory=dict)  # the newest of each
    # Whose reads do not count any more, until they are ready anew.
    withdrawn: dict[str, CaseMemberWithdrawn] = field(default_factory=dict)
    ranked: CasePriorityChanged | None = None  # the newest
    rerun: RerunRequested | None = None  # the newest, where a person asked for a run again
    is_ready_anew: bool = False  # a member became ready again after the case was declared so
    row: CaseRow = field(init=False)
    member_rows: dict[str, CaseMemberRow] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Nothing was heard of it."""
        self.row = CaseRow(self.key, EPOCH, UNKNOWN, EPOCH)

    def take(self, event: Event) -> list[Row]:
        """Fold an event, and tell the rows that it makes or changes, the case's last."""
        at = event.envelope.occurred_at
        if self.row.first_at is EPOCH:
            self.row = replace(self.row, first_at=at, since=at)
        changed = USES[type(event)](self, event)
        row = replace(self.row, members_ready=len(self.members))
        if self.closed is None:
            now = word(self)
            is_new = now != row.state or isinstance(event, CaseReady)
            since = at if is_new else row.since
            row = replace(row, state=now, since=since, waits_for=_waits_for(self))
        self.row = row
        return [*changed, row]


def _member(case: Case, event: Event, sample_id: str, /, **changes: Any) -> CaseMemberRow:
    at = event.envelope.occurred_at
    known = case.member_rows.get(sample_id) or CaseMemberRow(event.key, sample_id, AWAITED, at)
    case.member_rows[sample_id] = replace(known, **changes)
    return case.member_rows[sample_id]


def _opened(case: Case, event: CaseOpened) -> list[CaseMemberRow]:
    if case.opened is not None:
        return []
    case.opened = event
    case.row = replace(
        case.row, kind=event.kind, assay=event.assay, material=event.material,
        reference=event.reference, target_set=event.target_set, qc_profile=event.qc_profile,
        pipeline=event.pipeline, project_id=event.project_id, priority=event.priority,
        due_at=event.due_at, source=event.source, ordered_by=event.envelope.actor.id,
        members=len(event.members), opened_at=event.envelope.occurred_at,
    )  # fmt: skip
    return [_member(case, event, o.sample_id, is_ordered=True, **dict(o)) for o in event.members]


def _member_ready(case: Case, event: CaseMemberReady) -> list[CaseMemberRow]:
    case.members[event.sample_id] = event
    case.withdrawn.pop(event.sample_id, None)
    case.is_ready_anew = case.ready is not None
    return [
        _member(
            case, event, event.sample_id, state=READY, since=event.envelope.occurred_at,
            role=event.role, round=event.round, verdict=event.verdict, reason=None,
            read_set_id=None,
        )
    ]  # fmt: skip


def _member_withdrawn(case: Case, event: CaseMemberWithdrawn) -> list[CaseMemberRow]:
    member = case.members.get(event.sample_id)
    if member is None or event.read_set_id not in {one.read_set_id for one in member.files}:
        return []
    del case.members[event.sample_id]
    case.withdrawn[event.sample_id] = event
    return [
        _member(
            case, event, event.sample_id, state=WITHDRAWN, since=event.envelope.occurred_at,
            round=None, verdict=None, reason=f"{event.reason_code}: {event.reason}",
            read_set_id=event.read_set_id,
        )
    ]  # fmt: skip


def _ready(case: Case, event: CaseReady) -> list[CaseMemberRow]:
    case.ready, case.is_ready_anew = event, False
    case.rerun = None  # of an earlier revision
    at = event.envelope.occurred_at
    case.row = replace(case.row, revision=event.revision, ready_at=at, rerun_of=None)
    return []


def _rerun(case: Case, event: RerunRequested) -> list[CaseMemberRow]:
    case.rerun = event
    case.row = replace(case.row, rerun_of=str(event.run_id))
    return []


def _ranked(case: Case, event: CasePriorityChanged) -> list[CaseMemberRow]:
    case.ranked = event
    case.row = replace(case.row, priority=event.priority)
    return []


def _answered(case: Case, event: CaseAnswered) -> list[CaseMemberRow]:
    run, at = str(event.run_id), event.envelope.occurred_at
    case.answered.setdefault(run, event)
    case.row = replace(case.row, answered_by=run, answered_at=at)
    return []


def _closed(case: Case, event: CaseClosed) -> list[CaseMemberRow]:
    if case.closed is None:
        case.closed = event
        at = event.envelope.occurred_at
        case.row = replace(
            case.row, state=event.outcome, since=at, waits_for=None, closed_at=at,
            closed_by=event.envelope.actor.id, close_reason=event.reason,
            closing_run_id=str(event.run_id) if event.run_id else None,
        )  # fmt: skip
    return []


USES: Mapping[type[Event], Callable[[Case, Any], list[CaseMemberRow]]] = {
    CaseOpened: _opened, CaseMemberReady: _member_ready, CaseMemberWithdrawn: _member_withdrawn,
    CaseReady: _ready, CaseAnswered: _answered, RerunRequested: _rerun,
    CasePriorityChanged: _ranked, CaseClosed: _closed,
}  # fmt: skip


def word(case: Case) -> str:
    """Its own state: how many are ready, until it is declared so; its runs may say more."""
    if case.closed is not None:
        return case.closed.outcome
    if case.opened is None:
        return UNKNOWN
    if case.ready is None or case.is_ready_anew or case.withdrawn:
        return f"{len(case.members)} of {len(case.opened.members)} ready"
    return READY


def missing(case: Case) -> list[str]:
    """Whom the order names and who is not ready."""
    return [
        one.sample_id
        for one in case.member_rows.values()
        if one.is_ordered and one.sample_id not in case.members
    ]


def _waits_for(case: Case) -> str:
    if case.opened is None:
        return "its order"
    if names := missing(case):
        return listed(names, NAMED_MAX)
    return "a run to be asked for" if word(case) == READY else "to be declared ready"


class Cases(ReadModel[Case]):
    """A row a case, and a row each of its members."""

    name = "cases"
    version = 2
    about = "what was ordered, who of its members is ready, and what each case waits for"
    reads = (topics.CASE,)
    tables = (CASES, MEMBERS)

    def begin(self, key: str) -> Case:
        """Nothing was heard of it."""
        return Case(key)

    def project(self, state: Case, record: Recorded) -> Iterable[Row]:
        """The case as it is now, and the members that changed."""
        return state.take(record.event) if type(record.event) in USES else ()


# -- queries

# A case that is ready has the newest run of its revision, and with it the run's state.
_OWN = [one.name for one in fields(CaseRow) if one.name not in ("state", "since", "waits_for")]
_TOLD = f"""
select {", ".join(f"c.{name}" for name in (*_OWN, *PLACE))}, run.run_id,
    coalesce('run ' || run.state, c.state) as state, coalesce(run.since, c.since) as since,
    case when run.run_id is null then c.waits_for
        when run.run_id = c.rerun_of then 'a run to be asked for once more'
        else run.waits_for end as waits_for
from (select * from {{cases}}) c left join {{newest}}
"""
# Now an index leads from each case to its runs; at a position all of them are found anew, once.
_NEWEST_NOW = f"""lateral (
    select r.run_id, r.state, r.since, r.waits_for from (select * from {{runs}}) r
    where c.state = '{READY}' and r.case_id = c.case_id and r.case_revision = c.revision
    order by r.requested_at desc, r.run_id desc limit 1
) run on true"""
_NEWEST_THEN = f"""(
    select distinct on (r.case_id, r.case_revision) r.* from (select * from {{runs}}) r
    order by r.case_id, r.case_revision, r.requested_at desc, r.run_id desc
) run on c.state = '{READY}' and run.case_id = c.case_id and run.case_revision = c.revision"""
ORDER = ("first_at", "case_id")


def select_cases(at: Vector | None = None) -> str:
    """What finds all cases, each with the run that is to answer it."""
    newest = _NEWEST_NOW if at is None else _NEWEST_THEN
    told = _TOLD.format(cases=relation(CASES, at), newest=newest.format(runs=relation(RUNS, at)))
    return f"select * from ({told}) found"


async def case_of(
    connection: Connection, case_id: str, *, at: Vector | None = None
) -> Found | None:
    """One case, with the run that is to answer it."""
    where = Where().add("case_id = {}", case_id)
    found = await page(connection, select_cases(at), where, ORDER, after=None, limit=1)
    return found[0] if found else None


async def members_of(
    connection: Connection, case_id: str, *, at: Vector | None = None
) -> list[Found]:
    """The samples of a case: they are few."""
    rows = await connection.fetch(
        f"select * from {relation(MEMBERS, at)} where case_id = $1 order by sample_id", case_id
    )
    return [dict(row) for row in rows]


def _where(
    at: Vector | None,
    state: str | None,
    project_id: str | None,
    assay: str | None,
    priority: str | None,
    sample_id: str | None,
    due_before: datetime | None,
) -> Where:
    of_sample = f"case_id in (select case_id from {relation(MEMBERS, at)} where sample_id = {{}})"
    return (
        Where().add("state = {}", state).add("project_id = {}", project_id)
        .add("assay = {}", assay).add("priority = {}", priority).add(of_sample, sample_id)
        .add("due_at < {}", due_before)
    )  # fmt: skip


async def list_cases(
    connection: Connection,
    *,
    state: str | None = None,
    project_id: str | None = None,
    assay: str | None = None,
    priority: str | None = None,
    sample_id: str | None = None,
    due_before: datetime | None = None,
    after: Sequence[Any] | None = None,
    limit: int = LIMIT_DEFAULT,
    at: Vector | None = None,
) -> list[Found]:
    """Cases, the newest first."""
    where = _where(at, state, project_id, assay, priority, sample_id, due_before)
    return await page(
        connection, select_cases(at), where, ORDER, after=after, limit=limit, newest_first=True
    )


async def count_cases(
    connection: Connection,
    *,
    project_id: str | None = None,
    assay: str | None = None,
    priority: str | None = None,
    due_before: datetime | None = None,
    at: Vector | None = None,
) -> dict[str, int]:
    """How many cases there are in each state, that of its run where a case has one."""
    where = _where(at, None, project_id, assay, priority, None, due_before)
    rows = await connection.fetch(
        f"select state, count(*) as number from ({select_cases(at)} {where}) counted "
        f"group by state order by state", *where.values,
    )  # fmt: skip
    return {row["state"]: row["number"] for row in rows}
