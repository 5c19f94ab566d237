"""Small files of alignments and variants, written by htslib out of a seed."""

from __future__ import annotations

import random
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pysam

HEADER: Mapping[str, Any] = {
    "HD": {"VN": "1.6"},
    "SQ": [
        {"SN": "one", "LN": 5_000, "M5": "0" * 32, "AS": "small-1"},
        {"SN": "two", "LN": 3_000, "M5": "1" * 32, "AS": "small-1"},
    ],
    "RG": [{"ID": "rg1", "SM": "S1"}],
}
# Per read: flag, mapped or not.
FLAGS = (0, 0, 16, 4, 0x400, 0x100, 0x800)


def contigs(*lengths: int, name: str = "chr", **tags: str) -> list[dict[str, Any]]:
    """Chromosomes of these lengths, in order."""
    return [{"SN": f"{name}{n}", "LN": size, **tags} for n, size in enumerate(lengths, start=1)]


def bam(count: int = 70, seed: int = 1, **header: Any) -> bytes:
    """So many records, every seventh of each flag, of 50 bases."""
    return _written(lambda path: _alignments(path, "wb", [], count, seed, header))


def cram(count: int = 70, seed: int = 1, *options: str, **header: Any) -> bytes:
    """The same records; the bases stand in the file, so nobody needs the reference."""
    given = ["no_ref=1", *options]
    return _written(lambda path: _alignments(path, "wc", given, count, seed, header))


def in_order(mode: Any, *options: str, count: int = 2_000) -> bytes:
    """Reads of both sequences in the order of their positions, and a few of none at the end."""

    def write(path: str) -> None:
        given, chance = list(options), random.Random(3)
        whole = {**HEADER, "HD": {"VN": "1.6", "SO": "coordinate"}}
        with pysam.AlignmentFile(path, mode, header=whole, format_options=given) as file:
            for number in range(count):
                record = pysam.AlignedSegment(file.header)
                record.query_name = f"read{number}"
                record.query_sequence = "".join(chance.choices("ACGT", k=50))
                record.query_qualities_str = "F" * 50
                record.flag = 4
                if number < count * 9 // 10:
                    record.flag = 0
                    record.reference_id = int(number >= count // 2)
                    record.reference_start = number % (count // 2)
                    record.cigarstring, record.mapping_quality = "50M", 60
                file.write(record)

    return _written(write)


def cram_against(bases: str, *options: str, **tags: str) -> bytes:
    """Reads that are written as differences to a reference, which is gone afterwards."""

    def write(path: str) -> None:
        fasta = Path(path).with_name("genome.fa")
        fasta.write_text(f">one\n{bases}\n", "ascii")
        pysam.faidx(str(fasta))
        header = {"HD": {"VN": "1.6"}, "SQ": [{"SN": "one", "LN": len(bases), **tags}]}
        with pysam.AlignmentFile(
            path, "wc", header=header, reference_filename=str(fasta), format_options=[*options]
        ) as file:
            for start in range(0, len(bases) - 50, 10):
                record = pysam.AlignedSegment(file.header)
                record.query_name = f"read{start}"
                record.query_sequence = bases[start : start + 49] + "N"
                record.query_qualities_str = "F" * 50
                record.reference_id, record.reference_start = 0, start
                record.cigarstring, record.mapping_quality = "50M", 60
                file.write(record)

    return _written(write)


def vcf(
    count: int = 20,
    mode: str = "w",
    *,
    samples: Sequence[str] = ("S1",),
    lines: Sequence[str] = ("##contig=<ID=one,length=5000,assembly=small-1>",),
) -> bytes:
    """So many variants: `w` as text, `wz` in BGZF, `wb` as BCF."""

    def write(path: str) -> None:
        header = pysam.VariantHeader()
        for line in (*lines, '##FORMAT=<ID=GT,Number=1,Type=String,Description="genotype">'):
            header.add_line(line)
        for sample in samples:
            header.add_sample(sample)
        with pysam.VariantFile(path, mode, header=header) as file:
            for number in range(count):
                contig = next(iter(header.contigs))
                start = 10 * number
                record = file.new_record(
                    contig=contig, start=start, stop=start + 1, alleles=("A", "G"), qual=50
                )
                for sample in samples:
                    record.samples[sample]["GT"] = (0, 1)
                file.write(record)

    return _written(write)


def index_bcf(path: Path) -> None:
    """Write the index of a BCF file beside it."""
    index: Any = pysam.tabix_index  # whose annotation leaves this format out
    index(str(path), preset="bcf", csi=True)


def _alignments(
    path: str, mode: Any, options: list[str], count: int, seed: int, header: Mapping[str, Any]
) -> None:
    chance = random.Random(seed)
    whole = {**HEADER, **header}
    with pysam.AlignmentFile(path, mode, header=whole, format_options=options) as file:
        for number in range(count):
            record = pysam.AlignedSegment(file.header)
            record.query_name = f"read{number}"
            record.flag = FLAGS[number % len(FLAGS)]
            record.query_sequence = "".join(chance.choices("ACGTN", (9, 9, 9, 9, 1), k=50))
            record.query_qualities_str = "".join(chance.choices("#,:F", k=50))
            if not record.is_unmapped:
                record.reference_id, record.reference_start = 0, 10 * number
                record.cigarstring, record.mapping_quality = "50M", 60
            file.write(record)


def _written(write: Callable[[str], None]) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "file"
        write(str(path))
        return path.read_bytes()
