"""The steps of the germline pipeline on a family of whom everything is known."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from random import Random
from typing import Any

import pytest

from genoflow.deploy.generate.fastq import fastq_files
from genoflow.deploy.generate.genome import fasta, make_genome
from genoflow.deploy.generate.instruments import INSTRUMENTS
from genoflow.deploy.generate.libraries import Library, Run
from genoflow.deploy.generate.reads import Pair, Recipe, contaminated, make_pairs, pairs_for
from genoflow.deploy.generate.variants import (
    FEMALE,
    MALE,
    Subject,
    make_child,
    make_subject,
    sites_of,
    with_low_fraction,
)
from genoflow.deploy.pipelines import program
from genoflow.nextflow.modules.compare.compare import Reads, compared, contamination, copies
from genoflow.nextflow.modules.coverage.coverage import sex_of

SEED, DEPTH, FOREIGN_FRACTION = 7, 16.0, 0.1
GENOME = make_genome(SEED)
SITES = sites_of(GENOME, SEED)
RECIPE = Recipe()
STEP_SECONDS_MAX = 60
PLACES = 280  # single-base variants of 50 kb
Rows = list[dict[str, Any]]


def step(name: str, folder: Path, *words: object) -> None:
    """Run a step as Nextflow does: by its path, in a folder of its own."""
    subprocess.run(
        [sys.executable, str(program(name)), *map(str, words)],
        cwd=folder, check=True, capture_output=True, timeout=STEP_SECONDS_MAX,
    )  # fmt: skip


def family() -> dict[str, tuple[Pair, ...]]:
    """Reads of a trio, of the son's tumour, and of the son with some of a stranger's."""
    mother, father = (
        make_subject(name, SITES, SEED, sex) for name, sex in (("M", FEMALE), ("F", MALE))
    )
    son = make_child("K", mother, father, SEED, MALE)
    tumour = with_low_fraction(son, SITES, SEED, 12)

    def read(name: str, subject: Subject) -> tuple[Pair, ...]:
        count = pairs_for(DEPTH, GENOME, RECIPE)
        return make_pairs(GENOME, subject, f"{SEED}/{name}", count, RECIPE)

    found = {"M": read("M", mother), "F": read("F", father), "K": read("K", son)}
    found["T"] = read("T", tumour)
    foreign = read("X", make_subject("X", SITES, SEED))
    found["C"] = contaminated(read("C", son), foreign, FOREIGN_FRACTION, "C")
    return found


class Case:
    """Everybody aligned, sorted, counted and called together."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "reference.fa").write_bytes(fasta(GENOME))
        step("index", folder, "reference.fa", "index")
        bams = [self._aligned(name, pairs) for name, pairs in family().items()]
        self._roles(T="tumour", K="normal")
        step("call", folder, "index", "called.vcf.gz", "", *bams)
        step("normalise", folder, "called.vcf.gz", "reference.fa", "all.vcf.gz", "s.txt", "v.json")

    def _aligned(self, name: str, pairs: tuple[Pair, ...]) -> Path:
        work = self.folder / name
        work.mkdir()
        library = Library(name, f"{name}-lib1", 1, "ACGTACGT", "TTGGCCAA", pairs=pairs)
        files = fastq_files(Run(INSTRUMENTS["MiSeq"], 1, SEED, (library,)), library)
        for file in files:
            (work / f"{file.role}.fastq.gz").write_bytes(file.content)
        reads = [work / f"{file.role}.fastq.gz" for file in files]
        step("align", work, self.folder / "index", name, f"{name}.L1", "one.bam", 5, *reads)
        step("sort", work, f"{name}.bam", "one.bam")
        step("coverage", work, name, f"{name}.bam", f"{name}.coverage.json")
        return work / f"{name}.bam"

    def _roles(self, **members: str) -> None:
        lines = ["sample\trole", *(f"{name}\t{role}" for name, role in members.items())]
        (self.folder / "roles.tsv").write_text("\n".join(lines) + "\n")

    def coverage(self, name: str) -> dict[str, Any]:
        """What was counted of one sample."""
        text = (self.folder / name / f"{name}.coverage.json").read_text()
        return dict(json.loads(text))

    def compared(self, kind: str, **members: str) -> Rows:
        """What is measured of members in these roles."""
        self._roles(**members)
        step("compare", self.folder, "all.vcf.gz", kind, "roles.tsv", "compared.json")
        return list(json.loads((self.folder / "compared.json").read_text()))


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory) -> Case:
    """The family, prepared once."""
    return Case(tmp_path_factory.mktemp("germline"))


