"""Who calls: an API key, or a name and a password whose session is carried on by itself."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from genoflow.api.client.answers import Answer, read
from genoflow.api.client.call import Call
from genoflow.api.client.steps import Send, Steps, exchange

EARLY_SECONDS = 30.0  # before its end a token is exchanged: longer than a call is on its way
LOGIN = "/v1/auth/login"
REFRESH = "/v1/auth/refresh"
LOGOUT = "/v1/auth/logout"


@dataclass(frozen=True, slots=True)
class Tokens:
    """What a session shows, and until when."""

    access: str = field(repr=False)
    refresh: str = field(repr=False)
    due_at: float  # of the session's clock


class _Told(Answer):
    access_token: str
    refresh_token: str
    expires_in: float


class Session:
    """What a client shows with each call."""

    def __init__(
        self,
        *,
        key: str | None = None,
        username: str | None = None,
        password: str | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        if (username is None) != (password is None):
            raise TypeError("a username goes with a password; give both, or a key")
        if key is not None and username is not None:
            raise TypeError("a key or a username says who calls; give one of them")
        self._key, self._username, self._password = key, username, password
        self._clock = clock
        self.tokens: Tokens | None = None
        self._spent: Tokens | None = None  # whose refresh token was sent

    def headers(self, tokens: Tokens | None) -> dict[str, str]:
        """What shows who calls: the key, or these tokens; nothing where nobody does."""
        if self._key is not None:
            return {"X-API-Key": self._key}
        return {} if tokens is None else {"Authorization": f"Bearer {tokens.access}"}

    def is_due(self) -> bool:
        """Whether it has to begin, or to be carried on, before the next call."""
        if self._username is None:
            return False
        return self.tokens is None or self._clock() >= self.tokens.due_at

    def renewal(self, used: Tokens | None) -> Steps[None]:
        """Exchange the tokens that were used, or sign in where they serve no more.

        A refresh token serves once: what comes a second time ends the session. So it is sent once,
        and whatever becomes of that, the password begins another session.
        """
        if self.tokens is not used:
            return
        if used is not None and used is not self._spent:
            self._spent = used
            call = Call(method="POST", path=REFRESH, fields={"refresh_token": used.refresh},
                        is_public=True)  # fmt: skip
            heard = yield Send(call, call.sent_headers)
            if heard is not None and not isinstance(heard, Exception) and heard.status_code == 200:
                self._keep(read(heard, {200: _Told}))
                return
        fields = {"username": self._username, "password": self._password}
        call = Call(method="POST", path=LOGIN, fields=fields, is_public=True)
        self._keep(read((yield from exchange(call, None)), {200: _Told}))

    def _keep(self, told: _Told) -> None:
        # A token that is valid for less than a minute is exchanged at half its time.
        seconds = max(told.expires_in - EARLY_SECONDS, told.expires_in / 2)
        self.tokens = Tokens(told.access_token, told.refresh_token, self._clock() + seconds)

    def ending(self) -> Steps[None]:
        """Sign out, where a session began here; one that cannot be ended ends by itself."""
        if self.tokens is None:
            return
        call = Call(method="POST", path=LOGOUT, is_public=True)
        headers = {**call.sent_headers, **self.headers(self.tokens)}
        self.tokens = None
        yield Send(call, headers)  # whatever becomes of it
