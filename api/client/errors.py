"""Everything that a call can come to but an answer, and what the caller does of it.

    ApiError
    ├── BadArgument          a value that no address can hold; nothing was sent
    ├── Unreachable          no answer came; a write may have been done, its key says so again
    ├── Unreadable           an answer that this client does not know
    └── Denied               the API said no, in its envelope
        ├── Invalid              the question or the state of things is wrong; mend it
        │   ├── NotFound             there is no such thing
        │   └── Conflict             it contradicts what is there
        ├── NotAllowed           who calls is not known, or may not
        ├── TooMany              more calls than the limit lets through
        ├── Unavailable          a service behind the API is away; ask again
        └── Failed               something failed there that was not foreseen; tell the request_id

Every message of the API names the fact and the way out.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import httpx2
from pydantic import BaseModel, Field, ValidationError

from genoflow.events.errors import GenoflowError

SHOWN_CHARACTERS_MAX = 200  # of an answer in no envelope: enough to recognise who gave it
REQUEST_ID = "X-Request-ID"


class ApiError(GenoflowError):
    """The root: one `except` catches all that a call may come to."""


class BadArgument(ApiError):
    """A value cannot stand in an address; nothing was sent."""


class Unreachable(ApiError):
    """No answer came; `idempotency_key` repeats a write without doing it twice."""

    def __init__(self, message: str, *, request_id: str, idempotency_key: str | None) -> None:
        super().__init__(message)
        self.request_id = request_id
        self.idempotency_key = idempotency_key


class Unreadable(ApiError):
    """What came is no answer of this API, or of another version of it."""


class Denied(ApiError):
    """The API said no, and why."""

    def __init__(
        self,
        message: str,
        *,
        status: int,
        code: str,
        details: Mapping[str, Any],
        request_id: str,
        retry_after_seconds: float | None,
    ) -> None:
        super().__init__(f"{message} ({code}, request {request_id})")
        self.message = message
        self.status = status
        self.code = code
        self.details = details
        self.request_id = request_id
        self.retry_after_seconds = retry_after_seconds

    @property
    def category(self) -> str:
        """Which of the API's five categories it is."""
        return str(self.details.get("category", ""))


class Invalid(Denied):
    """The question, or the state of things, does not allow it."""


class NotFound(Invalid):
    """There is no such thing, or not for this caller."""


class Conflict(Invalid):
    """It contradicts what is there."""


class NotAllowed(Denied):
    """Who calls is not known, or may not do this."""


class TooMany(Denied):
    """More calls than the limit lets through, also after waiting."""


class Unavailable(Denied):
    """A service behind the API is away; the same call may succeed later."""


class Failed(Denied):
    """Something failed there that was not foreseen."""


_BY_CATEGORY: Mapping[str, type[Denied]] = {
    "validation": Invalid, "storage": Unavailable, "authentication": NotAllowed,
    "rate_limiting": TooMany, "system": Failed,
}  # fmt: skip
_BY_STATUS: Mapping[int, type[Denied]] = {404: NotFound, 409: Conflict}
# Where a proxy answers in the API's place, its status is all that is known.
_WITHOUT_ENVELOPE: Mapping[int, str] = {
    401: "authentication", 403: "authentication", 429: "rate_limiting",
    502: "storage", 503: "storage", 504: "storage",
}  # fmt: skip


class _Body(BaseModel):
    code: str
    message: str
    details: dict[str, Any] = Field(default_factory=dict)
    request_id: str


class _Envelope(BaseModel):
    error: _Body


def code_of(response: httpx2.Response) -> str:
    """The code in the envelope of a refusal; empty where there is none."""
    told = _told(response)
    return told.code if told else ""


def retry_after_of(response: httpx2.Response) -> float | None:
    """For how many seconds the API asks to wait; None where it does not say."""
    said = response.headers.get("Retry-After", "")
    return float(said) if said.isascii() and said.isdecimal() and len(said) < 10 else None


def denied(response: httpx2.Response) -> Denied:
    """The error that says what this refusal means."""
    status, told = response.status_code, _told(response)
    if told is None:
        category = _WITHOUT_ENVELOPE.get(status, "validation" if status < 500 else "system")
        told = _Body(
            code=f"HTTP_{status}",
            message=f"{response.url}: answered {status} without this API's envelope, perhaps a "
            f"proxy: {response.text[:SHOWN_CHARACTERS_MAX]!r}",
            details={"category": category},
            request_id=response.headers.get(REQUEST_ID, "unknown"),
        )
    kind = _BY_CATEGORY.get(str(told.details.get("category")), Failed)
    if kind is Invalid:
        kind = _BY_STATUS.get(status, Invalid)
    return kind(
        told.message,
        status=status,
        code=told.code,
        details=told.details,
        request_id=told.request_id,
        retry_after_seconds=retry_after_of(response),
    )


def _told(response: httpx2.Response) -> _Body | None:
    try:
        return _Envelope.model_validate_json(response.content).error
    except ValidationError:
        return None
