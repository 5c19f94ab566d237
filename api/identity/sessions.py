"""Sessions: begun with a password, carried on by refresh tokens of which each serves once.

All refresh tokens of a session are one family. A token that comes a second time was stolen from
somebody, from the client or by it: nobody can tell who, so the whole family ends.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from asyncpg import Connection, Pool

from genoflow.api.identity.accounts import Account
from genoflow.api.identity.permissions import Caller, Permission, roles_of
from genoflow.api.identity.tokens import Claims, NotValid, Tokens
from genoflow.api.ports import Clock

REFRESH_PREFIX = "gfr_"
REFRESH_BYTES = 32
IDLE_DAYS = 7  # without a refresh a session ends: a week of holidays signs in again
SESSION_DAYS = 30  # and in any case
KEPT_DAYS = 7  # after its end, so that a late repetition is still recognised
_EVERYTHING = frozenset(Permission)


@dataclass(frozen=True, slots=True)
class Pair:
    """What a client gets: one token to call with, one to get the next pair."""

    access_token: str
    refresh_token: str
    account_id: UUID
    username: str
    roles: tuple[str, ...]


class Sessions:
    """The sessions of one deployment."""

    def __init__(self, pool: Pool, tokens: Tokens, clock: Clock) -> None:
        self._pool = pool
        self._tokens = tokens
        self._clock = clock

    async def begin(self, account: Account) -> Pair:
        """A new session of an account that has shown its password."""
        now = self._clock()
        session_id, expires_at = uuid4(), now + timedelta(days=SESSION_DAYS)
        async with self._pool.acquire() as connection, connection.transaction():
            await connection.execute(
                "insert into identity.sessions (session_id, account_id, created_at, expires_at) "
                "values ($1, $2, $3, $4)",
                session_id, account.account_id, now, expires_at,
            )  # fmt: skip
            refresh = await _issue(connection, session_id, now, expires_at)
        access = self._tokens.issue(account.account_id, session_id, now)
        roles = tuple(sorted(account.roles))
        return Pair(access, refresh, account.account_id, account.username, roles)

    async def refresh(self, token: str) -> Pair:
        """The next pair for a refresh token; NotValid where it is spent, over or none of ours."""
        now = self._clock()
        async with self._pool.acquire() as connection, connection.transaction():
            # The row is locked, so of two that come at once the second finds it used.
            row = await connection.fetchrow(
                "select * from identity.refresh_tokens where token_hash = $1 for update",
                _hash(token),
            )
            session: Any = None if row is None else await _session(connection, row["session_id"])
            fault = _fault(row, session, now)
            if fault is None:
                await connection.execute(
                    "update identity.refresh_tokens set used_at = $2 where token_hash = $1",
                    row["token_hash"], now,
                )  # fmt: skip
                refresh = await _issue(
                    connection, session["session_id"], now, session["expires_at"]
                )
            elif row is not None and row["used_at"] is not None:
                await _end(connection, row["session_id"], now, "refresh token used twice")
        # Said only now: an error within the transaction would take the end of the family back.
        if fault is not None:
            raise NotValid(fault)
        access = self._tokens.issue(session["account_id"], session["session_id"], now)
        roles = tuple(sorted(roles_of(session["roles"])))
        return Pair(access, refresh, session["account_id"], session["username"], roles)

    async def end(self, session_id: UUID) -> None:
        """End a session; its tokens, of both kinds, open nothing from here on."""
        async with self._pool.acquire() as connection:
            await _end(connection, session_id, self._clock(), "signed out")

    async def caller(self, token: str) -> Caller:
        """Who speaks with this access token; NotValid where nobody does any more."""
        claims = self.claims(token)
        async with self._pool.acquire() as connection:
            session = await _session(connection, claims.session_id)
        return _caller(session, claims, self._clock())

    def claims(self, token: str) -> Claims:
        """What this access token says; NotValid where it is not to be believed."""
        return self._tokens.read(token, self._clock())

    async def callers(
        self, connection: Connection, asked: Collection[Claims]
    ) -> dict[Claims, Caller]:
        """Who speaks with these, of those that somebody does speak with."""
        rows = await connection.fetch(
            f"{_SESSION} = any($1::uuid[])", [one.session_id for one in asked]
        )
        sessions = {row["session_id"]: row for row in rows}
        now, found = self._clock(), {}
        for one in asked:
            with suppress(NotValid):
                found[one] = _caller(sessions.get(one.session_id), one, now)
        return found

    async def forget_old(self) -> None:
        """Remove sessions that ended a week ago."""
        await self._pool.execute(
            "delete from identity.sessions where least(expires_at, ended_at) < $1",
            self._clock() - timedelta(days=KEPT_DAYS),
        )


_SESSION = """
select s.session_id, s.account_id, s.expires_at, s.ended_at, a.username, a.disabled_at,
       array(select role from identity.roles r where r.account_id = s.account_id) as roles,
       array(select project_id from identity.account_projects p
             where p.account_id = s.account_id) as projects
from identity.sessions s join identity.accounts a using (account_id)
where s.session_id
"""


async def _session(connection: Connection, session_id: UUID) -> Any:
    return await connection.fetchrow(f"{_SESSION} = $1", session_id)


def _caller(session: Any, claims: Claims, now: datetime) -> Caller:
    fault = _over(session, now)
    if fault is not None or session["account_id"] != claims.account_id:
        raise NotValid(fault or "its session is another account's")
    return Caller(
        account=session["account_id"],
        username=session["username"],
        roles=roles_of(session["roles"]),
        scopes=_EVERYTHING,
        via="session",
        via_id=session["session_id"],
        projects=frozenset(session["projects"]),
    )


async def _issue(
    connection: Connection, session_id: UUID, now: datetime, session_ends: datetime
) -> str:
    token = REFRESH_PREFIX + secrets.token_urlsafe(REFRESH_BYTES)
    await connection.execute(
        "insert into identity.refresh_tokens (token_hash, session_id, issued_at, expires_at) "
        "values ($1, $2, $3, $4)",
        _hash(token), session_id, now, min(now + timedelta(days=IDLE_DAYS), session_ends),
    )  # fmt: skip
    return token


async def _end(connection: Connection, session_id: UUID, now: datetime, why: str) -> None:
    await connection.execute(
        "update identity.sessions set ended_at = $2, ended_why = $3 "
        "where session_id = $1 and ended_at is null",
        session_id, now, why,
    )  # fmt: skip


def _fault(row: Any, session: Any, now: datetime) -> str | None:
    if row is None:
        return "it is none of ours"
    if row["used_at"] is not None:
        return "it was used before"
    if row["expires_at"] <= now:
        return "it is over"
    return _over(session, now)


def _over(session: Any, now: datetime) -> str | None:
    if session is None or session["ended_at"] is not None or session["expires_at"] <= now:
        return "its session is over"
    return None if session["disabled_at"] is None else "its account is disabled"


def _hash(token: str) -> bytes:
    # 256 bits of chance cannot be guessed, so a plain hash keeps them; a password needs argon2.
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()
