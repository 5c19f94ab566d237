"""Whether this process can answer questions: for load balancers, and for people."""

from __future__ import annotations

import asyncio
from importlib.metadata import version
from typing import Literal

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field

from genoflow.api.guard import GuardedRoute, ServicesHere, asks
from genoflow.api.identity.permissions import Access
from genoflow.api.ports import UNAVAILABLE

DATABASE_SECONDS_MAX = 2.0  # load balancers ask every 5 to 30 s and wait as long

router = APIRouter(tags=["monitoring"], route_class=GuardedRoute)


class Health(BaseModel):
    """Whether all is well, and with what."""

    status: Literal["healthy", "unhealthy"] = Field(examples=["healthy"])
    version: str = Field(examples=["0.1.0"])
    checks: dict[str, Literal["ok", "unavailable"]] = Field(examples=[{"database": "ok"}])


@router.get("/health", summary="Is it well?", responses={503: {"model": Health}})
@asks(Access.PUBLIC, counted=False)
async def health(response: Response, services: ServicesHere) -> Health:
    """Ask the database a question; 503 where it does not answer."""
    response.headers["Cache-Control"] = "no-store"
    try:
        async with asyncio.timeout(DATABASE_SECONDS_MAX):
            await services.pool.fetchval("select 1")
    except UNAVAILABLE:
        response.status_code = 503
        told = {"database": "unavailable"}
        return Health(status="unhealthy", version=version("genoflow"), checks=told)
    return Health(status="healthy", version=version("genoflow"), checks={"database": "ok"})
