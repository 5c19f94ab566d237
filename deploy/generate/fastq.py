"""FASTQ files of a library, as a demultiplexer leaves them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

from genoflow.deploy.generate.libraries import Library, Run
from genoflow.deploy.generate.packing import bgzf, gzip_members
from genoflow.deploy.generate.reads import Read

ROLES = ("R1", "R2")
PHRED_ZERO = 33  # the character for quality 0
TO_CHARACTERS = bytes(min(value + PHRED_ZERO, 126) for value in range(256))
PACKINGS = {"gzip": gzip_members, "bgzf": bgzf}


@dataclass(frozen=True, slots=True)
class FastqFile:
    """One file of a read set; the checksum is what its sender declares, faults included."""

    name: str
    role: str
    content: bytes
    declared_md5: str


def fastq_text(run: Run, library: Library, role: str) -> bytes:
    """The records of a library's first or second reads, with Illumina's names."""
    mate = ROLES.index(role)
    place = f"@{run.instrument.serial}:{run.number}:{run.flow_cell}:{library.lane}:1101"
    index = f"{library.index1}+{run.i5_as_read(library.index2)}"
    names = (
        f"{place}:{1000 + number % 20_000}:{1000 + number} {mate + 1}:N:0:{index}"
        for number in range(len(library.pairs))
    )
    return b"".join(_records(names, ((pair.first, pair.second)[mate] for pair in library.pairs)))


def _records(names: Iterable[str], reads: Iterable[Read]) -> Iterable[bytes]:
    for name, read in zip(names, reads, strict=True):
        qualities = read.qualities.translate(TO_CHARACTERS)
        yield b"%b\n%b\n+\n%b\n" % (name.encode(), read.bases.encode(), qualities)


def fastq_files(run: Run, library: Library, packing: str = "gzip") -> tuple[FastqFile, ...]:
    """Both files of a library in a lane; an empty library has empty files."""
    stem = f"{library.sample_id}_L{library.lane:03d}"
    pack = PACKINGS[packing]
    return tuple(
        fastq_file(f"{stem}_{role}_001.fastq.gz", role, pack(fastq_text(run, library, role)))
        for role in ROLES
    )


def fastq_file(name: str, role: str, content: bytes) -> FastqFile:
    """A file that declares its own right checksum."""
    return FastqFile(name, role, content, md5_of(content))


def md5_of(content: bytes) -> str:
    """The checksum that sequencing services send along."""
    return hashlib.md5(content, usedforsecurity=False).hexdigest()
