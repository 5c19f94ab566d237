"""Generated genomes, subjects and reads: the same for a seed, and what they are said to be."""

from __future__ import annotations

import gzip
import hashlib
import zlib
from collections import Counter, defaultdict
from itertools import pairwise

import pytest

from genoflow.deploy.generate.fastq import fastq_files, fastq_text
from genoflow.deploy.generate.faults import FAULTS, TargetsFault
from genoflow.deploy.generate.genome import Genome, fasta, make_genome, reverse_complement, targets
from genoflow.deploy.generate.instruments import INSTRUMENTS
from genoflow.deploy.generate.libraries import Library, Run
from genoflow.deploy.generate.packing import BGZF_END, bgzf, gzip_members
from genoflow.deploy.generate.reads import (
    ADAPTERS,
    BINS,
    NO_CALL,
    Pair,
    Recipe,
    contaminated,
    make_pairs,
    pairs_for,
)
from genoflow.deploy.generate.variants import (
    FEMALE,
    MALE,
    SPACING_BASES,
    Subject,
    Variant,
    haplotypes_of,
    make_child,
    make_subject,
    sites_of,
    vcf,
    with_low_fraction,
)

SEED = 5
GENOME = make_genome(SEED)
SITES = sites_of(GENOME, SEED)
NORMAL = make_subject("someone", SITES, SEED)
TUMOUR = with_low_fraction(NORMAL, SITES, SEED, 12)
DEPTH = 60.0
RECIPE = Recipe()
PAIRS = make_pairs(GENOME, TUMOUR, str(SEED), pairs_for(DEPTH, GENOME, RECIPE), RECIPE)
# Of content, not of packed bytes: packed bytes differ where zlib does.
FASTA_SHA256 = "8bf20c7c9db03846cee816e7bef33b0bcd0d7ab180e12b6b963cd1ee1f82eee8"
VCF_SHA256 = "b4e4686896b5757b430a546ce6aa416e3a111b01ef84170d0fbb2154a3461d89"
FASTQ_SHA256 = "5c3cd967f46bcc584f2ce4fff32907a89b3ff3ceaa1f2db9f19be0a1d8438a89"


def run_of(pairs: tuple[Pair, ...]) -> tuple[Run, Library]:
    library = Library("S1", "S1-lib1", 1, "ACGTACGT", "TTGGCCAA", pairs=pairs)
    return Run(INSTRUMENTS["MiSeq"], 1, SEED, (library,)), library


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def test_a_seed_gives_these_bytes_on_every_python() -> None:
    assert sha256(fasta(GENOME)) == FASTA_SHA256
    assert sha256(vcf(GENOME, TUMOUR, "S1")) == VCF_SHA256
    run, library = run_of(PAIRS[:500])
    assert sha256(fastq_text(run, library, "R2")) == FASTQ_SHA256


def test_another_seed_gives_another_genome_and_other_reads() -> None:
    assert make_genome(SEED + 1) != GENOME
    assert make_pairs(GENOME, TUMOUR, "other", 50, RECIPE) != PAIRS[:50]


def test_a_genome_has_its_lengths_and_no_long_run_of_a_base() -> None:
    assert [len(contig.bases) for contig in GENOME.contigs] == [30_000, 20_000]
    assert [contig.name for contig in GENOME.contigs] == ["chr1", "chrX"]
    assert GENOME.length == 50_000
    whole = "".join(contig.bases for contig in GENOME.contigs)
    assert 0.38 < (whole.count("G") + whole.count("C")) / len(whole) < 0.44
    assert not any(base * 7 in whole for base in "ACGT")
    head, first, *_ = fasta(GENOME).decode().splitlines()
    assert (head, first) == (">chr1", GENOME.contigs[0].bases[:60])


def test_sites_keep_their_distance_and_hold_all_kinds() -> None:
    for before, after in pairwise(SITES):
        if before.contig == after.contig:
            assert after.position - (before.position + len(before.reference)) >= SPACING_BASES
    kinds = Counter(site.kind for site in SITES)
    assert min(kinds[kind] for kind in ("snv", "insertion", "deletion")) > 10
    assert sum(site.low for site in SITES) >= 30


