"""What many callers ask at once, asked together: one statement for all who call, one for all rows.

1. A request says who it claims to be, and which row it wants to know the version of.
2. What comes while Postgres is asked waits for the next turn. None waits for others to come.
3. Each turn looks up callers, the position and the versions, in this order, on one connection. So
   the end of a session or a key counts for every request that comes after it, as it does for one
   that is looked up alone, and the rows are at least as new as the position.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from asyncpg import Pool

from genoflow.api.identity.keys import Keys
from genoflow.api.identity.permissions import Caller
from genoflow.api.identity.sessions import Sessions
from genoflow.api.identity.tokens import Claims
from genoflow.events.log.port import Vector
from genoflow.projections.known import known_position
from genoflow.projections.vectors import to_word

TURN_MAX = 500  # of one statement: 500 look-ups by key are some 3 ms
Versions = Callable[[Any, Sequence[str]], Awaitable[Mapping[str, str]]]
Shown = Claims | bytes  # what a session's token says, or the hash of a key


class Found(NamedTuple):
    """What one request has to know; none of a caller or a row that is not there."""

    caller: Caller | None
    version: str | None
    position: str


@dataclass(slots=True, eq=False)
class _Asked:
    shown: Shown
    versions: Versions
    row: str
    answer: asyncio.Future[Found]


class Together:
    """Looks up callers and versions of rows, for all who wait at a time."""

    def __init__(self, pool: Pool, sessions: Sessions, keys: Keys) -> None:
        self._pool = pool
        self._sessions = sessions
        self._keys = keys
        self._waiting: list[_Asked] = []
        self._turns: asyncio.Task[None] | None = None
        self._vector: Vector = {}
        self._word = to_word({})

    async def ask(self, shown: Shown, versions: Versions, row: str) -> Found:
        """Who this is, and which version the row has; what Postgres says where it is away."""
        answer: asyncio.Future[Found] = asyncio.get_running_loop().create_future()
        self._waiting.append(_Asked(shown, versions, row, answer))
        if self._turns is None:
            self._turns = asyncio.create_task(self._take_turns(), name="together")
        return await answer

    async def _take_turns(self) -> None:
        batch: list[_Asked] = []
        try:
            async with self._pool.acquire() as connection:
                while self._waiting:
                    batch, self._waiting = self._waiting[:TURN_MAX], self._waiting[TURN_MAX:]
                    await self._turn(connection, batch)
        except BaseException as error:
            # Whoever waits is told, and goes on alone; nobody waits for a task that has ended.
            waiting, self._waiting = [*batch, *self._waiting], []
            for one in waiting:
                if not one.answer.done():
                    one.answer.set_exception(error)
            if not isinstance(error, Exception):
                raise
        finally:
            self._turns = None
            if self._waiting:  # they came while the connection was given back
                self._turns = asyncio.create_task(self._take_turns(), name="together")

    async def _turn(self, connection: Any, batch: Sequence[_Asked]) -> None:
        callers = await self._callers(connection, {one.shown for one in batch})
        position = await self._position(connection)
        rows = {
            versions: await versions(connection, _rows(batch, versions))
            for versions in {one.versions for one in batch}
        }
        for one in batch:
            if not one.answer.done():
                found = Found(callers.get(one.shown), rows[one.versions].get(one.row), position)
                one.answer.set_result(found)

    async def _callers(self, connection: Any, shown: set[Shown]) -> dict[Any, Caller]:
        claims = [one for one in shown if isinstance(one, Claims)]
        hashes = [one for one in shown if isinstance(one, bytes)]
        found: dict[Any, Caller] = {}
        if claims:
            found |= await self._sessions.callers(connection, claims)
        if hashes:
            found |= await self._keys.callers(connection, hashes)
        return found

    async def _position(self, connection: Any) -> str:
        vector = await known_position(connection)
        if vector != self._vector:
            self._vector, self._word = vector, to_word(vector)
        return self._word


def _rows(batch: Iterable[_Asked], versions: Versions) -> list[str]:
    return list({one.row for one in batch if one.versions is versions})
