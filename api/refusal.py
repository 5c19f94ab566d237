"""An answer that says no, and the codes there are.

Apart from how it is rendered, so that commands which share the API's accounts need none of the
rest: a tenth of what a server imports.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from starlette.exceptions import HTTPException

# Status: code and category. A refusal of the same status may have a code that says more.
CODES: Mapping[int, tuple[str, str]] = {
    400: ("BAD_REQUEST", "validation"),
    401: ("UNAUTHORIZED", "authentication"),
    403: ("FORBIDDEN", "authentication"),
    404: ("NOT_FOUND", "validation"),
    405: ("METHOD_NOT_ALLOWED", "validation"),
    408: ("REQUEST_TIMEOUT", "validation"),
    409: ("CONFLICT", "validation"),
    413: ("PAYLOAD_TOO_LARGE", "validation"),
    422: ("VALIDATION_ERROR", "validation"),
    429: ("RATE_LIMITED", "rate_limiting"),
    431: ("HEAD_TOO_LARGE", "validation"),
    500: ("INTERNAL_ERROR", "system"),
    503: ("UNAVAILABLE", "storage"),
}


class Refusal(HTTPException):
    """An answer that says no: raised anywhere below a route, rendered in one place."""

    def __init__(
        self,
        status: int,
        message: str,
        *,
        code: str | None = None,
        details: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(status, message, dict(headers or {}))
        self.code = code or CODES[status][0]
        self.details = dict(details or {})
