"""Keeping one service: started, asked until it answers, started again when it ends, ended."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path

from genoflow.deploy.local.files import (
    disk_complaint,
    fault_of,
    free_port,
    port_is_free,
    tail,
    write_atomically,
)
from genoflow.deploy.local.process import Identity, Leashed, identify
from genoflow.deploy.local.service import NotReady, Service
from genoflow.deploy.local.state import (
    NOBODY,
    PROGRAMS,
    SERVICES,
    ServiceStatus,
    StackStatus,
    State,
    external_addresses,
    write_state,
)
from genoflow.deploy.settings import Settings
from genoflow.events.errors import StackFault

START_SECONDS_MAX = 120.0  # Kafka is ready in 2 s; after a crash it reads its last segments again
PROBE_EVERY_SECONDS = 0.05
RESTARTS_MAX = 5
FIRST_RESTARTS_MAX = 2  # it never answered: a port lost in a race is worth two tries, no more
BACKOFF_SECONDS = 0.2  # doubled each time: 0.2 + 0.4 + 0.8 + 1.6 + 3.2 = 6.2 s until it has failed
STABLE_SECONDS = 60.0  # a service that ran this long has recovered: the count starts anew
SAVE_AGAIN_SECONDS = 1.0


class Ports:
    """The ports of a home: the same ones after a restart, as long as nobody else took them."""

    def __init__(self, home: Path) -> None:
        self._path = home / "ports.json"
        self._kept: dict[str, list[int]] = {}
        if self._path.exists():
            self._kept = json.loads(self._path.read_text(encoding="utf-8"))

    def choose(self, service: Service) -> tuple[int, ...]:
        """Return free ports for the service, the ones that it had before where possible."""
        ports = self._kept.get(service.name, [])
        if len(ports) != service.port_count or not all(port_is_free(port) for port in ports):
            others = {port for kept in self._kept.values() for port in kept}
            chosen: list[int] = []
            while len(chosen) < service.port_count:
                port = free_port()
                if port not in others and port not in chosen:
                    chosen.append(port)
            self._kept[service.name] = ports = chosen
            write_atomically(self._path, json.dumps(self._kept))
        return tuple(ports)


class Board:
    """The state of all services, kept in the file that `genoflow status` reads."""

    def __init__(
        self,
        settings: Settings,
        names: tuple[str, ...],
        supervisor: Identity,
        log: Callable[[str], None],
    ) -> None:
        external = external_addresses(settings)
        self._home = settings.home.resolve()
        self._supervisor = supervisor
        self._log = log
        self._processes: dict[str, tuple[Identity, ...]] = {}
        self._unsaved = False
        self._services = {
            name: ServiceStatus(name, State.EXTERNAL, external[name])
            if name in external
            else ServiceStatus(name, State.PREPARING if name in names else State.STOPPED)
            for name in (*SERVICES, *PROGRAMS)
        }

    @property
    def home(self) -> Path:
        """The home whose services these are."""
        return self._home

    def say(self, status: ServiceStatus, processes: tuple[Identity, ...] = ()) -> None:
        """Note a service's state and the processes that belong to it."""
        before = self._services[status.name]
        self._services[status.name] = status
        self._processes[status.name] = processes
        if before.state != status.state:
            self._log(f"{status.name}: {status.state} {status.detail}".rstrip())
        self.save()

    def open(self, left: tuple[Identity, ...]) -> None:
        """Write the state file for the first time, or fail: nobody would see what happens.

        What a dead supervisor left stays named until it is gone, should this one die as well.
        """
        write_state(StackStatus(self._home, self._services, self._supervisor, left))

    def save(self) -> None:
        """Write the state file now, or note that it has to be written once there is room."""
        processes = tuple(one for some in self._processes.values() for one in some)
        try:
            write_state(StackStatus(self._home, self._services, self._supervisor, processes))
        except OSError as error:
            if not self._unsaved:
                self._log(f"{fault_of(error, self._home, 'make it writable')}")
            # A full disk must not end the servers that keep the data: the state is late, not lost.
            self._unsaved = True
        else:
            self._unsaved = False

    async def keep_saved(self) -> None:
        """Write the state file again as long as it could not be written."""
        while True:
            await asyncio.sleep(SAVE_AGAIN_SECONDS)
            if self._unsaved:
                self.save()

    def close(self) -> None:
        """Say that no supervisor runs any more."""
        self._supervisor = NOBODY
        self.save()


