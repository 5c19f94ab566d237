"""`genoflow up | down | status | reset | doctor`: the embedded servers from the command line."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable

import click

from genoflow.deploy.local import stack
from genoflow.deploy.local.state import StackStatus, State, read_status
from genoflow.deploy.settings import Settings, read_settings

BUILD_PAUSE_SECONDS = 5.0  # a build of a minute and a half tells itself in twenty lines
EXIT_NOT_READY = 3  # as systemd's status: the program runs, the service does not


def _table(status: StackStatus, settings: Settings) -> list[str]:
    lines = []
    for service in status.services.values():
        address = service.address
        if service.name == "postgres" and settings.postgres is not None:
            address = str(settings.postgres)  # an existing server's password is not for a screen
        pid = str(service.pid or "")
        lines.append(f"{service.name:<13}{service.state.value:<13}{pid:>8}  {address}".rstrip())
        if service.detail:
            lines.append(f"{'':<13}{service.detail.splitlines()[0]}")
    return lines


def _as_json(status: StackStatus, settings: Settings) -> str:
    services = [service.as_json() for service in status.services.values()]
    for service in services:
        if service["name"] == "postgres" and settings.postgres is not None:
            service["address"] = str(settings.postgres)
    return json.dumps({"home": str(status.home), "services": services}, indent=2)


def print_progress() -> Callable[[StackStatus], None]:
    """Return a listener that prints each change of a service once, with the seconds so far.

    A build changes with every package: a line every few seconds says as much.
    """
    started = time.monotonic()
    seen: dict[str, str] = {}
    silent_until: dict[str, float] = {}

    def listen(status: StackStatus) -> None:
        now = time.monotonic()
        for service in status.services.values():
            words = f"{service.state.value:<9} {service.detail.partition(chr(10))[0]}".rstrip()
            if service.state in (State.STOPPED, State.EXTERNAL) or seen.get(service.name) == words:
                continue
            if service.state is State.BUILDING:
                if now < silent_until.get(service.name, 0.0):
                    continue
                silent_until[service.name] = now + BUILD_PAUSE_SECONDS
            seen[service.name] = words
            click.echo(f"{now - started:6.1f} s  {service.name:<13}{words}", err=True)

    return listen


@click.command()
def up() -> None:
    """Start the embedded servers, or find them running, and print where they are.

    A server whose address is in the settings is not started.
    """
    settings = read_settings()
    status = stack.up(settings, progress=print_progress())
    status = asyncio.run(stack.probe_external(settings, status))
    from genoflow.deploy.wiring import ensure_raw_bucket

    ensure_raw_bucket(settings)
    for line in _table(status, settings):
        click.echo(line)
    tell_of_first_admin(settings)


def tell_of_first_admin(settings: Settings) -> None:
    """Make the first administrator of an embedded database, and show its password this once.

    It goes to standard error, so that what a script keeps of the output holds no password.
    """
    from genoflow.deploy.first_admin import make_first_admin

    if settings.postgres is not None:
        return  # somebody else's database: `genoflow serve` says that it knows nobody
    made = asyncio.run(make_first_admin(settings))
    for sentence in made.sentences() if made else ():
        click.echo(sentence, err=True)


@click.command()
def down() -> None:
    """Stop the embedded servers. Their data stays."""
    settings = read_settings()
    ran = stack.down(settings)
    click.echo("stopped" if ran else f"nothing runs in {settings.home}")


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def status(as_json: bool) -> int:
    """Show every server with its address, process id and state; exit 3 unless all are ready."""
    settings = read_settings()
    found = asyncio.run(stack.probe_external(settings, read_status(settings)))
    if as_json:
        click.echo(_as_json(found, settings))
    else:
        for line in _table(found, settings):
            click.echo(line)
    return 0 if found.ready else EXIT_NOT_READY


@click.command()
@click.option("--yes", is_flag=True, help="Do not ask.")
def reset(yes: bool) -> int:
    """Stop the embedded servers and remove their data: every event, row and object."""
    settings = read_settings()
    home = settings.home.resolve()
    question = f"Remove every event, row and object under {home}?"
    if not yes and not click.confirm(question, err=True):
        click.echo("nothing was removed", err=True)
        return 1
    removed = stack.reset(settings)
    click.echo(f"removed {len(removed)} entries of {home}" if removed else f"{home} is empty")
    return 0


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def doctor(as_json: bool) -> int:
    """Check what this machine provides, and say how to get what is missing."""
    from genoflow.deploy.local.doctor import Level, examine

    findings = asyncio.run(examine(read_settings()))
    if as_json:
        facts = [{"name": one.name, "level": one.level.value, "text": one.text} for one in findings]
        click.echo(json.dumps({"findings": facts}, indent=2))
    else:
        for one in findings:
            click.echo(f"{one.level.value:<6}{one.name:<16}{one.text}")
    return 1 if any(one.level is Level.FAIL for one in findings) else 0
