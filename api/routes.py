"""Every router below /v1 but those that the app has by itself."""

from __future__ import annotations

from fastapi import APIRouter

from genoflow.api import events, samples, timelines

ROUTERS: tuple[APIRouter, ...] = (samples.router, events.router, timelines.router)
