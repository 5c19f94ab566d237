"""SAM and BAM in one pass: counts as samtools has them, and the extension equal to its twin."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pysam
import pytest

from genoflow.native import batch
from genoflow.processors.validation.findings import Broken, Findings
from genoflow.processors.validation.port import Expected, Measured
from genoflow.processors.validation.sam.order import Order
from genoflow.processors.validation.sam.read import read_bam, read_sam
from genoflow.processors.validation.source import Source
from tests import alignment_lines as made
from tests.reads import bgzf

EXPECTED = Expected(
    role="BAM", sample_id="S1", instrument="I1", flow_cell="HABCDEFGH", lane=1,
    references=("GRCh38",),
)  # fmt: skip
ORDERS = (
    b"SO:coordinate", b"SO:queryname", b"GO:query", b"GO:reference",
    b"SO:queryname\tSS:queryname:natural", b"SO:queryname\tSS:queryname:lexicographical",
)  # fmt: skip
LETTERS = b"\t\n:*=,0123456789ACGTNMIDSHXZifB+-^@~ \r\x00\xff"
Seen = tuple[list[dict[str, Any]], dict[str, int], Measured | None]


def read(data: bytes, *, is_bam: bool) -> Seen:
    """Findings, their counts, and what was measured."""
    findings = Findings()
    measured = None
    try:
        reader = read_bam if is_bam else read_sam
        pieces = [data[at : at + 50_000] for at in range(0, len(data), 50_000)]
        measured = reader(Source(pieces), "bgzf" if is_bam else "none", EXPECTED, findings)
    except Broken as broken:
        findings.add(broken.rule, broken.message, broken.where)
    counts = {rule.code: count for rule, count in findings.counts.items()}
    return [one.as_json() for one in findings], counts, measured


@pytest.fixture(params=["fast", "python"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    if request.param == "python":
        monkeypatch.setattr(batch, "_rust", None)
    return request.param  # type: ignore[no-any-return]


def other_flags(text: bytes, seed: int) -> bytes:
    """The same with flags, mates and sizes out of the seed."""
    chance = random.Random(seed)
    rows = text.decode().splitlines()
    for at, row in enumerate(rows):
        if not row.startswith("@"):
            fields = row.split("\t")
            fields[1] = str(chance.randrange(4096) & ~(0 if chance.random() < 0.3 else 0x904))
            if fields[5] == "*":  # samtools stats stops at mapped reads without CIGAR
                fields[1] = str(int(fields[1]) | 4)
            if chance.random() < 0.3:
                fields[6:8] = ["chr1", "100"]
            fields[8] = str(chance.choice((0, 7, chance.randrange(-9_000, 9_000))))
            rows[at] = "\t".join(fields)
    return ("\n".join(rows) + "\n").encode()


def summary(path: Path) -> dict[str, float]:
    """The summary numbers of samtools stats."""
    rows = [row.split("\t") for row in str(pysam.samtools.stats(str(path))).splitlines()]
    return {row[1].rstrip(":"): float(row[2]) for row in rows if row[0] == "SN"}


# Not ours: what it filtered, trimmed, and whether it found the file sorted.
NOT_OURS = {"filtered sequences", "is sorted", "bases trimmed"}


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_counts_are_those_of_samtools_stats(seed: int, way: str, tmp_path: Path) -> None:
    text = made.text(150, seed)
    text = text if seed == 1 else other_flags(text, seed)
    path = tmp_path / "made.bam"
    path.write_bytes(made.bam(text))
    theirs = summary(path)
    for is_bam, data in ((False, text), (True, made.bam(text))):
        _, _, measured = read(data, is_bam=is_bam)
        assert measured is not None
        ours = {name: measured.details[name] for name in theirs if name not in NOT_OURS}
        # It rounds means of lengths down, and other means to one decimal.
        allowed = {name: 1.0 if name.startswith("average length") else 0.051 for name in ours}
        allowed |= {name: 1.0 for name in ours if "fragment length" in name}
        allowed |= {name: 1e-6 for name in ours if name == "error rate"}
        differing = {
            name: (ours[name], theirs[name])
            for name in ours
            if abs(float(ours[name] or 0) - theirs[name]) >= allowed[name]  # type: ignore[arg-type]
        }
        assert differing == {}


def test_bases_without_qualities_do_not_count_in_their_mean(way: str) -> None:
    rows = [f"r\t0\tchr1\t1\t9\t4M\t*\t0\t0\tACGT\t{qual}\n" for qual in ("*", "IIII")]
    _, _, measured = read((made.HEADER + "".join(rows)).encode(), is_bam=False)
    assert measured is not None
    assert measured.details["average quality"] == measured.details["mean_quality"] == 40


def test_a_whole_file_is_clean_in_both_forms(way: str) -> None:
    text = made.text(300, 9)
    (none, _, of_text), (nothing, _, of_bam) = (
        read(text, is_bam=False),
        read(made.bam(text), is_bam=True),
    )
    assert none == nothing == []
    assert of_text is not None
    assert of_bam is not None
    assert (of_text.metrics, of_text.details) == (of_bam.metrics, of_bam.details)
    assert (of_text.format, of_bam.format, of_text.version) == ("SAM", "BAM", "1.6")


def test_htslib_reads_the_same_records_out_of_what_was_packed(tmp_path: Path) -> None:
    text = made.text(50, 4)
    path = tmp_path / "made.bam"
    path.write_bytes(made.bam(text))
    with pysam.AlignmentFile(str(path)) as file:
        names = [record.query_name for record in file.fetch(until_eof=True)]
    rows = [row for row in text.decode().splitlines() if not row.startswith("@")]
    assert names == [row.split("\t")[0] for row in rows]


@pytest.mark.skipif(not batch.COMPILED, reason="there is only the twin where nothing was built")
@pytest.mark.parametrize("part", range(8))
def test_the_extension_and_its_twin_find_the_same(
    part: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    base = made.text(30, 7)
    for seed in range(part * 25, part * 25 + 25):
        chance = random.Random(seed)
        text = base.replace(b"SO:coordinate", chance.choice(ORDERS))
        is_bam = chance.random() < 0.5
        if is_bam:
            data = bgzf(made.mutated(made.raw_bam(text), chance, range(256)), 3_000)
        else:
            data = made.mutated(text, chance, LETTERS)
        fast = read(data, is_bam=is_bam)
        with monkeypatch.context() as without:
            without.setattr(batch, "_rust", None)
            assert read(data, is_bam=is_bam) == fast, seed


@pytest.mark.skipif(not batch.COMPILED, reason="there is only the twin where nothing was built")
@pytest.mark.parametrize("is_bam", [False, True])
def test_a_file_full_of_notes_is_counted_the_same(
    is_bam: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = other_flags(made.text(300, 11), 11).replace(b"\t60\t", b"\t255\t")
    text = text.replace(b"NM:i:1", b"NM:i:9")
    data = made.bam(text) if is_bam else text
    fast = read(data, is_bam=is_bam)
    assert max(fast[1].values()) > 100
    monkeypatch.setattr(batch, "_rust", None)
    assert read(data, is_bam=is_bam) == fast


@pytest.mark.parametrize(
    ("names", "holds"),
    [
        ("abc abc+5 abc-5 abc.d abc03 abc5 abc008 abc08 abc8 abc17 abc17.+ abc17.2 abc17.d", True),
        ("r1 r2 r10", True),
        ("r2 r1", False),
        ("a10b2 a10b10 a10b010", False),
    ],
)
def test_names_stand_in_their_natural_order(names: str, holds: bool, way: str) -> None:
    header = "@HD\tVN:1.6\tSO:queryname\tSS:queryname:natural\n"
    rows = [f"{name}\t4\t*\t0\t0\t*\t*\t0\t0\tA\tI\n" for name in names.split()]
    _, counts, _ = read((header + "".join(rows)).encode(), is_bam=False)
    assert ("sam-order-sub-sort" not in counts) == holds


def test_a_name_of_no_one_is_no_group() -> None:
    order = Order(by_coordinate=False, by_name=0, by_group=1)
    names = (b"*", b"a", b"*", b"a", b"b")
    found = [order.next(name, 4, (-1, 0), (-1, 0), 0) for name in names]
    assert found == [0, 0, 0, 16, 0]


PAIR = "r\t99\ta\t10\t9\t4M\t=\t30\t24\tACGT\tIIII", "r\t147\ta\t30\t9\t4M\t=\t10\t-24\tACGT\tIIII"
NOT_BETWEEN = "r\t2147\ta\t50\t9\t4M\t=\t30\t0\tACGT\tIIII"


@pytest.mark.parametrize(
    ("first", "second", "codes"),
    [
        (("", ""), ("", ""), set()),
        (("\t30\t24", "\t31\t24"), ("", ""), {"sam-mate-place"}),
        (("\t99", "\t67"), ("", ""), {"sam-mate-flags"}),
        (("\t99", "\t107"), ("", ""), {"sam-mate-flags"}),
        (("", ""), ("-24", "-25"), {"sam-mate-length"}),
        (("", ""), ("-24", "0"), set()),  # it is not known
        (("=\t30", "*\t0"), ("", ""), set()),  # the mate's place is not known
        (("r\t", "s\t"), ("-24", "-25"), set()),  # of another name
        (("\t99", "\t163"), ("-24", "-25"), set()),  # both the last one
    ],
)
def test_mates_that_stand_together_say_the_same_of_each_other(
    first: tuple[str, str], second: tuple[str, str], codes: set[str], way: str
) -> None:
    rows = (PAIR[0].replace(*first, 1), NOT_BETWEEN, PAIR[1].replace(*second, 1))
    body = "@SQ\tSN:a\tLN:99\n" + "".join(f"{row}\n" for row in rows)
    _, counts, _ = read(f"@HD\tVN:1.6\tGO:query\n{body}".encode(), is_bam=False)
    assert {code for code in counts if code.startswith("sam-mate")} == codes
    _, counts, _ = read(f"@HD\tVN:1.6\tSO:coordinate\n{body}".encode(), is_bam=False)
    assert not {code for code in counts if code.startswith("sam-mate")}


def test_a_file_of_lines_without_end_is_not_kept_in_memory() -> None:
    def pieces() -> Iterator[bytes]:
        while True:
            yield b"r" * 1024**2

    with pytest.raises(Broken) as raised:
        read_sam(Source(pieces()), "none", EXPECTED, Findings())
    assert raised.value.rule.code == "sam-line-long"
