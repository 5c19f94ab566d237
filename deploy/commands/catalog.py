"""`genoflow catalog`: documents under versions that never change, published and shown."""

from __future__ import annotations

import asyncio
import contextlib
import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

from genoflow.deploy.commands.catalog_configuration import configuration
from genoflow.deploy.commands.catalog_life import activate, deprecate, test
from genoflow.deploy.commands.options import PIPELINES
from genoflow.deploy.settings import Settings, read_settings
from genoflow.deploy.wiring import ensure_raw_bucket, open_log, open_s3
from genoflow.events.errors import Refused

if TYPE_CHECKING:
    from genoflow.deploy.catalog import AnyDocument
    from genoflow.events.event import Event
    from genoflow.events.log.kafka import KafkaLog

SHA256_SHOWN = 12  # characters: enough to tell a handful of versions apart
MATERIALS = ("FASTQ", "BAM", "CRAM", "VCF")
KINDS = (
    "qc-profile", "reference", "target-set", "pipeline", "configuration", "retention",
    "metadata-schema", "alert-rules",
)  # fmt: skip


@click.group()
def catalog() -> None:
    """Publish documents under versions that never change, and look at what is published."""


for _command in (test, activate, deprecate, configuration):
    catalog.add_command(_command)


@catalog.command()
@click.argument("files", nargs=-1, required=True, type=click.File("r", encoding="utf-8"))
@click.option("--as", "person", help="who publishes; the account that runs this otherwise")
@click.option("--dry-run", is_flag=True, help="check everything, publish nothing")
@click.option("--repository", help="a folder or URL of git, where the code of the pipelines is")
@click.option("--revision", help="a branch, a tag or a commit of it; HEAD otherwise")
@click.option("--folder", default="", help="of the pipeline in it; its top otherwise")
def publish(
    files: tuple[Any, ...],
    person: str | None,
    dry_run: bool,
    repository: str | None,
    revision: str | None,
    folder: str,
) -> None:
    """Publish the documents of these JSON files (- is standard input), once all are valid.

    A document: {"kind": "qc-profile", "document_id", "version", "title", …}, with the fields of
    its event. What is published already with the same content is left as it is. A reference or
    target set may name files of this machine (`file:…` or a path that counts from the document's
    folder): they are compared with their checksums, put into the object store and published there.

    A pipeline comes from git with --repository, or by an address of its own
    (`git+https://…@<revision>#subdirectory=<folder>`): the revision becomes a commit, and what
    that commit holds is what is published. It begins as a draft: see `test` and `activate`.
    """
    if repository is None and (revision or folder):
        raise Refused("--revision, --folder: are of a repository; name it with --repository")
    texts: list[tuple[str, str]] = []
    for file in files:
        try:
            texts.append((file.name, file.read()))
        except UnicodeDecodeError as error:
            raise Refused(f"{file.name}: is not UTF-8 ({error}); nothing was published") from error
    place = (repository, revision or "HEAD", folder) if repository else None
    asyncio.run(_publish(with_revisions(read_settings(), texts, place), person, dry_run))


def with_revisions(
    settings: Settings, texts: list[tuple[str, str]], named: tuple[str, str, str] | None = None
) -> list[tuple[str, str]]:
    """These texts, with the commit and the checksum of each pipeline whose code is in git."""
    from genoflow.deploy.repositories import Place, address_of, with_revision

    place = Place(address_of(named[0]), *named[1:]) if named else None
    found = []
    for name, text in texts:
        try:
            value = json.loads(text)
        except json.JSONDecodeError:
            found.append((name, text))  # whoever reads the documents says so
            continue
        for one in value if isinstance(value, list) else [value]:
            if isinstance(one, dict):
                with_revision(one, settings.cache, place)
        found.append((name, json.dumps(value)))
    return found


