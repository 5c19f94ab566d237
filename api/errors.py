"""How every refusal looks: one envelope, or RFC 9457's for those who ask for it.

    {"error": {"code": …, "message": …, "details": {…}, "request_id": …}}

`details.category` is one of five: validation, storage, authentication, rate_limiting, system.
"""

from __future__ import annotations

import json
import logging
import math
from collections.abc import Mapping
from typing import Any

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from genoflow.api.ports import UNAVAILABLE
from genoflow.api.refusal import CODES, Refusal
from genoflow.events.errors import Contradicted, NotThere, Refused, Retry

PROBLEM = "application/problem+json"
REJECTED_CHARACTERS_MAX = 200  # enough to recognise what was sent
REQUEST_ID = "X-Request-ID"
# A refusal repeats what it refuses, but never what lets somebody in.
SECRET_FIELDS = frozenset({"password", "refresh_token", "access_token", "token", "key", "secret"})

_log = logging.getLogger(__name__)


class ErrorBody(BaseModel):
    """What went wrong, in words and in a code."""

    code: str = Field(examples=["VALIDATION_ERROR"])
    message: str = Field(examples=["sample_id: Field required"])
    details: dict[str, Any] = Field(
        examples=[{"category": "validation", "field": "sample_id", "rejected_value": None}]
    )
    request_id: str = Field(examples=["0f0d7a3e-6f0c-4f1e-9d1c-0d1c5c2f8a11"])


class ErrorEnvelope(BaseModel):
    """The body of every answer that is a refusal."""

    error: ErrorBody


def request_id_of(request: Request) -> str:
    """The id under which this request is spoken of."""
    return str(getattr(request.state, "request_id", "unknown"))


def rendered(request: Request, error: Refusal) -> Response:
    """The refusal as the client wants to read it."""
    status, message, request_id = error.status_code, error.detail, request_id_of(request)
    category = CODES.get(status, ("", "validation" if status < 500 else "system"))[1]
    details = {"category": category, **error.details}
    if PROBLEM in request.headers.get("accept", ""):
        media, body = PROBLEM, {
            "type": f"urn:genoflow:problem:{error.code.lower().replace('_', '-')}",
            "title": error.code.replace("_", " ").capitalize(),
            "status": status,
            "detail": message,
            "instance": f"urn:genoflow:request:{request_id}",
            "code": error.code,
            "details": details,
            "request_id": request_id,
        }  # fmt: skip
    else:
        media = "application/json"
        told = {"code": error.code, "message": message, "details": details}
        body = {"error": {**told, "request_id": request_id}}
    headers = {
        "Cache-Control": "no-store",
        "Vary": "Accept",
        REQUEST_ID: request_id,
        **getattr(request.state, "limit_headers", {}),
        **(error.headers or {}),
    }
    # In ASCII: what was sent may hold halves of characters that no UTF-8 can say.
    return Response(json.dumps(body), status, headers, media)


def refusal_of(error: Exception) -> Refusal:
    """The refusal that says what this error means to the caller."""
    if isinstance(error, Refusal):
        return error
    if isinstance(error, RequestValidationError):
        return _invalid(error)
    if isinstance(error, HTTPException):
        code, _ = CODES.get(error.status_code, ("REFUSED", ""))
        message = {404: "there is nothing at this address", 405: "this method is not known here"}
        said = message.get(error.status_code, error.detail)
        return Refusal(error.status_code, said, code=code, headers=error.headers)
    if isinstance(error, Refused):
        status = {NotThere: 404, Contradicted: 409}.get(type(error), 422)
        return Refusal(status, str(error))
    if isinstance(error, (Retry, *UNAVAILABLE)):
        said = "a service behind this one does not answer; ask again"
        return Refusal(503, said, headers={"Retry-After": "5"})
    return Refusal(500, "something failed here that was not foreseen; tell the request_id")


def _invalid(error: RequestValidationError) -> Refusal:
    faults = [_fault(fault) for fault in error.errors()]
    unread = next((fault for fault in error.errors() if fault["type"] == "json_invalid"), None)
    if unread is not None:
        return Refusal(400, f"the body is no JSON: {unread.get('ctx', {}).get('error', '')}")
    first = faults[0]
    more = {"faults": faults} if len(faults) > 1 else {}
    said = f"{first['field']}: {first['reason']}"
    told = {"field": first["field"], "rejected_value": first["rejected_value"], **more}
    return Refusal(422, said, details=told)


def _fault(fault: Mapping[str, Any]) -> dict[str, Any]:
    place = [str(part) for part in fault["loc"] if part not in ("body", "query", "path", "header")]
    is_secret = not SECRET_FIELDS.isdisjoint(place) or fault["type"] == "missing" or not place
    return {
        "field": ".".join(place) or "body",
        "rejected_value": None if is_secret else _shown(fault.get("input")),
        "reason": fault["msg"],
    }


def _shown(value: object) -> object:
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int | float) and math.isfinite(value) and abs(value) < 2**53:
        return value
    return (value if isinstance(value, str) else repr(value))[:REJECTED_CHARACTERS_MAX]


async def _refused(request: Request, error: Exception) -> Response:
    return rendered(request, refusal_of(error))


async def _unavailable(request: Request, error: Exception) -> Response:
    _log.warning("request %s: %s: %s", request_id_of(request), type(error).__name__, error)
    return rendered(request, refusal_of(error))


def install(app: FastAPI) -> None:
    """Let every error below the routes of this app become a refusal."""
    refused: tuple[type[Exception], ...] = (HTTPException, RequestValidationError, Refused)
    unavailable: tuple[type[Exception], ...] = (Retry, *UNAVAILABLE)
    for kind in refused:
        app.add_exception_handler(kind, _refused)
    for kind in unavailable:
        app.add_exception_handler(kind, _unavailable)
    # Rendered for the client, and raised again for the log: the server prints it whole.
    app.add_exception_handler(Exception, _refused)
