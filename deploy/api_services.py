"""What stands behind the API, for the server and for commands that change its accounts."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

from genoflow.api.figures import Figures
from genoflow.api.identity.passwords import Passwords
from genoflow.api.identity.tables import prepare
from genoflow.api.identity.tokens import Tokens
from genoflow.api.limits import MemoryLimits
from genoflow.api.ports import UNAVAILABLE
from genoflow.api.services import Services, services
from genoflow.deploy.addresses import resolve
from genoflow.deploy.observed.spans import of_spans, spans_of
from genoflow.deploy.settings import Settings
from genoflow.deploy.token_keys import token_keys
from genoflow.events.errors import StackFault

CONNECTIONS_MAX = 10  # to Postgres, whose default allows 100 in all
QUERY_SECONDS_MAX = 30  # ours take milliseconds


async def as_it_is(connection: Any) -> None:
    """Give a connection back: the API leaves nothing behind its transactions, so nothing is reset.

    asyncpg ends what is open all the same; its own way asks Postgres once more for every request.
    """


@asynccontextmanager
async def open_services(settings: Settings) -> AsyncIterator[Services]:
    """The services of this deployment, over tables that are as this release needs them."""
    import asyncpg  # noqa: PLC0415 -- commands that only print their help need none

    address = resolve(settings, needed=("postgres",)).postgres
    tokens = Tokens(token_keys(settings.home))
    try:
        pool = await asyncpg.create_pool(
            address,
            min_size=1,
            max_size=CONNECTIONS_MAX,
            command_timeout=QUERY_SECONDS_MAX,
            reset=as_it_is,
        )
    except UNAVAILABLE as error:
        raise StackFault(
            f"Postgres does not answer ({type(error).__name__}); run `genoflow up`, or set "
            f"GENOFLOW_POSTGRES to an existing server"
        ) from error
    try:
        async with pool.acquire() as connection:
            await prepare(connection)
        yield services(
            pool, tokens=tokens, passwords=Passwords(), limits=MemoryLimits(), clock=_now,
            spans=spans_of(settings.traces, settings.environment), figures=Figures(of_spans),
        )  # fmt: skip
    finally:
        await pool.close()


def _now() -> datetime:
    return datetime.now(UTC)
