"""`genoflow file assign`: whose a file is, beside the questions about files."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from genoflow.deploy.commands.ask import file
from genoflow.deploy.commands.options import AS, DRY_RUN
from genoflow.deploy.settings import read_settings
from genoflow.deploy.wiring import open_log

if TYPE_CHECKING:
    from genoflow.api.desks import Wanted

__all__ = ["file"]


@file.command()
@click.argument("place", metavar="BUCKET/KEY")
@click.option("--sample", "sample_id", required=True, help="whose it is")
@click.option("--read-set", "read_set_id", required=True, help="of the sample")
@click.option("--role", required=True, help="what it is there: R1, R2, BAM …")
@click.option("--lane", type=click.IntRange(1, 16), help="where the read set has several")
@click.option("--reason", required=True, help="how this is known")
@AS
@DRY_RUN
def assign(
    place: str,
    sample_id: str,
    read_set_id: str,
    role: str,
    lane: int | None,
    reason: str,
    person: str | None,
    dry_run: bool,
) -> None:
    """Say whose a file is that landed without a sample: it lands once more, for that sample.

    Name the version as BUCKET/KEY@VERSION where several wait. The same again changes nothing.
    """
    from genoflow.api.desks import Wanted

    wanted = Wanted(place, sample_id, read_set_id, role, reason, lane)
    asyncio.run(_assign(wanted, person, dry_run))


async def _assign(wanted: Wanted, person: str | None, dry_run: bool) -> None:
    from genoflow.deploy.file_desk import assign as land
    from genoflow.deploy.file_desk import assigned
    from genoflow.deploy.people import saying
    from genoflow.deploy.subject import LogSubjects
    from genoflow.events.printable import printable
    from genoflow.processors.intake.privacy import PrivacyGuard

    settings = read_settings()
    async with open_log(settings) as log:
        subjects, at = LogSubjects(log), datetime.now(UTC)
        facts = await assigned(subjects, wanted, saying(person, at), at)
        for fact in facts:
            PrivacyGuard(settings.person_patterns).check(fact)
        if not dry_run:
            await land(subjects, facts, log.append)
    verb = "would land" if dry_run else "landed"
    where = f"as {wanted.role} of read set {wanted.read_set_id} of {wanted.sample_id}"
    said = f"{verb} {where}" if facts else f"stands {where} already"
    click.echo(printable(f"{wanted.place}: {said}"))
