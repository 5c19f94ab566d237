"""`genoflow timeline SUBJECT`: what happened to it, from a read model that is current."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import asdict

import click
from rich.console import Console
from rich.text import Text

from genoflow.deploy.answers import open_rows
from genoflow.deploy.settings import Settings, read_settings
from genoflow.deploy.wiring import open_log, open_postgres
from genoflow.events.errors import Refused
from genoflow.events.log.kafka import KafkaLog
from genoflow.projections.audit_trail import AuditTrail
from genoflow.projections.runner import bring_up
from genoflow.projections.timeline import Entry, timeline_of

DETAILS = ("role", "size_bytes", "marker", "read_set_id", "flow_cell_id", "reads", "material")


@click.command()
@click.argument("subject")
@click.option("--json", "as_json", is_flag=True, help="one JSON object a line, with payloads")
def timeline(subject: str, as_json: bool) -> None:
    """Show what happened to SUBJECT (a sample, a run, a case), oldest first."""
    show_timeline(subject, as_json=as_json)


def everything(_: Entry) -> bool:
    """Leave nothing out."""
    return True


def show_timeline(
    subject: str, *, as_json: bool, chosen: Callable[[Entry], bool] = everything
) -> None:
    """Open what the timeline needs, and print those entries of it that are chosen."""

    async def show() -> None:
        settings = read_settings()
        async with open_log(settings) as log:
            await print_timeline(
                settings, log, Console(highlight=False), subject, as_json=as_json, chosen=chosen
            )

    asyncio.run(show())


async def print_timeline(
    settings: Settings,
    log: KafkaLog,
    console: Console,
    subject: str,
    *,
    as_json: bool = False,
    chosen: Callable[[Entry], bool] = everything,
) -> None:
    """Bring the timeline to the end of the log and print what it says of a subject."""
    entries = await _entries(settings, log, subject)
    if not entries:
        raise Refused(
            f"timeline: nothing on the log is about {subject!r}; `genoflow events tail --last 20 "
            f"--no-follow` shows subjects that there are"
        )
    entries = [entry for entry in entries if chosen(entry)]
    if as_json:
        for entry in entries:
            click.echo(json.dumps(asdict(entry), default=str))
        return
    for entry in entries:
        console.print(_line(entry), soft_wrap=True)


async def _entries(settings: Settings, log: KafkaLog, subject: str) -> list[Entry]:
    async with open_rows(settings, log, _quiet) as current:
        if current is not None:
            return await timeline_of(current, subject)
    async with open_postgres(settings) as connection:
        await bring_up(log, log.codec, connection, [AuditTrail()])
        return await timeline_of(connection, subject)


def _quiet(_: str) -> None:
    """Tell nobody: the rows are brought up here, and the answer comes from them all the same."""


def _line(entry: Entry) -> Text:
    return Text.assemble(
        (f"{entry.occurred_at:%Y-%m-%d %H:%M:%S}", "dim"),
        "  ",
        (f"{entry.type:<24}", "bold cyan"),
        f"{entry.subject:<36}",
        (_details(entry), "dim"),
    )


def _details(entry: Entry) -> str:
    payload = entry.payload
    return ", ".join(
        f"{name.replace('_', ' ')} {payload[name]}"
        for name in DETAILS
        if isinstance(payload.get(name), str | int)
    )