def test_every_indel_stands_as_far_left_as_it_goes() -> None:
    for site in SITES:
        assert site.reference[-1] != site.alternate[-1], site


def test_a_reference_base_is_what_the_genome_has_there() -> None:
    contigs = {contig.name: contig.bases for contig in GENOME.contigs}
    for site in SITES:
        start = site.position - 1
        assert contigs[site.contig][start : start + len(site.reference)] == site.reference


def by_the_vcf(genome: Genome, text: bytes, copy: int) -> list[str]:
    """The contigs with every phased variant of one copy put in, from behind."""
    contigs = {contig.name: contig.bases for contig in genome.contigs}
    rows = [line.split("\t") for line in text.decode().splitlines() if line[0] != "#"]
    for name, position, _, reference, alternate, *_, sample in reversed(rows):
        genotype = sample.split(":")[0]
        if "|" in genotype and genotype.split("|")[copy] == "1":
            start = int(position) - 1
            bases = contigs[name]
            contigs[name] = bases[:start] + alternate + bases[start + len(reference) :]
    return list(contigs.values())


@pytest.mark.parametrize("copy", [0, 1])
def test_a_haplotype_is_the_genome_with_its_vcf_put_in(copy: int) -> None:
    made = [pair[copy].bases for pair in haplotypes_of(GENOME, TUMOUR)]
    assert made == by_the_vcf(GENOME, vcf(GENOME, TUMOUR, "S1"), copy)
    assert made != [contig.bases for contig in GENOME.contigs]


def near(pairs: tuple[Pair, ...], width: int) -> dict[tuple[str, int], list[str]]:
    """Reads by the stretch of a contig in which their fragment begins."""
    found: dict[tuple[str, int], list[str]] = defaultdict(list)
    for pair in pairs:
        place = pair.origin.contig, pair.origin.start // width
        found[place] += [pair.first.bases, pair.second.bases]
    return found


def seen(variant: Variant, reads: str) -> tuple[int, int]:
    """How many reads show the variant, and how many the reference, by the word around it."""
    site, arm = variant.site, 14
    contig = next(c.bases for c in GENOME.contigs if c.name == site.contig)
    start, end = site.position - 1, site.position - 1 + len(site.reference)
    counts = []
    for middle in (site.alternate, site.reference):
        word = contig[start - arm : start] + middle + contig[end : end + arm]
        counts.append(reads.count(word) + reads.count(reverse_complement(word)))
    return counts[0], counts[1]


def test_reads_show_each_variant_as_often_as_the_truth_says() -> None:
    width = 1_000  # a fragment that covers a site begins in its stretch or in the one before
    stretches = near(PAIRS, width)
    shares: dict[str, list[float]] = {}
    for variant in TUMOUR.variants:
        contig, place = variant.site.contig, variant.site.position // width
        reads = [r for near_by in (-1, 0, 1) for r in stretches[contig, place + near_by]]
        alternate, reference = seen(variant, "\n".join(reads))
        share = alternate / (alternate + reference)
        kind = "low" if variant.site.low else variant.genotype
        shares.setdefault(kind, []).append(share - variant.expected_fraction)
        assert alternate, variant
        assert abs(share - variant.expected_fraction) < 0.35, variant
    assert {kind: len(found) > 8 for kind, found in shares.items()} == dict.fromkeys(
        ("0|1", "1|0", "1|1", "low"), True
    )
    for kind, found in shares.items():
        assert abs(sum(found) / len(found)) < 0.05, kind
    assert max(map(abs, shares["1|1"])) < 0.05


def test_relatives_share_what_relatives_share() -> None:
    father = make_subject("father", SITES, SEED)
    mother = make_subject("mother", SITES, SEED)
    child = make_child("child", mother, father, SEED)
    parents = {v.site for v in (*father.variants, *mother.variants)}
    assert {v.site for v in child.variants} <= parents
    homozygous = {v.site for v in mother.variants if len(v.haplotypes) == 2}
    assert homozygous <= {v.site for v in child.variants if 0 in v.haplotypes}
    assert {v for v in TUMOUR.variants if not v.site.low} == set(NORMAL.variants)
    assert len(TUMOUR.variants) == len(NORMAL.variants) + 12
    assert all(0.1 <= v.fraction <= 0.3 for v in TUMOUR.variants if v.site.low)
    assert make_subject("someone", SITES, SEED) == NORMAL != father


