"""What the steps of the pipelines decide, of single places and fragments."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pysam
import pytest

from genoflow.deploy.generate.genome import fasta, make_genome
from genoflow.deploy.generate.transcripts import gtf, transcripts_of
from genoflow.deploy.pipelines import program
from genoflow.nextflow.modules.mendel.mendel import Member, is_new, is_possible
from genoflow.nextflow.modules.quantify.quantify import parted, places_of, tpm_of
from genoflow.nextflow.modules.somatic.somatic import Shown, is_somatic, odds, strand_chance
from genoflow.nextflow.modules.targets.targets import targets_of
from genoflow.nextflow.modules.transcripts.transcripts import transcripts_of as read_gtf

STEP_SECONDS_MAX = 60


def step(name: str, folder: Path, *words: object) -> str:
    """Run a step as Nextflow does; what it says where it ends in words."""
    done = subprocess.run(
        [sys.executable, str(program(name)), *map(str, words)],
        cwd=folder, check=False, capture_output=True, text=True, timeout=STEP_SECONDS_MAX,
    )  # fmt: skip
    assert done.returncode == 0 or done.stderr.startswith(str(words[1])), done.stderr
    return done.stderr if done.returncode else ""


# -- somatic

CLEAN = Shown((15, 15), (0, 0))


@pytest.mark.parametrize(
    ("tumour", "normal", "verdict"),
    [
        (Shown((45, 45), (5, 5)), CLEAN, True),
        (Shown((45, 45), (2, 2)), CLEAN, False),  # four of 94: below a twentieth
        (Shown((20, 20), (2, 1)), CLEAN, False),  # three can be errors
        (Shown((45, 45), (5, 5)), Shown((8, 7), (7, 8)), False),  # inherited
        (Shown((45, 45), (5, 5)), Shown((30, 30), (1, 1)), False),  # the normal shows it, too
        (Shown((45, 45), (5, 5)), Shown((3, 3), (0, 0)), False),  # too few to say that it has not
        (Shown((45, 45), (5, 5)), Shown((4, 4), (0, 0)), True),
        (Shown((50, 50), (20, 0)), CLEAN, False),  # one strand alone
        (Shown((0, 0), (15, 15)), CLEAN, True),
        (Shown((0, 0), (0, 0)), CLEAN, False),
    ],
)
def test_a_variant_is_somatic_by_both_samples(tumour: Shown, normal: Shown, verdict: bool) -> None:
    assert is_somatic(tumour, normal) is verdict


def test_odds_grow_with_the_reads_that_say_so() -> None:
    few, many = Shown((18, 18), (2, 2)), Shown((36, 36), (4, 4))
    assert 0 < odds(few, CLEAN)[0] < odds(many, CLEAN)[0]
    deep = Shown((30, 30), (0, 0))
    assert 0 < odds(few, CLEAN)[1] < odds(few, deep)[1]


def test_strands_agree_or_not() -> None:
    assert strand_chance(Shown((10, 10), (5, 5))) == pytest.approx(1.0)
    # 2 * C(10,10) C(10,0) / C(20,10): all of one kind on one strand, and the other way round.
    assert strand_chance(Shown((10, 0), (0, 10))) == pytest.approx(2 / 184_756)


# -- trio


def of(*genotype: int, depths: tuple[int, ...] = (15, 15)) -> Member:
    """A member with a genotype."""
    return Member(genotype, depths)


@pytest.mark.parametrize(
    ("child", "mother", "father", "both", "alone"),
    [
        ((0, 1), (0, 0), (0, 1), True, False),
        ((0, 1), (0, 0), (0, 0), False, False),
        ((1, 1), (0, 1), (0, 0), False, True),
        ((1, 1), (0, 1), (0, 1), True, True),
        ((0, 0), (1, 1), (0, 1), False, False),
        ((1, 2), (0, 1), (0, 2), True, False),
        ((1, 2), (1, 2), (0, 0), False, True),
        ((0, 1), (1, 1), (1, 1), False, False),
    ],
)
def test_a_child_has_one_copy_of_each_parent(
    child: tuple[int, int], mother: tuple[int, int], father: tuple[int, int],
    both: bool, alone: bool,
) -> None:  # fmt: skip
    members = of(*child), of(*mother), of(*father)
    assert is_possible(*members, has_father=True) is both
    assert is_possible(*members, has_father=False) is alone


def test_what_no_parent_has_is_new() -> None:
    clean, child = of(0, 0, depths=(30, 0)), of(0, 1)
    assert is_new(child, (clean, clean))
    assert is_new(child, (clean, of(0, 0, depths=(29, 1)))), "one of thirty is an error"
    assert not is_new(child, (clean, of(0, 0, depths=(18, 1)))), "of nineteen it may be a copy"
    assert not is_new(of(0, 1, depths=(27, 3)), (clean, clean)), "a tenth is of some cells"
    assert not is_new(of(0, 0, depths=(30, 0)), (of(0, 1), clean)), "nothing is there"


TRIO = """##fileformat=VCFv4.2
##contig=<ID=chr1,length=1000>
##contig=<ID=chrX,length=1000>
##FORMAT=<ID=GT,Number=1,Type=String,Description="Genotype">
##FORMAT=<ID=AD,Number=R,Type=Integer,Description="Depths">
#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\tK\tM\tF
"""
HET, HOM, REF = "0/1:15,15", "1/1:0,30", "0/0:30,0"


@pytest.mark.parametrize(
    ("record", "sex", "marks"),
    [
        (("chr1", 60, HET, REF, REF), "male", {"MENDEL", "DENOVO"}),
        (("chr1", 60, HET, "0/0:27,3", REF), "male", {"MENDEL"}),
        (("chr1", 60, HET, HET, REF), "male", set()),
        (("chr1", 20, HET, REF, REF), "male", set()),  # the record itself is doubtful
        (("chr1", 60, HET, "0/0:9,0", REF), "male", set()),  # too few reads of the mother
        (("chr1", 60, HET, "./.:0,0", REF), "male", set()),
        (("chrX", 60, HOM, HET, REF), "male", set()),  # a son has it of his mother alone
        (("chrX", 60, HOM, HET, REF), "female", {"MENDEL"}),
        (("chrX", 60, HOM, REF, HOM), "male", {"MENDEL"}),
        (("chrX", 60, HET, REF, REF), "unknown", set()),
    ],
)
def test_marks_of_a_trio(
    record: tuple[str, int, str, str, str], sex: str, marks: set[str], tmp_path: Path
) -> None:
    contig, quality, *samples = record
    fields = [contig, "10", ".", "A", "G", str(quality), ".", ".", "GT:AD", *samples]
    (tmp_path / "t.vcf").write_text(TRIO + "\t".join(fields) + "\n")
    (tmp_path / "roles.tsv").write_text("sample\trole\nK\tproband\nM\tmother\nF\tfather\n")
    (tmp_path / "K.json").write_text(json.dumps({"sample_id": "K", "sex_found": sex}))
    assert not step("mendel", tmp_path, "t.vcf", "roles.tsv", "out.vcf.gz", "m.json", "K.json")
    with pysam.VariantFile(str(tmp_path / "out.vcf.gz")) as out:
        assert {mark for one in out for mark in one.info} == marks
    assert json.loads((tmp_path / "m.json").read_text()) == [
        {"metric": "mendelian_error_fraction", "value": float(bool(marks))}
    ]


def test_a_trio_without_a_father_is_refused(tmp_path: Path) -> None:
    (tmp_path / "roles.tsv").write_text("sample\trole\nK\tproband\nM\tmother\n")
    said = step("mendel", tmp_path, "t.vcf", "roles.tsv", "out.vcf.gz", "m.json")
    assert said == "roles.tsv: names no father; give each its sample\n"


# -- normalise


def test_alternates_stand_alone_and_indels_at_the_left(tmp_path: Path) -> None:
    (tmp_path / "r.fa").write_text(">chr1\nGATTTTTCAG\n")
    head = "##fileformat=VCFv4.2\n##contig=<ID=chr1,length=10>\n"
    head += "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n"
    rows = ["chr1\t1\t.\tG\tA,C", "chr1\t6\t.\tTT\tT", "chr1\t8\t.\tC\tG", "chr1\t8\t.\tC\tG"]
    (tmp_path / "v.vcf").write_text(head + "".join(f"{row}\t.\t.\t.\n" for row in rows))
    words = ("v.vcf", "r.fa", "out.vcf.gz", "s.txt", "v.json")
    assert not step("normalise", tmp_path, *words)
    with pysam.VariantFile(str(tmp_path / "out.vcf.gz")) as out:
        found = [(one.pos, one.ref, one.alts) for one in out.fetch("chr1")]
    assert found == [
        (1, "G", ("A",)), (1, "G", ("C",)), (2, "AT", ("A",)), (8, "C", ("G",)),
    ]  # fmt: skip
    rows_said = {
        one["metric"]: one["value"] for one in json.loads((tmp_path / "v.json").read_text())
    }
    assert rows_said == {"variants": 4, "ti_tv": 0.5}


# -- panel


def test_targets_have_names_or_places(tmp_path: Path) -> None:
    bed = tmp_path / "t.bed"
    bed.write_text("track name=x\n# why\nchr1\t5\t9\tEXON1\nchr2\t0\t4\n\n")
    assert [one.name for one in targets_of(str(bed))] == ["EXON1", "0-4"]


# -- rnaseq


def test_transcripts_are_read_as_they_were_generated(tmp_path: Path) -> None:
    genome = make_genome(3, (12_000,))
    made = transcripts_of(genome, 3)
    assert {one.strand for one in made} == {"+", "-"}
    (tmp_path / "r.fa").write_bytes(fasta(genome))
    (tmp_path / "g.gtf").write_bytes(gtf(made))
    assert not step("transcripts", tmp_path, "r.fa", "g.gtf", "t.fa", "t.tsv")
    with pysam.FastaFile(str(tmp_path / "t.fa")) as written:
        assert {name: written.fetch(name) for name in written.references} == {
            one.name: one.bases(genome) for one in made
        }
    lines = (tmp_path / "t.tsv").read_text().splitlines()[1:]
    assert lines == [f"{one.name}\t{one.gene}\t{len(one.bases(genome))}" for one in made]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("chr1\ts\tgene\t1\t9\t.\t+\t.\tx", "g.gtf: holds no exon; give the annotation"),
        ('chr1\ts\texon\t1\t9\t.\t+\t.\tgene_id "G";', "g.gtf, line 1: an exon of no gene"),
        (
            'chr9\ts\texon\t1\t9\t.\t+\t.\tgene_id "G"; transcript_id "T";',
            "g.gtf: T lies on chr9, which r.fa has not",
        ),
    ],
)
def test_an_annotation_of_something_else_is_refused(line: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "r.fa").write_text(">chr1\nACGTACGTAC\n")
    (tmp_path / "g.gtf").write_text(f"{line}\n")
    assert step("transcripts", tmp_path, "r.fa", "g.gtf", "t.fa", "t.tsv").startswith(said)


def test_exons_are_put_together_in_the_order_of_the_genome(tmp_path: Path) -> None:
    rows = [(7, 9), (1, 3)]
    lines = [f'c\ts\texon\t{a}\t{b}\t.\t-\t.\tgene_id "G"; transcript_id "T";' for a, b in rows]
    (tmp_path / "g.gtf").write_text("\n".join(lines))
    (tmp_path / "r.fa").write_text(">c\nAACTTTGGTA\n")
    with pysam.FastaFile(str(tmp_path / "r.fa")) as reference:
        assert read_gtf(str(tmp_path / "g.gtf"))["T"].bases(reference) == "ACCGTT"


def aligned(others: str, edits: int = 0) -> pysam.AlignedSegment:
    """A read that lies at T1, and where XA says."""
    header: Any = pysam.AlignmentHeader.from_dict({"SQ": [{"SN": "T1", "LN": 900}]})
    text = f"r\t0\tT1\t1\t0\t10M\t*\t0\t0\tACGTACGTAC\t*\tNM:i:{edits}"
    return pysam.AlignedSegment.fromstring(text + (f"\tXA:Z:{others}" if others else ""), header)


def test_a_read_belongs_wherever_it_lies_as_well() -> None:
    assert places_of(aligned("")) == {"T1"}
    assert places_of(aligned("T2,+5,10M,0;T3,-9,10M,1;", 0)) == {"T1", "T2"}
    assert places_of(aligned("T2,+5,10M,1;T3,-9,8M2S,0;", 1)) == {"T1", "T2"}


def test_fragments_are_parted_by_what_belongs_to_one_alone() -> None:
    lengths = {"whole": 1_100, "short": 1_100, "silent": 1_100}
    classes = Counter({frozenset({"whole", "short"}): 100, frozenset({"whole"}): 30})
    classes[frozenset({"short"})] = 10
    counts = parted(classes, lengths, 101.0)
    assert counts["whole"] == pytest.approx(105, abs=0.1)
    assert counts["short"] == pytest.approx(35, abs=0.1)
    assert counts["silent"] == pytest.approx(0, abs=0.1)
    assert sum(tpm_of(counts, lengths, 101.0).values()) == pytest.approx(1_000_000)
    assert parted(Counter(), lengths, 101.0) == dict.fromkeys(lengths, 0.0)
    assert set(tpm_of(dict.fromkeys(lengths, 0.0), lengths, 101.0).values()) == {0.0}


def test_a_longer_transcript_needs_more_fragments_for_the_same_abundance() -> None:
    lengths = {"long": 2_100, "short": 1_100}
    counts = {"long": 200.0, "short": 100.0}
    assert tpm_of(counts, lengths, 101.0) == {"long": 500_000.0, "short": 500_000.0}
