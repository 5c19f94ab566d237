"""The tables of the API itself: who may call, with what, and what was asked for already.

They are not rebuilt from the log. Their changes are announced on it through the outbox, which is
written in the same transaction.
"""

from __future__ import annotations

from asyncpg import Connection

from genoflow.api.migrations import Step, migrate

SCHEMA = "identity"

_FIRST = """
create table identity.accounts (
    account_id    uuid primary key,
    username      text not null unique,
    password_hash text,                   -- none: it signs in with keys only
    created_at    timestamptz not null,
    disabled_at   timestamptz
);
create table identity.roles (
    account_id uuid not null references identity.accounts,
    role       text not null,
    granted_at timestamptz not null,
    primary key (account_id, role)
);
create table identity.sessions (
    session_id uuid primary key,
    account_id uuid not null references identity.accounts,
    created_at timestamptz not null,
    expires_at timestamptz not null,      -- however often it is refreshed
    ended_at   timestamptz,
    ended_why  text
);
create index on identity.sessions (account_id);
create index on identity.sessions (expires_at);
create table identity.refresh_tokens (
    token_hash bytea primary key,
    session_id uuid not null references identity.sessions on delete cascade,
    issued_at  timestamptz not null,
    expires_at timestamptz not null,
    used_at    timestamptz
);
create index on identity.refresh_tokens (session_id);
create table identity.keys (
    key_id     uuid primary key,
    key_hash   bytea not null unique,
    hint       text not null,             -- how it begins, for people who look for one
    account_id uuid not null references identity.accounts,
    name       text not null,
    scopes     text[] not null,
    created_at timestamptz not null,
    expires_at timestamptz not null,
    revoked_at timestamptz
);
create index on identity.keys (account_id);
create table identity.outbox (
    place    bigint generated always as identity primary key,
    type     text not null,
    payload  text not null,
    envelope text not null
);
create table identity.requests (
    account_id   uuid not null,
    request_key  text not null,
    fingerprint  bytea not null,
    begun_at     timestamptz not null,
    attempt      uuid not null,
    status       integer,                 -- none: it is still being done
    content_type text,
    headers      text,
    body         bytea,
    primary key (account_id, request_key)
);
create index on identity.requests (begun_at);
"""

_PROJECTS = """
create table identity.account_projects (  -- what a partner sees; all others see every project
    account_id uuid not null references identity.accounts,
    project_id text not null,
    granted_at timestamptz not null,
    primary key (account_id, project_id)
);
"""

STEPS = (Step("0001-identity", _FIRST), Step("0002-account-projects", _PROJECTS))


async def prepare(connection: Connection) -> list[str]:
    """Bring the tables to the shape of this release, and return the steps that were missing."""
    return await migrate(connection, SCHEMA, STEPS)