def test_a_male_has_one_copy_of_chrx_and_it_is_his_mothers() -> None:
    mother, father = (make_subject(n, SITES, SEED, s) for n, s in (("m", FEMALE), ("f", MALE)))
    son, daughter = (
        make_child(n, mother, father, SEED, s) for n, s in (("son", MALE), ("daughter", FEMALE))
    )
    for one in (father, son):
        assert [len(copies) for copies in haplotypes_of(GENOME, one)] == [2, 1]
        on_x = [v for v in one.variants if v.site.contig == "chrX"]
        assert {(v.genotype, v.expected_fraction) for v in on_x} == {("1", 1.0)}
        share = len(on_x) / sum(site.contig == "chrX" and not site.low for site in SITES)
        assert 0.3 < share < 0.5, "each copy of a site is drawn with the same chance"
    mothers = {v.site for v in mother.variants if v.site.contig == "chrX"}
    fathers = {v.site for v in father.variants if v.site.contig == "chrX"}
    assert {v.site for v in son.variants if v.site.contig == "chrX"} <= mothers
    assert {v.site for v in daughter.variants if 1 in v.haplotypes} >= fathers
    tumour = with_low_fraction(father, SITES, SEED, 30)
    assert {v.copies for v in tumour.variants if v.site.contig == "chrX"} == {(0,)}
    text = vcf(GENOME, father, "S1").decode()
    assert "chrX" in text
    assert "|" not in "".join(line for line in text.splitlines() if line.startswith("chrX"))


def test_one_copy_gives_half_of_the_reads() -> None:
    def share(sex: str) -> float:
        subject = make_subject("x", SITES, SEED, sex)
        pairs = make_pairs(GENOME, subject, "x", 4_000, RECIPE)
        return sum(pair.origin.contig == "chrX" for pair in pairs) / len(pairs)

    assert abs(share(FEMALE) - 20 / 50) < 0.03
    assert abs(share(MALE) - 10 / 40) < 0.03


def test_reads_are_binned_and_quality_2_is_an_n() -> None:
    reads = [read for pair in PAIRS for read in (pair.first, pair.second)]
    assert {quality for read in reads for quality in read.qualities} == set(BINS)
    assert all(len(read.bases) == len(read.qualities) == 101 for read in reads)
    for read in reads[:2_000]:
        n = [place for place, base in enumerate(read.bases) if base == "N"]
        assert n == [place for place, quality in enumerate(read.qualities) if quality == NO_CALL]
    share = sum(read.bases.count("N") for read in reads) / (101 * len(reads))
    assert 0.0005 < share < 0.005


def test_a_pair_lies_where_it_says() -> None:
    copies = haplotypes_of(GENOME, NORMAL)
    contigs = [contig.name for contig in GENOME.contigs]
    quiet = Recipe(poly_g_fraction=0.0)
    far = 0
    for pair in make_pairs(GENOME, NORMAL, "where", 300, quiet):
        origin = pair.origin
        bases = copies[contigs.index(origin.contig)][origin.haplotype].bases
        fragment = bases[origin.start : origin.start + origin.size]
        if not origin.forward:
            fragment = reverse_complement(fragment)
        both = ((pair.first, fragment), (pair.second, reverse_complement(fragment)))
        for read, source in both:
            length = min(len(read.bases), len(source))
            wrong = sum(a != b for a, b in zip(read.bases[:length], source, strict=False))
            far += wrong > 6
    assert far <= 3


def test_short_inserts_read_into_the_adapter() -> None:
    short = [pair for pair in PAIRS if pair.origin.size <= 80]
    assert len(short) > 10
    whole = [
        pair.first.bases[pair.origin.size : pair.origin.size + 12] == ADAPTERS[0][:12]
        and pair.second.bases[pair.origin.size : pair.origin.size + 12] == ADAPTERS[1][:12]
        for pair in short
    ]
    assert sum(whole) > 0.6 * len(whole)  # the others hold an N, an error or a tail there


