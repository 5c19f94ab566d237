"""Questions about the quality of a sample: by which profile, and how each came out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from genoflow.events.event import Event
from genoflow.events.log.port import Vector
from genoflow.events.qc_analysis_failed import QcAnalysisFailed
from genoflow.events.qc_analysis_passed import QcAnalysisPassed
from genoflow.events.qc_analysis_proposed import QcAnalysisProposed
from genoflow.events.qc_analysis_refused import QcAnalysisRefused
from genoflow.events.qc_analysis_requested import QcAnalysisRequested
from genoflow.projections.as_of import relation
from genoflow.projections.paging import LIMIT_DEFAULT, Found, Where, one, page
from genoflow.projections.row import Row, Table
from genoflow.projections.store import Connection

ASKED, JUDGING, PASSED, FAILED, REFUSED = "asked", "judging", "passed", "failed", "refused"


@dataclass(frozen=True, slots=True)
class QcAnalysisRow(Row):
    """One question; no round of the sample follows from it."""

    sample_id: str
    analysis_id: UUID  # of its proposal
    first_at: datetime
    state: str
    since: datetime
    profile: str
    asked_by: str
    data_path: str | None = None  # none: all files that count
    profile_version: str | None = None
    assay: str | None = None
    material: str | None = None
    files: int = 0
    reason: str | None = None  # why it failed, or was refused
    engine: str | None = None
    engine_version: str | None = None
    verdict_id: UUID | None = None  # the event whose metrics count


ANALYSES = Table(
    "qc_analyses", QcAnalysisRow, ("analysis_id",),
    indexes=("(sample_id, first_at)", "(first_at, analysis_id)"),
)  # fmt: skip
Analyses = dict[UUID, QcAnalysisRow]


def _proposed(known: Analyses, event: QcAnalysisProposed) -> QcAnalysisRow:
    at, name = event.envelope.occurred_at, event.envelope.event_id
    path = f"s3://{event.bucket}/{event.object_key or ''}" if event.bucket else None
    return known.get(name) or QcAnalysisRow(
        event.sample_id, name, at, ASKED, at, event.profile, event.envelope.actor.id, path
    )


def _known(known: Analyses, event: Any, name: UUID) -> QcAnalysisRow:
    at = event.envelope.occurred_at
    profile = getattr(event, "profile", "")
    found = known.get(name)
    return found or QcAnalysisRow(event.sample_id, name, at, ASKED, at, profile, "")


def _requested(known: Analyses, event: QcAnalysisRequested) -> QcAnalysisRow:
    return replace(
        _known(known, event, event.analysis_id), state=JUDGING, since=event.envelope.occurred_at,
        profile=event.profile, profile_version=event.profile_version, assay=event.assay,
        material=event.material, files=len(event.files),
    )  # fmt: skip


def _judged(known: Analyses, event: QcAnalysisPassed | QcAnalysisFailed) -> QcAnalysisRow:
    is_failed = isinstance(event, QcAnalysisFailed)
    return replace(
        _known(known, event, event.analysis_id), state=FAILED if is_failed else PASSED,
        since=event.envelope.occurred_at, reason=getattr(event, "reason", None),
        profile=event.profile, profile_version=event.profile_version,
        engine=event.engine, engine_version=event.engine_version,
        verdict_id=event.envelope.event_id,
    )  # fmt: skip


def _refused(known: Analyses, event: QcAnalysisRefused) -> QcAnalysisRow:
    return replace(
        _known(known, event, event.proposal_event_id), state=REFUSED,
        since=event.envelope.occurred_at, reason=event.reason,
    )  # fmt: skip


HANDLERS: Mapping[type[Event], Callable[[Analyses, Any], QcAnalysisRow]] = {
    QcAnalysisProposed: _proposed, QcAnalysisRequested: _requested, QcAnalysisPassed: _judged,
    QcAnalysisFailed: _judged, QcAnalysisRefused: _refused,
}  # fmt: skip


# -- queries

ORDER = ("first_at", "analysis_id")


async def analysis_of(
    connection: Connection, analysis_id: UUID, *, at: Vector | None = None
) -> Found | None:
    """One question."""
    return await one(connection, ANALYSES, Where().add("analysis_id = {}", analysis_id), at)


async def list_analyses(
    connection: Connection,
    *,
    sample_id: str | None = None,
    state: str | None = None,
    profile: str | None = None,
    after: Sequence[Any] | None = None,
    limit: int = LIMIT_DEFAULT,
    at: Vector | None = None,
) -> list[Found]:
    """Questions, the newest first."""
    where = (
        Where().add("sample_id = {}", sample_id).add("state = {}", state)
        .add("profile = {}", profile)
    )  # fmt: skip
    select = f"select * from {relation(ANALYSES, at)}"
    return await page(connection, select, where, ORDER, after=after, limit=limit, newest_first=True)
