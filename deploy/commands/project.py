"""`genoflow project [NAME…]` and `genoflow projection …`: read models fed, shown, built anew."""

from __future__ import annotations

import asyncio
import json
import signal
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from genoflow.deploy.commands.options import AS
from genoflow.deploy.settings import read_settings
from genoflow.deploy.wiring import open_log, open_postgres

if TYPE_CHECKING:
    from genoflow.deploy.projecting import Standing
    from genoflow.projections.rebuild import Change, Rebuilt

VALUE_CHARACTERS_MAX = 60  # of a row that differs: enough to see what it is about


def tell(text: str) -> None:
    """Say how far it is, beside what is asked for."""
    click.echo(f"genoflow: {text}", err=True)


@click.command()
@click.argument("names", nargs=-1, metavar="[NAME]...")
@click.option("--once", is_flag=True, help="come to the end of the log, then end")
def project(names: tuple[str, ...], once: bool) -> None:
    """Feed these read models, all of them without one, until told to stop.

    A second one waits beside the first, and goes on where that one ends. Postgres or Kafka may go
    away and come back: rows and position move together, so nothing is lost or told twice.
    """
    from genoflow.deploy.garbage import settle
    from genoflow.deploy.observed.read_models import ObservedReadModels
    from genoflow.deploy.observed.watched import watched
    from genoflow.deploy.projecting import chosen, feed
    from genoflow.projections.runner import bring_up

    models = chosen(names)
    settings = read_settings()
    settle()

    async def run() -> None:
        if once:
            async with open_log(settings) as log, open_postgres(settings) as connection:
                count = await bring_up(log, log.codec, connection, models)
            click.echo(f"{len(models)} read models are at the end of the log: {count:,} records")
            return
        stop = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
        async with watched(settings, ObservedReadModels(settings, models), "project") as place:
            if place is not None:
                tell(f"tells its figures at http://{place}/metrics")
            await feed(settings, models, stop, tell)

    asyncio.run(run())


@click.group()
def projection() -> None:
    """Look after read models: how far they are, what they left out, and how to build them anew."""


@projection.command(name="list")
@click.option("--json", "as_json", is_flag=True, help="for programs")
def list_projections(as_json: bool) -> None:
    """Show every read model with its build, its place, its lag, and what was set aside."""
    from genoflow.deploy.projecting import standings

    async def ask() -> list[Standing]:
        async with open_log(read_settings()) as log, open_postgres(read_settings()) as connection:
            return await standings(log, connection)

    found = asyncio.run(ask())
    if as_json:
        click.echo(json.dumps([asdict(one) for one in found], indent=2, default=str))
        return
    width = max(len(one.build) for one in found)
    for one in found:
        aside = f", {one.set_aside:,} events set aside" if one.set_aside else ""
        click.echo(
            f"{one.build:<{width}}  version {one.version}  {one.state}  "
            f"{one.records:,} read, {one.lag:,} behind{aside}"
        )


@projection.command()
@click.argument("name", metavar="NAME")
def aside(name: str) -> None:
    """Show the events of which the rows of NAME tell nothing, and why."""
    from genoflow.deploy.projecting import chosen, set_aside
    from genoflow.events.printable import printable

    model = chosen((name,))[-1]

    async def ask() -> None:
        async with open_postgres(read_settings()) as connection:
            for one in await set_aside(connection, model):
                place = f"{one['topic']}[{one['partition']}]@{one['log_offset']}"
                click.echo(printable(f"{place}  {one['type']}  {one['subject']}: {one['cause']}"))

    asyncio.run(ask())


@projection.command()
@click.argument("name", metavar="NAME")
@click.option("--diff", is_flag=True, help="show rows that become others, and why")
@click.option("--reason", default="asked for", show_default=True, help="why it is built anew")
@click.option("--keep", is_flag=True, help="keep the tables of the build before")
@AS
def rebuild(name: str, diff: bool, reason: str, keep: bool, person: str | None) -> None:
    """Build NAME anew beside what readers see, compare the rows, and switch at once."""
    from genoflow.deploy.garbage import settle
    from genoflow.deploy.people import os_user
    from genoflow.deploy.projecting import chosen, tell_of_switches
    from genoflow.projections.rebuild import rebuild as built_anew
    from genoflow.projections.runner import bring_up
    from genoflow.projections.store import drop_build

    models = chosen((name,))
    settle()
    said = {"person": person or os_user(), "reason": reason}

    async def run() -> Rebuilt:
        settings = read_settings()
        async with open_log(settings) as log, open_postgres(settings) as connection:
            # States are fetched from the audit trail, so that has to be as far as the rest.
            await bring_up(log, log.codec, connection, models[:-1])
            done = await built_anew(log, log.codec, connection, models[-1], tell, said=said)
            await tell_of_switches(log, connection)
            if not keep:
                await drop_build(connection, done.before.name)
        return done

    print_rebuilt(asyncio.run(run()), diff=diff, now="readers see it now")


@projection.command()
@click.argument("build", metavar="BUILD")
def drop(build: str) -> None:
    """Throw away the tables of a build that readers do not see."""
    from genoflow.projections.store import drop_build

    async def run() -> None:
        async with open_postgres(read_settings()) as connection:
            await drop_build(connection, build)

    asyncio.run(run())
    click.echo(f"{build}: dropped")


def print_rebuilt(done: Rebuilt, *, diff: bool, now: str) -> None:
    """Say how much was compared, how much of it differs, and `now`: what became of it."""
    found = done.comparison
    click.echo(
        f"{done.build.name}: {done.records:,} records, {found.rows:,} rows compared with "
        f"{done.before.name}, {found.changed:,} of them differ; {now}"
    )
    for table, sha256 in found.sha256.items():
        click.echo(f"  {table}  sha256 {sha256}")
    if diff:
        for change in found.examples:
            _print_change(change)


def _print_change(change: Change) -> None:
    from genoflow.events.printable import printable

    key = ", ".join(f"{name} {value}" for name, value in change.key.items())
    click.echo(printable(f"  {change.table}  {key}  because of {change.because}"))
    for name in change.after or change.before or ():
        before, after = ((row or {}).get(name, "no row") for row in (change.before, change.after))
        click.echo(printable(f"    {name}: {_short(before)} → {_short(after)}"))


def _short(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False, default=str)
    if len(text) <= VALUE_CHARACTERS_MAX:
        return text
    return text[: VALUE_CHARACTERS_MAX - 1] + "…"