def test_duplicates_and_tails_are_as_many_as_asked_for() -> None:
    copies = sum(pair.origin.duplicate for pair in PAIRS) / len(PAIRS)
    assert 0.04 < copies < 0.06
    repeated = Counter(pair.origin._replace(duplicate=False) for pair in PAIRS)
    assert sum(repeated.values()) - len(repeated) >= sum(p.origin.duplicate for p in PAIRS)
    none = make_pairs(GENOME, NORMAL, "x", 3_000, Recipe(duplicate_fraction=0, poly_g_fraction=0))
    assert not any(pair.origin.duplicate for pair in none)

    def tails(pairs: tuple[Pair, ...]) -> float:
        ends = [read.bases[-20:].count("G") for pair in pairs for read in pair[:2]]
        return sum(count >= 19 for count in ends) / len(ends)

    assert tails(none) == 0
    assert 0.005 < tails(PAIRS) < 0.02


def test_contamination_is_as_much_as_asked_for() -> None:
    foreign = make_pairs(GENOME, make_subject("other", SITES, SEED), "other", 400, RECIPE)
    mixed = contaminated(PAIRS[:2_000], foreign, 0.1, "mixed")
    assert sum(one is not other for one, other in zip(mixed, PAIRS, strict=False)) == 200
    assert {*mixed} - {*PAIRS[:2_000]} == {*foreign[:200]}
    assert contaminated(PAIRS[:2_000], foreign, 0.1, "mixed") == mixed


def test_targets_lie_on_the_genome() -> None:
    lengths = {contig.name: len(contig.bases) for contig in GENOME.contigs}
    rows = [line.split("\t") for line in targets(GENOME).decode().splitlines()]
    assert len(rows) == 50
    assert all(0 <= int(start) < int(end) <= lengths[name] for name, start, end, _ in rows)
    fault = FAULTS["bed-of-another-build"]
    assert isinstance(fault, TargetsFault)
    moved = [line.split("\t") for line in fault.apply(targets(GENOME)).decode().splitlines()]
    assert not {name for name, *_ in moved} & {*lengths}
    assert any(int(end) > lengths[f"chr{name}"] for name, _, end, _ in moved)


def test_fastq_has_a_record_for_each_read() -> None:
    run, library = run_of(PAIRS[:200])
    first, second = fastq_files(run, library)
    lines = gzip.decompress(first.content).decode().splitlines()
    assert len(lines) == 800
    assert lines[0] == "@M00001:1:000000000-G0001:1:1101:1000:1000 1:N:0:ACGTACGT+TTGGCCAA"
    assert lines[1] == PAIRS[0].first.bases
    assert lines[3] == "".join(chr(33 + quality) for quality in PAIRS[0].first.qualities)
    names = [gzip.decompress(f.content).decode().splitlines()[::4] for f in (first, second)]
    assert [n.split()[0] for n in names[0]] == [n.split()[0] for n in names[1]]
    assert second.declared_md5 == hashlib.md5(second.content, usedforsecurity=False).hexdigest()


@pytest.mark.parametrize("size", [0, 1, 70_000, 300_000])
def test_packed_content_is_whole_and_in_its_blocks(size: int) -> None:
    content = fasta(GENOME) * 7
    content = content[:size]
    assert gzip.decompress(bgzf(content)) == gzip.decompress(gzip_members(content)) == content
    packed, blocks = bgzf(content), 0
    while packed:
        assert packed[12:14] == b"BC"
        length = int.from_bytes(packed[16:18], "little") + 1
        assert len(zlib.decompress(packed[:length], 31)) <= 0xFF00
        packed, last, blocks = packed[length:], packed[:length], blocks + 1
    assert last == BGZF_END
    assert blocks == max(1, -(-size // 0xFF00)) + 1
    # The end as the BGZF specification prints it.
    assert BGZF_END.hex() == "1f8b08040000000000ff0600424302001b0003000000000000000000"


def test_a_subject_without_variants_has_the_genome_itself() -> None:
    [first, second], _ = haplotypes_of(GENOME, Subject("nobody", ()))
    assert first.bases == second.bases == GENOME.contigs[0].bases
