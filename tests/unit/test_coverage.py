"""Depth, breadth, targets and sex: mosdepth's numbers on the same file, in bounded memory."""

from __future__ import annotations

import gzip
import json
import os
import random
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pysam
import pytest
from click.testing import CliRunner

from genoflow.deploy.commands.validate import validate
from genoflow.events.errors import Refused
from genoflow.native import batch
from genoflow.processors.validation.engine import PythonEngine
from genoflow.processors.validation.port import Expected, Report
from genoflow.processors.validation.sam import depth as of_depth
from genoflow.processors.validation.sam.coverage import sex_of
from genoflow.processors.validation.sam.depth import LEVELS, Depth
from genoflow.processors.validation.targets import Target, joined, read_targets
from genoflow.processors.validation.telling import as_json
from tests import deep_reads

# mosdepth 0.3.3 of deep_bam(25, 1): its summary, its thresholds and its regions.
ORACLE = Path(__file__).parent.parent / "measured" / "mosdepth-0.3.3.txt"
DEEP, SEED = 25, 1
TARGETS = tuple(Target(name.encode(), start, end) for name, start, end in deep_reads.TARGETS)
Told = dict[str, Any]


def read(data: bytes, targets: tuple[Target, ...] = ()) -> Report:
    return PythonEngine().validate([data], Expected(targets=targets))


def told(data: bytes, targets: tuple[Target, ...] = ()) -> Told:
    metrics: Told = as_json("file", read(data, targets), strict=False)["metrics"]
    return metrics


def told_by_mosdepth(program: str, folder: Path) -> str:
    """What mosdepth says of the file, in one text."""
    (folder / "deep.bam").write_bytes(deep_reads.deep_bam(DEEP, SEED))
    (folder / "targets.bed").write_text(deep_reads.bed())
    pysam.index(str(folder / "deep.bam"))
    levels = ",".join(map(str, LEVELS))
    subprocess.run(
        [program, "--by", "targets.bed", "--thresholds", levels, "out", "deep.bam"],
        cwd=folder, check=True, timeout=60, env={**os.environ, "MOSDEPTH_PRECISION": "8"},
    )  # fmt: skip
    parts = [(folder / "out.mosdepth.summary.txt").read_text()]
    tables = ("out.thresholds.bed.gz", "out.regions.bed.gz")
    parts += [gzip.decompress((folder / name).read_bytes()).decode() for name in tables]
    for name in ("global", "region"):
        rows = (folder / f"out.mosdepth.{name}.dist.txt").read_text().splitlines()
        parts.append("".join(f"{row}\n" for row in rows if row.startswith("total\t")))
    return "\n".join(parts)


@pytest.fixture(scope="module")
def deep() -> bytes:
    return deep_reads.deep_bam(DEEP, SEED)


@pytest.fixture(scope="module")
def ours(deep: bytes) -> Told:
    return told(deep, TARGETS)


@pytest.fixture(scope="module")
def theirs() -> list[list[list[str]]]:
    parts = ORACLE.read_text().split("\n\n")
    return [[row.split("\t") for row in part.splitlines()] for part in parts]


def test_means_are_mosdepths(ours: Told, theirs: list[list[list[str]]]) -> None:
    said = {row[0]: float(row[3]) for row in theirs[0][1:]}
    assert ours["depth_mean"] == ours["coverage_mean"] == pytest.approx(said["total"], abs=1e-8)
    assert ours["target_depth_mean"] == pytest.approx(said["total_region"], abs=1e-8)
    for name, depth in ours["depth_by_sequence"].items():
        assert depth == pytest.approx(said[name], abs=1e-8)
    assert [one["depth_mean"] for one in ours["targets"]] == [float(row[3]) for row in theirs[2]]


