"""All that `genoflow simulate` writes: the cast on a run, the truth, and the faults asked for."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from genoflow.deploy.generate import papers
from genoflow.deploy.generate.cast import DEPTH, MODEL, PREFIX, Cast, make_cast
from genoflow.deploy.generate.courier import CAME_FIRST, write_courier
from genoflow.deploy.generate.fastq import FastqFile, fastq_files
from genoflow.deploy.generate.faults import (
    FAULTS,
    CastFault,
    FolderFault,
    OrdersFault,
    ReadsFault,
    SheetFault,
    TargetsFault,
)
from genoflow.deploy.generate.genome import fasta, targets
from genoflow.deploy.generate.libraries import Run
from genoflow.deploy.generate.run_folder import LaneCount, clusters_of, count, write_run_folder
from genoflow.deploy.generate.sheets import DIALECTS, sheet_bytes, sheet_of
from genoflow.deploy.generate.variants import panel, vcf
from genoflow.events.errors import Refused

REFERENCE = "reference/simulated.fa"
COMMON = "reference/common.vcf"
TARGETS = "reference/targets.bed"
ORDERS = "orders.json"
CATALOG = "catalog.json"
COURIER = "courier"
DAMAGED = f"{COURIER}/{CAME_FIRST}"


@dataclass(frozen=True, slots=True)
class Wish:
    """What is asked for."""

    seed: int = 1
    depth: float = DEPTH
    model: str = MODEL
    sheet_version: str = "v2"
    dialect: str = "plain"
    faults: tuple[str, ...] = ()
    fastq: bool = False
    packing: str = "gzip"
    prefix: str = PREFIX
    first_run: int = 1
    courier: str = "FASTQ"  # what the sample enters as that was sequenced elsewhere


@dataclass(frozen=True, slots=True)
class Written:
    """What stands below the directory now."""

    cast: Cast
    run_folders: tuple[Path, ...]
    lanes: tuple[LaneCount, ...]  # of the first run
    fastq: tuple[Path, ...]
    courier: tuple[Path, ...]  # whole files of the sample that was sequenced elsewhere


def simulate(directory: Path, wish: Wish) -> Written:
    """Write everything below an empty or a new directory; faults strike the first run alone."""
    unknown = [name for name in wish.faults if name not in FAULTS]
    if unknown:
        raise Refused(f"{unknown[0]!r} is no fault; `genoflow simulate --list` names them")
    if directory.exists() and any(directory.iterdir()):
        raise Refused(f"{directory}: is not empty; name a new directory")
    pooled = not DIALECTS[wish.dialect].lane_column
    cast = make_cast(
        wish.seed, wish.depth, wish.model, pooled=pooled, prefix=wish.prefix,
        first_run=wish.first_run,
    )  # fmt: skip
    orders, bed = papers.orders(cast, wish.courier), targets(cast.genome)
    for name in wish.faults:
        fault = FAULTS[name]
        if isinstance(fault, CastFault):
            cast = fault.apply(cast)
        elif isinstance(fault, OrdersFault):
            orders = fault.apply(orders)
        elif isinstance(fault, TargetsFault):
            bed = fault.apply(bed)
    run = cast.on_sheet
    folders = (
        _write_run(directory / "runs", run, wish, wish.faults),
        _write_run(directory / "top-up", cast.top_up, wish, ()),
    )
    _write(directory / REFERENCE, fasta(cast.genome))
    _write(directory / TARGETS, bed)
    for sample, subject in cast.subjects.items():
        _write(directory / "truth" / f"{sample}.vcf", vcf(cast.genome, subject, sample))
    _write(directory / ORDERS, _json(orders))
    common = panel(cast.genome, wish.seed)
    _write(directory / COMMON, common)
    documents = papers.documents(
        cast.genome, wish.depth, REFERENCE, wish.courier, panel=(COMMON, common)
    )
    _write(directory / CATALOG, _json(documents))
    damaged = any(isinstance(FAULTS[name], ReadsFault) for name in wish.faults)
    fastq = _write_fastq(directory / "fastq", run, wish) if wish.fastq or damaged else ()
    courier = write_courier(directory / COURIER, cast, wish.courier, wish.packing)
    lanes = tuple(count(lane, clusters_of(run, lane)) for lane in run.lanes)
    return Written(cast, folders, lanes, fastq, courier)


def _json(document: object) -> bytes:
    return (json.dumps(document, indent=2) + "\n").encode()


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def _write_run(parent: Path, run: Run, wish: Wish, faults: Sequence[str]) -> Path:
    sheet = sheet_of(run, wish.sheet_version, DIALECTS[wish.dialect])
    struck = [FAULTS[name] for name in faults]
    for fault in struck:
        if isinstance(fault, SheetFault):
            sheet = fault.apply(sheet, run)
    folder = write_run_folder(parent, run, sheet_bytes(sheet, run))
    for fault in struck:
        if isinstance(fault, FolderFault):
            fault.apply(folder, run)
    return folder


def _write_fastq(folder: Path, run: Run, wish: Wish) -> tuple[Path, ...]:
    """One read set for each library with reads; faults of reads strike the first of them."""
    written: list[FastqFile] = []
    for library in run.libraries:
        if library.pairs:
            files = fastq_files(run, library, wish.packing)
            for name in wish.faults if not written else ():
                fault = FAULTS[name]
                if isinstance(fault, ReadsFault):
                    files = fault.apply(files)
            written += files
    for file in written:
        _write(folder / file.name, file.content)
    lines = "".join(f"{file.declared_md5}  {file.name}\n" for file in written)
    _write(folder / "md5sums.txt", lines.encode())
    return tuple(folder / file.name for file in written)
