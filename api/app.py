"""The HTTP API as one app: what surrounds every request, the door, and the routes behind it."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.metadata import version
from typing import Any

from fastapi import APIRouter, FastAPI
from fastapi.openapi.utils import get_openapi
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.middleware.gzip import GZipMiddleware

from genoflow.api import auth, health, metrics
from genoflow.api.errors import REQUEST_ID, install
from genoflow.api.guard import KEY_HEADER, WRITES, GuardedMount, GuardedRoute, asks
from genoflow.api.idempotency import HEADER, REPLAYED
from genoflow.api.identity.permissions import Access
from genoflow.api.limits import LIMIT_HEADERS
from genoflow.api.middleware import BASE, Alias, BodyLimit, Requests
from genoflow.api.operations import operation_id
from genoflow.api.ports import Outside
from genoflow.api.registry import create_app as create_registry
from genoflow.api.services import Services
from genoflow.events.codec import Codec
from genoflow.events.registry import Edition, released

GZIP_BYTES_MIN = 1_000  # below it the head of gzip and the work cost more than the line saves
CORS_SECONDS = 600  # for how long a browser asks no second time: ten minutes
ABOUT = """\
Where is my sample, why is it there, and can you prove it?

Sign in at `/v1/auth/login` and send `Authorization: Bearer …`, or send an API key in `X-API-Key`.
Every refusal has the same envelope; `Accept: application/problem+json` asks for RFC 9457's. A write
under an `Idempotency-Key` is done once within 24 hours. `/api/v1` is another name of `/v1`.
"""


def create_app(
    services: Services,
    editions: Sequence[Edition],
    outside: Outside,
    *,
    routers: Sequence[APIRouter] = (),
    cors_origins: Sequence[str] = (),
) -> FastAPI:
    """The app over these services; routers are mounted below /v1, and their routes are guarded."""
    app = FastAPI(
        title="GenoFlow",
        version=version("genoflow"),
        description=ABOUT,
        openapi_url=None,  # served below, behind the same door as everything
        docs_url=None,
        redoc_url=None,
        middleware=_middleware(cors_origins),
        generate_unique_id_function=operation_id,
    )
    app.state.services = services
    app.state.outside = outside
    app.state.codec = Codec(released())
    app.router.route_class = GuardedRoute
    install(app)
    for router in (health.router, auth.router, metrics.router, *routers):
        _check(router)
        app.include_router(router, prefix=BASE)
    for router in (health.router, metrics.router):  # where their readers look for them
        app.include_router(router, include_in_schema=False)
    described = document_of(app)

    @app.get(f"{BASE}/openapi.json", include_in_schema=False)
    @asks(Access.PUBLIC, counted=False)
    async def openapi() -> dict[str, Any]:
        return described

    app.mount("/registry", GuardedMount(create_registry(editions)))
    return app


def _check(router: APIRouter) -> None:
    for route in router.routes:
        if not isinstance(route, GuardedRoute):
            where = getattr(route, "path", route)
            raise TypeError(f"{where}: is not behind the door; use route_class=GuardedRoute")


def _middleware(cors_origins: Sequence[str]) -> list[Middleware]:
    kept = [Middleware(Requests)]
    if cors_origins:
        kept.append(
            Middleware(
                CORSMiddleware,
                allow_origins=list(cors_origins),
                allow_methods=["GET", *sorted(WRITES)],
                allow_headers=["Authorization", KEY_HEADER, HEADER, REQUEST_ID, "Content-Type"],
                expose_headers=[
                    REQUEST_ID,
                    REPLAYED,
                    "Location",
                    "ETag",
                    *LIMIT_HEADERS,
                    "Retry-After",
                ],
                max_age=CORS_SECONDS,
            )
        )
    compressed = Middleware(GZipMiddleware, minimum_size=GZIP_BYTES_MIN)
    return [*kept, compressed, Middleware(BodyLimit), Middleware(Alias)]


def document_of(app: FastAPI) -> dict[str, Any]:
    """The OpenAPI document of an app: its routes, who may call, and what every write takes."""
    document = get_openapi(
        title=app.title, version=app.version, description=app.description, routes=app.routes
    )
    document.setdefault("components", {})["securitySchemes"] = {
        "session": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
        "key": {"type": "apiKey", "in": "header", "name": KEY_HEADER},
    }
    document["security"] = [{"session": []}, {"key": []}]
    for path in document["paths"].values():
        for method, operation in path.items():
            if method.upper() in WRITES and operation.get("security") != []:
                operation.setdefault("parameters", []).append(_IDEMPOTENCY)
    return document


_IDEMPOTENCY = {
    "name": HEADER,
    "in": "header",
    "required": False,
    "description": "names this request: sent again within 24 hours, it is not done again",
    "schema": {"type": "string", "minLength": 1, "maxLength": 200},
    "example": "7f2c1a90-0b7e-4e57-9a43-2f4f6f0f3a55",
}
