"""Metrics of reads beside those of FastQC, whose output on the same file is committed."""

from __future__ import annotations

import random
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from genoflow.native import batch
from genoflow.processors.validation.findings import Findings
from genoflow.processors.validation.port import Expected
from genoflow.processors.validation.reads.counts import KINDS_MAX
from genoflow.processors.validation.reads.duplicates import LABELS, duplication
from genoflow.processors.validation.reads.metrics import lengths_of
from genoflow.processors.validation.reads.reader import read_fastq
from genoflow.processors.validation.source import Source
from tests.reads import fastq, library

# FastQC 0.11.9 with --nogroup, of library(4000, 11). It prints percentiles from 101 reads on.
VERSION = "v0.11.9"
ORACLE = Path(__file__).parent.parent / "measured" / "fastqc-0.11.9.txt"
Rows = list[list[str]]


def modules(text: str) -> dict[str, Rows]:
    """FastQC's tables by name, without their heads."""
    found: dict[str, Rows] = {}
    rows: Rows = []
    for line in text.splitlines():
        if line.startswith(">>") and line != ">>END_MODULE":
            rows = found[line[2:].split("\t")[0]] = []
        elif not line.startswith((">>", "##")):
            rows.append(line.split("\t"))
    return found


def details(body: bytes) -> dict[str, Any]:
    measured = read_fastq(Source([body]), "none", Expected("R1"), Findings())
    return dict(measured.details)


@pytest.fixture(scope="module")
def ours() -> dict[str, Any]:
    return details(library(4_000, 11))


@pytest.fixture(scope="module")
def theirs() -> dict[str, Rows]:
    return modules(ORACLE.read_text())


def column(rows: Rows, number: int) -> list[float]:
    return [float(row[number]) for row in rows if not row[0].startswith("#")]


def test_totals_are_fastqcs(ours: dict[str, Any], theirs: dict[str, Rows]) -> None:
    said = {row[0]: row[1] for row in theirs["Basic Statistics"]}
    assert ours["total_reads"] == int(said["Total Sequences"])
    assert int(ours["gc_content"]) == int(said["%GC"])
    lengths = ours["sequence_length_distribution"]
    assert f"{lengths[0][0]}-{lengths[-1][1]}" == said["Sequence length"]


def test_qualities_by_place_are_fastqcs(ours: dict[str, Any], theirs: dict[str, Rows]) -> None:
    rows, found = theirs["Per base sequence quality"], ours["per_base_quality"]
    assert found["mean"] == pytest.approx(column(rows, 1), rel=1e-12)
    names = ("median", "lower_quartile", "upper_quartile", "percentile_10", "percentile_90")
    for number, name in enumerate(names, 2):
        assert found[name] == column(rows, number), name


def test_qualities_by_read_are_fastqcs(ours: dict[str, Any], theirs: dict[str, Rows]) -> None:
    rows = theirs["Per sequence quality scores"]
    said = dict(zip(column(rows, 0), column(rows, 1), strict=True))
    found = {
        float(quality): count for quality, count in ours["per_sequence_quality_scores"].items()
    }
    # FastQC also prints the qualities between that no read has.
    assert found == {quality: count for quality, count in said.items() if count}


def test_bases_by_place_are_fastqcs(ours: dict[str, Any], theirs: dict[str, Rows]) -> None:
    rows, found = theirs["Per base sequence content"], ours["per_base_sequence_content"]
    for number, letter in enumerate("GATC", 1):
        assert found[letter] == pytest.approx(column(rows, number), rel=1e-12)
    assert ours["per_base_n_content"] == pytest.approx(
        column(theirs["Per base N content"], 1), rel=1e-12
    )


def test_gc_by_read_is_fastqcs(ours: dict[str, Any], theirs: dict[str, Rows]) -> None:
    said = column(theirs["Per sequence GC content"], 1)
    assert ours["per_sequence_gc_content"] == pytest.approx(said, rel=1e-9)


def test_lengths_are_fastqcs(ours: dict[str, Any], theirs: dict[str, Rows]) -> None:
    rows = theirs["Sequence Length Distribution"]
    said = list(zip(column(rows, 0), column(rows, 1), strict=True))
    found = [(float(low), float(count)) for low, _, count in ours["sequence_length_distribution"]]
    assert found == [one for one in said if one[1]]


