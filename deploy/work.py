"""One worker in this process: it drains when it is told to stop, and leaves when it is in doubt.

A worker that ends with an error has clients of the broker that may hang, so the process leaves
without another word to them. The exit code says what to do:

    0    it was told to stop, and it has drained
    1    going on would be wrong until a person has mended something
    70   an error that nobody foresaw: its trace is in the log, and nothing is lost
    75   a fresh start mends it: no broker for a while, a commit in doubt, a task taken over
"""

from __future__ import annotations

import asyncio
import logging
import os
import secrets
import signal
import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from importlib.metadata import version

from genoflow.deploy.burdens import OwnBurden
from genoflow.deploy.garbage import settle
from genoflow.deploy.logs import configure_logs
from genoflow.deploy.observed.watched import watched
from genoflow.deploy.observed.worker import ObservedWorker
from genoflow.deploy.old_work import clearing_of
from genoflow.deploy.settings import Settings
from genoflow.deploy.wiring import open_children, open_log, worker_ports
from genoflow.deploy.work_ends import EXIT_DRAINED, leave
from genoflow.events import topics
from genoflow.events.errors import Refused
from genoflow.events.log.port import EventLog
from genoflow.processors.flow import PROCESSORS
from genoflow.processors.ports import Ports
from genoflow.processors.processor import Processor
from genoflow.processors.reach import Reach, nowhere
from genoflow.processors.tell_lims import PREFIX as TELL_LIMS
from genoflow.processors.worker import PASSING, Identity, Worker

_log = logging.getLogger("genoflow.work")


def chosen(names: Sequence[str], *, has_lims: bool = True) -> tuple[Processor, ...]:
    """The processors of these names, all that have work here without one; Refused for another."""
    for name in names:
        if name not in PROCESSORS:
            raise Refused(
                f"{name!r} is no processor; there are {', '.join(PROCESSORS)}; "
                f"`genoflow flow` says what each does"
            )
    # Without a LIMS nobody is to be told, and each fact would be parked for a person.
    every = [name for name in PROCESSORS if has_lims or not name.startswith(TELL_LIMS)]
    return tuple(PROCESSORS[name] for name in dict.fromkeys(names or every))


def identity() -> Identity:
    """Who this worker is: machine, process, and a word that no earlier process had."""
    name = f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(2)}"
    return Identity(name, version("genoflow"))


async def require_topics(log: EventLog, processors: Sequence[Processor]) -> None:
    """TopicMissing, which names the command that creates it, unless every topic is there."""
    needed = [topics.WORKERS.name, topics.PARKED.name]
    for processor in processors:
        needed += [processor.reads.name, processor.changelog.name]
        needed += [topic.name for event in processor.said for topic in event.about.topics]
    for name in dict.fromkeys(needed):
        await log.partitions(name)


def work_once(
    settings: Settings, processors: Sequence[Processor], *, again: int = 0, reach: Reach = nowhere
) -> int:
    """Work until SIGTERM or SIGINT; after an error this call does not return.

    `again` is how often it was started again by whoever keeps it going.
    """
    configure_logs(level=settings.log_level, patterns=settings.person_patterns)
    asyncio.run(_work(settings, processors, again, reach))
    return EXIT_DRAINED


async def _work(
    settings: Settings, processors: Sequence[Processor], again: int, reach: Reach
) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    who = identity()
    try:
        log = open_log(settings)
        await require_topics(log, processors)
        children = open_children(processors)
        ports = worker_ports(settings, processors, log)
        worker = Worker(
            log, log.codec, processors, ports, identity=who, children=children, reach=reach,
            spans=log.spans, burden=OwnBurden(),
        )  # fmt: skip
        observed = ObservedWorker(worker, log.ends, (one.reads.name for one in processors), again)
        settle()
        _log.info("%s works: %s", who.name, ", ".join(one.name for one in processors))
        async with watched(settings, observed, "work"), _clearing(settings, ports):
            await worker.run(stop)
        if children is not None:
            await children.close()
        await log.close()
    except BaseException as error:  # noqa: BLE001 -- whatever it is, the process leaves with it
        leave(error, PASSING)
    _log.info("%s has drained and left", who.name)


@asynccontextmanager
async def _clearing(settings: Settings, ports: Ports) -> AsyncIterator[None]:
    """Beside the work, end and remove what jobs have left that nobody wants."""
    clearing_up = clearing_of(settings.home, ports)
    if clearing_up is None:
        yield
        return
    clearing = asyncio.create_task(clearing_up, name="clear")
    try:
        yield
    finally:
        clearing.cancel()
        await asyncio.wait([clearing])
