"""The supervisor: one process per home that starts the services, keeps them, and ends them.

`python -m genoflow.deploy.local.supervisor [--tether] SERVICE…` is started by `stack.up`, reads
its settings from the environment, and lives until SIGTERM, or, with --tether, until its standard
input ends. SIGHUP lets it start, too, what `run/wanted` names. It leaves its parent at once. On
its standard output stands its process id, then, only if it cannot go on, a sentence that says why
(or SECOND where another supervisor has the home); the end of that output is its own end.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import sys
from datetime import UTC, datetime
from pathlib import Path

from genoflow.deploy.local.files import fault_of, make_directory, try_lock
from genoflow.deploy.local.keeper import Board, Keeper, Ports
from genoflow.deploy.local.process import GRACE_SECONDS, Identity, identify
from genoflow.deploy.local.servers.kafka import Kafka
from genoflow.deploy.local.servers.postgres import Postgres
from genoflow.deploy.local.servers.programs import Api, ReadModels, Watchtower
from genoflow.deploy.local.servers.registry import Registry
from genoflow.deploy.local.servers.s3 import S3
from genoflow.deploy.local.service import Service
from genoflow.deploy.local.state import PROGRAMS, SERVICES, read_state, wanted_path
from genoflow.deploy.settings import Settings, read_settings
from genoflow.events.errors import GenoflowError, StackFault

SECOND = "another supervisor has this home"
# An empty Kafka takes 1 MB, an empty Postgres 40 MB, its write-ahead log up to 256 MB.
DISK_FREE_BYTES_MIN = 300_000_000
ORPHAN_POLL_SECONDS = 0.05
ORPHAN_SECONDS_MAX = GRACE_SECONDS + 5.0  # their leashes need the grace; five more for the kernel
STOP_ORDER = (
    "tower",
    "api",
    "read-models",
    "registry",
    "s3",
    "postgres",
    "kafka",
)  # who talks to whom: the log goes last


def build_services(settings: Settings, names: tuple[str, ...]) -> list[Service]:
    """Construct the embedded services of these names."""
    home = settings.home.resolve()
    services: dict[str, Service] = {
        "kafka": Kafka(home, settings.cache),
        "postgres": Postgres(home),
        "s3": S3(settings),
        "registry": Registry(),
        "read-models": ReadModels(settings),
        "api": Api(),
        "tower": Watchtower(),
    }
    return [services[name] for name in names]


def check_disk(home: Path) -> None:
    """Refuse to start on a disk that the first minutes would fill."""
    if (free := shutil.disk_usage(home).free) < DISK_FREE_BYTES_MIN:
        raise StackFault(
            f"{home}: the disk has {free // 10**6} MB free, a stack needs "
            f"{DISK_FREE_BYTES_MIN // 10**6} MB to start; free some space there, or name another "
            "disk with GENOFLOW_HOME"
        )


async def end_orphans(processes: tuple[Identity, ...]) -> None:
    """Wait until the processes of a supervisor that was killed are gone; help after a while."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + ORPHAN_SECONDS_MAX
    while any(process.alive() for process in processes):
        if loop.time() > deadline:
            for process in processes:
                process.kill(signal.SIGKILL)
        await asyncio.sleep(ORPHAN_POLL_SECONDS)


def rotate_logs(home: Path) -> None:
    """Keep each service's log of the stack before this one as `<name>.log.1`."""
    for name in (*SERVICES, *PROGRAMS):
        path = home / "logs" / f"{name}.log"
        if path.exists():
            path.replace(path.with_name(f"{path.name}.1"))


async def supervise(
    settings: Settings, names: tuple[str, ...], stop: asyncio.Event, more: asyncio.Event
) -> None:
    """Keep the named services running, and what is asked for later, then end them in order."""
    home = settings.home.resolve()
    before = read_state(home)
    left = before.processes if before is not None else ()
    board = Board(settings, names, identify(os.getpid()), log)
    board.open(left)
    await end_orphans(left)
    rotate_logs(home)
    ports = Ports(home)
    tasks: dict[str, asyncio.Task[None]] = {}
    keep(build_services(settings, names), tasks, board, ports)
    saving = asyncio.create_task(board.keep_saved())
    stopping = asyncio.create_task(stop.wait())
    log(f"supervisor of {home}: {', '.join(names)}")
    try:
        while True:
            asked = asyncio.create_task(more.wait())
            # A keeper never ends by itself but by a defect, which has to be seen.
            everything = {*tasks.values(), stopping, asked}
            done, _ = await asyncio.wait(everything, return_when=asyncio.FIRST_COMPLETED)
            asked.cancel()
            if done != {asked}:
                break
            more.clear()
            new = tuple(name for name in wanted(home) if name not in tasks)
            log(f"asked for {', '.join(new) or 'what runs already'}")
            keep(build_services(settings, new), tasks, board, ports)
    finally:
        for name in STOP_ORDER:
            if name in tasks:
                tasks[name].cancel()
                await asyncio.wait({tasks[name]})
        stopping.cancel()
        saving.cancel()
        board.close()
        log("supervisor: everything is stopped")
    for task in tasks.values():
        if not task.cancelled() and (error := task.exception()) is not None:
            raise error


def keep(
    services: list[Service], tasks: dict[str, asyncio.Task[None]], board: Board, ports: Ports
) -> None:
    """Begin to keep these services, beside those that are kept already."""
    for service in services:
        keeper = Keeper(service, board, ports, board.home)
        tasks[service.name] = asyncio.create_task(keeper.run())


def wanted(home: Path) -> tuple[str, ...]:
    """The programs that somebody asked this supervisor for."""
    words = wanted_path(home).read_text(encoding="utf-8").split()
    return tuple(name for name in PROGRAMS if name in words)


def log(text: str) -> None:
    """Write one line, with the time, to the supervisor's log."""
    now = datetime.now(UTC).isoformat(timespec="milliseconds")
    sys.stderr.write(f"{now} {text}\n")
    sys.stderr.flush()


async def _serve(settings: Settings, names: tuple[str, ...], tethered: bool) -> None:
    stop, more = asyncio.Event(), asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGHUP, more.set)
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    if tethered:

        def at_end() -> None:
            if os.read(0, 64) == b"":
                loop.remove_reader(0)
                stop.set()

        loop.add_reader(0, at_end)
    await supervise(settings, names, stop, more)


def _run(settings: Settings, names: tuple[str, ...], tethered: bool) -> str:
    home = settings.home.resolve()
    try:
        make_directory(home / "run")
        make_directory(home / "logs")
        if try_lock(home / "lock") is None:  # held until this process ends
            return SECOND
        check_disk(home)
        asyncio.run(_serve(settings, names, tethered))
    except GenoflowError as error:
        return str(error)
    except OSError as error:
        way_out = "make it writable, or name another directory with GENOFLOW_HOME"
        return str(fault_of(error, home, way_out))
    return ""


def main(arguments: list[str]) -> int:
    """Leave the parent, then run the supervisor of the home that the settings name."""
    if os.fork() != 0:
        os._exit(0)
    sys.stdout.write(f"{os.getpid()}\n")
    sys.stdout.flush()
    names = tuple(name for name in (*SERVICES, *PROGRAMS) if name in arguments)
    words = _run(read_settings(), names, "--tether" in arguments)
    if words:
        log(words)
        sys.stdout.write(words)
    return 1 if words else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