def test_breadths_are_mosdepths(ours: Told, theirs: list[list[list[str]]]) -> None:
    for prefix, part in (("", theirs[3]), ("target_", theirs[4])):
        said = {int(row[1]): float(row[2]) for row in part}
        for level in LEVELS:
            found = ours[f"{prefix}breadth_{level}x"]
            assert found == pytest.approx(said.get(level, 0.0), abs=1e-8)
    counted = [sum(int(row[4 + at]) for row in theirs[1][1:]) for at in range(len(LEVELS))]
    bases = sum(end - start for _, start, end in deep_reads.TARGETS)
    assert counted == [round(bases * ours[f"target_breadth_{level}x"]) for level in LEVELS]


def test_mosdepth_still_says_what_is_committed(
    tmp_path: Path, not_done: Callable[[str], None]
) -> None:
    program = shutil.which("mosdepth")
    # As Debian packs it, it does not start without a link that one makes by hand.
    said = (
        None
        if program is None
        else subprocess.run([program, "--version"], capture_output=True, text=True, check=False)
    )
    if program is None or said is None or said.stdout.split() != ["mosdepth", "0.3.3"]:
        not_done("mosdepth beside its committed output (version 0.3.3 is not on the path)")
        return
    assert told_by_mosdepth(program, tmp_path) == ORACLE.read_text()


def test_depth_of_reads_that_are_no_pairs_is_that_of_samtools(deep: bytes, tmp_path: Path) -> None:
    """Of pairs samtools leaves out every base before the end of the first mate, gaps too."""
    (tmp_path / "deep.bam").write_bytes(deep)
    single = tmp_path / "single.bam"
    pysam.samtools.view("-b", "-F", "2", "-o", str(single), str(tmp_path / "deep.bam"),
                        catch_stdout=False)  # fmt: skip
    rows = str(pysam.samtools.depth("-a", str(single))).splitlines()
    depths = [int(row.split("\t")[2]) for row in rows]
    found = told(single.read_bytes())
    assert found["depth_mean"] == pytest.approx(sum(depths) / len(depths), rel=1e-12)
    for level in LEVELS:
        wide = sum(one >= level for one in depths) / len(depths)
        assert found[f"breadth_{level}x"] == pytest.approx(wide, rel=1e-12)


