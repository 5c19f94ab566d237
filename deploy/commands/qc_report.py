"""`genoflow qc report`: one page of HTML about quality, and files that MultiQC reads."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import ExitStack, aclosing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from genoflow.deploy.commands.validate import check_files, indexed, progress_on, targets_of
from genoflow.deploy.settings import read_settings

if TYPE_CHECKING:
    from genoflow.api.reports.report import Report


@click.command(name="report")
@click.argument("files", metavar="[FILE...]", nargs=-1)
@click.option("--sample", metavar="ID", help="whose last verdict on the log it is about")
@click.option("--round", "number", type=click.IntRange(min=1), help="this one, and not the last")
@click.option("--question", metavar="ID", help="a question of `genoflow qc analyze`")
@click.option("--run", metavar="ID", help="a run of an instrument, or of a pipeline")
@click.option("--profile", help="files alone: standard, strict, or a document in a file")
@click.option("--assay", default="wgs", show_default=True, help="under which the profile judges")
@click.option("--genome-bases", type=click.IntRange(min=1), help="files alone: for coverage")
@click.option("--strict", is_flag=True, help="any broken must makes a file not valid")
@click.option("--paired", is_flag=True, help="the files are mates: R1 and R2, and so on by twos")
@click.option("--reference", metavar="FASTA", help="the sequences that CRAM and SAM speak of")
@click.option("--targets", metavar="BED", help="regions of which coverage is told apart")
@click.option("--out", type=click.Path(path_type=Path), default="qc-report.html",
              show_default=True, help="the page")  # fmt: skip
@click.option("--multiqc", type=click.Path(path_type=Path), help="a folder for MultiQC's files")
def report(
    files: tuple[str, ...],
    sample: str | None,
    number: int | None,
    question: str | None,
    run: str | None,
    profile: str | None,
    assay: str,
    genome_bases: int | None,
    strict: bool,
    paired: bool,
    reference: str | None,
    targets: str | None,
    out: Path,
    multiqc: Path | None,
) -> None:
    """Write a page about quality: of files, of a sample, of a run, or of a question.

    Files are read once, without any server. A sample, a run and a question are read from the log;
    files that are named beside them give the curves, which the log does not keep. The exit code
    says that the page was written, and not how it came out: see `genoflow validate` for that.
    """
    subjects = [one for one in (sample, question, run) if one is not None]
    _check(files, subjects, paired=paired, profile=profile, number=number, sample=sample)
    from genoflow.deploy.qc_reports import Judge, of_files, with_files, written
    from genoflow.events.printable import printable

    told = []
    if files:
        told = _read(files, strict=strict, paired=paired, reference=reference, targets=targets)
    if subjects:
        made = asyncio.run(_of_subject(sample, number, question, run))
        made = with_files(made, told) if told else made
    else:
        judge = Judge(profile, assay, genome_bases or 0) if profile else None
        made = of_files(told, judge)
    for line in written(made, out, multiqc):
        click.echo(printable(line))


def _check(
    files: Sequence[str],
    subjects: Sequence[str],
    *,
    paired: bool,
    profile: str | None,
    number: int | None,
    sample: str | None,
) -> None:
    if not files and not subjects:
        raise click.UsageError("name files, or one of --sample, --question and --run")
    if len(subjects) > 1:
        raise click.UsageError("--sample, --question and --run are three reports; name one of them")
    if number is not None and sample is None:
        raise click.UsageError("--round is of a sample; name it with --sample")
    if profile is not None and subjects:
        said = "--profile judges files alone; another one for a sample: genoflow qc analyze"
        raise click.UsageError(said)
    check_files(files, paired=paired)


def _read(
    files: Sequence[str],
    *,
    strict: bool,
    paired: bool,
    reference: str | None,
    targets: str | None,
) -> list[dict[str, Any]]:
    from genoflow.deploy.validating import Wanted, validate_all

    async def read(wanted: Wanted, progress: Any) -> list[dict[str, Any]]:
        async with aclosing(validate_all(files, wanted, progress)) as found:
            return [one async for one in found]

    with ExitStack() as held:
        if reference is not None:
            reference = held.enter_context(indexed(reference))
        bed = targets_of(targets) if targets is not None else None
        wanted = Wanted(strict=strict, paired=paired, reference=reference, targets=bed)
        return asyncio.run(read(wanted, held.enter_context(progress_on(files))))


async def _of_subject(
    sample: str | None, number: int | None, question: str | None, run: str | None
) -> Report:
    from genoflow.deploy.qc_reports import of_question, of_run, of_sample
    from genoflow.deploy.wiring import open_log

    async with open_log(read_settings()) as log:
        if sample is not None:
            return await of_sample(log, sample, number)
        if question is not None:
            return await of_question(log, question)
        assert run is not None
        return await of_run(log, run)
