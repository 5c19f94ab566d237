"""Figures for Prometheus: what this process has counted, and what the rows tell."""

from __future__ import annotations

from fastapi import APIRouter
from prometheus_client import CONTENT_TYPE_PLAIN_0_0_4 as CONTENT_TYPE
from prometheus_client.metrics_core import GaugeMetricFamily
from starlette.responses import PlainTextResponse, Response

from genoflow.api.guard import GuardedRoute, ServicesHere, asks
from genoflow.api.identity.permissions import Permission
from genoflow.api.validation_figures import validation_seconds
from genoflow.projections.store import Connection
from genoflow.projections.uploads import count_open

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
        rows = [await active_uploads(connection), await validation_seconds(connection)]
    return PlainTextResponse(services.figures.text(rows), media_type=CONTENT_TYPE)


async def active_uploads(connection: Connection) -> GaugeMetricFamily:
    """The figure as the rows tell it, whichever process began them."""
    about = "Uploads that were begun and are neither whole nor given up."
    return GaugeMetricFamily("active_uploads", about, value=await count_open(connection))
