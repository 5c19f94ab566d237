"""The beginning of files in the store: fetched in part, and read as if it were whole."""

from __future__ import annotations

import contextlib
import gzip
import re
import struct
import zlib
from collections.abc import Callable, Iterator
from typing import IO, Any, TypeVar

from genoflow.processors.headings import Heading, Opening, Place, Unreadable
from genoflow.processors.ports import ByteStore
from genoflow.processors.validation.cram.containers import EOF_3
from genoflow.processors.validation.inflate import BGZF_EOF
from genoflow.processors.validation.scratch import scratch

PIECE_BYTES = 256 * 1024
# The header of a genome's 3,000 contigs has 300 KB; the second size is the most that one may have.
SIZES_BYTES = (1024**2, 64 * 1024**2)
RECORDS = 100  # of variants: enough to see how sequences are called where no header says it
CRAM = b"CRAM"
GZIP = b"\x1f\x8b"
BAM, BCF = b"BAM\1", b"BCF"
TAG = re.compile(r"\t(SN|M5):([^\t]*)")
CONTIG = re.compile(r"##contig=<(.*)>$")
FIELD = re.compile(r'(\w+)=("[^"]*"|[^,]*)')
T = TypeVar("T")


class S3Headings:
    """The port over a byte store."""

    def __init__(self, store: ByteStore) -> None:
        self._store = store

    def alignment(self, place: Place) -> Opening:
        """What the header of a BAM or a CRAM says."""
        return self._read(place, _alignment)

    def variants(self, place: Place) -> Opening:
        """What the header of a VCF or a BCF says, and how its first records are called."""
        return self._read(place, opening_of_variants)

    @contextlib.contextmanager
    def lines(self, place: Place) -> Iterator[Iterator[bytes]]:
        """The lines of a text; what follows the last one that is asked for is not fetched."""
        with contextlib.closing(self._pieces(place)) as pieces:
            yield _lines(pieces)

    def look(self, place: Place) -> None:
        """Ask for its first bytes, and for no more."""
        with contextlib.closing(self._pieces(place)) as pieces:
            next(pieces, b"")

    def _pieces(self, place: Place) -> Any:
        return self._store.chunks(*place, PIECE_BYTES)

    def _read(self, place: Place, read: Callable[[str], T]) -> T:
        said = "it is empty"
        for size in SIZES_BYTES:
            with scratch() as file:
                is_whole = self._head(place, size, file)
                try:
                    return read(f"/dev/fd/{file.fileno()}")
                except (OSError, ValueError) as error:
                    said = str(error).replace(f"/dev/fd/{file.fileno()}", "its beginning")
                if is_whole:
                    break
        raise Unreadable(said)

    def _head(self, place: Place, size: int, file: IO[bytes]) -> bool:
        """Write the first bytes of an object; whether that is all of it."""
        done, first = 0, b""
        with contextlib.closing(self._pieces(place)) as pieces:
            for piece in pieces:
                first = first or piece[:4]
                file.write(piece)
                done += len(piece)
                if done >= size:
                    break
            else:
                file.flush()
                return True
        # htslib looks for the end before it reads anything, and warns where there is none.
        file.write(EOF_3 if first == CRAM else BGZF_EOF if first.startswith(GZIP) else b"")
        file.flush()
        return False


def _alignment(path: str) -> Opening:
    with open(path, "rb") as file:  # noqa: PTH123 -- a descriptor by its name
        head = file.read(len(CRAM))
        file.seek(0)
        if head != CRAM:
            return _of_bam(_unpacked(file))
    import pysam  # noqa: PLC0415 -- takes 0.2 s, and runs of FASTQ do without

    with pysam.AlignmentFile(path, "r", check_sq=False) as opened:
        rows: list[dict[str, Any]] = opened.header.to_dict().get("SQ", [])
    return Opening(
        tuple(Heading(str(one["SN"]), int(one["LN"]), one.get("M5")) for one in rows),
    )


def _of_bam(data: bytes) -> Opening:
    """What stands before the first read; ValueError where that is not all there."""
    try:
        magic, size = struct.unpack_from("<4si", data)
        if magic != BAM:
            raise ValueError("it is neither BAM nor CRAM")
        lines = data[8 : 8 + size].decode(errors="replace").splitlines()
        (count,), at = struct.unpack_from("<i", data, 8 + size), 12 + size
        md5s = {
            fields["SN"]: fields["M5"]
            for line in lines
            if line.startswith("@SQ") and {"SN", "M5"} <= (fields := dict(TAG.findall(line))).keys()
        }
        found = []
        for _ in range(count):
            (long,) = struct.unpack_from("<i", data, at)
            name = data[at + 4 : at + 3 + long].decode(errors="replace")
            (length,) = struct.unpack_from("<i", data, at + 4 + long)
            found.append(Heading(name, length, md5s.get(name)))
            at += 8 + long
    except struct.error as error:
        raise ValueError("its header does not end within what is read of it") from error
    return Opening(tuple(found))


def opening_of_variants(path: str) -> Opening:
    """What the header of a VCF or a BCF says, and its first records; ValueError where it is none.

    Text is read here: htslib cannot look twice at what is packed by plain gzip.
    """
    with open(path, "rb") as file:  # noqa: PTH123 -- a descriptor by its name
        text = _unpacked(file)
        if text.startswith(BCF):
            return _of_bcf(path)
    lines = text.decode(errors="replace").splitlines()
    if not lines or not lines[0].startswith("##fileformat=VCF"):
        raise ValueError("it is no VCF: it does not begin with ##fileformat=VCF")
    headings: list[Heading] = []
    reached: dict[str, int] = {}
    if not text.endswith(b"\n"):
        lines.pop()  # it is cut
    for line in lines:
        if found := CONTIG.match(line):
            fields = dict(FIELD.findall(found[1]))
            length = fields.get("length", "")
            md5 = fields.get("md5", fields.get("MD5"))
            headings.append(
                Heading(fields.get("ID", ""), int(length) if length.isdecimal() else None, md5)
            )
        elif not line.startswith("#"):
            name, place = line.split("\t", 2)[:2]
            reached[name] = max(reached.get(name, 0), int(place))
    return Opening(tuple(headings), tuple(reached.items()))


def _unpacked(file: IO[bytes]) -> bytes:
    """The text of what was fetched, as far as it unpacks and no further than is held in memory."""
    head = file.read(2)
    file.seek(0)
    if head != GZIP:
        return file.read(SIZES_BYTES[-1])
    text = bytearray()
    with contextlib.suppress(EOFError, zlib.error, gzip.BadGzipFile), gzip.open(file) as packed:
        while len(text) < SIZES_BYTES[-1] and (piece := packed.read1(PIECE_BYTES)):
            text += piece
    return bytes(text)


def _of_bcf(path: str) -> Opening:
    import pysam  # noqa: PLC0415 -- see above

    reached: dict[str, int] = {}
    with pysam.VariantFile(path) as opened:
        contigs = opened.header.contigs.values()
        headings = tuple(Heading(str(one.name), one.length or None) for one in contigs)
        # What was fetched ends within a record.
        with contextlib.suppress(OSError, ValueError):
            for number, one in enumerate(opened):
                reached[one.chrom] = max(reached.get(one.chrom, 0), one.stop)
                if number >= RECORDS:
                    break
    return Opening(headings, tuple(reached.items()))


def _lines(pieces: Iterator[bytes]) -> Iterator[bytes]:
    left = b""
    for piece in pieces:
        *whole, left = (left + piece).split(b"\n")
        yield from whole
    if left:
        yield left
