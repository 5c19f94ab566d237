"""Every router below /v1 but those that the app has by itself."""

from __future__ import annotations

from fastapi import APIRouter

from genoflow.api import (
    cases,
    configuration,
    downloads,
    events,
    execution,
    files,
    ingestion,
    labelling,
    monitoring,
    notifications,
    parked,
    parked_answers,
    pipelines,
    proposals,
    publishing,
    qc,
    qc_asking,
    results,
    samples,
    sequencing_runs,
    subscribing,
    timelines,
    why,
)

ROUTERS: tuple[APIRouter, ...] = (
    samples.router,
    files.router,
    labelling.router,
    ingestion.router,
    sequencing_runs.router,
    cases.router,
    qc.router,
    qc_asking.router,
    execution.router,
    results.router,
    downloads.router,
    pipelines.router,
    publishing.router,
    proposals.router,
    proposals.reads,
    notifications.router,
    subscribing.router,
    parked.router,
    parked_answers.router,
    monitoring.router,
    configuration.router,
    events.router,
    timelines.router,
    why.router,
)
