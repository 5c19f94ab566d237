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
from genoflow.api.services import Services

DATABASE_SECONDS_MAX = 2.0  # load balancers ask every 5 to 30 s and wait as long

router = APIRouter(tags=["monitoring"], route_class=GuardedRoute)


class Life(BaseModel):
    """Whether all is well, and otherwise why not."""

    status: Literal["ok", "unavailable"] = Field(examples=["ok"])
    because: list[str] = Field(examples=[["the database does not answer"]])


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
    if not await _database_answers(services):
        response.status_code = 503
        told = {"database": "unavailable"}
        return Health(status="unhealthy", version=version("genoflow"), checks=told)
    return Health(status="healthy", version=version("genoflow"), checks={"database": "ok"})


@router.get("/health/live", summary="Does it live?")
@asks(Access.PUBLIC, counted=False)
async def live(response: Response) -> Life:
    """Answer, and no more: who hears nothing within some seconds starts it again."""
    response.headers["Cache-Control"] = "no-store"
    return Life(status="ok", because=[])


@router.get("/health/ready", summary="Can it answer questions?", responses={503: {"model": Life}})
@asks(Access.PUBLIC, counted=False)
async def ready(response: Response, services: ServicesHere) -> Life:
    """Ask the database a question; 503 with the reason where it does not answer."""
    response.headers["Cache-Control"] = "no-store"
    if await _database_answers(services):
        return Life(status="ok", because=[])
    response.status_code = 503
    return Life(status="unavailable", because=["the database does not answer"])


async def _database_answers(services: Services) -> bool:
    try:
        async with asyncio.timeout(DATABASE_SECONDS_MAX):
            await services.pool.fetchval("select 1")
    except UNAVAILABLE:
        return False
    return True
