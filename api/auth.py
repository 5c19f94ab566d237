"""Signing in and out: /auth/login, /auth/refresh, /auth/logout."""

from __future__ import annotations

import hashlib
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from genoflow.api.guard import CallerHere, GuardedRoute, ServicesHere, address_of, asks, count
from genoflow.api.identity.passwords import CHARACTERS_MAX
from genoflow.api.identity.permissions import Access
from genoflow.api.identity.sessions import Pair
from genoflow.api.identity.tokens import ACCESS_SECONDS, NotValid
from genoflow.api.limits import LOGINS_PER_ACCOUNT, LOGINS_PER_ADDRESS
from genoflow.api.refusal import Refusal

router = APIRouter(prefix="/auth", tags=["authentication"], route_class=GuardedRoute)

REFRESH_CHARACTERS_MAX = 200  # ours have 47
EXAMPLE_USER = "3c1f7a52-6d0b-4d0f-8f39-0e6f2f2b7c11"


class LoginRequest(BaseModel):
    """Who signs in."""

    model_config = ConfigDict(extra="forbid")

    username: Annotated[str, StringConstraints(min_length=1, max_length=100)] = Field(
        examples=["bench-2"]
    )
    password: Annotated[str, StringConstraints(min_length=1, max_length=CHARACTERS_MAX)] = Field(
        examples=["one long sentence is fine"]
    )


class RefreshRequest(BaseModel):
    """The refresh token of the last answer; each serves once."""

    model_config = ConfigDict(extra="forbid")

    refresh_token: Annotated[
        str, StringConstraints(min_length=1, max_length=REFRESH_CHARACTERS_MAX)
    ] = Field(examples=["gfr_Zk3…"])


class User(BaseModel):
    """Whose session it is."""

    user_id: UUID = Field(examples=[EXAMPLE_USER])
    username: str = Field(examples=["bench-2"])
    roles: list[str] = Field(examples=[["lab_technician"]])


class TokenResponse(BaseModel):
    """One token to call with, and one to get the next two."""

    access_token: str = Field(examples=["eyJhbGciOiJIUzI1NiIs…"])
    refresh_token: str = Field(examples=["gfr_Zk3…"])
    expires_in: int = Field(
        description="seconds for which the access token is valid", examples=[ACCESS_SECONDS]
    )
    user: User


@router.post("/login", summary="Sign in", responses={401: {}})
@asks(Access.PUBLIC)
async def login(
    asked: LoginRequest, request: Request, response: Response, services: ServicesHere
) -> TokenResponse:
    """Begin a session. The answer is the same for a wrong password and for a wrong name."""
    who = hashlib.sha256(asked.username.strip().lower().encode("utf-8", "replace")).hexdigest()
    await count(request, f"login:{who}:{address_of(request)}", LOGINS_PER_ADDRESS)
    await count(request, f"login:{who}", LOGINS_PER_ACCOUNT)
    account = await services.accounts.signing_in(asked.username, asked.password)
    if account is None:
        raise Refusal(401, "the name or the password is wrong", code="INVALID_CREDENTIALS")
    return _answer(await services.sessions.begin(account), response)


@router.post("/refresh", summary="Carry on", responses={401: {}})
@asks(Access.PUBLIC)
async def refresh(
    asked: RefreshRequest, response: Response, services: ServicesHere
) -> TokenResponse:
    """Exchange a refresh token. One that comes a second time ends its session."""
    try:
        pair = await services.sessions.refresh(asked.refresh_token)
    except NotValid as error:
        raise Refusal(401, "the refresh token is not valid; sign in again") from error
    return _answer(pair, response)


@router.post("/logout", summary="Sign out", status_code=204, responses={403: {}})
@asks(Access.SIGNED_IN)
async def logout(caller: CallerHere, services: ServicesHere) -> None:
    """End the session; its tokens open nothing from here on."""
    if caller.via != "session":
        raise Refusal(403, "a key has no session; revoke it with `genoflow key revoke`")
    await services.sessions.end(caller.via_id)


def _answer(pair: Pair, response: Response) -> TokenResponse:
    response.headers["Cache-Control"] = "no-store"
    return TokenResponse(
        access_token=pair.access_token,
        refresh_token=pair.refresh_token,
        expires_in=ACCESS_SECONDS,
        user=User(user_id=pair.account_id, username=pair.username, roles=list(pair.roles)),
    )