async def _publish(texts: list[tuple[str, str]], person: str | None, dry_run: bool) -> None:
    from genoflow.deploy.catalog_documents import content_sha256

    async with open_log(read_settings()) as log:
        new = await publish_texts(read_settings(), log, texts, person, dry_run=dry_run)
    verb = "is valid" if dry_run else "published"
    for document in new:
        sha256 = content_sha256(document)[:SHA256_SHOWN]
        revision = getattr(document, "code_revision", None)
        at = f", commit {revision}" if revision else ""
        status = _status_told(document)
        click.echo(f"{document.document_id} {document.version} {verb}{status}, sha256 {sha256}{at}")
    if not new:
        click.echo("all of it is published already, with the same content")


def _status_told(document: AnyDocument) -> str:
    from genoflow.deploy.pipeline_life import of_release
    from genoflow.events.pipeline_published import PipelinePublished

    if not isinstance(document, PipelinePublished) or of_release(document) is not None:
        return ""
    return (
        f" as a draft (`genoflow catalog test {document.document_id} {document.version}`, then "
        f"`activate`)"
    )


async def publish_texts(
    settings: Settings,
    log: KafkaLog,
    texts: list[tuple[str, str]],
    person: str | None = None,
    *,
    dry_run: bool = False,
) -> list[AnyDocument]:
    """Publish what is new of these named texts, all of it or nothing; local files go along."""
    from genoflow.deploy.catalog import LogCatalog
    from genoflow.deploy.catalog_documents import parse_documents
    from genoflow.deploy.catalog_files import put_files, with_store_addresses
    from genoflow.deploy.catalog_fit import refuse_unfit
    from genoflow.deploy.people import said_by
    from genoflow.deploy.pipeline_life import with_release
    from genoflow.processors.intake.privacy import PrivacyGuard

    texts, files = with_store_addresses(texts, settings.raw_bucket)
    guard = PrivacyGuard(settings.person_patterns)
    catalog = LogCatalog(log)
    active = await catalog.active()
    known = await catalog.documents()
    new = parse_documents(texts, known, guard, active)
    await asyncio.to_thread(refuse_unfit, new, known, files)
    if new and not dry_run:
        if files:
            await asyncio.to_thread(ensure_raw_bucket, settings)
            with contextlib.closing(open_s3(settings)) as client:
                await asyncio.to_thread(put_files, client, files, new)
        at = datetime.now(UTC)
        events: list[Event] = [said_by(person, one, at) for one in with_release(new)]
        await log.append_atomically(events)
    return new


@catalog.command()
@click.option("--version", default="1", show_default=True, help="under which it is to stand")
@click.option("--assay", "assays", multiple=True, default=("wgs",), help="whose default it is")
@click.option("--material", type=click.Choice(MATERIALS), default="FASTQ", help="what it takes")
def germline(version: str, assays: tuple[str, ...], material: str) -> None:
    """Print the document of the small pipeline that comes with the package, for `publish`.

    One document is for FASTQ, BAM and CRAM. That for VCF is another: variants are gathered and
    measured, and it owes no alignments.
    """
    from genoflow.deploy.pipelines import germline_document

    click.echo(json.dumps(germline_document(version, assays, material), indent=2))


@catalog.command()
@click.argument("name", metavar="NAME", type=click.Choice(PIPELINES))
@click.option("--version", default="1", show_default=True, help="under which it is to stand")
@click.option("--assay", "assays", multiple=True, default=("wgs",), help="whose default it is")
def pipeline(name: str, version: str, assays: tuple[str, ...]) -> None:
    """Print the document of a pipeline that comes with the package, for `publish`.

    NAME is germline, panel, somatic, trio, rnaseq or vcf.
    """
    from genoflow.deploy.pipelines import pipeline_document

    click.echo(json.dumps(pipeline_document(name, version, assays), indent=2))


@catalog.command()
@click.argument("name", metavar="NAME", type=click.Choice(("standard", "strict")))
def profile(name: str) -> None:
    """Print a QC profile that comes with the package, standard or strict, for `publish`.

    Give it other `assays`, or another name and numbers of your own, before you publish it.
    """
    from importlib.resources import files

    text = files("genoflow.deploy.profiles").joinpath(f"{name}.json").read_text(encoding="utf-8")
    click.echo(text, nl=False)


