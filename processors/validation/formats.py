"""Which format a file has, by its first bytes and never by its name."""

from __future__ import annotations

import re
import zlib

from genoflow.processors.validation.inflate import compression_of

HEAD_BYTES = 66_000  # a whole first block of BGZF, which is 65,536 at most
LEAD_BYTES = 16_384  # of text, by which a format is known: a few lines of the longest reads' files
MEMBERS_MAX = 100  # empty ones in front, each of 20 bytes and more: what begins so is none of ours
UNKNOWN = "unknown"
# By the first bytes of the text; the first that fits.
LEADS: tuple[tuple[bytes, str], ...] = (
    (b"BAM\x01", "BAM"),
    (b"CRAM", "CRAM"),
    (b"BCF", "BCF"),
    (b"##fileformat=VCF", "VCF"),
    (b"##", "VCF"),
    (b"#CHROM", "VCF"),
    (b"\xef\xbb\xbf##", "VCF"),  # its reader says that the mark is none of VCF's
    (b"BAI\x01", "BAI"),
    (b"TBI\x01", "TBI"),
    (b"CSI\x01", "CSI"),
    (b"@", "FASTQ"),
    (b">", "FASTA"),
    (b"BZh", "bzip2"),
    (b"\xfd7zXZ", "xz"),
    (b"\x28\xb5\x2f\xfd", "Zstandard"),
    (b"PK\x03\x04", "ZIP"),
)
# A line of a SAM header begins as a FASTQ name does; in a FASTQ the third line begins with +.
SAM_HEADER = re.compile(rb"@[A-Za-z]{2}\t")
# Without a header: name, flag, reference, position, quality, CIGAR, and the mate's two.
SAM_RECORD = re.compile(rb"[^\t\n]+\t\d+\t[^\t\n]+\t\d+\t\d+\t[^\t\n]+\t[^\t\n]+\t\d+\t")
CRAI_LINE = re.compile(rb"-?\d+(?:\t-?\d+){5}\r?\n")
# What a role may hold.
READS = ("FASTQ",)
ROLES: dict[str, tuple[str, ...]] = {
    "R1": READS,
    "R2": READS,
    "I1": READS,
    "I2": READS,
    "BAM": ("BAM",),
    "CRAM": ("CRAM",),
    "VCF": ("VCF", "BCF"),
    "BAI": ("BAI", "CSI"),
    "TBI": ("TBI", "CSI"),
    "CRAI": ("CRAI",),
}
ANY_BYTES = "OTHER"  # the role of what is kept and never read: only its checksums are taken


def format_of(head: bytes) -> str:
    """The format that the first bytes speak of; UNKNOWN, or nothing where they are too few."""
    text = _text_of(head)
    if not text:
        return ""
    if _is_sam(text):
        return "SAM"
    if CRAI_LINE.match(text):
        return "CRAI"
    known = next((form for lead, form in LEADS if text.startswith(lead)), "")
    # What is cut before it can be known is left to the reader of its role.
    cut = any(lead.startswith(text) for lead, _ in LEADS)
    return known or ("" if cut else UNKNOWN)


def _text_of(head: bytes) -> bytes:
    if compression_of(head) == "none":
        return head[:LEAD_BYTES]
    for _ in range(MEMBERS_MAX):
        member = zlib.decompressobj(wbits=31)
        try:
            text = member.decompress(head, LEAD_BYTES)
        except zlib.error:
            return b""  # its reader says where it is damaged
        if text or not member.unused_data:
            return text
        head = member.unused_data
    return b""


def _is_sam(text: bytes) -> bool:
    if SAM_HEADER.match(text):
        lines = text.split(b"\n", 3)
        return len(lines) < 3 or not lines[2].startswith(b"+")
    return SAM_RECORD.match(text) is not None