def of(rows: Rows, metric: str) -> dict[str, Any]:
    """The values of a metric, or what was found where that is a word, by what was measured."""
    return {r["measured_on"]: r.get("found", r["value"]) for r in rows if r["metric"] == metric}


def test_coverage_tells_the_sex(case: Case) -> None:
    told = {name: case.coverage(name) for name in "MFKTC"}
    assert {name: one["sex_found"] for name, one in told.items()} == {
        "M": "female", "F": "male", "K": "male", "T": "male", "C": "male",
    }  # fmt: skip
    assert 0.85 < told["M"]["sex"] < 1.15
    assert 0.4 < told["F"]["sex"] < 0.6
    for one in told.values():
        assert 0.8 * DEPTH < one["mean_coverage"] < 1.1 * DEPTH
        assert 0.03 < one["duplicate_fraction"] < 0.08


def test_a_trio_is_told_from_its_reads(case: Case) -> None:
    rows = case.compared("trio", K="proband", M="mother", F="father")
    assert of(rows, "relatedness") == {
        "K/M": "parent-child", "K/F": "parent-child", "M/F": "unrelated",
    }  # fmt: skip
    assert of(rows, "concordance") == {}, "members of a trio are not one subject"
    shares = of(rows, "contamination")
    assert list(shares) == ["K", "M", "F"]
    assert max(shares.values()) < 0.02


def test_tumour_and_normal_are_one_subject(case: Case) -> None:
    rows = case.compared("tumour-normal", T="tumour", K="normal")
    assert of(rows, "relatedness") == {"T/K": "same"}
    assert of(rows, "concordance")["T/K"] > 0.95
    assert max(of(rows, "contamination").values()) < 0.02, "what some cells have is not foreign"


def test_a_swapped_normal_is_not_the_subject(case: Case) -> None:
    for other, found in (("M", "parent-child"), ("F", "parent-child")):
        rows = case.compared("tumour-normal", T="tumour", **{other: "normal"})
        assert of(rows, "relatedness") == {f"T/{other}": found}
        assert of(rows, "concordance")[f"T/{other}"] < 0.6


def test_a_tenth_of_foreign_reads_is_told_and_hides_nobody(case: Case) -> None:
    rows = case.compared("tumour-normal", K="tumour", C="normal")
    assert of(rows, "contamination")["K"] < 0.02
    assert 0.06 < of(rows, "contamination")["C"] < 0.18
    assert of(rows, "relatedness") == {"K/C": "same"}
    assert of(rows, "concordance")["K/C"] > 0.9


def test_the_report_holds_every_value_as_it_is_judged(case: Case) -> None:
    case.compared("tumour-normal", T="tumour", K="normal")
    coverages = [f"{name}/{name}.coverage.json" for name in "TK"]
    words = ("C1", "page.html", "m.json", "v.json", "compared.json", *coverages)
    step("report", case.folder, *words)
    rows = json.loads((case.folder / "m.json").read_text())
    kinds = {(row["metric"], row["unit"], row.get("measured_on")) for row in rows}
    assert kinds >= {
        ("mean_coverage", "x", "T"), ("sex", "ratio", "K"), ("contamination", "fraction", "T"),
        ("relatedness", "fraction", "T/K"), ("concordance", "fraction", "T/K"),
        ("ti_tv", "ratio", None),
    }  # fmt: skip
    assert of(rows, "sex") == {"T": "male", "K": "male"}
    assert all(set(row) <= {"metric", "value", "unit", "measured_on", "found"} for row in rows)
    assert "<td>T/K</td><td>relatedness</td>" in (case.folder / "page.html").read_text()


