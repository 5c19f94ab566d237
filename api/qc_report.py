"""The report of a round of QC, or of a question: one page of HTML, made when it is asked for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter
from fastapi.responses import HTMLResponse, Response
from starlette.requests import Request

from genoflow.api.guard import asks, caller_of, services_of
from genoflow.api.identity.permissions import Permission
from genoflow.api.qc_jobs import job_found
from genoflow.api.reading import Reading, ReadingHere, ReadingRoute
from genoflow.api.refusal import Refusal
from genoflow.api.reports.page import POLICY, page_of
from genoflow.api.reports.story import OF_SAMPLE, Heard, report_of
from genoflow.events import topics
from genoflow.events.log.recorded import Position
from genoflow.projections.event_search import PAGE_MAX, KeptEvent, Wanted, search

EVENTS_MAX = 20_000  # of one sample's files and verdicts: 20 pages of at most a MB each
HEADERS = {"Content-Security-Policy": POLICY, "X-Content-Type-Options": "nosniff"}

router = APIRouter(prefix="/qc", tags=["qc"], route_class=ReadingRoute)


@router.get(
    "/results/{qc_job_id}/report", summary="The report of a round or a question, as a page",
    response_class=Response,  # of no kind by itself: what is refused is JSON
    responses={200: {"content": {"text/html": {"schema": {"type": "string"}}}}, 404: {}},
)  # fmt: skip
@asks(Permission.QC_READ)
async def show_qc_report(request: Request, reading: ReadingHere, qc_job_id: str) -> HTMLResponse:
    """Show the verdict, its thresholds, the files and the events, as a page that stands alone."""
    found, _ = await job_found(reading, qc_job_id)
    report = report_of(await _story(reading, found), qc_job_id) if found["verdict_id"] else None
    if report is None:
        raise Refusal(404, f"QC {qc_job_id}: has no verdict yet; ask again once it is completed")
    # An answer's subjects are read off JSON; of a page the route has to name them.
    shown = [(b"sample_id", str(found["sample_id"]).encode())]
    services_of(request).reads.add(caller_of(request), request.scope["route"].path_format, shown)
    return HTMLResponse(page_of(report), headers=HEADERS)


async def _story(reading: Reading, found: Mapping[str, Any]) -> list[Heard]:
    """What the audit trail has of the sample's quality, as far as is asked for."""
    wanted = Wanted(
        types=[one.type() for one in OF_SAMPLE],
        subjects=[found["sample_id"]],
        topics=[topics.SAMPLE.name],
    )
    story: list[Heard] = []
    after: Position | None = None
    while len(story) < EVENTS_MAX:
        events = await search(reading.connection, wanted, after=after, limit=PAGE_MAX)
        story += [_heard(one) for one in events if _is_known(reading, one)]
        if len(events) < PAGE_MAX:
            break
        after = events[-1].place
    return story


def _is_known(reading: Reading, one: KeptEvent) -> bool:
    """Whether it stood there at the time that is asked for."""
    at = reading.everywhere
    return at is None or one.offset < at.get((one.topic, one.partition), 0)


def _heard(one: KeptEvent) -> Heard:
    at = one.occurred_at.isoformat(timespec="seconds")
    by = f"{one.producer} {one.producer_version}, for {one.actor_id}"
    return Heard(one.type, str(one.event_id), at, str(one.place), by, one.payload)
