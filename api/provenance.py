"""From what, by what and by whom the results of a job were made, as the log tells it."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.requests import Request

from genoflow.api.guard import asks
from genoflow.api.identity.permissions import Permission
from genoflow.api.reading import ReadingHere, ReadingRoute
from genoflow.api.refusal import Refusal
from genoflow.events.errors import NotThere
from genoflow.projections.asking.kept import Kept
from genoflow.projections.asking.provenance import provenance_of
from genoflow.projections.asking.provenance_asked import records_behind
from genoflow.projections.asking.provenance_parts import Provenance

router = APIRouter(tags=["results"], route_class=ReadingRoute)


@router.get(
    "/results/{job_id}/provenance", summary="From what a job's results were made",
    response_model=Provenance, responses={404: {}},
)  # fmt: skip
@asks(Permission.RESULTS_READ)
async def show_provenance(request: Request, reading: ReadingHere, job_id: str) -> Provenance:
    """Tell files with checksums, code, parameters, reference, people, tasks, and every event.

    It is what `genoflow results provenance --json` prints; docs/provenance.schema.json has its
    schema. Events of other samples and cases never stand in it.
    """
    if reading.is_partial:  # a chain of events leads to runs of instruments, which many share
        raise Refusal(403, "partners find files with checksums at /v1/results/{job_id}")
    source = Kept(reading.connection, request.app.state.codec, reading.at)
    run_id = job_id.lower()
    try:
        return provenance_of(run_id, await records_behind(source, run_id))
    except NotThere as error:
        raise Refusal(404, f"job {job_id}: nobody has asked for it; look at its id") from error
