"""Which files are taken in: by the ends of their names, and by their first bytes."""

from __future__ import annotations

import gzip

import pytest

from genoflow.api.formats import Format, check_head, format_named, role_in, role_of
from genoflow.api.upload_facts import (
    MEBIBYTE,
    PART_BYTES,
    PARTS_MAX,
    lengths_of,
    part_bytes_of,
)
from genoflow.events.errors import Refused

FASTQ = b"@r1\nACGT\n+\nIIII\n"
SAM = b"r1\t4\t*\t0\t0\t*\t*\t0\t0\tACGT\tIIII\n"
GOOD = {
    "a.fastq": FASTQ, "a.FQ.gz": gzip.compress(FASTQ), "a.fq.bgz": gzip.compress(FASTQ),
    "none.fastq.gz": gzip.compress(b""), "two.fq.gz": gzip.compress(b"") + gzip.compress(FASTQ),
    "a.sam": b"@HD\tVN:1.6\n", "b.sam": SAM, "a.bam": gzip.compress(b"BAM\x01" + bytes(9)),
    "a.cram": b"CRAM\x03\x00", "a.vcf": b"##fileformat=VCFv4.3\n",
    "a.vcf.gz": gzip.compress(b"##fileformat=VCFv4.3\n"), "a.bcf": gzip.compress(b"BCF\x02\x02"),
    "a.bam.bai": b"BAI\x01", "a.csi": gzip.compress(b"CSI\x01"), "a.crai": gzip.compress(b"0\t1"),
    "a.vcf.gz.tbi": gzip.compress(b"TBI\x01"),
}  # fmt: skip
WRONG = {
    "a.fastq": b"", "b.fastq": gzip.compress(FASTQ), "a.fastq.gz": FASTQ, "c.fastq": b">r1\n",
    "a.bam": FASTQ, "b.bam": b"BAM", "a.cram": b"BAM\x01", "a.vcf": b"#CHROM\n", "a.sam": FASTQ,
    "d.fastq.gz": gzip.compress(FASTQ)[:10] + b"\xff" * 50, "a.bai": b"CSI\x01",
}  # fmt: skip


@pytest.mark.parametrize("name", GOOD)
def test_what_it_says_that_it_is_is_taken_in(name: str) -> None:
    check_head(name, format_named(name), GOOD[name])


@pytest.mark.parametrize("name", WRONG)
def test_what_it_does_not_say_that_it_is_is_refused(name: str) -> None:
    with pytest.raises(Refused, match="; "):
        check_head(name, format_named(name), WRONG[name])


@pytest.mark.parametrize(
    "name", ["a.txt", "a", "", "fastq", "a.bam.gz", "a.fasta", "a.gz", "a.zip"]
)
def test_other_names_are_refused(name: str) -> None:
    with pytest.raises(Refused, match="no format that is taken in"):
        format_named(name)


@pytest.mark.parametrize(
    ("first", "role"),
    [(b"@r 1:N:0:A", "R1"), (b"@r 2:Y:18:", "R2"), (b"@r/1", "R1"), (b"@r/2 x", "R2"),
     (b"@r", None), (b"@r 3:N:0", None), (b"@r/12", None)],
)  # fmt: skip
def test_the_first_name_says_which_read_it_is(first: bytes, role: str | None) -> None:
    assert role_in(first + b"\nA\n+\nI\n") == role
    assert role_in(gzip.compress(first + b"\r\nA\n+\nI\n")) == role


def test_a_role_is_one_that_the_format_can_have() -> None:
    assert role_of(Format("BCF", False), None) == "VCF"
    assert role_of(Format("CSI", False), "TBI") == "TBI"
    for name, role in (("FASTQ", None), ("FASTQ", "BAM"), ("CSI", None), ("BAM", "R1")):
        with pytest.raises(Refused, match="; it is one of"):
            role_of(Format(name, False), role)


@pytest.mark.parametrize("size", [1, PART_BYTES, PART_BYTES + 1, 50 * 10**9, 10**13])
def test_parts_are_whole_and_few(size: int) -> None:
    part = part_bytes_of(size)
    lengths = lengths_of(size, part)
    assert part % MEBIBYTE == 0
    assert sum(lengths) == size
    assert len(lengths) <= PARTS_MAX
    assert set(lengths[:-1]) <= {part}
