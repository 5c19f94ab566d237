"""Reaching a broker: within a limit, and with one clear error where there is none."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from aiokafka.errors import KafkaConnectionError

from genoflow.events.errors import LogUnavailable

CONNECT_SECONDS_MAX = 10  # a broker on the way up answers in 3 to 9 s


async def connect(
    address: str, start: Callable[[], Awaitable[object]], stop: Callable[[], Awaitable[object]]
) -> None:
    """Start a client, or stop it again and say that no broker answers."""
    try:
        async with asyncio.timeout(CONNECT_SECONDS_MAX):
            await start()
    except (KafkaConnectionError, TimeoutError) as error:
        await stop()
        raise LogUnavailable(
            f"kafka at {address}: no broker answers; start one with `genoflow up` "
            f"or name another in GENOFLOW_KAFKA"
        ) from error


def heard(sent: asyncio.Future[Any]) -> asyncio.Future[Any]:
    """The same send; its failure counts as heard even if another one was raised in its place.

    When a producer is fenced, every send of its transaction fails and the first one is raised.
    """
    sent.add_done_callback(lambda future: future.cancelled() or future.exception())
    return sent
