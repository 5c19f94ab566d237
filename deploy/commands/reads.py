"""`genoflow reads send`: material that another lab, or a courier, brought."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

import click

from genoflow.deploy.commands.options import METADATA, RUN, given_metadata
from genoflow.deploy.settings import read_settings
from genoflow.deploy.wiring import ensure_raw_bucket, open_log, open_s3

if TYPE_CHECKING:
    from collections.abc import Mapping

    from genoflow.deploy.send_reads import Delivery, Sent, Upload
    from genoflow.deploy.settings import Settings
    from genoflow.events.event import Event
    from genoflow.events.log.port import EventLog
    from genoflow.processors.ports import ObjectHead

ROLES = ("r1", "r2", "bam", "bai", "cram", "crai", "vcf", "tbi")
FILE = click.Path(path_type=Path)


@click.group()
def reads() -> None:
    """Bring in reads, alignments and variants that were made elsewhere."""


@reads.command()
@click.argument("sample", metavar="SAMPLE")
@click.option("--r1", type=FILE, help="first reads, FASTQ")
@click.option("--r2", type=FILE, help="second reads, FASTQ")
@click.option("--bam", type=FILE, help="an alignment")
@click.option("--bai", type=FILE, help="the index of --bam, where it is to be kept with it")
@click.option("--cram", type=FILE, help="an alignment")
@click.option("--crai", type=FILE, help="the index of --cram")
@click.option("--vcf", type=FILE, help="variants, as VCF or BCF")
@click.option("--tbi", type=FILE, help="the index of --vcf")
@click.option("--read-set", "read_set_id", help="whose file is sent, or sent again")
@click.option("--new", "is_new", is_flag=True, help="a read set beside one that waits")
@RUN
@METADATA
@click.option("--by", "--as", "person", help="who sends; the account that runs this otherwise")
@click.option("--dry-run", is_flag=True, help="check everything, send nothing")
def send(
    sample: str,
    read_set_id: str | None,
    is_new: bool,
    instrument_run_id: str | None,
    metadata_file: TextIO | None,
    person: str | None,
    dry_run: bool,
    **given: Path | None,
) -> None:
    """Send files of SAMPLE: they are stored, and land for the read set that waits for them.

    Where none does they are a read set of their own, and a sample that nobody has heard of is
    registered. A file that was rejected is sent again the same way: it takes the place of the one
    before. The same files again change nothing. Metadata have to fit the schema of the sample's
    project, or nothing is sent.
    """
    from genoflow.deploy.send_reads import sent

    files = [sent(role.upper(), path) for role in ROLES if (path := given[role]) is not None]
    metadata = None if metadata_file is None else given_metadata(metadata_file)
    chosen = {"read_set_id": read_set_id, "is_new": is_new, "instrument_run_id": instrument_run_id}
    asyncio.run(_send(sample, files, chosen, metadata, person, dry_run))


async def _send(
    sample: str,
    files: list[Sent],
    chosen: dict[str, Any],
    metadata: Mapping[str, object] | None,
    person: str | None,
    dry_run: bool,
) -> None:
    from genoflow.deploy.send_reads import delivery
    from genoflow.deploy.subject import LogSubjects
    from genoflow.events import topics
    from genoflow.events.sample_registered import SampleRegistered
    from genoflow.processors.intake.privacy import PrivacyGuard
    from genoflow.projections.asking.sample import sample_of

    settings = read_settings()
    guard = PrivacyGuard(settings.person_patterns)
    run_id = chosen["instrument_run_id"]
    guard.check(
        SampleRegistered(sample_id=sample, registered_by="upload", instrument_run_id=run_id)
    )
    async with open_log(settings) as log:
        known = await LogSubjects(log).events_of(topics.SAMPLE, [sample])
        found = delivery(sample_of(sample, known[sample]), files, **chosen)
        for fact in found.registers:
            guard.check(fact)
        amended = []
        if metadata is not None:
            amended = await _amended(log, settings, sample, found.read_set_id, metadata, person)
        _tell(sample, found, dry_run)
        if amended:
            click.echo(f"{sample}: its metadata {'would be ' if dry_run else ''}said")
        if dry_run:
            return
        if found.registers or amended:
            facts = [_said(fact, person) for fact in found.registers]
            await log.append_atomically([*facts, *amended])
        if found.uploads:
            await _upload(log, settings, found.uploads, person)


async def _amended(
    log: EventLog,
    settings: Settings,
    sample: str,
    read_set_id: str,
    metadata: Mapping[str, object],
    person: str | None,
) -> list[Event]:
    """What is said of the sample with its files; Refused where that does not fit its schema."""
    from genoflow.api.desks import Decided
    from genoflow.deploy.metadata_desk import LogMetadata, request_with
    from genoflow.deploy.people import saying

    says = saying(person, datetime.now(UTC), option="--by")
    request_id = request_with(metadata, "ReadSetRegistered", sample, read_set_id)
    decided = Decided(f"they came with read set {read_set_id}", "operator", says, request_id)
    said = await LogMetadata(log, settings.person_patterns).brought(
        sample, metadata, decided, project_id=None, may_replace=True
    )
    return [] if said is None else [said]


def _tell(sample: str, found: Delivery, dry_run: bool) -> None:
    would = "would be " if dry_run else ""
    for fact in found.registers:
        what = "sample" if fact.type() == "SampleRegistered" else f"read set {found.read_set_id}"
        click.echo(f"{sample}: {what} {would}registered")
    for file, before in found.here:
        from genoflow.projections.asking.file import why

        click.echo(f"{file.role}: stands on the log already, unchanged: it {why(before).says}")
    if dry_run:
        for one in found.uploads:
            click.echo(f"{one.file.role}: {one.file.path} would be sent")


def _said(fact: Any, person: str | None) -> Event:
    from genoflow.deploy.people import said_by

    event: Event = said_by(person, fact, datetime.now(UTC))
    return event


async def _upload(
    log: EventLog, settings: Settings, uploads: tuple[Upload, ...], person: str | None
) -> None:
    from genoflow.processors.intake.landing import landed

    await asyncio.to_thread(ensure_raw_bucket, settings)
    for one in uploads:
        head = await asyncio.to_thread(_stored, settings, one)
        fact = _said(landed(head), person)
        await log.append(fact)
        instead = f", in place of {one.replaces.name}" if one.replaces else ""
        click.echo(f"{one.file.role}: landed as {head.bucket}/{head.key}{instead}")


def _stored(settings: Settings, one: Upload) -> ObjectHead:
    """What the store says of the file, which is uploaded unless an earlier call did so."""
    from contextlib import closing

    from genoflow.events.errors import Refused
    from genoflow.processors.adapters.s3 import head_of
    from genoflow.processors.adapters.s3_files import S3Uploads
    from genoflow.processors.intake.landing import SHA256
    from genoflow.processors.ports import ObjectGone

    bucket, key = settings.raw_bucket, one.object_key
    with closing(open_s3(settings)) as client:
        try:
            head = head_of(client, bucket, key)
        except ObjectGone:
            head = None
        if head is None or head.metadata.get(SHA256) != one.file.sha256:
            S3Uploads(client).upload(one.file.path, bucket, key, one.metadata)
            head = head_of(client, bucket, key)
    if head.size_bytes != one.file.size_bytes:
        raise Refused(
            f"{one.file.path}: changed while it was sent, from {one.file.size_bytes:,} to "
            f"{head.size_bytes:,} bytes; wait until it is whole, and send it again"
        )
    return head
