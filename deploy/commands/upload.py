"""`genoflow upload`: files of this machine to a lab, straight to its object store."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

import click

from genoflow.deploy.commands.options import METADATA, RUN, given_metadata
from genoflow.deploy.settings import read_settings

if TYPE_CHECKING:
    from genoflow.api.client import Client
    from genoflow.deploy.sending import Sending, Summed, Whose

ROLES = ("R1", "R2", "I1", "I2", "BAM", "BAI", "CRAM", "CRAI", "VCF", "TBI")
PARALLEL = click.IntRange(1, 32)


@click.command()
@click.argument(
    "paths", metavar="PATH...", nargs=-1, required=True, type=click.Path(path_type=Path)
)
@click.option("--sample", "sample_id", required=True, help="whose files they are")
@click.option("--project", "project_id", help="for which project; a partner's own")
@click.option("--read-set", "read_set_id", help="whose files they are; one of their own otherwise")
@click.option("--role", "roles", multiple=True, type=click.Choice(ROLES),
              help="what each file is, in their order; told from the bytes otherwise")  # fmt: skip
@click.option("--lane", type=click.IntRange(1, 16), help="of the flow cell")
@RUN
@METADATA
@click.option("--parallel", type=PARALLEL, default=4, show_default=True,
              help="parts on their way at a time")  # fmt: skip
@click.option("--url", help="where the API answers; GENOFLOW_API_URL otherwise")
def upload(
    paths: tuple[Path, ...],
    sample_id: str,
    project_id: str | None,
    read_set_id: str | None,
    roles: tuple[str, ...],
    lane: int | None,
    instrument_run_id: str | None,
    metadata_file: TextIO | None,
    parallel: int,
    url: str | None,
) -> None:
    """Send files of a sample, as one read set: R1 with R2, a BAM with its BAI.

    Each part goes with its checksum, and what is there is not sent again: repeat the command after
    a pause (Ctrl-C) or a crash, here or on another machine. GENOFLOW_API_KEY says who sends.
    Metadata have to fit the schema of the sample's project, or nothing is sent.
    """
    from genoflow.deploy.sending import Sending, Whose, planned

    if roles and len(roles) != len(paths):
        raise click.UsageError(f"{len(paths)} files have {len(roles)} roles; say one --role for "
                               f"each, or none")  # fmt: skip
    files = [planned(path, roles[number] if roles else None) for number, path in enumerate(paths)]
    twice = {one.role for one in files if [o.role for o in files].count(one.role) > 1}
    if twice:
        raise click.UsageError(f"two files are {min(twice)}; send each read set by itself")
    metadata = None if metadata_file is None else given_metadata(metadata_file)
    whose = Whose(sample_id, project_id, read_set_id, lane, instrument_run_id, metadata)
    try:
        with _client(url) as client, _bars() as bars:
            sending = Sending(client, parallel)
            all_summed = [bars.summed(one) for one in files]
            _send(sending, all_summed, whose, bars)
    except KeyboardInterrupt:
        click.echo("genoflow: paused; the same command goes on where this one ended", err=True)
        raise


def _send(sending: Sending, files: list[Summed], whose: Whose, bars: _Bars) -> None:
    from genoflow.deploy.sending import read_set_of

    read_set_id, roles = read_set_of(files, whose), [one.planned.role for one in files]
    for number, one in enumerate(files):
        # Of all files the first says the metadata: said once more they would be a new word.
        said = whose if number == 0 else replace(whose, metadata=None)
        begun = sending.begin(one, said, read_set_id, None if whose.read_set_id else roles)
        place = bars.sent(sending, one, begun)
        click.echo(f"{one.planned.path.name}: landed as {one.planned.role} of {read_set_id} at "
                   f"{place} (upload {begun.upload_id})")  # fmt: skip


def _client(url: str | None) -> Client:
    from genoflow.api.client import Client

    settings = read_settings()
    address = url or settings.api_url
    if address is None or settings.api_key is None:
        raise click.UsageError("say where the API answers with --url or GENOFLOW_API_URL, and who "
                               "sends with GENOFLOW_API_KEY")  # fmt: skip
    return Client(address, key=settings.api_key.get_secret_value())


class _Bars:
    """A bar for each file: while it is read, then while it is sent."""

    def __init__(self, shown: Any) -> None:
        self._shown = shown

    def summed(self, file: Any) -> Summed:
        """The checksums of a file, while its bar shows how far that is."""
        from genoflow.deploy.sending import summed

        bar = self._shown.add_task(f"{file.path.name}: reading", total=file.size_bytes)
        found = summed(file, lambda count: self._shown.advance(bar, count))
        self._shown.remove_task(bar)
        return found

    def sent(self, sending: Sending, file: Summed, begun: Any) -> str:
        """Where a file is, while its bar shows how much of it is there."""
        name = file.planned.path.name
        bar = self._shown.add_task(f"{name}: sending", total=file.planned.size_bytes)
        return sending.send(file, begun, lambda count: self._shown.advance(bar, count))


@contextmanager
def _bars() -> Iterator[_Bars]:
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        DownloadColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
        TransferSpeedColumn,
    )

    console = Console(stderr=True)
    columns = (
        TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn(),
        TimeRemainingColumn(),
    )  # fmt: skip
    with Progress(*columns, console=console, disable=not console.is_terminal) as shown:
        yield _Bars(shown)
