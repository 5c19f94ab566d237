"""Every router below /v1 but those that the app has by itself."""

from __future__ import annotations

from fastapi import APIRouter

from genoflow.api import (
    cases,
    events,
    execution,
    files,
    ingestion,
    monitoring,
    notifications,
    parked,
    pipelines,
    qc,
    results,
    samples,
    sequencing_runs,
    timelines,
)

ROUTERS: tuple[APIRouter, ...] = (
    samples.router,
    files.router,
    ingestion.router,
    sequencing_runs.router,
    cases.router,
    qc.router,
    execution.router,
    results.router,
    pipelines.router,
    notifications.router,
    parked.router,
    monitoring.router,
    events.router,
    timelines.router,
)
