"""A process that is watched while a block lasts: by who asks it, and by who reads its output."""

from __future__ import annotations

import asyncio
import logging
import socket
import sys
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from datetime import UTC, datetime

from genoflow.deploy.observed.embedded import Embedded
from genoflow.deploy.observed.server import Observed, observing, of_process
from genoflow.deploy.settings import Settings

Write = Callable[[Iterable[str]], object]
_log = logging.getLogger("genoflow.observed")


@asynccontextmanager
async def watched(
    settings: Settings, observed: Observed, service: str
) -> AsyncIterator[str | None]:
    """Tell the figures of this process in the ways that the settings name, until the block ends.

    Yields where they can be asked for, if they can.
    """
    with observing(settings.metrics, observed) as place:
        seconds = settings.metrics_log_seconds
        if not seconds:
            yield place
            return
        telling = asyncio.create_task(keep_telling(observed, service, seconds, _out))
        try:
            yield place
        finally:
            telling.cancel()
            await asyncio.wait([telling])
            if not telling.cancelled():
                telling.result()  # what nobody foresaw is not lost


async def keep_telling(observed: Observed, service: str, seconds: float, write: Write) -> None:
    """Write the figures every so often, in CloudWatch's embedded format."""
    embedded = Embedded(service, socket.gethostname())
    while True:
        await asyncio.sleep(seconds)
        figures = [*of_process(), *await observed.figures()]
        try:
            write(embedded.lines(figures, datetime.now(UTC)))
        except OSError as error:
            _log.warning("nobody reads the figures any more: %s; they are not written again", error)
            return


def _out(lines: Iterable[str]) -> None:
    sys.stdout.write("".join(f"{line}\n" for line in lines))
    sys.stdout.flush()
