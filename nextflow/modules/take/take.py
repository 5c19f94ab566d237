"""take.py INDEX SAMPLE READ_SET OUT ALIGNMENT: an alignment as ALIGN leaves its own.

Its records stand under the header of our reference, whatever order theirs had, and in one read
group of the sample. Where they lie is kept.
"""

import sys
from pathlib import Path

import pysam


def main(index: str, sample: str, read_set: str, out: str, alignment: str) -> None:
    """Copy every record."""
    reference = str(Path(index) / "reference.fa")
    with pysam.FastaFile(reference) as fasta:
        lengths = list(zip(fasta.references, fasta.lengths, strict=True))
    header = pysam.AlignmentHeader.from_dict(
        {
            "HD": {"VN": "1.6", "SO": "unsorted"},
            "SQ": [{"SN": name, "LN": length} for name, length in lengths],
            "RG": [{"ID": read_set, "SM": sample, "LB": read_set, "PL": "ILLUMINA"}],
        }
    )
    with (
        pysam.AlignmentFile(alignment, "r", check_sq=False, reference_filename=reference) as given,
        pysam.AlignmentFile(out, "wb", header=header) as taken,
    ):
        same = given.references == tuple(name for name, _ in lengths)
        for record in given.fetch(until_eof=True):
            one = record if same else pysam.AlignedSegment.fromstring(record.to_string(), header)
            one.is_duplicate = False  # marked anew once it is sorted, by one tool for all
            one.set_tag("RG", read_set)
            taken.write(one)


if __name__ == "__main__":
    main(*sys.argv[1:])
