"""`genoflow catalog test | activate | deprecate`: from a draft to what runs take, and out of it."""

from __future__ import annotations

import asyncio
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from genoflow.deploy.commands.options import AS, DRY_RUN, REASON
from genoflow.deploy.settings import read_settings
from genoflow.deploy.wiring import open_log

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from genoflow.deploy.catalog import LogCatalog
    from genoflow.events.event import Event
    from genoflow.events.pipeline_published import PipelinePublished

PIPELINE = click.argument("name", metavar="PIPELINE")
VERSION = click.argument("version", metavar="[VERSION]", required=False)
EXIT_FAULT = 1


@click.command()
@PIPELINE
@VERSION
@AS
@DRY_RUN
def test(name: str, version: str | None, person: str | None, dry_run: bool) -> None:
    """Run the profile `test` of PIPELINE here, and say whether it left what it owes.

    Of VERSION, of the highest one where none is named. A draft that passes is validated. A pipeline
    of the package is given what `genoflow simulate --pipeline` writes, any other brings its own
    material. What Nextflow says goes to standard error.
    """
    from genoflow.deploy.pipeline_life import version_of
    from genoflow.deploy.pipeline_trial import fact_of, tried

    async def found() -> PipelinePublished:
        async with open_log(read_settings()) as log:
            return (await version_of(_catalog(log), name, version))[0]

    document = asyncio.run(found())
    trial = tried(read_settings(), document)
    fact = fact_of(document, trial)

    async def said(_: LogCatalog) -> tuple[str, Event | None]:
        return document.version, fact

    asyncio.run(_say(said, person, dry_run))
    which = f"{name} {document.version}"
    if trial.fault:
        click.echo(f"{which} did not pass after {trial.duration_seconds} s: {trial.fault}")
        sys.exit(EXIT_FAULT)
    outputs = ", ".join(trial.outputs)
    click.echo(f"{which} passed in {trial.duration_seconds} s, and left {outputs}")


@click.command()
@PIPELINE
@VERSION
@AS
@DRY_RUN
def activate(name: str, version: str | None, person: str | None, dry_run: bool) -> None:
    """Let new runs take VERSION of PIPELINE, the highest one where none is named.

    Its own test has to have passed. The version that was active before is deprecated by it.
    """
    from genoflow.deploy.pipeline_life import activated

    found, is_new = asyncio.run(
        _say(lambda catalog: activated(catalog, name, version), person, dry_run)
    )
    how = "is active" if is_new else "is active already"
    click.echo(f"{name} {found} {'could be activated' if dry_run and is_new else how}")


@click.command()
@PIPELINE
@click.argument("version", metavar="VERSION")
@REASON
@click.option("--replaced-by", metavar="PIPELINE", help="the pipeline to use in its place")
@AS
@DRY_RUN
def deprecate(
    name: str,
    version: str,
    reason: str,
    replaced_by: str | None,
    person: str | None,
    dry_run: bool,
) -> None:
    """Let no new run take VERSION of PIPELINE; it stays so. Runs of it go on."""
    from genoflow.deploy.pipeline_life import deprecated

    found, is_new = asyncio.run(
        _say(
            lambda catalog: deprecated(catalog, name, version, reason, replaced_by), person, dry_run
        )
    )
    how = "is deprecated" if is_new else "is deprecated already"
    click.echo(f"{name} {found} {'could be deprecated' if dry_run and is_new else how}")


def _catalog(log: object) -> LogCatalog:
    from genoflow.deploy.catalog import LogCatalog

    return LogCatalog(log)  # type: ignore[arg-type]


async def _say(
    decide: Callable[[LogCatalog], Awaitable[tuple[str, Event | None]]],
    person: str | None,
    dry_run: bool,
) -> tuple[str, bool]:
    """Append what is decided, if anything is; the version, and whether it was."""
    from genoflow.deploy.people import append_said, said_by

    settings = read_settings()
    async with open_log(settings) as log:
        version, fact = await decide(_catalog(log))
        if fact is not None:
            said = said_by(person, fact, datetime.now(UTC))
            await append_said(log, said, settings.person_patterns, dry_run=dry_run)
    return version, fact is not None