# -- single values


def test_the_sex_is_unknown_without_chrx_and_with_few_reads() -> None:
    places = Counter({"chr1": 30_000, "chrX": 20_000})
    depths: Mapping[tuple[int, int], str] = {
        (10, 10): "female", (10, 5): "male", (20, 14): "unknown", (1, 1): "female",
    }  # fmt: skip
    for (autosome, x), found in depths.items():
        depth = Counter({"chr1": 30_000 * autosome, "chrX": 20_000 * x})
        assert sex_of(places, depth)[1] == found, (autosome, x)
    assert sex_of(places, Counter({"chr1": 15_000, "chrX": 10_000})) == (1.0, "unknown")
    assert sex_of(places, Counter()) == (0.0, "unknown")
    for name in ("chr2", "chrY", "chrX_random"):
        assert sex_of(Counter({"chr1": 9, name: 9}), Counter({"chr1": 900_000})) == (0.0, "unknown")
    plain = Counter({"1": 300_000, "X": 200_000, "MT": 9_000_000})
    assert sex_of(Counter({"1": 30_000, "X": 20_000, "MT": 16_000}), plain) == (1.0, "female")


def places_of(depth: int, foreign: float, name: str) -> list[Reads]:
    """Reads of a subject that strangers share nothing with but the frequencies of its variants."""
    source = Random(f"{SEED}/{name}")
    found = []
    for _ in range(PLACES):
        own, other = source.choices((0, 1, 2), (40, 40, 20), k=2)
        share = (1 - foreign) * own / 2 + foreign * other / 2
        alternate = sum(source.random() < share for _ in range(depth))
        found.append(Reads(depth - alternate, alternate, on_autosome=True))
    return found


@pytest.mark.parametrize("depth", [10, 30, 1_000])
@pytest.mark.parametrize(("foreign", "least", "most"), [(0.0, 0.0, 0.02), (0.1, 0.04, 0.2)])
def test_foreign_reads_are_told_at_any_depth(
    depth: int, foreign: float, least: float, most: float
) -> None:
    for number in range(3):
        found = contamination(places_of(depth, foreign, f"{depth}/{number}"))
        assert found is not None
        assert least <= found <= most


def test_contamination_is_not_told_where_little_can_tell_it() -> None:
    assert contamination([]) is None
    assert contamination(places_of(30, 0.0, "few")[:20]) is None
    assert contamination([Reads(15, 15, on_autosome=True)] * 200) == 1.0, "two, half and half"
    assert contamination([Reads(0, 30, on_autosome=False)] * 20) == 0.0, "an only copy will do"


def test_a_genotype_is_told_by_its_reads_or_left_open() -> None:
    reads = {
        (0, 30): 2,
        (3, 27): 2,
        (15, 15): 1,
        (27, 3): 0,
        (30, 0): 0,
        (6, 24): None,
        (0, 7): None,
    }
    for (reference, alternate), told in reads.items():
        assert copies(Reads(reference, alternate, on_autosome=True)) == told


def test_what_two_samples_are_to_each_other_is_open_between_the_kinds() -> None:
    hom, het, ref = (Reads(*n, on_autosome=True) for n in ((0, 30), (15, 15), (30, 0)))

    def told(same: int, half: int, opposite: int) -> str:
        others = [hom] * same + [het] * half + [ref] * opposite
        return compared([hom] * len(others), others)[0]

    assert told(9, 0, 0) == "unknown", "nine places are too few"
    assert told(40, 1, 0) == "same"
    assert told(10, 30, 0) == "parent-child"
    assert told(10, 20, 10) == "unrelated"
    assert told(20, 20, 3) == "unknown", "brothers and sisters"
    assert told(30, 10, 0) == "unknown", "between the same and a child"
    x = Reads(0, 30, on_autosome=False)
    assert compared([x] * 50, [x] * 50) == ("unknown", 0.0, None), "sons do not have it of fathers"
