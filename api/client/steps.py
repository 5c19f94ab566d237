"""What one call takes, step by step, without a socket or a clock: both clients walk these steps.

1. Sign in, or carry the session on, where the call asks for somebody.
2. Send.
3. No answer: again, if that is safe (a GET, a write under its key, or nothing was sent).
4. 401 for a session's token: carry the session on, once, and send again.
5. 429, or a passing failure of what is safe: wait as Retry-After says, and send again.
6. Whatever else came is the answer.
"""

from __future__ import annotations

import random
from collections.abc import Generator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeGuard, TypeVar
from uuid import uuid4

import httpx2

from genoflow.api.client.call import Call
from genoflow.api.client.errors import REQUEST_ID, Unreachable, code_of, retry_after_of

if TYPE_CHECKING:
    from genoflow.api.client.session import Session, Tokens

T = TypeVar("T")
TRIES_MAX = 4  # with 0.2, 0.4 and 0.8 s between them: what lasts longer is no hiccup
PAUSE_SECONDS = 0.2
DOUBLINGS_MAX = 4  # to 3.2 s
PAUSE_SECONDS_MAX = 60.0  # the window of a limit is a minute; a longer wait is the caller's choice
IN_PROGRESS_SECONDS = 1.0  # while the first try of a write is still being done, another waits
TRIES_IN_PROGRESS_MAX = 35  # the API ends the first one after 30 s
IN_PROGRESS = "REQUEST_IN_PROGRESS"
PASSING = frozenset({408, 502, 503, 504})
NOT_SENT = (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout)


@dataclass(frozen=True, slots=True)
class Send:
    """Send this call; goes on with the response, or with why there is none."""

    call: Call
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Wait:
    """Wait so long."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Renew:
    """Carry the session on, one at a time, unless another has done so since these tokens."""

    session: Session
    used: Tokens | None


Step = Send | Wait | Renew
Heard = httpx2.Response | httpx2.TransportError | None
Steps = Generator[Step, Heard, T]


def exchange(call: Call, session: Session | None) -> Steps[httpx2.Response]:
    """The steps from a call to its answer, which may be a refusal."""
    tries, waits_for_first, renewed = 0, 0, False
    while True:
        used, entry = None, {}
        if session is not None and not call.is_public:
            if session.is_due():
                yield Renew(session, session.tokens)
            used = session.tokens
            entry = session.headers(used)
        request_id = str(uuid4())
        heard = yield Send(call, {**call.sent_headers, **entry, REQUEST_ID: request_id})
        if _is_in_progress(heard):
            waits_for_first += 1
            if waits_for_first >= TRIES_IN_PROGRESS_MAX:
                return heard
            yield Wait(IN_PROGRESS_SECONDS)
            continue
        tries += 1
        if isinstance(heard, httpx2.TransportError):
            if tries >= TRIES_MAX or not (call.is_repeatable or isinstance(heard, NOT_SENT)):
                raise _unreachable(call, heard, request_id) from heard
            yield Wait(pause(tries))
            continue
        assert heard is not None  # a Send is answered
        if heard.status_code == 401 and used is not None and session is not None and not renewed:
            renewed = True
            yield Renew(session, used)
            continue
        seconds = _pause_after(call, heard, tries)
        if seconds is None:
            return heard
        yield Wait(seconds)


def pause(tries: int) -> float:
    """For how long to wait after so many tries: twice as long each time, and not all at once."""
    return PAUSE_SECONDS * float(2 ** min(tries - 1, DOUBLINGS_MAX)) * random.uniform(0.5, 1.5)


def _is_in_progress(heard: Heard) -> TypeGuard[httpx2.Response]:
    if not isinstance(heard, httpx2.Response) or heard.status_code != 409:
        return False
    return code_of(heard) == IN_PROGRESS


def _pause_after(call: Call, response: httpx2.Response, tries: int) -> float | None:
    status = response.status_code
    # A call beyond the limit was not begun, so that it may come again whatever it does.
    if status != 429 and not (status in PASSING and call.is_repeatable):
        return None
    asked = retry_after_of(response)
    seconds = pause(tries) if asked is None else asked
    return None if tries >= TRIES_MAX or seconds > PAUSE_SECONDS_MAX else seconds


def _unreachable(call: Call, error: httpx2.TransportError, request_id: str) -> Unreachable:
    why = f"{type(error).__name__}: {error}".rstrip(": ")
    out = "nothing was done; look at the address, and call again"
    if not isinstance(error, NOT_SENT):
        out = (
            "call again" if call.is_repeatable else "look whether it was done before you repeat it"
        )
        if call.idempotency_key is not None:
            out = f"call again with idempotency_key={call.idempotency_key!r}: it is done once"
    return Unreachable(
        f"{call.method} {call.path}: no answer ({why}); {out}",
        request_id=request_id,
        idempotency_key=call.idempotency_key,
    )
