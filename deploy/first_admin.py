"""The first administrator, as the set-up makes it: once, and only where nobody can sign in."""

from __future__ import annotations

from dataclasses import dataclass, field

from genoflow.deploy.api_services import open_services
from genoflow.deploy.people import os_user
from genoflow.deploy.settings import Settings
from genoflow.events.envelope import Actor


@dataclass(frozen=True, slots=True)
class FirstAdmin:
    """What is shown of it once, and kept nowhere."""

    username: str
    password: str = field(repr=False)

    def sentences(self) -> tuple[str, ...]:
        """What the person who set it up has to read."""
        return (
            f"{self.username}: the first administrator was created",
            f"its password, shown only now: {self.password}",
        )


async def make_first_admin(settings: Settings) -> FirstAdmin | None:
    """The first administrator of a database without accounts; none, and no change, otherwise."""
    async with open_services(settings) as services:
        if not await services.accounts.none_yet():
            return None
        made = await services.accounts.first(Actor(kind="person", id=os_user()))
    return None if made is None else FirstAdmin(made[0].username, made[1])
