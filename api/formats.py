"""Which files may be sent: told from their names, and from their first bytes where these are here.

Nothing is joined by a name. It says what its sender means the bytes to be, and where bytes and name
disagree the file is refused before anything is kept.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Mapping
from dataclasses import dataclass

from genoflow.events.errors import Refused

# Enough for the first block of a compressed file (64 KiB at most) and some lines of its text.
HEAD_BYTES = 128 * 1024
TEXT_BYTES_MAX = 64 * 1024  # of what is inflated of a head
GZIP = b"\x1f\x8b"
# By the end of the name: the format, and whether it may be compressed.
ENDINGS: Mapping[str, tuple[str, bool]] = {
    ".fastq": ("FASTQ", True), ".fq": ("FASTQ", True), ".sam": ("SAM", True),
    ".bam": ("BAM", False), ".cram": ("CRAM", False), ".vcf": ("VCF", True),
    ".bcf": ("BCF", False), ".bai": ("BAI", False), ".csi": ("CSI", False),
    ".crai": ("CRAI", False), ".tbi": ("TBI", False),
}  # fmt: skip
PACKED = (".gz", ".bgz", ".bgzf")
READS = ("R1", "R2", "I1", "I2")
# What a format is to its read set, and what the read set is made of.
ROLES: Mapping[str, tuple[str, ...]] = {
    "FASTQ": READS, "SAM": ("BAM",), "BAM": ("BAM",), "CRAM": ("CRAM",), "VCF": ("VCF",),
    "BCF": ("VCF",), "BAI": ("BAI",), "CSI": ("BAI", "TBI"), "CRAI": ("CRAI",), "TBI": ("TBI",),
}  # fmt: skip
MATERIALS: Mapping[str, str] = {
    **dict.fromkeys(READS, "FASTQ"), "BAM": "BAM", "CRAM": "CRAM", "VCF": "VCF",
}  # fmt: skip
# What comes with another file, and never makes a read set of its own.
COMES_WITH: Mapping[str, str] = {
    "R2": "R1", "I1": "R1", "I2": "R1", "BAI": "BAM", "CRAI": "CRAM", "TBI": "VCF",
}  # fmt: skip
MAGIC: Mapping[str, tuple[bytes, ...]] = {
    "FASTQ": (b"@",), "SAM": (b"@HD\t", b"@SQ\t", b"@RG\t", b"@PG\t", b"@CO\t"),
    "BAM": (b"BAM\x01",), "CRAM": (b"CRAM",), "VCF": (b"##fileformat=VCF",),
    "BCF": (b"BCF\x02",), "BAI": (b"BAI\x01",), "CSI": (b"CSI\x01",), "TBI": (b"TBI\x01",),
}  # fmt: skip
KNOWN = "FASTQ, SAM, BAM, CRAM, VCF and BCF, and their indexes"
_READ_NUMBER = re.compile(rb"@\S+(?:/([12])(?:\s|$)|\s+([12]):[YN]:[0-9])")


@dataclass(frozen=True, slots=True)
class Format:
    """What a file is said to be."""

    name: str
    is_packed: bool


def format_named(filename: str) -> Format:
    """The format that the end of a name says; Refused where none of ours is said."""
    bare, packed = filename.lower(), False
    for ending in PACKED:
        if bare.endswith(ending):
            bare, packed = bare.removesuffix(ending), True
            break
    for ending, (name, may_be_packed) in ENDINGS.items():
        if bare.endswith(ending) and (may_be_packed or not packed):
            return Format(name, packed)
    raise Refused(f"{filename}: is no format that is taken in; {KNOWN} are, by their usual endings")


def check_head(filename: str, said: Format, head: bytes) -> None:
    """Refused where the first bytes of a file are not what its name says."""
    if not head:
        raise Refused(f"{filename}: is empty; send a file with content")
    is_packed = head.startswith(GZIP)
    if said.is_packed and not is_packed:
        raise Refused(f"{filename}: is not compressed, as its name says; compress or rename it")
    text = unpacked(head) if is_packed else head
    if text is None:
        raise Refused(f"{filename}: its first bytes cannot be unpacked; compress it again")
    wanted = MAGIC.get(said.name)  # an index of CRAM is text without a mark
    is_text = said.name in ("FASTQ", "SAM", "VCF")
    if is_text and is_packed and not said.is_packed:
        raise Refused(f"{filename}: is compressed, and its name does not say so; name it .gz")
    if wanted is not None and text and not text.startswith(wanted) and not _is_sam(said, text):
        raise Refused(
            f"{filename}: its first bytes are not those of {said.name}; send the right file, or "
            f"give it the name of what it is"
        )


def _is_sam(said: Format, text: bytes) -> bool:
    return said.name == "SAM" and text.partition(b"\n")[0].count(b"\t") >= 10  # without a header


def unpacked(head: bytes) -> bytes | None:
    """What can be inflated of the head of a gzip file; None where it is damaged."""
    inflater = zlib.decompressobj(wbits=31)
    try:
        text = inflater.decompress(head, TEXT_BYTES_MAX)
        # A member may hold nothing; the next one does.
        while not text and inflater.eof and inflater.unused_data.startswith(GZIP):
            rest = inflater.unused_data
            inflater = zlib.decompressobj(wbits=31)
            text = inflater.decompress(rest, TEXT_BYTES_MAX)
    except zlib.error:
        return None
    return text


def role_in(head: bytes) -> str | None:
    """Which of two reads the first name of a FASTQ file says that it is; None where it does not."""
    text = (unpacked(head) or b"") if head.startswith(GZIP) else head
    found = _READ_NUMBER.match(text.partition(b"\n")[0].rstrip(b"\r"))
    if found is None:
        return None
    return f"R{(found[1] or found[2]).decode()}"


def role_of(said: Format, role: str | None) -> str:
    """What the file is to its read set; Refused where it cannot be that, or nobody has said it."""
    able = ROLES[said.name]
    if role is None and len(able) == 1:
        return able[0]
    if role in able:
        return role
    fault = "is missing" if role is None else f"{role} is none of a file of {said.name}"
    raise Refused(f"role: {fault}; it is one of {', '.join(able)}")
