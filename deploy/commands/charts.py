"""`genoflow charts list | show | restart`: what is normal of quality, and what has drifted."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any
from uuid import UUID

import click

from genoflow.deploy.commands.ask import AS_JSON
from genoflow.deploy.commands.options import Decision, deciding
from genoflow.deploy.settings import read_settings
from genoflow.deploy.wiring import open_log

if TYPE_CHECKING:
    from genoflow.events.quality_chart_restarted import QualityChartRestarted

CHART = click.argument("chart_id", metavar="ID", type=click.UUID)


@click.group()
def charts() -> None:
    """Look at charts of quality over time, and restart one whose new level is the normal one."""


@charts.command(name="list")
@click.option("--metric", help="of this metric alone")
@click.option("--instrument", "instrument_id", help="of this instrument alone")
@click.option("--chemistry", help="of this chemistry alone")
@click.option("--assay", help="of this assay alone")
@click.option("--raised", is_flag=True, help="those alone whose level has moved")
@AS_JSON
def list_charts(raised: bool, as_json: bool, **filters: str | None) -> None:
    """List charts: what is normal, where the level stands, and what is raised."""
    wanted = {name: value for name, value in filters.items() if value is not None}
    found = [
        one
        for one in asyncio.run(_charts())
        if all(one[name] == value for name, value in wanted.items())
        and (one["raised"] or not raised)
    ]
    if as_json:
        told = [{name: value for name, value in one.items() if name != "held"} for one in found]
        click.echo(json.dumps(told, indent=2, ensure_ascii=False))
        return
    for one in found:
        _say(_line(one))
        for run in one["waiting"]:
            _say(f"    {_waits(run)}")
    if not found:
        click.echo("no chart")


@charts.command()
@CHART
@AS_JSON
def show(chart_id: UUID, as_json: bool) -> None:
    """Show a chart with the runs of its last three months, and those that wait."""
    from genoflow.deploy.chart_desk import no_chart

    found = next((one for one in asyncio.run(_charts()) if one["chart_id"] == str(chart_id)), None)
    if found is None:
        raise no_chart(chart_id)
    if as_json:
        click.echo(json.dumps(found, indent=2, ensure_ascii=False))
        return
    _say(_line(found))
    _say(
        f"    CUSUM up {found['up']:.2f}, down {found['down']:.2f}, limit {found['limit']:g}"
        + (f"; restarted {found['restarted_at']:.16}" if found["restarted_at"] else "")
    )
    for one in found["raised"]:
        _say(
            f"    {one['direction']} by {abs(one['shift']):.1f} sigma since run {one['since']}, "
            f"sure with {one['run']}: alerts {', '.join(one['alerts']) or 'none: no rule asks'}"
        )
    for run in found["held"]:
        late = f"  late: {', '.join(run['late'])}" if run["late"] else ""
        _say(f"    {run['settled_at']:.16}  {run['value']:<10.6g}  {run['run']}{late}")
    for run in found["waiting"]:
        _say(f"    {_waits(run)}")


@charts.command()
@CHART
@deciding("operator")
def restart(chart_id: UUID, decision: Decision) -> None:
    """Take what comes for normal: the chart ID begins anew with the runs that start from now on.

    Its alerts are over. Nothing is said of it before its 20th run.
    """
    fact, is_new = asyncio.run(_restart(chart_id, decision))
    when = "would be" if decision.dry_run else "is" if is_new else "was already"
    _say(f"{chart_id}: {when} restarted by {fact.envelope.actor.id}: {fact.reason}")


def _line(one: dict[str, Any]) -> str:
    name = (
        f"{one['metric']} of {one['of']}  {one['instrument_id']} ({one['chemistry']}, "
        f"{one['assay']})"
    )
    if one["centre"] is None:
        state = f"{one['runs']} runs: too few to say anything"
    else:
        state = (
            f"{one['runs']} runs  {one['centre']:.4g} {one['unit']} ({one['low']:.4g} to "
            f"{one['high']:.4g})  level {one['level']:+.2f} sigma"
        )
    raised = "".join(f"  {way['direction']} since {way['since']}" for way in one["raised"])
    return f"{one['chart_id']}  {name}  {state}{raised}"


def _waits(run: dict[str, Any]) -> str:
    of = f" of {run['expected']}" if run["expected"] else ""
    return f"waits: {run['run']}, {run['told']}{of} samples told, the last {run['last_at']:.16}"


def _say(text: str) -> None:
    from genoflow.events.printable import printable

    click.echo(printable(text))


async def _charts() -> list[dict[str, Any]]:
    from genoflow.deploy.chart_desk import needs_tower

    needs_tower()
    from genoflow.deploy.charts_shown import charts_of
    from genoflow.deploy.tower_shown import read_tower

    async with open_log(read_settings()) as log:
        return charts_of(await read_tower(log))


async def _restart(chart_id: UUID, decision: Decision) -> tuple[QualityChartRestarted, bool]:
    from genoflow.deploy.chart_desk import chart_names, restarted
    from genoflow.deploy.people import append_said
    from genoflow.deploy.subject import LogSubjects

    settings = read_settings()
    async with open_log(settings) as log:
        names = await chart_names(log)
        fact, is_new = await restarted(LogSubjects(log), names, chart_id, decision.decided())
        if is_new:
            await append_said(log, fact, settings.person_patterns, dry_run=decision.dry_run)
    return fact, is_new
