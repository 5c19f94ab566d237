"""How many of the reads are repeated: an estimate in bounded memory."""

from __future__ import annotations

import zlib
from collections.abc import Iterable

PREFIX_BASES = 50  # beyond it errors of the instrument make copies look different
KINDS_MAX = 50_000  # of a prefix of 50 bytes, 200 bytes each with its count: 10 MB


class Repeats:
    """Counts the prefixes whose checksum falls into a sample, so that all copies of one do.

    The sample is halved whenever it holds too many kinds: its memory is bounded, and its share of
    repeated reads is that of the whole file but for chance (below 1 % at 50,000 kinds). One file
    knows no mates: two reads that begin alike count as copies, as they do in FastQC.
    """

    def __init__(self) -> None:
        self._counts: dict[bytes, int] = {}
        self._mask = 0

    def take(self, reads: Iterable[bytes]) -> None:
        """Count those of the sample."""
        counts, mask, checksum = self._counts, self._mask, zlib.crc32
        for prefix in [read[:PREFIX_BASES] for read in reads]:
            if checksum(prefix) & mask:
                continue
            counts[prefix] = counts.get(prefix, 0) + 1
            if len(counts) > KINDS_MAX:
                self._mask = mask = mask * 2 + 1
                self._counts = counts = {
                    kept: count for kept, count in counts.items() if not checksum(kept) & mask
                }

    @property
    def fraction(self) -> float | None:
        """Of the reads sampled, those that are not the first of their kind."""
        reads = sum(self._counts.values())
        return (reads - len(self._counts)) / reads if reads else None