@catalog.command()
def retention() -> None:
    """Print the rules of retention that come with the package, for `publish`.

    Nothing is deleted by any rule before a document is published. Set the days that your country
    and your contracts ask for first.
    """
    from importlib.resources import files

    text = files("genoflow.deploy.profiles").joinpath("retention.json").read_text(encoding="utf-8")
    click.echo(text, nl=False)


@catalog.command(name="alert-rules")
def alert_rules() -> None:
    """Print the rules of alerts that come with the package, for `publish`.

    Nobody is alerted by any rule before a document is published. They name no ladder: who is told
    of an alert has subscribed to it. docs/alerts.md says how ladders and quiet hours are added.
    """
    from importlib.resources import files

    text = files("genoflow.deploy.profiles").joinpath("alerts.json").read_text(encoding="utf-8")
    click.echo(text, nl=False)


@catalog.command(name="list")
@click.option("--kind", type=click.Choice(KINDS), help="of this kind")
@click.option("--json", "as_json", is_flag=True, help="for programs")
def list_documents(kind: str | None, as_json: bool) -> None:
    """Show every version of every document, oldest first."""
    every, statuses = asyncio.run(_read())
    rows = [_row(one, statuses) for one in every]
    found = [row for row in rows if kind in (None, row["kind"])]
    if as_json:
        click.echo(json.dumps({"documents": found}, indent=2, ensure_ascii=False))
        return
    if not found:
        click.echo("nothing is published; `genoflow catalog publish FILE` does it")
        return
    for row in found:
        sha256 = row["sha256"][:SHA256_SHOWN]
        click.echo(
            f"{row['kind']:<16}{row['document_id']:<38}{row['version']:<10}{sha256}  "
            f"{row.get('status', ''):<12}{row['title']}"
        )


@catalog.command()
@click.argument("name", metavar="DOCUMENT")
@click.option("--version", help="this one; the highest otherwise")
def show(name: str, version: str | None) -> None:
    """Print one document whole, as JSON."""
    from genoflow.deploy.catalog import order_of

    documents, statuses = asyncio.run(_read())
    every = [one for one in documents if one.document_id == name]
    if not every:
        raise Refused(f"{name}: is not published; `genoflow catalog list` shows what is")
    every.sort(key=lambda one: order_of(one.version))
    chosen = [one for one in every if version in (None, one.version)]
    if not chosen:
        versions = ", ".join(one.version for one in every)
        raise Refused(f"{name}: has no version {version}; there are {versions}")
    whole = _row(chosen[-1], statuses) | chosen[-1].payload()
    click.echo(json.dumps(whole, indent=2, ensure_ascii=False))


Statuses = dict[tuple[str, str], str]  # of each version of each pipeline


async def _read() -> tuple[list[AnyDocument], Statuses]:
    from genoflow.deploy.catalog import LogCatalog
    from genoflow.events.pipeline_published import PipelinePublished

    async with open_log(read_settings()) as log:
        found = LogCatalog(log)
        documents = await found.documents()
        names = {one.document_id for one in documents if isinstance(one, PipelinePublished)}
        return documents, {
            (name, version): status
            for name in names
            for version, status in (await found.standing(name)).items()
        }


def _row(document: AnyDocument, statuses: Statuses) -> dict[str, Any]:
    from genoflow.deploy.catalog import kind_of
    from genoflow.deploy.catalog_documents import content_sha256

    envelope, status = document.envelope, statuses.get((document.document_id, document.version))
    return {
        "kind": kind_of(document), "document_id": document.document_id,
        "version": document.version, "title": document.title,
        "sha256": content_sha256(document), "published_at": envelope.occurred_at.isoformat(),
        "published_by": envelope.actor.id, **({"status": status} if status else {}),
    }  # fmt: skip
