"""What a stack says about itself: one file that the supervisor writes and everybody else reads."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path
from typing import Any

from genoflow.deploy.local.files import disk_complaint, write_atomically
from genoflow.deploy.local.process import Identity
from genoflow.deploy.settings import Settings

SERVICES = ("kafka", "postgres", "s3", "registry")
# Of our own, over the servers; a stack is whole without them.
PROGRAMS = ("read-models", "api", "tower")
NOBODY = Identity(0, "")


class State(StrEnum):
    """What a service is doing."""

    STOPPED = "stopped"
    PREPARING = "preparing"
    BUILDING = "building"  # its programs are being fetched or built
    STARTING = "starting"
    READY = "ready"
    FAILED = "failed"  # it was started again as often as it makes sense
    EXTERNAL = "external"  # the settings name an address: it is not ours to start or stop
    UNREACHABLE = "unreachable"  # external, and it does not answer


@dataclass(frozen=True, slots=True)
class ServiceStatus:
    """One service: where it is and how it is."""

    name: str
    state: State
    address: str = ""
    pid: int | None = None
    detail: str = ""

    @property
    def usable(self) -> bool:
        """Say whether a client can work with it."""
        return self.state in (State.READY, State.EXTERNAL)

    @property
    def settled(self) -> bool:
        """Say whether waiting longer would change nothing."""
        return self.usable or self.state in (State.FAILED, State.UNREACHABLE)

    def as_json(self) -> dict[str, Any]:
        """Return its five facts for `status --json`."""
        return {
            "name": self.name,
            "address": self.address,
            "pid": self.pid,
            "state": self.state.value,
            "detail": self.detail,
        }


@dataclass(frozen=True, slots=True)
class StackStatus:
    """All services of a home, and the supervisor that keeps them."""

    home: Path
    services: dict[str, ServiceStatus]
    supervisor: Identity = NOBODY
    processes: tuple[Identity, ...] = field(default=())  # leashes and servers, to be waited for

    @property
    def ready(self) -> bool:
        """Say whether every service can be worked with."""
        return all(service.usable for service in self.services.values())


def external_addresses(settings: Settings) -> dict[str, str]:
    """Return the addresses that the settings name instead of embedded services."""
    postgres = settings.postgres.get_secret_value() if settings.postgres else None
    named = {
        "kafka": settings.kafka,
        "postgres": postgres,
        "s3": settings.s3,
        "registry": settings.registry,
    }
    return {name: address for name, address in named.items() if address}


def state_path(home: Path) -> Path:
    """Return the file in which the supervisor of this home keeps the stack's state."""
    return home / "stack.json"


def wanted_path(home: Path) -> Path:
    """Return the file that names what a running supervisor is asked to start, too."""
    return home / "run" / "wanted"


def write_state(status: StackStatus) -> None:
    """Replace the state file; a reader sees the old state or the new one."""
    text = json.dumps(
        {
            "supervisor": [status.supervisor.pid, status.supervisor.started],
            "processes": [[process.pid, process.started] for process in status.processes],
            "services": [service.as_json() for service in status.services.values()],
        },
        indent=1,
    )
    write_atomically(state_path(status.home), text, durable=False)


def read_state(home: Path) -> StackStatus | None:
    """Return what the last supervisor of this home wrote, or None where none ever ran."""
    try:
        facts = json.loads(state_path(home).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except ValueError:
        return None  # a power loss may leave it empty: then no process of it lives either
    services = [
        ServiceStatus(**{**service, "state": State(service["state"])})
        for service in facts["services"]
    ]
    return StackStatus(
        home,
        {service.name: service for service in services},
        Identity(*facts["supervisor"]),
        tuple(Identity(*process) for process in facts["processes"]),
    )


def _checked(stack: StackStatus, service: ServiceStatus) -> ServiceStatus:
    # The state is late by a moment, or by as long as a full disk keeps it from being written.
    dead = {process.pid for process in stack.processes if not process.alive()}
    if service.pid is None or service.pid not in dead:
        return service
    if complaint := disk_complaint(stack.home):
        detail = f"{service.name}: its process ended, and {complaint}"
        return replace(service, state=State.FAILED, pid=None, detail=detail)
    return replace(service, state=State.STARTING, pid=None, detail="its process ended")


def read_status(settings: Settings) -> StackStatus:
    """Return the state of the stack now: what its supervisor says, or that none runs."""
    home = settings.home.resolve()
    external = external_addresses(settings)
    found = read_state(home)
    alive = found is not None and found.supervisor.alive()
    services = {}
    for name in SERVICES:
        if name in external:
            services[name] = ServiceStatus(name, State.EXTERNAL, external[name])
        elif found is not None and alive and name in found.services:
            services[name] = _checked(found, found.services[name])
        else:
            services[name] = ServiceStatus(name, State.STOPPED)
    if found is not None and alive:
        services |= {
            name: _checked(found, found.services[name])
            for name in PROGRAMS
            if name in found.services and found.services[name].state is not State.STOPPED
        }
    if found is None:
        return StackStatus(home, services)
    return StackStatus(home, services, found.supervisor if alive else NOBODY, found.processes)
