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
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from importlib.metadata import version
from typing import NoReturn

from genoflow.deploy.garbage import settle
from genoflow.deploy.logs import configure_logs
from genoflow.deploy.old_work import keep_clear
from genoflow.deploy.settings import Settings
from genoflow.deploy.wiring import open_children, open_log, worker_ports
from genoflow.events import topics
from genoflow.events.errors import GenoflowError, Refused
from genoflow.events.log.port import EventLog
from genoflow.processors.adapters.local_launcher import LocalLauncher
from genoflow.processors.flow import PROCESSORS
from genoflow.processors.ports import Ports
from genoflow.processors.processor import Processor
from genoflow.processors.reach import Reach, nowhere
from genoflow.processors.tell_lims import PREFIX as TELL_LIMS
from genoflow.processors.worker import PASSING, Identity, Worker

EXIT_DRAINED = 0
EXIT_LASTING = 1
EXIT_UNFORESEEN = 70  # EX_SOFTWARE of sysexits.h
EXIT_PASSING = 75  # EX_TEMPFAIL of sysexits.h

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
    settings: Settings, processors: Sequence[Processor], *, reach: Reach = nowhere
) -> int:
    """Work until SIGTERM or SIGINT; after an error this call does not return."""
    configure_logs(level=settings.log_level, patterns=settings.person_patterns)
    asyncio.run(_work(settings, processors, reach))
    return EXIT_DRAINED


async def _work(settings: Settings, processors: Sequence[Processor], reach: Reach) -> None:
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
            log, log.codec, processors, ports, identity=who, children=children, reach=reach
        )
        settle()
        _log.info("%s works: %s", who.name, ", ".join(one.name for one in processors))
        async with _clearing(settings, ports):
            await worker.run(stop)
        if children is not None:
            await children.close()
        await log.close()
    except BaseException as error:  # noqa: BLE001 -- whatever it is, the process leaves with it
        _leave(error)
    _log.info("%s has drained and left", who.name)


@asynccontextmanager
async def _clearing(settings: Settings, ports: Ports) -> AsyncIterator[None]:
    """Beside the work, remove what jobs of this machine left long ago."""
    launcher, store = ports.launcher, ports.store
    if not isinstance(launcher, LocalLauncher) or store is None:
        yield
        return
    clearing = asyncio.create_task(keep_clear(settings.home, launcher, store), name="clear")
    try:
        yield
    finally:
        clearing.cancel()
        await asyncio.wait([clearing])


def _leave(error: BaseException) -> NoReturn:
    """End the process now: clients in doubt may hang when they are closed."""
    if isinstance(error, PASSING):
        _log.warning("left, start it again: %s", error)
        code = EXIT_PASSING
    elif isinstance(error, GenoflowError):
        print(f"genoflow: {error}", file=sys.stderr)  # noqa: T201 -- as every command says it
        code = EXIT_LASTING
    else:
        _log.error("left after an error that nobody foresaw", exc_info=error)
        code = EXIT_UNFORESEEN
    logging.shutdown()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)
