"""align.py INDEX SAMPLE READ_SET OUT HITS READS...: one read set, mates together.

HITS is up to how many other places of a read are named, where as many fit as well.
"""

import itertools
import sys
from collections.abc import Iterator
from pathlib import Path

import pysam
from pybwa import BwaMem, BwaMemOptions

# bwa looks at the sizes of the fragments of one piece: 20,000 pairs settle them.
PIECE_RECORDS = 40_000
FRAGMENT_BASES_MAX = 1_000  # of a proper pair: libraries for short reads have 200 to 600


def _interleaved(files: list[str]) -> Iterator[pysam.FastxRecord]:
    """First reads alone, or each with its mate behind it."""
    with pysam.FastxFile(files[0]) as first:
        if len(files) == 1:
            yield from (_copied(record) for record in first)
            return
        with pysam.FastxFile(files[1]) as second:
            for one, other in zip(first, second, strict=True):
                if _name_of(one) != _name_of(other):
                    sys.exit(f"{one.name} and {other.name} stand beside each other and are no pair")
                yield from (_copied(one), _copied(other))


def _name_of(record: pysam.FastxRecord) -> str:
    return str(record.name).removesuffix("/1").removesuffix("/2")


def _copied(record: pysam.FastxRecord) -> pysam.FastxRecord:
    return pysam.FastxRecord(
        name=_name_of(record), sequence=record.sequence, quality=record.quality
    )


def _mark_mate(one: pysam.AlignedSegment, is_second: bool) -> None:
    """Say which mate it is: pybwa pairs mates and leaves these three flags out."""
    one.is_read1, one.is_read2 = not is_second, is_second
    together = not one.is_unmapped and not one.mate_is_unmapped
    together = together and one.reference_id == one.next_reference_id
    facing = one.is_reverse != one.mate_is_reverse and (one.template_length < 0) == one.is_reverse
    one.is_proper_pair = together and facing and 0 < abs(one.template_length) <= FRAGMENT_BASES_MAX


def main(index: str, sample: str, read_set: str, out: str, hits: str, *reads: str) -> None:
    """Align one read set, every record with its read group."""
    prefix = Path(index) / "reference.fa"
    with pysam.FastaFile(str(prefix)) as fasta:
        lengths = list(zip(fasta.references, fasta.lengths, strict=True))
    header = {
        "HD": {"VN": "1.6", "SO": "unsorted", "GO": "query"},
        "SQ": [{"SN": name, "LN": length} for name, length in lengths],
        "RG": [{"ID": read_set, "SM": sample, "LB": read_set, "PL": "ILLUMINA"}],
    }
    aligner = BwaMem(prefix)
    options = BwaMemOptions(interleaved_paired_end=len(reads) == 2, xa_max_hits=int(hits))
    records = _interleaved(list(reads))
    with pysam.AlignmentFile(out, "wb", header=header) as bam:
        while piece := list(itertools.islice(records, PIECE_RECORDS)):
            for number, found in enumerate(aligner.align(piece, options)):
                for one in found:
                    one.set_tag("RG", read_set)
                    if len(reads) == 2:
                        _mark_mate(one, is_second=number % 2 == 1)
                    bam.write(one)


if __name__ == "__main__":
    main(*sys.argv[1:])
