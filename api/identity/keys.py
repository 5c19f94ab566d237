"""API keys: for programs, bounded to scopes and to a time, kept as hashes only."""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from asyncpg import Connection, Pool

from genoflow.api.identity.accounts import Account
from genoflow.api.identity.outbox import announce
from genoflow.api.identity.permissions import Caller, Permission, roles_of
from genoflow.api.identity.tokens import NotValid
from genoflow.api.ports import Clock
from genoflow.events.envelope import Actor
from genoflow.events.errors import Refused
from genoflow.events.key_issued import KeyIssued
from genoflow.events.key_revoked import KeyRevoked

KEY_PREFIX = "gf_"
KEY_BYTES = 32
HINT_CHARACTERS = 8  # of 46: enough to find a key in a list, and 30 bits of 256
KEY = re.compile(r"gf_[A-Za-z0-9_-]{43}")
DAYS_MAX = 365  # whoever uses a key looks at it once a year
DAYS_DEFAULT = 90
NAME_CHARACTERS_MAX = 100
KEYS_OF_ACCOUNT_MAX = 100


@dataclass(frozen=True, slots=True)
class Key:
    """What is known of a key: everything but the key."""

    key_id: UUID
    hint: str
    username: str
    name: str
    scopes: tuple[str, ...]
    created_at: datetime
    expires_at: datetime
    revoked_at: datetime | None


class Keys:
    """The API keys of one deployment."""

    def __init__(self, pool: Pool, clock: Clock) -> None:
        self._pool = pool
        self._clock = clock

    async def create(
        self, account: Account, name: str, scopes: Sequence[Permission], days: int, by: Actor
    ) -> tuple[UUID, str]:
        """A new key of this account: its id, and the key itself, which is seen only here."""
        if not 1 <= days <= DAYS_MAX:
            raise Refused(f"a key lasts 1 to {DAYS_MAX} days, not {days}; make a new one then")
        if not name.strip() or len(name) > NAME_CHARACTERS_MAX or not name.isprintable():
            raise Refused(f"the name of a key has 1 to {NAME_CHARACTERS_MAX} printable characters")
        if account.disabled_at is not None:
            raise Refused(f"{account.username}: is disabled; enable it first")
        now = self._clock()
        key_id, key = uuid4(), KEY_PREFIX + secrets.token_urlsafe(KEY_BYTES)
        ends = now + timedelta(days=days)
        async with self._pool.acquire() as connection, connection.transaction():
            live = await connection.fetchval(
                "select count(*) from identity.keys "
                "where account_id = $1 and revoked_at is null and expires_at > $2",
                account.account_id, now,
            )  # fmt: skip
            if live >= KEYS_OF_ACCOUNT_MAX:
                raise Refused(
                    f"{account.username}: has {KEYS_OF_ACCOUNT_MAX} keys; revoke one of them first"
                )
            await connection.execute(
                "insert into identity.keys (key_id, key_hash, hint, account_id, name, scopes, "
                "created_at, expires_at) values ($1, $2, $3, $4, $5, $6, $7, $8)",
                key_id, _hash(key), key[:HINT_CHARACTERS], account.account_id, name,
                [scope.value for scope in scopes], now, ends,
            )  # fmt: skip
            fact = KeyIssued(
                key_id=key_id, account_id=account.account_id, scopes=tuple(scopes), expires_at=ends
            )
            await announce(connection, fact, now, by)
        return key_id, key

    async def all(self) -> list[Key]:
        """Every key that there ever was, the newest first."""
        rows = await self._pool.fetch(
            "select key_id, hint, username, name, scopes, k.created_at, expires_at, revoked_at "
            "from identity.keys k join identity.accounts using (account_id) "
            "order by k.created_at desc, key_id"
        )
        return [Key(**{**dict(row), "scopes": tuple(row["scopes"])}) for row in rows]

    async def revoke(self, which: str, reason: str, by: Actor) -> bool:
        """End the key of this id, or that begins like this; whether it was in force."""
        now = self._clock()
        async with self._pool.acquire() as connection, connection.transaction():
            rows = await connection.fetch(
                "select key_id, account_id, revoked_at from identity.keys "
                "where key_id::text = $1 or hint = left($1, $2) for update",
                which, HINT_CHARACTERS,
            )  # fmt: skip
            if len(rows) != 1:
                raise Refused(
                    f"{which[:HINT_CHARACTERS]}…: {'several keys begin so' if rows else 'no key'}; "
                    f"name one by its id, as `genoflow key list` shows it"
                )
            [row] = rows
            if row["revoked_at"] is not None:
                return False
            await connection.execute(
                "update identity.keys set revoked_at = $2 where key_id = $1", row["key_id"], now
            )
            fact = KeyRevoked(key_id=row["key_id"], account_id=row["account_id"], reason=reason)
            await announce(connection, fact, now, by)
            return True

    async def caller(self, key: str) -> Caller:
        """For whom this key speaks; NotValid where for nobody any more."""
        row = await self._pool.fetchrow(f"{_KEY} = $1", self.hash_of(key))
        return _caller(row, self._clock())

    @staticmethod
    def hash_of(key: str) -> bytes:
        """What is kept of a key; NotValid where it is none."""
        if KEY.fullmatch(key) is None:
            raise NotValid("it is no key")
        return _hash(key)

    async def callers(
        self, connection: Connection, hashes: Collection[bytes]
    ) -> dict[bytes, Caller]:
        """For whom the keys of these hashes speak, of those that speak for somebody."""
        rows = await connection.fetch(f"{_KEY} = any($1::bytea[])", list(hashes))
        now, found = self._clock(), {}
        for row in rows:
            with suppress(NotValid):
                found[row["key_hash"]] = _caller(row, now)
        return found


_SCOPES = {permission.value: permission for permission in Permission}
_KEY = """
select k.key_hash, k.key_id, k.account_id, k.scopes, k.expires_at, k.revoked_at, a.username,
       a.disabled_at,
       array(select role from identity.roles r where r.account_id = k.account_id) as roles,
       array(select project_id from identity.account_projects p
             where p.account_id = k.account_id) as projects
from identity.keys k join identity.accounts a using (account_id)
where k.key_hash
"""


def _caller(row: Any, now: datetime) -> Caller:
    if row is None or row["revoked_at"] is not None or row["disabled_at"] is not None:
        raise NotValid("it is not in force")
    if row["expires_at"] <= now:
        raise NotValid("it is over")
    return Caller(
        account=row["account_id"],
        username=row["username"],
        roles=roles_of(row["roles"]),
        scopes=frozenset(_SCOPES[scope] for scope in row["scopes"] if scope in _SCOPES),
        via="key",
        via_id=row["key_id"],
        projects=frozenset(row["projects"]),
    )


def _hash(key: str) -> bytes:
    return hashlib.sha256(key.encode()).digest()