@pytest.mark.skipif(not batch.COMPILED, reason="there is only the twin where nothing was built")
@pytest.mark.parametrize(("seed", "depth"), [(2, 12.0), (5, 3.0)])
def test_the_extension_and_its_twin_count_the_same(
    seed: int, depth: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = deep_reads.text(depth, seed)
    # Every other line is one that Python reads: the two ways share one state.
    lines = [row.replace(b"RG:Z:rg1", b"RG:Z:rg2") if at % 2 else row
             for at, row in enumerate(text.splitlines(keepends=True))]  # fmt: skip
    data = b"".join(lines)
    fast = told(data, TARGETS)
    monkeypatch.setattr(batch, "_rust", None)
    assert told(data, TARGETS) == fast


def test_cram_tells_the_same_as_bam(tmp_path: Path) -> None:
    data = deep_reads.deep_bam(8, 3)
    (tmp_path / "deep.bam").write_bytes(data)
    cram = tmp_path / "deep.cram"
    pysam.samtools.view("-C", "--output-fmt-option", "no_ref=1", "-o", str(cram),
                        str(tmp_path / "deep.bam"), catch_stdout=False)  # fmt: skip
    of_bam, of_cram = told(data, TARGETS), told(cram.read_bytes(), TARGETS)
    names = [name for name in of_bam if "depth" in name or "breadth" in name or "ratio" in name]
    assert len(names) == 15
    for name in (*names, "targets", "sex"):
        assert of_cram[name] == of_bam[name], name


# -- the sweep beside an array


Pairs = list[tuple[int, tuple[int, int], tuple[int, int], bytes, list[int]]]


def pairs(chance: random.Random, length: int) -> Pairs:
    """Mates of any size, also one within the other, some beyond the end of their sequence."""
    found: Pairs = []
    for number in range(40):
        name = b"%d" % number
        starts = sorted(chance.randrange(length) for _ in range(2))
        if chance.random() < 0.5:
            starts[1] = starts[0] + chance.randrange(5)
        for one, other in (starts, starts[::-1]):
            cigar = [chance.randrange(1, 30) << 4 | code for code in chance.choice(
                ((0,), (0, 2, 0), (4, 0), (7, 8, 7), (0, 3, 0, 1, 0)))]  # fmt: skip
            flag = 3 if chance.random() < 0.9 else 3 | 0x400
            found.append((flag, (0, one), (0, other), name, cigar))
    return sorted(found, key=lambda one: one[1])


def by_array(records: Pairs, length: int) -> list[int]:
    """The same base by base: of a pair each base counts once."""
    bases: dict[bytes, set[int]] = {}
    total = [0] * length
    for flag, place, _, name, cigar in records:
        if flag & 1796:
            continue
        mine, at = set[int](), place[1]
        for packed in cigar:
            code, size = packed & 15, packed >> 4
            if code in {0, 7, 8}:
                mine |= set(range(at, at + size))
            at += size if code in {0, 2, 3, 7, 8} else 0
        for base in mine - bases.get(name, set()):
            total[min(base, length - 1)] += base < length
        bases[name] = mine
    return total


@pytest.mark.parametrize("seed", range(20))
def test_each_base_of_a_pair_counts_once_however_its_mates_lie(seed: int) -> None:
    chance, length = random.Random(seed), 120
    records = pairs(chance, length)
    counted = by_array(records, length)
    spans = sorted(sorted(chance.sample(range(length + 1), 2)) for _ in range(4))
    union = joined([(start, end) for start, end in spans])
    places = sorted({place for one in spans for place in one})
    depths = Depth([length])
    depths.aim(0, union, places)
    for one in records:
        depths.cover(*one)
    fault, sums, levels, target_sum, target_levels, before = depths.covered()
    assert (fault, sums) == (0, [sum(counted)])
    assert levels == [sum(one >= level for one in counted) for level in LEVELS]
    inside = [counted[at] for start, end in union for at in range(start, end)]
    assert target_sum == sum(inside)
    assert target_levels == [sum(one >= level for one in inside) for level in LEVELS]
    assert before == [[sum(counted[:place]) for place in places]]


# -- what cannot be known


def test_what_is_not_in_order_has_no_depth_and_says_why() -> None:
    head, *rows = deep_reads.text(1, 4).splitlines(keepends=True)
    named = [row for row in rows if not row.startswith(b"@")]
    header = [head.replace(b"coordinate", b"unsorted")] + [r for r in rows if r.startswith(b"@")]
    found = told(b"".join(header + named[::-1]))
    assert "depth_mean" not in found
    assert found["coverage_mean"] is found["sex"] is None
    assert "sort them by coordinate" in found["unknown"]["depth_mean"]
    assert found["unknown"]["target_depth_mean"] == found["unknown"]["depth_mean"]


def test_a_file_of_too_many_changes_has_no_depth(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batch, "_rust", None)
    monkeypatch.setattr(of_depth, "CHANGES_MAX", 3)
    assert "changes at more than" in told(deep_reads.deep_bam(5, 4))["unknown"]["depth_mean"]


def test_mates_that_never_come_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(of_depth, "PURGE_MIN", 4)
    monkeypatch.setattr(of_depth, "MATES_MAX", 10)
    depths = Depth([100_000])
    depths._purge_at = of_depth.PURGE_MIN
    for number in range(500):
        depths.cover(3, (0, 50 * number), (0, 50 * number + 20), b"%d" % number, [100 << 4])
    assert depths.covered()[:2] == (0, [50_000])
    for number in range(500):
        depths.cover(3, (0, 50_000), (0, 50_010), b"%d" % number, [100 << 4])
    assert depths.covered()[0] == of_depth.MATES


@pytest.mark.parametrize(
    ("copies", "sex", "why"),
    [("male", "male", None), ("female", "female", None), ("both", None, "fit neither sex")],
)
def test_sex_is_told_by_both_chromosomes(copies: str, sex: str | None, why: str | None) -> None:
    found = told(deep_reads.deep_bam(10, 6, copies))
    assert found["sex"] == sex
    assert found["x_ratio"] == pytest.approx(1.0 if copies != "male" else 0.5, abs=0.15)
    assert (why or "") in found["unknown"].get("sex", "")


@pytest.mark.parametrize(
    ("x", "y", "sex"),
    [
        (1.0, None, "female"), (0.5, None, "male"), (0.7, None, None), (0.5, 0.01, None),
        (1.0, 0.2, None), (0.65, 0.1, "male"), (0.8, 0.05, "female"),
    ],
)  # fmt: skip
def test_what_contradicts_itself_is_no_sex(x: float, y: float | None, sex: str | None) -> None:
    assert sex_of(x, y) == sex


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ((b"chrX", b"chrQ"), "it names no chrX"),
        ((b"chr1", b"one"), None),
        ((b"chr", b"contig"), "it names no autosomes"),
        ((b"SN:chrX\tLN:12000", b"SN:chrX\tLN:12001"), None),
    ],
)
def test_a_reference_without_these_chromosomes_has_no_sex(
    change: tuple[bytes, bytes], why: str | None
) -> None:
    found = told(deep_reads.text(10, 6).replace(*change))
    assert (found["sex"] is None) == (why is not None)
    assert (why or "") in found["unknown"].get("sex", "")


