"""`genoflow catalog configuration`: parameters of pipelines, checked, saved and listed."""

from __future__ import annotations

import asyncio
import json
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TextIO

import click

from genoflow.deploy.commands.options import AS, PIPELINES
from genoflow.deploy.settings import read_settings
from genoflow.deploy.wiring import open_log

if TYPE_CHECKING:
    from genoflow.api.desks import Checked
    from genoflow.events.configuration_saved import ConfigurationSaved

EXIT_FAULT = 1
PIPELINE = click.argument("pipeline", metavar="PIPELINE")
PARAMETERS = click.argument("file", metavar="FILE", type=click.File("r", encoding="utf-8"))
VERSION = click.option("--pipeline-version", help="the one it is for; else whichever is active")


@click.group()
def configuration() -> None:
    """Keep parameters of a pipeline under a name, once the pipeline's schema takes them."""


@configuration.command()
@PIPELINE
@PARAMETERS
@click.option("--name", required=True, help="the same name again is a new version")
@VERSION
@AS
def save(
    pipeline: str, file: TextIO, name: str, pipeline_version: str | None, person: str | None
) -> None:
    """Save the parameters in FILE, one JSON object (- is standard input), for PIPELINE."""
    fact = asyncio.run(_save(pipeline, _wish(file, name, pipeline_version), person))
    click.echo(f"{fact.title} {fact.version} of {fact.pipeline} is saved as {fact.document_id}")


@configuration.command()
@PIPELINE
@PARAMETERS
@VERSION
def check(pipeline: str, file: TextIO, pipeline_version: str | None) -> None:
    """Say everything for which PIPELINE would not take the parameters in FILE; save nothing."""
    found = asyncio.run(_check(pipeline, _wish(file, "checked", pipeline_version)))
    for fault in found.faults:
        click.echo(fault)
    if found.faults:
        sys.exit(EXIT_FAULT)
    click.echo(f"{pipeline} {found.pipeline_version} takes these")


@configuration.command(name="list")
@click.option("--pipeline", help="of this one")
@click.option("--json", "as_json", is_flag=True, help="for programs")
def list_configurations(pipeline: str | None, as_json: bool) -> None:
    """Show the newest version of every configuration."""
    found = asyncio.run(_saved(pipeline))
    if as_json:
        rows = [one.payload() for one in found]
        click.echo(json.dumps({"configurations": rows}, indent=2, ensure_ascii=False))
        return
    if not found:
        click.echo("none is saved; `genoflow catalog configuration save` does it")
    for one in found:
        click.echo(
            f"{one.document_id}  {one.pipeline:<20}{one.title:<24}{one.version:<6}"
            f"{one.parameters_json}"
        )


@configuration.command()
@click.argument("pipeline", metavar="PIPELINE", type=click.Choice(PIPELINES))
def presets(pipeline: str) -> None:
    """Print the configurations that a pipeline of the package brings, for `catalog publish`."""
    from genoflow.deploy.pipelines import preset_documents

    click.echo(json.dumps(preset_documents(pipeline), indent=2))


def _wish(file: TextIO, name: str, pipeline_version: str | None) -> dict[str, Any]:
    from genoflow.deploy.configuration_desk import wish_of

    return {
        "name": name, "parameters": wish_of(file.read()), "pipeline_version": pipeline_version,
    }  # fmt: skip


async def _save(pipeline: str, wish: dict[str, Any], person: str | None) -> ConfigurationSaved:
    from genoflow.deploy.configuration_desk import LogConfigurations
    from genoflow.deploy.people import saying

    settings = read_settings()
    async with open_log(settings) as log:
        desk = LogConfigurations(log, settings.person_patterns)
        return await desk.save(pipeline, wish, saying(person, datetime.now(UTC)), log.append)


async def _check(pipeline: str, wish: dict[str, Any]) -> Checked:
    from genoflow.deploy.configuration_desk import LogConfigurations

    settings = read_settings()
    async with open_log(settings) as log:
        return await LogConfigurations(log, settings.person_patterns).check(pipeline, wish)


async def _saved(pipeline: str | None) -> list[ConfigurationSaved]:
    from genoflow.deploy.configuration_desk import LogConfigurations

    settings = read_settings()
    async with open_log(settings) as log:
        return await LogConfigurations(log, settings.person_patterns).saved(pipeline)
