"""`genoflow simulate`: a sequencing run out of a seed, with its truth and any fault."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from genoflow.deploy.commands.options import PIPELINES

if TYPE_CHECKING:
    from genoflow.deploy.generate.simulation import Wish, Written


def _list_faults(context: click.Context, _option: click.Parameter, asked: bool) -> None:
    if not asked or context.resilient_parsing:
        return
    from genoflow.deploy.generate.faults import FAULTS

    width = max(map(len, FAULTS))
    for name, fault in FAULTS.items():
        click.echo(f"{name:<{width}}  {fault.about}")
    context.exit()


@click.command()
@click.argument("directory", type=click.Path(file_okay=False, path_type=Path), metavar="DIR")
@click.option("--seed", type=int, default=1, help="the same seed, the same bytes")
@click.option("--depth", type=click.FloatRange(0.1, 1_000), default=30.0, help="of sample A")
@click.option("--model", default="NovaSeq 6000", help="the instrument")
@click.option("--sheet", type=click.Choice(["v1", "v2"]), default="v2", help="its version")
@click.option("--dialect", default="plain", help="how the sheet is spelled")
@click.option("--fault", "faults", multiple=True, metavar="NAME", help="what is to be wrong")
@click.option("--fastq", is_flag=True, help="write the reads of each sample as FASTQ, too")
@click.option("--bgzf", is_flag=True, help="pack the FASTQ as BGZF, not as gzip members")
@click.option(
    "--courier",
    type=click.Choice(["fastq", "bam", "cram", "vcf"]),
    default="fastq",
    help="what B enters as",
)
@click.option(
    "--pipeline",
    type=click.Choice(PIPELINES),
    help="write what this pipeline's profile test reads, and nothing else",
)
@click.option(
    "--list", is_flag=True, is_eager=True, expose_value=False, callback=_list_faults,
    help="name the faults and end",
)  # fmt: skip
def simulate(
    directory: Path,
    seed: int,
    depth: float,
    model: str,
    sheet: str,
    dialect: str,
    faults: tuple[str, ...],
    fastq: bool,
    bgzf: bool,
    courier: str,
    pipeline: str | None,
) -> None:
    """Write a sequencing run of six samples, the reference, and the truth about each sample.

    Below DIR then stand runs/, top-up/ (the run that gives C the rest), courier/ (the files of B,
    which was sequenced elsewhere, for `genoflow reads send`), reference/, truth/, orders.json for
    `genoflow case open` and catalog.json for `genoflow catalog publish`. A fault strikes the first
    run; one of reads strikes the FASTQ of its first sample.
    """
    if pipeline is not None:
        from genoflow.deploy.generate.trials import write_trial

        write_trial(directory, pipeline, seed)
        click.echo(f"{directory}: what {pipeline} reads, and the truth about it in truth/")
        return
    from genoflow.deploy.generate.instruments import INSTRUMENTS
    from genoflow.deploy.generate.sheets import DIALECTS
    from genoflow.deploy.generate.simulation import Wish
    from genoflow.deploy.generate.simulation import simulate as write
    from genoflow.events.errors import Refused

    for what, name, known in (("model", model, INSTRUMENTS), ("dialect", dialect, DIALECTS)):
        if name not in known:
            raise Refused(f"--{what} {name!r} is unknown; there are {', '.join(known)}")
    packing = "bgzf" if bgzf else "gzip"
    wish = Wish(seed, depth, model, sheet, dialect, faults, fastq, packing, courier=courier.upper())
    _report(directory, wish, write(directory, wish))


def _report(directory: Path, wish: Wish, written: Written) -> None:
    from genoflow.deploy.generate.faults import FAULTS
    from genoflow.deploy.generate.simulation import CATALOG, COURIER, ORDERS, REFERENCE, TARGETS

    for folder in written.run_folders:
        click.echo(folder)
    click.echo(directory / REFERENCE)
    click.echo(directory / TARGETS)
    click.echo(directory / "truth")
    click.echo(directory / ORDERS)
    click.echo(directory / CATALOG)
    click.echo(directory / COURIER)
    if written.fastq:
        click.echo(directory / "fastq")
    click.echo(f"\n{wish.model}, sheet {wish.sheet_version}, {wish.dialect}; reads that pass:")
    cast = written.cast
    about = {member.sample_id: member.about for member in cast.members}
    for lane in written.lanes:
        for library in cast.on_sheet.libraries:
            if library.lane == lane.lane:
                name, reads = library.sample_id, lane.passed[library.sample_id]
                click.echo(f"  lane {lane.lane}  {name}  {reads:>7,}  {about[name]}")
        click.echo(f"  lane {lane.lane}  nobody {lane.passed[None]:>7,}  undetermined")
    for library in cast.by_courier.libraries:
        name = library.sample_id
        click.echo(f"  courier {name}  {len(library.pairs):>7,}  {about[name]}")
    click.echo("\nfaults asked for:" if wish.faults else "\nno fault was asked for")
    for name in wish.faults:
        click.echo(f"  {name}: {FAULTS[name].about}")