def test_a_shallow_file_has_ratios_and_no_sex() -> None:
    found = told(deep_reads.deep_bam(0.5, 6))
    assert found["sex"] is None
    assert found["x_ratio"] is not None
    assert "20000 are needed" in found["unknown"]["sex"]


# -- targets


@pytest.fixture
def bed() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder) / "targets.bed"


def test_a_bed_file_is_read_with_its_comments(bed: Path) -> None:
    bed.write_text("#made\ntrack name=t\nbrowser x\n\nchr1\t5\t9\texon\nchr2 0 7\r\n")
    assert read_targets(bed) == (Target(b"chr1", 5, 9), Target(b"chr2", 0, 7))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("chr1\t5\n", "line 1 is not a sequence, a start and an end"),
        ("chr1\t5\t9\nchr1\t9\t9\n", "line 2 says from 9 to 9"),
        ("chr1\t-5\t9\n", "line 1 is not"),
        ("# nothing\n", "holds no region"),
        ("chr1\t1\t2\t" + "x" * 70_000, "line 1 has more than 65536 bytes"),
    ],
)
def test_what_is_no_bed_file_is_refused_by_its_line(bed: Path, text: str, said: str) -> None:
    bed.write_text(text)
    with pytest.raises(Refused, match=said):
        read_targets(bed)


def test_targets_that_lie_nowhere_are_said_so(deep: bytes) -> None:
    found = told(
        deep_reads.deep_bam(2, 7), (Target(b"chr9", 1, 5), Target(b"chr1", 20_000, 20_005))
    )
    assert "target_depth_mean" not in found
    assert "no target lies" in found["unknown"]["target_depth_mean"]


def test_overlapping_targets_count_their_bases_once(deep: bytes, ours: Told) -> None:
    doubled = (
        *TARGETS,
        Target(b"chr1", 200, 300),
        Target(b"chr1", 50, 100),
        Target(b"chr1", 50, 900),
    )
    found = told(deep, doubled)
    apart = told(deep, (*TARGETS, Target(b"chr1", 50, 100)))
    assert found["target_breadth_10x"] == apart["target_breadth_10x"]
    assert found["targets"][0] == ours["targets"][0]
    assert len(found["targets"]) == len(doubled)


def test_the_command_takes_targets_and_refuses_what_are_none(deep: bytes, tmp_path: Path) -> None:
    path, regions = tmp_path / "deep.bam", tmp_path / "targets.bed"
    path.write_bytes(deep)
    regions.write_text(deep_reads.bed())
    run = CliRunner().invoke
    found = json.loads(run(validate, [str(path), "--json", "--targets", str(regions)]).stdout)
    assert found["metrics"]["target_depth_mean"] == told(deep, TARGETS)["target_depth_mean"]
    regions.write_text("chr1\n")
    refused = run(validate, [str(path), "--targets", str(regions)])
    assert (refused.exit_code, "line 1 is not" in refused.output) == (2, True)
