"""Accounts: who can sign in, and what roles they hold. Each change is a row and a fact."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from asyncpg import Connection, Pool, UniqueViolationError

from genoflow.api.identity.outbox import announce
from genoflow.api.identity.passwords import Passwords, generated
from genoflow.api.identity.permissions import Role, roles_of
from genoflow.api.ports import Clock
from genoflow.events.envelope import Actor
from genoflow.events.errors import Refused
from genoflow.events.key_revoked import KeyRevoked
from genoflow.events.project_access_granted import ProjectAccessGranted
from genoflow.events.project_access_revoked import ProjectAccessRevoked
from genoflow.events.role_granted import RoleGranted
from genoflow.events.role_revoked import RoleRevoked

FIRST_USERNAME = "admin"
USERNAME = re.compile(r"[a-z0-9][a-z0-9._@+-]{0,99}")  # an e-mail address fits
ACCOUNTS_MAX = 10_000  # a list that a terminal shows; a lab has some hundred
PROJECTS_OF_ACCOUNT_MAX = 100  # each question of a partner looks at all of them

_ACCOUNT = """
select a.account_id, a.username, a.password_hash, a.created_at, a.disabled_at,
       coalesce(array_agg(r.role order by r.role) filter (where r.role is not null), '{}') as roles,
       array(select p.project_id from identity.account_projects p
             where p.account_id = a.account_id order by p.project_id) as projects
