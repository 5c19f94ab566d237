"""What the routes of the API work with: made once by deploy, handed to the app."""

from __future__ import annotations

from dataclasses import dataclass

from asyncpg import Pool

from genoflow.api.figures import Figures
from genoflow.api.idempotency import Idempotency
from genoflow.api.identity.accounts import Accounts
from genoflow.api.identity.keys import Keys
from genoflow.api.identity.passwords import Passwords
from genoflow.api.identity.sessions import Sessions
from genoflow.api.identity.tokens import Tokens
from genoflow.api.ports import Clock, RateLimits
from genoflow.api.reads import Reads
from genoflow.events.spans import Spans


@dataclass(frozen=True, slots=True)
class Services:
    """Everything behind the routes."""

    pool: Pool
    clock: Clock
    limits: RateLimits
    accounts: Accounts
    sessions: Sessions
    keys: Keys
    idempotency: Idempotency
    reads: Reads
    figures: Figures
    spans: Spans | None = None  # who is told of requests


def services(
    pool: Pool,
    *,
    tokens: Tokens,
    passwords: Passwords,
    limits: RateLimits,
    clock: Clock,
    spans: Spans | None = None,
    figures: Figures | None = None,
) -> Services:
    """The services over one database."""
    return Services(
        pool=pool,
        clock=clock,
        limits=limits,
        accounts=Accounts(pool, passwords, clock),
        sessions=Sessions(pool, tokens, clock),
        keys=Keys(pool, clock),
        idempotency=Idempotency(pool, clock),
        reads=Reads(pool, clock),
        figures=figures or Figures(),
        spans=spans,
    )
