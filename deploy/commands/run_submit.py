"""`genoflow run submit`: a pipeline for samples that were ordered, now."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from uuid import uuid4, uuid5

import click

from genoflow.deploy.commands.ask import run
from genoflow.deploy.commands.options import AS, DRY_RUN, REQUEST_ID
from genoflow.deploy.settings import read_settings
from genoflow.deploy.wiring import open_log
from genoflow.events.identity import GENOFLOW


@run.command()
@click.argument("pipeline", metavar="PIPELINE")
@click.argument("samples", metavar="SAMPLE...", nargs=-1, required=True)
@click.option(
    "--priority", type=click.Choice(("high", "normal", "low")), default="normal", show_default=True
)
@click.option("--configuration", metavar="ID", help="saved of the pipeline; its own otherwise")
@REQUEST_ID
@AS
@DRY_RUN
def submit(
    pipeline: str,
    samples: tuple[str, ...],
    priority: str,
    configuration: str | None,
    request_id: str | None,
    person: str | None,
    dry_run: bool,
) -> None:
    """Have PIPELINE run for one SAMPLE, or for the members of a case, as they were ordered.

    It is a case of its own, and begins when their reads are good. Its id goes to standard output.
    """
    from genoflow.api.job_orders import Wish
    from genoflow.deploy.catalog import LogCatalog
    from genoflow.deploy.job_desk import job_order
    from genoflow.deploy.people import os_user
    from genoflow.deploy.subject import LogSubjects
    from genoflow.processors.intake.order_desk import Said, place
    from genoflow.processors.intake.order_desk import person as named

    job_id = uuid5(GENOFLOW, f"{request_id or uuid4()}/job")

    async def ask() -> bool:
        async with open_log(read_settings()) as log:
            subjects = LogSubjects(log)
            wish = Wish(pipeline, samples, priority, configuration)
            order = await job_order(subjects, LogCatalog(log), wish, job_id)
            said = Said(named(person or os_user()), datetime.now(UTC))
            [placed] = await place(log, subjects, [order], said, dry_run=dry_run)
            return placed.is_new

    is_new = asyncio.run(ask())
    how = "was asked for before" if not is_new else "is asked for"
    how = "could be asked for; nothing was appended" if dry_run and is_new else how
    click.echo(f"genoflow: run {job_id} {how}; `genoflow run watch` shows it move", err=True)
    click.echo(str(job_id))
