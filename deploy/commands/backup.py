"""`genoflow backup [list | verify]` and `genoflow restore`."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

from genoflow.deploy.settings import Settings, read_settings
from genoflow.deploy.wiring import (
    every_topic,
    forget_read_models,
    open_log,
    open_s3,
    topic_admin,
)
from genoflow.events.errors import Refused

if TYPE_CHECKING:
    from genoflow.deploy.backup.manifest import Manifest
    from genoflow.deploy.backup.vault import Vault

LISTED_MAX = 20  # of one cluster, the newest ones: about one screen


def _say(text: str) -> None:
    click.echo(text, err=True)


def _vault(settings: Settings, keep_days: int | None = None) -> Vault:
    from genoflow.deploy.backup.vault import Vault

    keep = timedelta(days=keep_days or settings.backup_keep_days)
    return Vault(open_s3(settings), settings.backup_bucket, keep)


async def _chosen(vault: Vault, settings: Settings, key: str | None) -> Manifest:
    from genoflow.deploy.backup.verify import newest

    if key is None:
        return await newest(vault, settings.topic_prefix)
    manifest = await asyncio.to_thread(vault.manifest, key)
    if manifest.prefix != settings.topic_prefix:
        raise Refused(
            f"{key}: is of the deployment {manifest.prefix or '(no prefix)'}; set "
            f"GENOFLOW_TOPIC_PREFIX to its prefix"
        )
    return manifest


@click.group(invoke_without_command=True)
@click.option("--topic", "topics", multiple=True, help="seal only this topic anew")
@click.option("--keep-days", type=click.IntRange(1, 36_500), help="how long the lock holds")
@click.option("--full", is_flag=True, help="seal everything, use nothing of earlier backups")
@click.pass_context
def backup(
    context: click.Context, topics: tuple[str, ...], keep_days: int | None, full: bool
) -> None:
    """Seal every topic into the object store, under object lock.

    Only what is new since the last backup is written; what was sealed is checked.
    """
    if context.invoked_subcommand is not None:
        return
    from genoflow.deploy.backup.broker import Broker
    from genoflow.deploy.backup.take import take

    settings = read_settings()

    async def run() -> Manifest:
        async with open_log(settings) as log, Broker(log) as broker:
            return await take(broker, _vault(settings, keep_days), _say, topics, full=full)

    done = asyncio.run(run())
    click.echo(
        f"s3://{settings.backup_bucket}/{done.key}: {done.records:,} records of "
        f"{len(done.topics)} topics in {sum(1 for _ in done.segments()):,} segments, "
        f"{len(done.groups)} named readers"
    )


@backup.command(name="list")
def list_backups() -> None:
    """List the backups, the newest last."""
    settings = read_settings()
    vault = _vault(settings)
    found = vault.manifest_keys(settings.topic_prefix).values()
    older = sum(max(0, len(keys) - LISTED_MAX) for keys in found)
    manifests = [vault.manifest(key) for keys in found for key in keys[-LISTED_MAX:]]
    if older:
        click.echo(f"{older} older ones")
    for manifest in sorted(manifests, key=lambda manifest: manifest.taken_at):
        click.echo(f"{manifest.key}  {manifest.taken_at}  {manifest.records:,} records")
    if not manifests:
        click.echo(f"s3://{settings.backup_bucket}: holds no backup")


@backup.command()
@click.option("--manifest", "key", help="which one, as `backup list` names it; else the newest")
def verify(key: str | None) -> None:
    """Read every segment of a backup and compare it with what was sealed."""
    from genoflow.deploy.backup import verify as verifying
    from genoflow.events.codec import Codec
    from genoflow.events.registry import released

    settings = read_settings()
    vault = _vault(settings)

    async def run() -> tuple[Manifest, verifying.Verified]:
        manifest = await _chosen(vault, settings, key)
        return manifest, await verifying.verify(vault, manifest, Codec(released()))

    manifest, found = asyncio.run(run())
    strange = f", {found.no_events:,} of them no events" if found.no_events else ""
    click.echo(
        f"{manifest.key}: {found.segments:,} segments, {found.records:,} records{strange}, "
        f"{found.size_bytes:,} bytes: all as they were sealed"
    )


@click.command()
@click.option("--manifest", "key", help="which one, as `backup list` names it; else the newest")
@click.option("--without", multiple=True, metavar="TOPIC", help="leave this topic out")
@click.option(
    "--map", "map_file", type=click.Path(dir_okay=False, path_type=Path),
    help="write old and new offsets to this file instead of the object store",
)  # fmt: skip
def restore(key: str | None, without: tuple[str, ...], map_file: Path | None) -> None:
    """Bring a backup back into an empty broker: the same bytes, the same times.

    A restore that was interrupted goes on when it is called again.
    """
    settings = read_settings()
    count, name = asyncio.run(_restore(settings, key, without, map_file))
    click.echo(f"{name}: {count:,} records restored and read back; read models are built anew")


async def _restore(
    settings: Settings, key: str | None, without: tuple[str, ...], map_file: Path | None
) -> tuple[int, str]:
    from genoflow.deploy.backup.broker import Broker
    from genoflow.deploy.backup.restore import Target
    from genoflow.deploy.backup.restore import restore as bring_back

    vault = _vault(settings)
    async with (
        open_log(settings, restoring=True) as log,
        topic_admin(settings, log) as admin,
        Broker(log) as broker,
    ):
        manifest = await _chosen(vault, settings, key)
        count = await bring_back(
            Target(broker, admin, vault, _say), manifest, without=without, map_file=map_file,
            drop_read_models=lambda: forget_read_models(settings),
        )  # fmt: skip
        for topic in await admin.apply(every_topic()):  # of processors that came after the backup
            _say(f"created {topic.name}, which the backup does not hold")
    return count, manifest.key
