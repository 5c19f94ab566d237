"""The embedded stack as its users see it: up, down, reset, and one context for programs."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

from genoflow.deploy.local import supervisor
from genoflow.deploy.local.files import (
    fault_of,
    make_directory,
    remove_tree,
    try_lock,
    write_atomically,
)
from genoflow.deploy.local.keeper import START_SECONDS_MAX
from genoflow.deploy.local.process import GRACE_SECONDS, Identity, identify
from genoflow.deploy.local.service import NotReady
from genoflow.deploy.local.state import (
    NOBODY,
    PROGRAMS,
    SERVICES,
    ServiceStatus,
    StackStatus,
    State,
    external_addresses,
    read_status,
    wanted_path,
)
from genoflow.deploy.settings import Settings, as_environment, inherited_environment
from genoflow.events.errors import StackFault

Progress = Callable[[StackStatus], None]
POLL_SECONDS = 0.05
# Six services one after another, each with its grace, and five seconds for the supervisor itself.
DOWN_SECONDS_MAX = len((*SERVICES, *PROGRAMS)) * GRACE_SECONDS + 5.0
# What belongs to a home: anything else in the directory is not ours to remove.
HOME_ENTRIES = (
    *("kafka", "kafka.new", "postgres", "postgres.new", "postgres.password", "s3", "s3.secret"),
    # Sessions that it signed end with the accounts in the database.
    *("jobs", "logs", "run", "ports.json", "stack.json", "token-keys"),
)


class Starting:
    """A supervisor that was just started, and what it says until it ends."""

    def __init__(self, output: int) -> None:
        self._output = output
        self._said = b""
        while b"\n" not in self._said and (some := os.read(output, 4_096)):
            self._said += some
        pid, _, rest = self._said.partition(b"\n")
        self.identity = identify(int(pid)) if pid.isdigit() else NOBODY
        self._said = rest
        os.set_blocking(output, False)

    def last_words(self) -> str | None:
        """Return what it said before it ended, or None as long as it runs."""
        try:
            while some := os.read(self._output, 4_096):
                self._said += some
        except BlockingIOError:
            return None
        return self._said.decode(errors="replace")

    def close(self) -> None:
        """Listen no longer."""
        os.close(self._output)


def start_supervisor(settings: Settings, names: tuple[str, ...], tether: int | None) -> Starting:
    """Start the supervisor of a home in a session of its own, with these settings."""
    home = settings.home.resolve()
    kept = {k: v for k, v in inherited_environment().items() if not k.startswith("GENOFLOW_")}
    tethered = () if tether is None else ("--tether",)
    make_directory(home / "logs")
    path = home / "logs" / "supervisor.log"
    output, said = os.pipe()
    try:
        with path.open("ab") as log:
            subprocess.run(
                [sys.executable, "-m", supervisor.__name__, *tethered, *names],
                stdin=subprocess.DEVNULL if tether is None else tether,
                stdout=said,
                stderr=log,
                env={**kept, **as_environment(settings), "GENOFLOW_HOME": str(home)},
                cwd="/",
                start_new_session=True,
                check=False,
            )
    except OSError as error:
        os.close(output)
        raise fault_of(error, path, "make it writable, or set GENOFLOW_HOME") from error
    finally:
        os.close(said)
    return Starting(output)


def _fault_in(status: StackStatus, names: tuple[str, ...]) -> StackFault | None:
    failed = [status.services[name] for name in names if name in status.services]
    texts = [service.detail for service in failed if service.state is State.FAILED]
    return StackFault("\n".join(texts)) if texts else None


def _wait_until_ready(
    settings: Settings, names: tuple[str, ...], starting: Starting | None, progress: Progress
) -> StackStatus:
    seen_alive = time.monotonic()
    while True:
        status = read_status(settings)
        progress(status)
        if fault := _fault_in(status, names):
            raise fault
        known = status.services
        if all(name in known and known[name].usable for name in names):
            return status
        words = starting.last_words() if starting is not None else None
        if words == supervisor.SECOND:
            starting = None  # another one was faster: wait for that one
        elif words is not None:
            log = status.home / "logs" / "supervisor.log"
            raise StackFault(words or f"{status.home}: its supervisor ended; {log} says why")
        now = time.monotonic()
        if starting is not None or status.supervisor.alive():
            seen_alive = now
        elif now - seen_alive > GRACE_SECONDS:  # it may hold the lock and not have written yet
            raise StackFault(f"{status.home}: its supervisor is gone; run `genoflow up` again")
        time.sleep(POLL_SECONDS)


def _refuse_missing(status: StackStatus, names: tuple[str, ...]) -> None:
    servers = [status.services[name] for name in names if name not in PROGRAMS]
    missing = [one.name for one in servers if one.state is State.STOPPED]
    if missing:
        raise StackFault(
            f"{status.home}: a stack without {', '.join(missing)} runs there; "
            "run `genoflow down`, then `genoflow up`"
        )


def _ask_for(status: StackStatus, names: tuple[str, ...]) -> None:
    """Let the supervisor that runs start these programs, too."""
    missing = [name for name in names if name in PROGRAMS and name not in status.services]
    if missing:
        write_atomically(wanted_path(status.home), "\n".join(missing))
        status.supervisor.kill(signal.SIGHUP)


def up(
    settings: Settings,
    names: tuple[str, ...] = SERVICES,
    *,
    wait_for: tuple[str, ...] | None = None,
    tether: int | None = None,
    progress: Progress = lambda _: None,
) -> StackStatus:
    """Return once the stack's services are ready, starting what does not run yet.

    A running stack is found and left as it is, but that programs of ours are added to it. With a
    tether (a descriptor to read from), the stack ends when the other end of the pipe is closed. A
    stack that cannot be started, or whose start is interrupted, is stopped again.
    """
    external = external_addresses(settings)
    embedded = tuple(name for name in names if name not in external)
    waited = tuple(name for name in (wait_for or names) if name in embedded)
    status = read_status(settings)
    if not embedded:
        return status
    if status.supervisor.alive():
        _refuse_missing(status, embedded)
        _ask_for(status, embedded)
        return _wait_until_ready(settings, waited, None, progress)
    starting = start_supervisor(settings, embedded, tether)
    try:
        return _wait_until_ready(settings, waited, starting, progress)
    except BaseException:
        # Only the supervisor that was started here, and what it keeps; never another one's.
        found = read_status(settings)
        ours = found.supervisor == starting.identity
        _end(starting.identity, found.processes if ours else ())
        raise
    finally:
        starting.close()


def _end(leader: Identity, followers: tuple[Identity, ...]) -> None:
    leader.kill(signal.SIGTERM)
    deadline = time.monotonic() + DOWN_SECONDS_MAX
    everybody = (leader, *followers)
    while any(process.alive() for process in everybody):
        if time.monotonic() > deadline:
            for process in everybody:
                process.kill(signal.SIGKILL)
        time.sleep(POLL_SECONDS)


def down(settings: Settings) -> bool:
    """Stop the stack and return once no process of it is left; say whether one ran."""
    status = read_status(settings)
    ran = status.supervisor.alive()
    _end(status.supervisor, status.processes)
    return ran


def reset(settings: Settings) -> list[Path]:
    """Stop the stack and remove its data, and nothing but its data; return what was removed."""
    down(settings)
    home = settings.home.resolve()
    make_directory(home)
    lock = try_lock(home / "lock")
    if lock is None:
        raise StackFault(f"{home}: a stack is being started there; run `genoflow down` first")
    removed = [home / name for name in HOME_ENTRIES if (home / name).exists()]
    try:
        for path in removed:
            if path.is_dir():
                remove_tree(path)
            else:
                path.unlink()
    except OSError as error:
        raise fault_of(error, home, "remove what is left of it by hand") from error
    finally:
        os.close(lock)
    return removed


async def probe_external(settings: Settings, status: StackStatus) -> StackStatus:
    """Ask every external service whether it answers, and return the status with the answers."""
    services = dict(status.services)
    servers = {service.name: service for service in supervisor.build_services(settings, SERVICES)}
    for name, service in status.services.items():
        if service.state is State.EXTERNAL:
            try:
                await servers[name].probe(service.address)
            except NotReady as reason:
                services[name] = ServiceStatus(
                    name, State.UNREACHABLE, service.address, None, str(reason)
                )
    return StackStatus(status.home, services, status.supervisor, status.processes)


def wait_until_external_answer(settings: Settings) -> StackStatus:
    """Return once every service that the settings name answers, or say which does not."""
    deadline = time.monotonic() + START_SECONDS_MAX
    while True:
        status = asyncio.run(probe_external(settings, read_status(settings)))
        silent = [s for s in status.services.values() if s.state is State.UNREACHABLE]
        if not silent:
            return status
        if time.monotonic() > deadline:
            raise StackFault(
                f"{silent[0].name}: {silent[0].detail}; start it, or unset "
                f"GENOFLOW_{silent[0].name.upper()} to use an embedded one"
            )
        time.sleep(POLL_SECONDS)


class LocalStack:
    """A stack that lives as long as its `async with` block, and no longer than its process."""

    def __init__(self, settings: Settings, names: tuple[str, ...] = SERVICES) -> None:
        self.settings = settings
        self.names = names
        self._hold: int | None = None

    async def __aenter__(self) -> Self:
        """Start the services and return once they are ready."""
        tether, self._hold = os.pipe()
        try:
            await asyncio.to_thread(up, self.settings, self.names, tether=tether)
        except BaseException:
            os.close(self._hold)
            raise
        finally:
            os.close(tether)
        return self

    @property
    def status(self) -> StackStatus:
        """The state of the stack now."""
        return read_status(self.settings)

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop the services and return once they are gone."""
        if self._hold is not None:
            os.close(self._hold)
        await asyncio.to_thread(down, self.settings)
