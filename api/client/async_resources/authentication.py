"""Authentication; written by `make client` from the API's OpenAPI."""

from __future__ import annotations

from types import NoneType

from genoflow.api.client.call import Call, new_key
from genoflow.api.client.models.authentication import TokenResponse
from genoflow.api.client.wire import AsyncWire


class AsyncAuthenticationCalls:
    """The calls of authentication."""

    def __init__(self, wire: AsyncWire) -> None:
        self._wire = wire

    async def login(self, *, username: str, password: str) -> TokenResponse:
        """Begin a session. The answer is the same for a wrong password and for a wrong name."""
        call = Call(
            method="POST",
            path="/v1/auth/login",
            fields={"username": username, "password": password},
            is_public=True,
        )
        return await self._wire.ask(call, {200: TokenResponse})

    async def refresh(self, *, refresh_token: str) -> TokenResponse:
        """Exchange a refresh token. One that comes a second time ends its session."""
        call = Call(
            method="POST",
            path="/v1/auth/refresh",
            fields={"refresh_token": refresh_token},
            is_public=True,
        )
        return await self._wire.ask(call, {200: TokenResponse})

    async def logout(self, *, idempotency_key: str | None = None) -> None:
        """End the session; its tokens open nothing from here on."""
        call = Call(
            method="POST", path="/v1/auth/logout", idempotency_key=idempotency_key or new_key()
        )
        await self._wire.ask(call, {204: NoneType})
