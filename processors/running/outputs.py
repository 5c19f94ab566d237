"""Whether a file of results is whole: formats that say where they end are asked for that end."""

from __future__ import annotations

import gzip
import zlib
from pathlib import Path

from genoflow.processors.validation.cram.containers import EOFS
from genoflow.processors.validation.inflate import BGZF_EOF

GZIP = b"\x1f\x8b"
CRAM = b"CRAM"
HEAD_BYTES = 18  # of a block of BGZF: its own extra field stands there
BGZF_MARK = b"BC\x02\x00"
PIECE_BYTES = 4 * 1024**2


def damage_of(path: Path) -> str | None:
    """How a file is cut short, as the end of a sentence about it; None where it is not seen to be.

    BGZF and CRAM have a mark at their end. Plain gzip is read whole, for it has none; what is not
    packed is taken as it is.
    """
    with path.open("rb") as file:
        head = file.read(HEAD_BYTES)
        file.seek(max(0, path.stat().st_size - len(BGZF_EOF)))
        tail = file.read()
    if head.startswith(GZIP) and BGZF_MARK in head:
        return None if tail == BGZF_EOF else "is cut short: it has no end of BGZF"
    if head.startswith(CRAM):
        return None if _ends_as_cram(path) else "is cut short: it has no end of CRAM"
    if head.startswith(GZIP):
        return None if _unpacks(path) else "is cut short: it does not unpack to its end"
    return None


def _ends_as_cram(path: Path) -> bool:
    ends = [end for every in EOFS.values() for end in every]
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - max(map(len, ends))))
        return file.read().endswith(tuple(ends))


def _unpacks(path: Path) -> bool:
    try:
        with gzip.open(path) as file:
            while file.read(PIECE_BYTES):
                pass
    except (EOFError, gzip.BadGzipFile, zlib.error):
        return False
    return True
