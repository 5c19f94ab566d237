"""`genoflow user first | create | list | disable | enable | passwd | grant | revoke | projects`."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, TypeVar

import click

from genoflow.deploy.commands.options import AS, REASON
from genoflow.deploy.settings import read_settings
from genoflow.events.errors import Refused

if TYPE_CHECKING:
    from genoflow.api.services import Services
    from genoflow.events.envelope import Actor

T = TypeVar("T")
STDIN = click.option(
    "--password-stdin", is_flag=True, help="read the password from standard input, one line"
)
PASSWORD_BYTES_MAX = 4_096  # of standard input: 200 characters and their line's end


@click.group()
def user() -> None:
    """Say who may sign in, and do what."""


@user.command()
@click.option("--name", default="admin", show_default=True, help="of the account")
@AS
def first(name: str, person: str | None) -> None:
    """Make the first administrator, and print the password once; nothing where there is one."""
    made = run(lambda services: services.accounts.first(actor(person), name))
    if made is None:
        click.echo("there is an administrator already; see `genoflow user list`")
        return
    account, password = made
    click.echo(f"{account.username}: created, admin")
    click.echo(f"its password, shown only now: {password}")


@user.command()
@click.argument("name", metavar="NAME")
@click.option("--role", "names", multiple=True, help="admin, clinician …; more than one is fine")
@click.option("--no-password", is_flag=True, help="a program: it can only be used through keys")
@STDIN
@AS
def create(
    name: str, names: tuple[str, ...], no_password: bool, password_stdin: bool, person: str | None
) -> None:
    """Create an account. Its password is made here and printed once, unless it is given."""
    from genoflow.api.identity.passwords import generated
    from genoflow.api.identity.permissions import role_named

    if no_password and password_stdin:
        raise Refused("--no-password and --password-stdin contradict each other; give one")
    roles = frozenset(role_named(one) for one in names)
    password = None if no_password else _given() if password_stdin else generated()
    account = run(lambda one: one.accounts.create(name, password, roles, actor(person)))
    click.echo(f"{account.username}: created, {', '.join(sorted(roles)) or 'no role'}")
    if password is not None and not password_stdin:
        click.echo(f"its password, shown only now: {password}")


@user.command(name="list")
def list_users() -> None:
    """List every account with its roles."""
    for account in run(lambda services: services.accounts.all()):
        state = "disabled" if account.disabled_at else "in force"
        roles = ", ".join(sorted(account.roles)) or "no role"
        shown = f"  sees {', '.join(account.projects)}" if account.projects else ""
        click.echo(f"{account.username}  {state}  {roles}  {account.account_id}{shown}")


@user.command()
@click.argument("name", metavar="NAME")
@REASON
@AS
def disable(name: str, reason: str, person: str | None) -> None:
    """Let an account in no more: its sessions, its keys and its roles end now."""
    check_words(reason)
    new = run(lambda services: services.accounts.disable(name, reason, actor(person)))
    click.echo(f"{name}: {'disabled' if new else 'was disabled before'}")


@user.command()
@click.argument("name", metavar="NAME")
def enable(name: str) -> None:
    """Let a disabled account in again, with its old password and no role."""
    new = run(lambda services: services.accounts.enable(name))
    click.echo(f"{name}: {'enabled, with no role' if new else 'was not disabled'}")


@user.command()
@click.argument("name", metavar="NAME")
@STDIN
def passwd(name: str, password_stdin: bool) -> None:
    """Give an account a new password, and end its sessions."""
    from genoflow.api.identity.passwords import generated

    password = _given() if password_stdin else generated()
    run(lambda services: services.accounts.set_password(name, password))
    click.echo(f"{name}: has a new password, and its sessions have ended")
    if not password_stdin:
        click.echo(f"its password, shown only now: {password}")


@user.command()
@click.argument("name", metavar="NAME")
@click.argument("role", metavar="ROLE")
@AS
def grant(name: str, role: str, person: str | None) -> None:
    """Give an account a role."""
    from genoflow.api.identity.permissions import role_named

    granted = role_named(role)
    new = run(lambda services: services.accounts.grant(name, granted, actor(person)))
    click.echo(f"{name}: {'is now' if new else 'was before'} {granted}")


@user.command()
@click.argument("name", metavar="NAME")
@click.argument("role", metavar="ROLE")
@REASON
@AS
def revoke(name: str, role: str, reason: str, person: str | None) -> None:
    """Take a role from an account."""
    from genoflow.api.identity.permissions import role_named

    check_words(reason)
    gone = role_named(role)
    held = run(lambda services: services.accounts.revoke(name, gone, reason, actor(person)))
    click.echo(f"{name}: {'is no more' if held else 'was not'} {gone}")


@user.command()
@click.argument("name", metavar="NAME")
@click.option("--add", "added", multiple=True, help="a project to show; more than one is fine")
@click.option("--remove", "removed", multiple=True, help="a project to show no more")
@click.option("--reason", default="asked for", show_default=True, help="why one is removed")
@AS
def projects(
    name: str, added: tuple[str, ...], removed: tuple[str, ...], reason: str, person: str | None
) -> None:
    """Say which projects are shown to a partner; without options, list them.

    Who works in the lab or audits it sees every project that its roles let it see.
    """
    check_words(reason)
    for project in added:
        _check_project(project)
    if both := set(added) & set(removed):
        raise Refused(f"{min(both)}: is to be added and removed; say one of the two")

    async def change(services: Services) -> tuple[str, ...]:
        accounts = services.accounts
        for project in dict.fromkeys(added):
            await accounts.show_project(name, project, actor(person))
        for project in dict.fromkeys(removed):
            await accounts.hide_project(name, project, reason, actor(person))
        return (await accounts.find(name)).projects

    shown = run(change)
    click.echo(f"{name}: {'sees ' + ', '.join(shown) if shown else 'sees no project'}")


def _check_project(project: str) -> None:
    """Refused where no project can be called so, or where it names a person."""
    from pydantic import TypeAdapter, ValidationError

    from genoflow.events.types import ProjectId

    check_words(project)
    try:
        TypeAdapter(ProjectId).validate_python(project)
    except ValidationError as error:
        said = error.errors(include_url=False)[0]["msg"]
        raise Refused(f"{project!r}: is no id of a project; {said}") from error


def actor(person: str | None) -> Actor:
    """Who decides at this command line, as it stands in the envelope."""
    from pydantic import ValidationError

    from genoflow.deploy.people import os_user
    from genoflow.events.envelope import Actor
    from genoflow.events.event import explain

    check_words(person or "")
    try:
        return Actor(kind="person", id=person or os_user())
    except ValidationError as error:
        raise Refused(explain("--as", error)) from error


def check_words(text: str) -> None:
    """Refused where a text that goes to the log holds an identifier of a person, or is none."""
    from genoflow.events.types import TEXT_CHARACTERS_MAX
    from genoflow.processors.intake.privacy import PrivacyGuard, identifier_fault

    number = PrivacyGuard(read_settings().person_patterns).finds(text)
    if number is not None:
        raise Refused(f"what was given {identifier_fault(number)}")
    if len(text) > TEXT_CHARACTERS_MAX or "\x00" in text:
        raise Refused(f"a reason has {TEXT_CHARACTERS_MAX:,} characters at most; say it shorter")


def run(work: Callable[[Services], Awaitable[T]]) -> T:
    """Do one piece of work with the services of this deployment."""
    from genoflow.deploy.api_services import open_services

    async def within() -> T:
        async with open_services(read_settings()) as services:
            return await work(services)

    return asyncio.run(within())


def _given() -> str:
    read = sys.stdin.buffer.read(PASSWORD_BYTES_MAX)
    try:
        return read.decode().rstrip("\r\n")
    except UnicodeDecodeError as error:
        raise Refused("the password on standard input is no UTF-8") from error
