"""Foreign reads in generated mixtures, counted as bcftools counts them."""

from __future__ import annotations

import json
from pathlib import Path

import pysam
import pysam.bcftools
import pytest
from click.testing import CliRunner

from genoflow.deploy.commands.qc import qc
from genoflow.events.errors import Refused
from genoflow.processors import contamination
from genoflow.processors.contamination import Counted, count_sites, estimate, read_sites
from tests.mixtures import write_mixture

BOUND = 0.01  # as docs/metrics.md says
DEPTH, SEED = 30.0, 1


@pytest.fixture(scope="module")
def clean(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return write_mixture(tmp_path_factory.mktemp("clean"), 0.0, DEPTH, SEED)


def test_a_clean_sample_has_no_foreign_reads(clean: tuple[Path, Path]) -> None:
    found = estimate(count_sites(clean[0], read_sites(clean[1])))
    assert found.share is not None
    assert found.share < 0.003
    assert (found.low, found.unknown) == (0.0, None)


@pytest.mark.parametrize(("share", "seed"), [(0.03, 1), (0.10, 2)])
def test_a_mixture_is_told_within_its_bound(share: float, seed: int, tmp_path: Path) -> None:
    bam, sites = write_mixture(tmp_path, share, DEPTH, seed)
    found = estimate(count_sites(bam, read_sites(sites)))
    assert found.share == pytest.approx(share, abs=BOUND)
    assert found.low is not None
    assert found.high is not None
    assert found.low < share < found.high


def test_reads_are_counted_as_bcftools_counts_them(clean: tuple[Path, Path]) -> None:
    bam, sites = clean
    text = str(pysam.bcftools.mpileup(
        "-B", "-q", "20", "-Q", "20", "-a", "AD", "-f", str(bam.with_name("genome.fa")), str(bam),
        "-d", str(contamination.DEPTH_MAX),
    ))  # fmt: skip
    said: dict[int, dict[str, int]] = {}
    for row in text.splitlines():
        fields = row.split("\t")
        if not row.startswith("#") and "INDEL" not in fields[7]:
            depths = map(int, fields[9].rpartition(":")[2].split(","))
            bases = (fields[3], *fields[4].split(","))
            said[int(fields[1]) - 1] = dict(zip(bases, depths, strict=True))
    wanted = read_sites(sites)
    for site, counted in zip(wanted, count_sites(bam, wanted), strict=True):
        there = said.get(site.place, {})
        assert counted.reference == there.get(site.reference, 0), site
        assert counted.alternate == there.get(site.alternate, 0), site


def test_what_tells_nothing_is_no_site(clean: tuple[Path, Path]) -> None:
    sites = read_sites(clean[1])
    assert len(sites) == 398
    assert {site.sequence for site in sites} == {"chr1"}


def test_few_reads_leave_it_open_and_say_so() -> None:
    found = estimate([Counted(0.5, 3, 0), Counted(0.3, 0, 2)])
    assert found.share is None
    assert "leave it open from 0.000" in str(found.unknown)
    assert estimate([Counted(0.5, 0, 0)]).unknown == "no read lies over any of the variants"


def test_half_of_another_sample_is_the_most_that_is_told() -> None:
    found = estimate([Counted(0.5, 15, 15)] * 400)
    assert found.high is not None
    assert found.high <= contamination.SHARE_MAX


def test_wrong_bases_are_no_foreign_reads() -> None:
    clean = [Counted(0.5, 60, 1, 2), Counted(0.5, 1, 60, 2), Counted(0.5, 60, 0, 2)] * 60
    share = estimate(clean).share
    assert share is not None
    assert share < 0.005
    as_foreign = estimate([Counted(one.frequency, one.reference, one.alternate) for one in clean])
    assert as_foreign.share is not None
    assert as_foreign.share > share


def test_the_command_tells_it_and_why_it_cannot(clean: tuple[Path, Path], tmp_path: Path) -> None:
    bam, sites = map(str, clean)
    run = CliRunner().invoke
    said = run(qc, ["contamination", bam, "--sites", sites]).output
    assert "of its reads are foreign (0.00% to" in said
    assert "398 variants" in said
    lines = Path(sites).read_text().splitlines(keepends=True)
    first = next(at for at, line in enumerate(lines) if not line.startswith("#"))
    few = tmp_path / "few.vcf"
    few.write_text("".join(lines[: first + 1]))
    assert "is not known" in run(qc, ["contamination", bam, "--sites", str(few)]).output
    told = json.loads(run(qc, ["contamination", bam, "--sites", str(few), "--json"]).output)
    assert (told["contamination_rate"], told["sites"]) == (None, 1)
    assert told["unknown"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("nothing", "cannot be read as VCF"),
        ("##fileformat=VCFv4.3\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n", "has no AF"),
        ('##fileformat=VCFv4.3\n##INFO=<ID=AF,Number=A,Type=Float,Description="f">\n'
         "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n", "holds no common variant"),
    ],
)  # fmt: skip
def test_what_holds_no_sites_is_refused(text: str, said: str, tmp_path: Path) -> None:
    path = tmp_path / "sites.vcf"
    path.write_text(text)
    with pytest.raises(Refused, match=said):
        read_sites(path)


def test_too_many_sites_are_refused(
    clean: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(contamination, "SITES_MAX", 5)
    with pytest.raises(Refused, match="more than 5 common variants"):
        read_sites(clean[1])


def test_a_bam_without_its_index_is_refused(clean: tuple[Path, Path], tmp_path: Path) -> None:
    alone = tmp_path / "alone.bam"
    alone.write_bytes(clean[0].read_bytes())
    with pytest.raises(Refused, match="samtools index"):
        count_sites(alone, [])
    with pytest.raises(Refused, match="cannot be read as an indexed BAM"):
        count_sites(clean[1], [])