def test_duplication_is_fastqcs(ours: dict[str, Any], theirs: dict[str, Rows]) -> None:
    rows = theirs["Sequence Duplication Levels"]
    assert rows[0][0] == "#Total Deduplicated Percentage"
    assert ours["total_deduplicated_percentage"] == pytest.approx(float(rows[0][1]), rel=1e-12)
    found = ours["sequence_duplication_levels"]
    # The head of the table begins with the same sign, and its levels are words.
    table = rows[2:]
    for number, name in enumerate(("percentage_of_deduplicated", "percentage_of_total"), 1):
        assert found[name] == pytest.approx([float(row[number]) for row in table], rel=1e-9)
    assert [row[0] for row in table] == list(LABELS)


def test_frequent_sequences_are_fastqcs(ours: dict[str, Any], theirs: dict[str, Rows]) -> None:
    rows = theirs["Overrepresented sequences"][1:]
    said = {row[0]: (int(row[1]), pytest.approx(float(row[2]))) for row in rows}
    found = {
        one["sequence"]: (one["count"], one["percentage"])
        for one in ours["overrepresented_sequences"]
    }
    assert found == said


def test_adapters_by_place_are_fastqcs(ours: dict[str, Any], theirs: dict[str, Rows]) -> None:
    rows = theirs["Adapter Content"]
    names = rows[0][1:5]  # this release has a fifth of another instrument, and no runs of a base
    for number, name in enumerate(names, 1):
        assert ours["adapter_content"][name] == pytest.approx(column(rows, number), rel=1e-9)
    assert ours["adapter_content"]["PolyA"][-1] > 0


def test_fastqc_says_the_same_where_it_is(tmp_path: Path, theirs: dict[str, Rows]) -> None:
    program = shutil.which("fastqc")
    if program is None or VERSION not in _output(program, "--version"):
        assert len(theirs) == 11  # what it said once is committed, and was compared above
        return
    (tmp_path / "library.fastq").write_bytes(library(4_000, 11))
    _output(program, "--nogroup", "--extract", "-o", str(tmp_path), str(tmp_path / "library.fastq"))
    said = modules((tmp_path / "library_fastqc" / "fastqc_data.txt").read_text())
    assert said == theirs


def _output(*command: str) -> str:
    done = subprocess.run(command, check=True, timeout=120, capture_output=True, text=True)
    return done.stdout


@pytest.mark.parametrize("rust", [True, False])
def test_beyond_the_first_kinds_copies_are_estimated(
    rust: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not rust:
        monkeypatch.setattr(batch, "_rust", None)
    monkeypatch.setattr("genoflow.processors.validation.reads.counts.KINDS_MAX", 1_000)
    once, twice = fastq(1_500, 1), fastq(1_500, 2)
    found = details(once + twice + twice)
    # 1,000 kinds stand for 3,000, and their reads for 4,500: those seen are of the first ones.
    assert found["total_deduplicated_percentage"] == pytest.approx(100.0)
    reads = [fastq(1, seed) for seed in range(3_000) for _ in range(1 + seed % 2)]
    random.Random(1).shuffle(reads)
    estimate = details(b"".join(reads))["total_deduplicated_percentage"]
    assert estimate == pytest.approx(100 / 1.5, abs=3)


def test_the_correction_is_fastqcs_formula() -> None:
    raw = {"levels": {1: 60_000, 2: 40_000}, "counted_at_limit": 120_000, "reads": 1_000_000}
    # A kind of level 1 is seen among 12 % of the reads with p = 0.12, one of level 2 with 0.2256.
    once, twice = 60_000 / 0.12, 40_000 / (1 - 0.88**2)
    found = duplication(raw)["total_deduplicated_percentage"]
    assert found == pytest.approx(100 * (once + twice) / (once + 2 * twice), rel=1e-4)
    assert KINDS_MAX == 100_000


def test_many_lengths_are_grouped() -> None:
    lengths = dict.fromkeys(range(100, 3_100), 1)
    groups = lengths_of(lengths)
    assert len(groups) == 1_000
    assert (groups[0], groups[-1]) == ((100, 102, 3), (3_097, 3_099, 3))
