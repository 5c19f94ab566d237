"""What the demo leaves to be asked: read models that are fed, the API, and a key to it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

import asyncpg

from genoflow.api.identity.permissions import PERMISSIONS, Permission, Role
from genoflow.api.services import Services
from genoflow.deploy.api_services import open_services
from genoflow.deploy.first_admin import FirstAdmin, make_first_admin
from genoflow.deploy.local import stack
from genoflow.deploy.local.state import PROGRAMS, SERVICES
from genoflow.deploy.people import os_user
from genoflow.deploy.projecting import standings
from genoflow.deploy.settings import Settings
from genoflow.deploy.wiring import open_postgres
from genoflow.events.envelope import Actor
from genoflow.events.errors import StackFault
from genoflow.events.log.kafka import KafkaLog

ACCOUNT = "demo"
KEY_DAYS = 1  # who looks at it a second day plays once more
CATCH_UP_SECONDS_MAX = 60  # some thousand records take two seconds
LOOK_SECONDS = 0.2
SCOPES = tuple(one for one in Permission if Role.AUDITOR in PERMISSIONS[one])  # it reads, only


@dataclass(frozen=True, slots=True)
class Served:
    """Where the API is, and how it is asked."""

    address: str
    key: str = field(repr=False)
    admin: FirstAdmin | None  # where this demo made one

    def curl(self, path: str) -> str:
        """A line for a terminal that asks for this path."""
        return f"curl -s -H 'X-API-Key: {self.key}' '{self.address}{path}'"


async def begin_to_serve(
    settings: Settings, log: KafkaLog, title: str, progress: stack.Progress
) -> Served:
    """Feed the read models up to the end of the log, serve the API, and make a key to it."""
    await asyncio.to_thread(stack.up, settings, progress=progress)
    # Before the API begins, or it says that nobody can sign in.
    admin = None if settings.postgres is not None else await make_first_admin(settings)
    everything = (*SERVICES, *PROGRAMS)
    status = await asyncio.to_thread(stack.up, settings, everything, progress=progress)
    await _caught_up(settings, log)
    async with open_services(settings) as services:
        key = await _key(services, title)
    return Served(status.services["api"].address, key, admin)


async def _key(services: Services, title: str) -> str:
    by = Actor(kind="person", id=os_user())
    names = {one.username for one in await services.accounts.all()}
    if ACCOUNT not in names:
        await services.accounts.create(ACCOUNT, None, frozenset({Role.AUDITOR}), by)
    account = await services.accounts.find(ACCOUNT)
    _, key = await services.keys.create(account, title, SCOPES, KEY_DAYS, by)
    return key


async def _caught_up(settings: Settings, log: KafkaLog) -> None:
    """Wait until every read model is where the log ends now."""
    try:
        async with asyncio.timeout(CATCH_UP_SECONDS_MAX), open_postgres(settings) as connection:
            while any(one.lag for one in await standings(log, connection)):  # noqa: ASYNC110
                await asyncio.sleep(LOOK_SECONDS)
    except (TimeoutError, asyncpg.PostgresError) as error:
        folder = settings.home / "logs"
        raise StackFault(
            f"the read models are not at the end of the log after {CATCH_UP_SECONDS_MAX} s; "
            f"`genoflow projection list` shows how far they are, {folder}/read-models.log why"
        ) from error
