"""`genoflow alerts list | show | acknowledge | resolve | test`: what needs a person, who looks."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

import click

from genoflow.deploy.commands.ask import AS_JSON, LIMIT_DEFAULT, to_stderr
from genoflow.deploy.commands.options import Decision, deciding
from genoflow.deploy.settings import read_settings
from genoflow.deploy.wiring import open_log
from genoflow.events.errors import NotThere

if TYPE_CHECKING:
    from genoflow.api.desks import Decided
    from genoflow.deploy.subject import LogSubjects
    from genoflow.events.event import Event

STATES = ("raised", "acknowledged", "resolved")
SEVERITIES = ("info", "warning", "critical")
KINDS = ("late", "missing", "rate", "drift", "event")
DECIDING = deciding("operator")
ALERT = click.argument("alert_id", metavar="ID", type=click.UUID)
Say = Callable[["LogSubjects", UUID, "Decided"], Awaitable["tuple[Event, bool]"]]
Filters = dict[str, str | None]


@click.group()
def alerts() -> None:
    """Look at alerts, take them up, and say when they are over."""


@alerts.command(name="list")
@click.option("--state", type=click.Choice(STATES), help="of this state alone")
@click.option("--severity", type=click.Choice(SEVERITIES), help="of this severity alone")
@click.option("--rule", help="of this rule alone")
@click.option("--kind", type=click.Choice(KINDS), help="of rules of this kind alone")
@click.option("--subject", help="about this sample, case or run alone")
@click.option(
    "--limit", type=click.IntRange(1, 1_000), default=LIMIT_DEFAULT, show_default=True,
    help="so many at most",
)  # fmt: skip
@AS_JSON
def list_alerts(limit: int, as_json: bool, **filters: str | None) -> None:
    """List alerts, the newest first."""
    found = asyncio.run(_list(limit, filters))
    if as_json:
        click.echo(json.dumps([_plain(one) for one in found], indent=2, ensure_ascii=False))
        return
    from genoflow.events.printable import printable

    for one in found:
        told = f"step {one['step']} of {one['steps']}" if one["steps"] else "-"
        click.echo(
            printable(
                f"{one['alert_id']}  {one['raised_at']:%Y-%m-%d %H:%M}  {one['severity']:<8}  "
                f"{one['state']:<12}  {told:<13}  {one['rule']}: {one['headline']}"
            )
        )
    if not found:
        click.echo("no alert")


@alerts.command()
@ALERT
@AS_JSON
def show(alert_id: UUID, as_json: bool) -> None:
    """Show what is known of an alert as of now."""
    from genoflow.deploy.commands.ask import print_facts

    print_facts(_plain(asyncio.run(_one(alert_id))), as_json)


@alerts.command()
@ALERT
@DECIDING
def acknowledge(alert_id: UUID, decision: Decision) -> None:
    """Say that you look after the alert ID: nobody else is told of it from here on."""
    from genoflow.deploy.alert_desk import acknowledged

    _say(acknowledged, alert_id, decision, "acknowledged")


@alerts.command()
@ALERT
@DECIDING
def resolve(alert_id: UUID, decision: Decision) -> None:
    """Say that the alert ID is over, where the log does not show it by itself."""
    from genoflow.deploy.alert_desk import resolved

    _say(resolved, alert_id, decision, "resolved")


@alerts.command()
@click.argument("rules", metavar="RULES", type=click.Path(exists=True, dir_okay=False))
@click.option(
    "--on",
    "log",
    metavar="LOG",
    required=True,
    type=click.Path(exists=True, dir_okay=False),
    help="a file that `genoflow events export` wrote",
)
@click.option("--until", type=click.DateTime(), help="(UTC) go on waiting until then")
@AS_JSON
def test(rules: str, log: str, until: datetime | None, as_json: bool) -> None:
    """Say what the rules in the file RULES would have said of a log; nothing is published.

    Time goes by as the log has it. What its last records leave open is waited for until then, or
    until the time that is named.
    """
    from pathlib import Path

    from genoflow.deploy.alert_trial import moment, rules_in, tried
    from genoflow.events.printable import printable

    documents = rules_in(Path(rules), read_settings())
    done = asyncio.run(tried(documents, Path(log), moment(until)))
    if as_json:
        click.echo(json.dumps(done.plain(), indent=2, ensure_ascii=False))
        return
    for one in done.plain():
        over = f"over at {one['resolved_at'][:16]}" if one["resolved_at"] else "open"
        part = "  a part" if one["part_of"] else ""
        click.echo(
            printable(
                f"{one['raised_at'][:16]}  {one['severity']:<8}  {over:<24}  {one['rule']} "
                f"({one['group']}): {one['headline']}{part}"
            )
        )
    open_ones = len(done.alerts) - len(done.ends)
    told = sum(one.part_of is None for one in done.alerts)
    click.echo(
        f"{len(done.alerts):,} alerts, {told:,} of which tell somebody; {open_ones:,} are open"
        + (f"; {done.parked:,} records could not be read" if done.parked else "")
    )


def _say(say: Say, alert_id: UUID, decision: Decision, verb: str) -> None:
    from genoflow.events.printable import printable

    fact, is_new = asyncio.run(say_of_alert(say, alert_id, decision))
    when = "would be" if decision.dry_run else "is" if is_new else "was already"
    reason = getattr(fact, "reason", "")
    click.echo(printable(f"{alert_id}: {when} {verb} by {fact.envelope.actor.id}: {reason}"))


async def say_of_alert(say: Say, alert_id: UUID, decision: Decision) -> tuple[Event, bool]:
    """What a person says of an alert, appended where it is new."""
    from genoflow.deploy.people import append_said
    from genoflow.deploy.subject import LogSubjects

    settings = read_settings()
    async with open_log(settings) as log:
        fact, is_new = await say(LogSubjects(log), alert_id, decision.decided())
        if is_new:
            await append_said(log, fact, settings.person_patterns, dry_run=decision.dry_run)
    return fact, is_new


async def _list(limit: int, filters: Filters) -> list[dict[str, Any]]:
    from genoflow.deploy.answers import open_rows
    from genoflow.projections.alerts import list_alerts as rows_of

    settings = read_settings()
    async with open_log(settings) as log, open_rows(settings, log, to_stderr) as connection:
        if connection is not None:
            return await rows_of(connection, limit=limit, **filters)  # type: ignore[arg-type]
        found = await _told(log)
    named = {"subject": "subject_key"}
    wanted = {named.get(name, name): value for name, value in filters.items() if value is not None}
    return [one for one in found if all(one[name] == value for name, value in wanted.items())][
        :limit
    ]


async def _one(alert_id: UUID) -> dict[str, Any]:
    from genoflow.deploy.answers import open_rows
    from genoflow.projections.alerts import alert_of

    settings = read_settings()
    async with open_log(settings) as log, open_rows(settings, log, to_stderr) as connection:
        if connection is not None:
            found = await alert_of(connection, alert_id)
        else:
            every = await _told(log)
            found = next((one for one in every if one["alert_id"] == alert_id), None)
    if found is None:
        raise NotThere(
            f"alert {alert_id}: nobody raised it; `genoflow alerts list` shows those that are"
        )
    return found


async def _told(log: Any) -> list[dict[str, Any]]:
    """The rows as the log tells them, where no read model does."""
    from genoflow.deploy.subject import LogSubjects
    from genoflow.events import topics
    from genoflow.projections.alerts import alerts_told

    return await alerts_told(LogSubjects(log).every(topics.ALERT))


PLACE = ("log_topic", "log_partition", "log_offset", "event_id", "recorded_at")


def _plain(row: dict[str, Any]) -> dict[str, Any]:
    shown = {name: value for name, value in row.items() if name not in PLACE}
    for name, value in shown.items():
        if isinstance(value, datetime):
            shown[name] = value.isoformat()
        elif isinstance(value, UUID):
            shown[name] = str(value)
    return shown
