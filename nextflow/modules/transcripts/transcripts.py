"""transcripts.py FASTA GTF OUT GENES: the transcripts of an annotation, as sequences.

Reads of RNA are aligned to these: where introns are cut out, nothing has to be spliced. GENES is a
table: transcript, gene, length.
"""

import re
import sys
from pathlib import Path

import pysam

COMPLEMENT = str.maketrans("ACGTNacgtn", "TGCANtgcan")
ATTRIBUTE = re.compile(r'(\w+) "([^"]*)"')
LINE_BASES = 60


class Transcript:
    """The exons of one transcript: places from 0, ends that are no part of them."""

    def __init__(self, gene: str, contig: str, strand: str) -> None:
        """A transcript without an exon yet."""
        self.gene, self.contig, self.strand = gene, contig, strand
        self.exons: list[tuple[int, int]] = []

    def bases(self, fasta: pysam.FastaFile) -> str:
        """Its sequence as RNA polymerase writes it."""
        text = "".join(fasta.fetch(self.contig, *exon) for exon in sorted(self.exons))
        return text.translate(COMPLEMENT)[::-1] if self.strand == "-" else text


def transcripts_of(gtf: str) -> dict[str, Transcript]:
    """Every transcript of which there is an exon, in the order of the file."""
    found: dict[str, Transcript] = {}
    with Path(gtf).open(encoding="utf-8") as lines:
        for number, line in enumerate(lines, start=1):
            fields = line.rstrip("\n").split("\t")
            if line.startswith("#") or len(fields) < 9 or fields[2] != "exon":
                continue
            said = dict(ATTRIBUTE.findall(fields[8]))
            if not {"gene_id", "transcript_id"} <= said.keys():
                sys.exit(f"{gtf}, line {number}: an exon of no gene or transcript; name both")
            one = Transcript(said["gene_id"], fields[0], fields[6])
            kept = found.setdefault(said["transcript_id"], one)
            kept.exons.append((int(fields[3]) - 1, int(fields[4])))
    if not found:
        sys.exit(f"{gtf}: holds no exon; give the annotation of this reference as GTF")
    return found


def main(fasta: str, gtf: str, out: str, genes: str) -> None:
    """Write the sequences, and which gene each is of."""
    rows = ["transcript\tgene\tlength"]
    with pysam.FastaFile(fasta) as reference, Path(out).open("w", encoding="ascii") as target:
        for name, one in transcripts_of(gtf).items():
            if one.contig not in reference.references:
                sys.exit(f"{gtf}: {name} lies on {one.contig}, which {fasta} has not; give the "
                         f"annotation of this reference")  # fmt: skip
            bases = one.bases(reference).upper()
            lines = [bases[at : at + LINE_BASES] for at in range(0, len(bases), LINE_BASES)]
            target.write("\n".join([f">{name}", *lines]) + "\n")
            rows.append(f"{name}\t{one.gene}\t{len(bases)}")
    Path(genes).write_text("\n".join(rows) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
