"""Figures for Prometheus: what this process has counted, and what the rows tell."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import PlainTextResponse, Response

from genoflow.api.figures import head
from genoflow.api.guard import GuardedRoute, ServicesHere, asks
from genoflow.api.identity.permissions import Permission
from genoflow.api.validation_figures import validation_lines
from genoflow.projections.uploads import count_open

CONTENT_TYPE = "text/plain; version=0.0.4"
ACTIVE = "active_uploads"
ABOUT = "Uploads that were begun and are neither whole nor given up."

router = APIRouter(tags=["monitoring"], route_class=GuardedRoute)


@router.get(
    "/metrics", summary="Figures for Prometheus",
    response_class=Response,  # of no kind by itself: what is refused is JSON
    responses={200: {"content": {"text/plain": {"schema": {"type": "string"}}}}},
)  # fmt: skip
@asks(Permission.MONITORING_READ)
async def show_metrics(services: ServicesHere) -> PlainTextResponse:
    """Tell the figures of this process, open uploads, and how long files took to validate."""
    async with services.pool.acquire() as connection:
        active, validations = await count_open(connection), await validation_lines(connection)
    uploads = [*services.figures.lines(), *head(ACTIVE, ABOUT, "gauge"), f"{ACTIVE} {active}"]
    lines = [*uploads, *validations]
    return PlainTextResponse("\n".join(lines) + "\n", media_type=CONTENT_TYPE)
