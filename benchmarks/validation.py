"""One pass over FASTQ: hashes, validation and QC beside programs that do one of the three.

Each contestant is a process, from its start to its end, over the same file: 150 MB as it is stored,
once as bgzip writes it and once as gzip does. What counts is CPU time; the other unit is the time
on the clock. A program that is not installed is named as missing, and has no row.

    limit        the bytes inflated by libdeflate (bgzip) or zlib-rs (gzip), MD5 and SHA-256
    sums         md5sum and sha256sum, one behind the other
    fq lint      looks at names and lengths; no metrics, no hash
    seqkit       `seqkit stats --all`: lengths, Q20, Q30, GC; no hash
    fastp        its QC with every change of a read switched off
    dnaio        a loop over all reads, as a script would have it
    FastQC       the metrics that ours are defined by
"""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from benchmarks import reads_material
from benchmarks.contest import (
    CPU_SECONDS,
    MEBIBYTES,
    NET_CPU_SECONDS,
    SECONDS,
    Comparison,
    Contestant,
    Figures,
    Row,
    compete,
    row_of,
)
from benchmarks.material import Material
from benchmarks.reads_material import Files
from genoflow.events.log.kafka import KafkaLog
from genoflow.processors.child_limits import status_bytes

ROOT = Path(__file__).resolve().parent.parent
READS_PER_EVENT = 2_400  # a thousand of `--only` are 2,400,000 reads, 150 MB as they are stored
MEMORY_MEBIBYTES_MAX = 300
EVERY, BASE, LIMIT, MEMORY = "every metric", "base metrics", "limit", "the limit of memory"
INFLATE, HASH, TWO = "inflating alone", "hashing alone", "two files at once"
SUMS, LINT = "md5sum + sha256sum", "fq lint"
START = "start"
TICK_SECONDS = 0.01
UNCOMPILED = "PYTHONDONTWRITEBYTECODE"
LOOK_SECONDS = 0.02  # between two looks at the memory of a contestant: a look takes 0.05 ms
OURS = {
    EVERY: "every", BASE: "base", LIMIT: "limit", INFLATE: "inflate", HASH: "hash", START: "start",
}  # fmt: skip
NET = "without the start"  # of Python, which says nothing of bytes and is the same for each
# Ours divided by the anchor. DESIGN's ratios of speed are the inverse.
TARGETS = {LINT: round(1 / 1.5, 2), "FastQC": round(1 / 15, 3)}
RUN = (sys.executable, "-m", "benchmarks.validation_run")
# The installation of anchors; a loop over reads needs a library that ours does not.
ANCHORS_PYTHON = ROOT / ".venv-anchors" / "bin" / "python"
DNAIO = "dnaio"
SLOW = ("FastQC", "fastp")  # once: a minute and more, beside which chance is small
WAYS = ("bgzip", "gzip")


def programs(path: Path, folder: Path) -> dict[str, list[list[str]]]:
    """What each anchor runs, one behind the other."""
    fastp = ["fastp", "-i", str(path), "-A", "-G", "-Q", "-L", "-w", "1",
             "-j", str(folder / "fastp.json"), "-h", str(folder / "fastp.html")]  # fmt: skip
    return {
        SUMS: [["md5sum", str(path)], ["sha256sum", str(path)]],
        LINT: [["fq", "lint", str(path)]],
        "seqkit": [["seqkit", "stats", "--all", "-j", "1", str(path)]],
        DNAIO: [[str(ANCHORS_PYTHON), "-m", "benchmarks.foreign", "dnaio", str(path)]],
        "fastp": [fastp],
        "FastQC": [["fastqc", "--quiet", "--threads", "1", "-o", str(folder), str(path)]],
    }


def installed(path: Path, folder: Path) -> tuple[dict[str, list[list[str]]], list[str]]:
    """The anchors that are there, and the names of those that are not."""
    every = programs(path, folder)
    missing = [name for name, runs in every.items() if shutil.which(runs[0][0]) is None]
    if DNAIO not in missing and not [*ANCHORS_PYTHON.parents[1].glob("lib/python*/*/dnaio")]:
        missing.append(DNAIO)
    return {name: runs for name, runs in every.items() if name not in missing}, missing


def ours(what: str, path: Path) -> list[str]:
    """The command of a contestant of ours."""
    return [*RUN, OURS[what], str(path)]


async def timed(*runs: Sequence[str], at_once: bool = False) -> Figures:
    """Processes from start to end: their CPU time and memory, and the clock."""
    began = time.perf_counter()
    cpu, peak = 0.0, 0
    groups = [runs] if at_once else [(run,) for run in runs]
    for group in groups:
        for used in await asyncio.gather(*(_followed(run, _start(run)) for run in group)):
            cpu += used[0]
            peak = max(peak, used[1])
    clock = time.perf_counter() - began
    return {CPU_SECONDS: cpu, SECONDS: clock, MEBIBYTES: peak / 1024**2}


