"""`genoflow key create | list | revoke`: programs speak for an account, within bounds."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING
from uuid import UUID

import click

from genoflow.deploy.commands.options import AS, REASON
from genoflow.deploy.commands.user import actor, check_words, run

if TYPE_CHECKING:
    from genoflow.api.services import Services


@click.group()
def key() -> None:
    """Give programs keys, and take them back."""


@key.command()
@click.argument("account", metavar="ACCOUNT")
@click.option("--name", required=True, help="what it is for, for whoever finds it in the list")
@click.option("--scope", "names", multiple=True, help="samples:read …; more than one is fine")
@click.option("--days", type=int, default=90, show_default=True, help="until it ends by itself")
@AS
def create(account: str, name: str, names: tuple[str, ...], days: int, person: str | None) -> None:
    """Make a key of ACCOUNT, and print it once; it may do what its scopes and its roles allow."""
    from genoflow.api.identity.permissions import scopes_named

    scopes = scopes_named(names)

    async def work(services: Services) -> tuple[UUID, str]:
        found = await services.accounts.find(account)
        return await services.keys.create(found, name, scopes, days, actor(person))

    key_id, made = run(work)
    click.echo(f"{key_id}: created for {account}, {', '.join(scopes)}, {days} days")
    click.echo(f"the key, shown only now: {made}")


@key.command(name="list")
@click.option("--all", "everything", is_flag=True, help="also those that ended")
def list_keys(everything: bool) -> None:
    """List the keys in force, the newest first."""
    now = datetime.now(UTC)
    for one in run(lambda services: services.keys.all()):
        ended = "revoked" if one.revoked_at else "over" if one.expires_at <= now else ""
        if everything or not ended:
            until = ended or f"until {one.expires_at:%Y-%m-%d}"
            scopes = ", ".join(one.scopes)
            click.echo(f"{one.key_id}  {one.hint}…  {one.username}  {until}  {scopes}  {one.name}")


@key.command()
@click.argument("which", metavar="KEY")
@REASON
@AS
def revoke(which: str, reason: str, person: str | None) -> None:
    """End a key now; KEY is its id, or how it begins."""
    check_words(reason)
    new = run(lambda services: services.keys.revoke(which, reason, actor(person)))
    click.echo(f"{which[:8]}…: {'revoked' if new else 'was revoked before'}")
