"""`genoflow validate`: hold files to the specifications of their formats, without any server."""

from __future__ import annotations

import asyncio
import json
import os
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, aclosing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from genoflow.events.errors import Refused

if TYPE_CHECKING:
    from genoflow.deploy.validating import Progress, Wanted

EXIT_INVALID = 1
STDIN = "-"
WIDTH_MIN = 100  # where the output is no terminal


@click.command()
@click.argument("files", metavar="FILE...", nargs=-1, required=True)
@click.option("--json", "as_json", is_flag=True, help="one JSON object a line, for programs")
@click.option("--strict", is_flag=True, help="any broken must rejects a file, not errors alone")
@click.option("--paired", is_flag=True, help="the files are mates: R1 and R2, and so on by twos")
@click.option("--reference", metavar="FASTA", help="the sequences that CRAM and SAM speak of")
@click.option("--targets", metavar="BED", help="regions of which coverage is told apart")
@click.option("--sample", metavar="ID", help="whose the files are, as their headers should say")
def validate(
    files: tuple[str, ...],
    as_json: bool,
    strict: bool,
    paired: bool,
    reference: str | None,
    targets: str | None,
    sample: str | None,
) -> None:
    """Hold files to the specifications of their formats; `-` is standard input.

    FASTQ, SAM, BAM, CRAM, VCF, BCF, and their indexes. No server is needed. Exit code 0: all are
    valid. 1: one is not. docs/validation.md lists every rule.
    """
    check_files(files, paired=paired)
    from genoflow.deploy.validating import Wanted

    with ExitStack() as held:
        if reference is not None:
            reference = held.enter_context(indexed(reference))
        bed = targets_of(targets) if targets is not None else None
        wanted = Wanted(strict, paired, sample, reference, bed)
        show = _print_line if as_json else None
        quiet = as_json and sys.stdout.isatty()
        progress = held.enter_context(progress_on(files, quiet=quiet))
        told = asyncio.run(_validate(files, wanted, progress, show))
    if not as_json:
        _print_table(told)
    if not all(one["valid"] for one in told):
        raise click.exceptions.Exit(EXIT_INVALID)


def check_files(files: Sequence[str], *, paired: bool) -> None:
    """A UsageError where one of them cannot be read, or mates are not two by two."""
    if files.count(STDIN) > 1:
        raise click.UsageError("- is standard input, which can be read once; name it once")
    if paired and len(files) % 2:
        said = f"--paired takes files by twos, R1 and R2, and {len(files)} are named"
        raise click.UsageError(said)
    for name in files:
        if name != STDIN:
            _check_file(name)


def _check_file(name: str) -> None:
    try:
        path = Path(name)
        if not path.exists():
            raise click.UsageError(f"{name}: there is no such file")
        if path.is_dir():
            raise click.UsageError(f"{name}: is a directory; name the files in it")
        if not os.access(path, os.R_OK):
            raise click.UsageError(f"{name}: may not be read by this account")
    except (OSError, ValueError) as error:  # a name that no system can hold
        raise click.UsageError(f"{name!r}: {error}") from error


# -- what is read


async def _validate(
    files: Sequence[str],
    wanted: Wanted,
    progress: Progress,
    show: Callable[[dict[str, Any]], None] | None,
) -> list[dict[str, Any]]:
    from genoflow.deploy.validating import validate_all

    told = []
    async with aclosing(validate_all(files, wanted, progress)) as found:
        async for one in found:
            if show is not None:
                show(one)
            told.append({**one, "findings": one["findings"] if show is None else []})
    return told


@contextmanager
def indexed(reference: str) -> Iterator[str]:
    """A FASTA with its index beside it: itself, or a link where it has none."""
    _check_file(reference)
    if Path(f"{reference}.fai").exists():
        yield str(Path(reference).absolute())
        return
    import pysam
    from pysam.utils import SamtoolsError

    with tempfile.TemporaryDirectory(prefix="genoflow-") as folder:
        link = Path(folder) / Path(reference).name
        link.symlink_to(Path(reference).absolute())
        try:
            pysam.faidx(str(link))
        except SamtoolsError as error:
            said = str(error).strip().rpartition("\n")[2]
            raise click.UsageError(f"{reference}: cannot be indexed as FASTA: {said}") from error
        yield str(link)


