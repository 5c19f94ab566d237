"""Files of documents here: a genome, regions and known sites that are what the documents say."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from genoflow.deploy.catalog_files import LocalFile
from genoflow.deploy.catalog_fit import refuse_unfit
from genoflow.events.contig import Contig
from genoflow.events.errors import Refused
from genoflow.events.reference_file import ReferenceFile
from genoflow.events.reference_published import ReferencePublished
from tests import qc_facts

GENOME = b">chr1 first\nACGT\nacgt\n>chr2\nAAAA\n"
BASES = {"chr1": b"ACGTACGT", "chr2": b"AAAA"}
SITES = "##fileformat=VCFv4.3\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n"


def reference(kind: str, file: LocalFile, **changes: bytes) -> ReferencePublished:
    """A build of two sequences, with this file."""
    contigs = tuple(
        Contig(
            name=name, length_bases=len(bases),
            md5=hashlib.md5(bases, usedforsecurity=False).hexdigest(),
        )
        for name, bases in {**BASES, **changes}.items()
    )  # fmt: skip
    named = ReferenceFile(kind=kind, uri=file.uri, size_bytes=1, sha256="0" * 64)
    known = dict(qc_facts.reference()) | {"contigs": contigs, "files": (named,)}
    return ReferencePublished(**known)


def here(folder: Path, name: str, body: bytes) -> LocalFile:
    """A file on this machine."""
    path = folder / name
    path.write_bytes(body)
    return LocalFile(path, hashlib.sha256(body).hexdigest(), "raw")


def fault(document: object, file: LocalFile, *known: object) -> str:
    """Why it is refused; empty where it is not."""
    try:
        refuse_unfit([document], known, [file])  # type: ignore[list-item, arg-type]
    except Refused as error:
        first, last = str(error).splitlines()
        assert last == "nothing was published; mend these and try again"
        return first.removeprefix(f"{file.path}: ")
    return ""


def test_a_genome_is_what_its_document_says(tmp_path: Path) -> None:
    file = here(tmp_path, "g.fa", GENOME)
    assert fault(reference("fasta", file), file) == ""
    assert "its chr2 has other bases" in fault(reference("fasta", file, chr2=b"AAAT"), file)
    assert "gives chr2 4 bases, and the" in fault(reference("fasta", file, chr2=b"AAA"), file)
    more = fault(reference("fasta", file, chr3=b"A"), file)
    assert "names the sequence chr3, and it is not in the file" in more


@pytest.mark.parametrize(
    ("bed", "padding", "words"),
    [
        (b"chr1\t1\t8\n", 0, ""),
        (b"chr1\t1\t7\n", 4, "line 1 has 6 bases, and 4 at either side are said to be padding"),
        (b"1\t1\t8\n", 0, "line 1 names the sequence 1"),
        (b"chr2\t1\t5\n", 0, "line 1 ends at 5, and chr2 of the reference has 4 bases"),
    ],
)
def test_regions_lie_within_their_build(
    tmp_path: Path, bed: bytes, padding: int, words: str
) -> None:
    file, genome = here(tmp_path, "t.bed", bed), here(tmp_path, "g.fa", GENOME)
    fields = {"uri": file.uri, "padding_bases": padding}
    document = qc_facts.target_set().model_copy(update=fields)
    said = fault(document, file, reference("fasta", genome))
    assert words in said
    assert bool(said) == bool(words)


def test_known_sites_are_of_their_build(tmp_path: Path) -> None:
    good = here(tmp_path, "good.vcf", f"{SITES}chr1\t2\t.\tC\tT\t.\t.\t.\n".encode())
    assert fault(reference("known-sites", good), good) == ""
    other = here(tmp_path, "other.vcf", f"{SITES}1\t2\t.\tC\tT\t.\t.\t.\n".encode())
    assert "it says 1 where the reference says chr1" in fault(
        reference("known-sites", other), other
    )
    none = here(tmp_path, "none.vcf", b"x")
    assert "cannot be read as VCF or BCF" in fault(reference("known-sites", none), none)