async def _followed(run: Sequence[str], pid: int) -> tuple[float, int]:
    """Its CPU seconds and the most memory that it had, as looked at while it ran."""
    peak, waiting = 0, asyncio.create_task(asyncio.to_thread(os.wait4, pid, 0))
    while not waiting.done():
        peak = max(peak, status_bytes("VmHWM", pid))
        await asyncio.wait((waiting,), timeout=LOOK_SECONDS)
    _, status, used = await waiting
    if status:
        raise RuntimeError(f"{' '.join(run)}: ended with {status}")
    return used.ru_utime + used.ru_stime, peak


def _start(run: Sequence[str]) -> int:
    # As an installation is: its modules are compiled once.
    environment = {name: value for name, value in os.environ.items() if name != UNCOMPILED}
    nothing = [_nowhere(1), _nowhere(2)]
    return os.posix_spawnp(run[0], list(run), environment, file_actions=nothing)


def _nowhere(number: int) -> tuple[int, int, str, int, int]:
    return os.POSIX_SPAWN_OPEN, number, os.devnull, os.O_WRONLY, 0


def contestants(
    way: str, path: Path, anchors: dict[str, list[list[str]]], names: Sequence[str]
) -> Iterator[Contestant]:
    """Those of one file that have these names."""

    def one(name: str, *runs: Sequence[str], at_once: bool = False) -> Contestant:
        return Contestant(f"{name}, {way}", lambda: timed(*runs, at_once=at_once))

    for name in names:
        if name in OURS:
            yield one(name, ours(name, path))
        elif name == TWO:
            yield one(name, ours(EVERY, path), ours(EVERY, path), at_once=True)
        else:
            yield one(name, *anchors[name])


def comparisons(way: str, anchors: Sequence[str]) -> Iterator[Comparison]:
    """The rows of one file."""
    path = f"FASTQ, {way}"
    every, limit = f"{EVERY}, {way}", f"{LIMIT}, {way}"
    for ours, anchor, target in (
        (BASE, LIMIT, 1.4), (EVERY, LIMIT, 2.5), (LIMIT, INFLATE, None), (LIMIT, HASH, None),
    ):  # fmt: skip
        net = f"{ours}, {way}", f"{anchor}, {way}"
        yield Comparison(path, *net, NET_CPU_SECONDS, target, NET)
    yield Comparison(path, every, limit, SECONDS)
    for name in anchors:
        # Beside a program that measures nothing, the like of its work is ours without metrics.
        like = f"{BASE if name == LINT else EVERY}, {way}"
        yield Comparison(path, like, f"{name}, {way}", CPU_SECONDS, TARGETS.get(name))
    yield Comparison(path, every, MEMORY, MEBIBYTES, 1.0, "peak")
    note = "clock; 1.0 is two cores of their own"
    yield Comparison(path, f"{TWO}, {way}", every, SECONDS, None, note)


async def measure(_: KafkaLog, material: Material, rounds: int) -> list[Row]:
    """Both files, every contestant over each."""
    with tempfile.TemporaryDirectory(prefix="genoflow-reads-") as folder:
        count = len(material.events) * READS_PER_EVENT
        files = await asyncio.to_thread(reads_material.write, Path(folder), count)
        rows: list[Row] = []
        for way, path in zip(WAYS, (files.bgzf, files.gzip), strict=True):
            rows += await _one_file(way, path, files, Path(folder), rounds)
    return rows


async def _one_file(way: str, path: Path, files: Files, folder: Path, rounds: int) -> list[Row]:
    anchors, missing = installed(path, folder)
    size = path.stat().st_size
    print(f"  {way}: {size / 1e6:.0f} MB of {files.text_bytes / 1e6:.0f} MB of text", flush=True)
    if missing:
        print(f"  missing, and without a row: {', '.join(missing)}", flush=True)
    quick = [name for name in (*OURS, TWO, *anchors) if name not in SLOW]
    best = await compete([*contestants(way, path, anchors, quick)], rounds, warm=False)
    slow = [name for name in SLOW if name in anchors]
    best |= await compete([*contestants(way, path, anchors, slow)], 1, warm=False)
    for name in (EVERY, BASE, LIMIT, INFLATE, HASH):
        figures = best[f"{name}, {way}"]
        start = best[f"{START}, {way}"]
        # A clock of the system ticks: of a few reads nothing may be left.
        figures[NET_CPU_SECONDS] = max(TICK_SECONDS, figures[CPU_SECONDS] - start[CPU_SECONDS])
    best[MEMORY] = {MEBIBYTES: MEMORY_MEBIBYTES_MAX}
    return [row_of(comparison, best) for comparison in comparisons(way, tuple(anchors))]