def targets_of(name: str) -> str:
    """A BED file, each of whose lines is a region: else it is refused before anything is read."""
    _check_file(name)
    from genoflow.processors.validation.targets import read_targets

    try:
        read_targets(Path(name))
    except Refused as error:
        raise click.UsageError(str(error)) from error
    return str(Path(name).absolute())


def progress_on(files: Sequence[str], *, quiet: bool = False) -> AbstractContextManager[Progress]:
    """Who is told how far each file is read: bars where somebody looks, and else nobody."""
    return _nobody() if quiet or not sys.stderr.isatty() else _bars(files)


@contextmanager
def _nobody() -> Iterator[Progress]:
    yield lambda _number, _done: None


@contextmanager
def _bars(files: Sequence[str]) -> Iterator[Progress]:
    """A bar for each file that is being read, on the terminal."""
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

    columns = (TextColumn("{task.description}", markup=False), BarColumn(), DownloadColumn(),
               TransferSpeedColumn())  # fmt: skip
    bars: dict[int, Any] = {}
    with Progress(*columns, console=Console(stderr=True), transient=True) as shown:

        def tell(number: int, done: int) -> None:
            if number not in bars:
                name = files[number]
                size = None if name == STDIN else Path(name).stat().st_size or None
                bars[number] = shown.add_task(name, total=size)
            shown.update(bars[number], completed=done)
            for other in [one for one in bars if one < number - 1]:
                shown.update(bars[other], visible=False)

        yield tell


# -- what is shown


def _print_line(told: dict[str, Any]) -> None:
    click.echo(json.dumps(told))


def _print_table(told: Sequence[dict[str, Any]]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console(highlight=False, soft_wrap=False)
    if not console.is_terminal:
        console.width = max(console.width, WIDTH_MIN, *(len(one["file"]) + 80 for one in told))
    table = Table(box=None, header_style="bold", pad_edge=False)
    for title in ("file", "format", "compression", "bytes", "verdict"):
        table.add_column(title, justify="right" if title == "bytes" else "left", overflow="fold")
    for one in told:
        size = one["size_bytes"]
        table.add_row(
            Text(one["file"]), _format(one), one["compression"] or "-",
            "-" if size is None else f"{size:,}", _verdict(one),
        )  # fmt: skip
    console.print(table)
    for one in told:
        _print_findings(console, one)


def _format(told: dict[str, Any]) -> str:
    return " ".join(word for word in (told["format"], told["version"]) if word) or "-"


def _verdict(told: dict[str, Any]) -> Any:
    from rich.text import Text

    counts = [
        f"{count:,} {word if count > 1 else word[:-1]}"
        for word, count in told["counts"].items()
        if count
    ]
    word, style = ("valid", "green") if told["valid"] else ("not valid", "red")
    return Text.assemble((word, style), f": {', '.join(counts)}" if counts else "")


STYLES = {"error": "red", "violation": "yellow", "note": "dim"}


def _print_findings(console: Any, told: dict[str, Any]) -> None:
    from rich.text import Text

    remedies: dict[str, str] = {}
    for one in told["findings"]:
        remedies.setdefault(one["code"], one["remedy"])
        place = " ".join(f"{name} {at}" for name, at in one["where"].items() if at is not None)
        console.print(
            Text.assemble(
                "\n" if one is told["findings"][0] else "",
                told["file"], f" {place}" if place else "", ": ",
                (one["severity"], STYLES[one["severity"]]), f" {one['code']}: {one['message']}",
            ),
            soft_wrap=True,
        )  # fmt: skip
    more = sum(told["counts"].values()) - len(told["findings"])
    if more:
        console.print(f"and {more:,} more of the same", style="dim")
    for code, remedy in remedies.items():
        console.print(Text(f"  {code}: {remedy}", style="dim"), soft_wrap=True)