from identity.accounts a left join identity.roles r using (account_id)
"""


@dataclass(frozen=True, slots=True)
class Account:
    """Somebody, or a program, that can be let in."""

    account_id: UUID
    username: str
    created_at: datetime
    disabled_at: datetime | None
    roles: frozenset[Role]
    projects: tuple[str, ...] = ()  # that are shown to it as a partner


class Accounts:
    """The accounts of one deployment."""

    def __init__(self, pool: Pool, passwords: Passwords, clock: Clock) -> None:
        self._pool = pool
        self._passwords = passwords
        self._clock = clock

    async def create(
        self, username: str, password: str | None, roles: frozenset[Role], by: Actor
    ) -> Account:
        """A new account; without a password it can only be used through keys."""
        name = _username(username)
        hashed = None if password is None else await self._passwords.hash(password)
        async with self._pool.acquire() as connection, connection.transaction():
            return await self._create(connection, name, hashed, roles, by)

    async def first(self, by: Actor, username: str = FIRST_USERNAME) -> tuple[Account, str] | None:
        """The first administrator and a password out of chance; none where there is one."""
        name, password = _username(username), generated()
        hashed = await self._passwords.hash(password)
        async with self._pool.acquire() as connection, connection.transaction():
            # Two that set up at once must not both print a password.
            await connection.execute("lock table identity.accounts in share row exclusive mode")
            taken = await connection.fetchval(
                "select exists (select from identity.accounts join identity.roles "
                "using (account_id) where role = $1 and disabled_at is null)",
                Role.ADMIN,
            )
            if taken:
                return None
            roles = frozenset({Role.ADMIN})
            return await self._create(connection, name, hashed, roles, by), password

    async def none_yet(self) -> bool:
        """Whether there was never an account here, so that nobody can sign in."""
        return bool(await self._pool.fetchval("select not exists (select from identity.accounts)"))

    async def _create(
        self, connection: Connection, name: str, hashed: str | None, roles: frozenset[Role],
        by: Actor,
    ) -> Account:  # fmt: skip
        now = self._clock()
        account = Account(uuid4(), name, now, None, roles)
        try:
            await connection.execute(
                "insert into identity.accounts (account_id, username, password_hash, created_at) "
                "values ($1, $2, $3, $4)",
                account.account_id, name, hashed, now,
            )  # fmt: skip
        except UniqueViolationError as error:
            raise Refused(f"{name}: there is such an account; choose another name") from error
        for role in sorted(roles):
            await self._grant(connection, account.account_id, role, by)
        return account

    async def find(self, username: str) -> Account:
        """The account of this name; Refused where there is none."""
        async with self._pool.acquire() as connection:
            return await _find(connection, username)

    async def all(self) -> list[Account]:
        """Every account, by its name."""
        rows = await self._pool.fetch(
            f"{_ACCOUNT} group by a.account_id order by a.username limit $1", ACCOUNTS_MAX
        )
        return [_account(row) for row in rows]

    async def grant(self, username: str, role: Role, by: Actor) -> bool:
        """Give the account the role; whether it is new to it."""
        async with self._pool.acquire() as connection, connection.transaction():
            account = await _find(connection, username, "for update of a")
            if account.disabled_at is not None:
                raise Refused(f"{account.username}: is disabled; enable it first")
            return await self._grant(connection, account.account_id, role, by)

    async def _grant(self, connection: Connection, account: UUID, role: Role, by: Actor) -> bool:
        now = self._clock()
        new = await connection.fetchval(
            "insert into identity.roles (account_id, role, granted_at) values ($1, $2, $3) "
            "on conflict do nothing returning true",
            account, role, now,
        )  # fmt: skip
        if new:
            fact = RoleGranted(change_id=uuid4(), account_id=account, role=role)
            await announce(connection, fact, now, by)
        return bool(new)

    async def revoke(self, username: str, role: Role, reason: str, by: Actor) -> bool:
        """Take the role from the account; whether it held it."""
        async with self._pool.acquire() as connection, connection.transaction():
            account = await _find(connection, username, "for update of a")
            return await self._revoke(connection, account, role, reason, by)

    async def _revoke(
        self, connection: Connection, account: Account, role: Role, reason: str, by: Actor
    ) -> bool:
        if role not in account.roles:
            return False
        await connection.execute(
            "delete from identity.roles where account_id = $1 and role = $2",
            account.account_id, role,
        )  # fmt: skip
        fact = RoleRevoked(
            change_id=uuid4(), account_id=account.account_id, role=role, reason=reason
        )
        await announce(connection, fact, self._clock(), by)
        return True

    async def show_project(self, username: str, project: str, by: Actor) -> bool:
        """Show the account a project, as far as its roles go; whether it is new to it."""
        now = self._clock()
        async with self._pool.acquire() as connection, connection.transaction():
            account = await _find(connection, username, "for update of a")
            if account.disabled_at is not None:
                raise Refused(f"{account.username}: is disabled; enable it first")
            if project in account.projects:
                return False
            if len(account.projects) >= PROJECTS_OF_ACCOUNT_MAX:
                raise Refused(
                    f"{account.username}: sees {PROJECTS_OF_ACCOUNT_MAX} projects already; take "
                    f"one from it, or make another account"
                )
            fact = ProjectAccessGranted(
                change_id=uuid4(), account_id=account.account_id, project_id=project
            )
            await connection.execute(
                "insert into identity.account_projects (account_id, project_id, granted_at) "
                "values ($1, $2, $3)",
                account.account_id, project, now,
            )  # fmt: skip
            await announce(connection, fact, now, by)
            return True

    async def hide_project(self, username: str, project: str, reason: str, by: Actor) -> bool:
        """Show the account the project no more; whether it saw it."""
        async with self._pool.acquire() as connection, connection.transaction():
            account = await _find(connection, username, "for update of a")
            return await self._close(connection, account, project, reason, by)

    async def _close(
        self, connection: Connection, account: Account, project: str, reason: str, by: Actor
    ) -> bool:
        if project not in account.projects:
            return False
        await connection.execute(
            "delete from identity.account_projects where account_id = $1 and project_id = $2",
            account.account_id, project,
        )  # fmt: skip
        fact = ProjectAccessRevoked(
            change_id=uuid4(), account_id=account.account_id, project_id=project, reason=reason
        )
        await announce(connection, fact, self._clock(), by)
        return True

    async def disable(self, username: str, reason: str, by: Actor) -> bool:
        """Let the account in no more: its sessions, keys and roles end; whether it was let in."""
        now = self._clock()
        async with self._pool.acquire() as connection, connection.transaction():
            account = await _find(connection, username, "for update of a")
            if account.disabled_at is not None:
                return False
            await connection.execute(
                "update identity.accounts set disabled_at = $2 where account_id = $1",
                account.account_id, now,
            )  # fmt: skip
            await _end_sessions(connection, account.account_id, now, "account disabled")
            keys = await connection.fetch(
                "update identity.keys set revoked_at = $2 "
                "where account_id = $1 and revoked_at is null returning key_id",
                account.account_id, now,
            )  # fmt: skip
            for row in keys:
                fact = KeyRevoked(
                    key_id=row["key_id"], account_id=account.account_id, reason=reason
                )
                await announce(connection, fact, now, by)
            for role in sorted(account.roles):
                await self._revoke(connection, account, role, reason, by)
            for project in account.projects:
                await self._close(connection, account, project, reason, by)
            return True

    async def enable(self, username: str) -> bool:
        """Let the account in again, with no role; whether it was disabled."""
        async with self._pool.acquire() as connection, connection.transaction():
            account = await _find(connection, username, "for update of a")
            await connection.execute(
                "update identity.accounts set disabled_at = null where account_id = $1",
                account.account_id,
            )
            return account.disabled_at is not None

    async def set_password(self, username: str, password: str) -> None:
        """Replace the password, and end every session that was begun with the old one."""
        hashed = await self._passwords.hash(password)
        async with self._pool.acquire() as connection, connection.transaction():
            account = await _find(connection, username, "for update of a")
            await connection.execute(
                "update identity.accounts set password_hash = $2 where account_id = $1",
                account.account_id, hashed,
            )  # fmt: skip
            await _end_sessions(connection, account.account_id, self._clock(), "password changed")

    async def signing_in(self, username: str, password: str) -> Account | None:
        """The account, if the password is its own and it is let in; else none, and no reason."""
        name = username.strip().lower()
        row = None
        if USERNAME.fullmatch(name):
            row = await self._pool.fetchrow(
                f"{_ACCOUNT} where a.username = $1 group by a.account_id", name
            )
        kept = row["password_hash"] if row is not None and row["disabled_at"] is None else None
        matches = await self._passwords.matches(kept, password)
        return _account(row) if matches and row is not None else None


async def _find(connection: Connection, username: str, lock: str = "") -> Account:
    name = _username(username)
    if lock:  # a lock and an aggregate cannot stand in one statement
        await connection.execute(
            f"select from identity.accounts a where a.username = $1 {lock}", name
        )
    row = await connection.fetchrow(f"{_ACCOUNT} where a.username = $1 group by a.account_id", name)
    if row is None:
        raise Refused(f"{name!r}: there is no such account; see `genoflow user list`")
    return _account(row)


async def _end_sessions(connection: Connection, account: UUID, now: datetime, why: str) -> None:
    await connection.execute(
        "update identity.sessions set ended_at = $2, ended_why = $3 "
        "where account_id = $1 and ended_at is null",
        account, now, why,
    )  # fmt: skip


def _account(row: Any) -> Account:
    return Account(
        row["account_id"], row["username"], row["created_at"], row["disabled_at"],
        roles_of(row["roles"]), tuple(row["projects"]),
    )  # fmt: skip


def _username(name: str) -> str:
    clean = name.strip().lower()
    if USERNAME.fullmatch(clean) is None:
        raise Refused(
            f"{name!r}: is no name of an account; take letters, digits and . _ @ + -, "
            f"100 at most, a letter or digit first"
        )
    return clean