class Keeper:
    """Keeps one service running until it is cancelled."""

    def __init__(self, service: Service, board: Board, ports: Ports, home: Path) -> None:
        self._service = service
        self._board = board
        self._ports = ports
        self._log_path = home / "logs" / f"{service.name}.log"
        self._home = home
        self._address = ""
        self._ready_at: float | None = None

    def _say(self, state: State, detail: str = "", process: Leashed | None = None) -> None:
        alive = () if process is None else (process.leash, identify(process.pid))
        pid = None if process is None else process.pid
        name = self._service.name
        self._board.say(ServiceStatus(name, state, self._address, pid, detail), alive)

    async def run(self) -> None:
        """Fetch, prepare and keep the service; a fault is its state, not the stack's end."""
        self._say(State.PREPARING)
        try:
            await self._service.fetch(lambda text: self._say(State.BUILDING, text))
            self._say(State.PREPARING)
            await self._service.prepare()
            await self._keep()
        except StackFault as fault:
            self._say(State.FAILED, str(fault))
        except OSError as error:
            way_out = "mend what it names, then run `genoflow down` and `genoflow up`"
            self._say(State.FAILED, str(fault_of(error, self._home, way_out)))
        await asyncio.Event().wait()  # a failed service stays failed until the stack is stopped

    def _fault(self, fact: str) -> StackFault:
        mend = "mend what it names, then run `genoflow down` and `genoflow up`"
        way_out = disk_complaint(self._home) or mend
        name, log = self._service.name, self._log_path
        return StackFault(f"{name}: {fact}; the end of {log}:\n{tail(log)}\n{way_out}")

    async def _keep(self) -> None:
        loop = asyncio.get_running_loop()
        failures, failures_max = 0, FIRST_RESTARTS_MAX
        while True:
            code = await self._run_once()
            if self._ready_at is not None:
                failures_max = RESTARTS_MAX
                if loop.time() - self._ready_at > STABLE_SECONDS:
                    failures = 0
            failures += 1
            if failures > failures_max:
                raise self._fault(f"ended {failures} times, last with exit code {code}")
            self._say(State.STARTING, f"ended with exit code {code}, is started again")
            await asyncio.sleep(BACKOFF_SECONDS * 2 ** (failures - 1))
            await self._service.prepare()

    async def _run_once(self) -> int:
        ports = self._ports.choose(self._service)
        self._address = self._service.address(ports)
        self._ready_at = None
        with self._log_path.open("ab") as log:
            process = await Leashed.start(self._service.launch(ports), log.fileno())
        ended = asyncio.create_task(process.wait())
        try:
            self._say(State.STARTING, process=process)
            await self._until_ready(process, ended)
            return await ended
        finally:
            await process.stop()

    async def _until_ready(self, process: Leashed, ended: asyncio.Task[int]) -> None:
        loop = asyncio.get_running_loop()
        deadline = loop.time() + START_SECONDS_MAX
        while not ended.done():
            try:
                await self._service.probe(self._address)
            except NotReady as reason:
                if loop.time() > deadline:
                    fact = f"no answer within {START_SECONDS_MAX:.0f} s ({reason})"
                    raise self._fault(fact) from reason
                await asyncio.wait({ended}, timeout=PROBE_EVERY_SECONDS)
            else:
                if not ended.done():
                    self._ready_at = loop.time()
                    self._say(State.READY, process=process)
                return
