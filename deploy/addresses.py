"""Where every service is: the settings win, else the stack that runs on this machine."""

from __future__ import annotations

from dataclasses import dataclass, field

from genoflow.deploy.local.servers.s3 import secret_key
from genoflow.deploy.local.state import read_status
from genoflow.deploy.settings import Settings
from genoflow.events.errors import StackFault


@dataclass(frozen=True, slots=True)
class Addresses:
    """What the clients of one deployment connect to; empty where a service was not asked for."""

    kafka: str = ""
    postgres: str = field(default="", repr=False)  # it holds the password
    s3: str = ""
    registry: str = ""
    s3_access_key: str = field(default="", repr=False)
    s3_secret_key: str = field(default="", repr=False)
    s3_region: str = ""


def resolve(
    settings: Settings, needed: tuple[str, ...] = ("kafka", "postgres", "s3", "registry")
) -> Addresses:
    """Return the addresses of the needed services, or say which is missing and how to get it."""
    services = read_status(settings).services
    found: dict[str, str] = {}
    for name in needed:
        service = services[name]
        if not service.usable:
            raise StackFault(
                f"no {name}: it is {service.state}; run `genoflow up`, "
                f"or set GENOFLOW_{name.upper()} to an existing server"
            )
        found[name] = service.address
    if "s3" not in needed:
        return Addresses(**found)
    # A server of our own has its own secret; an existing one has what the settings say.
    named = settings.s3_secret_key.get_secret_value()
    return Addresses(
        **found,
        s3_access_key=settings.s3_access_key.get_secret_value(),
        s3_secret_key=named if settings.s3 else secret_key(settings),
        s3_region=settings.s3_region,
    )
