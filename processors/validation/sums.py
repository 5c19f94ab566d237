"""What is counted of bases and qualities, by calls over many reads at once."""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence

QUALITIES = bytes(range(33, 127))
BELOW_Q20 = QUALITIES[:20]
BELOW_Q30 = QUALITIES[:30]
PHRED_OFFSET = 33
# A part of 512 qualities has a sum of 512 * 126 = 64,512 at most: below Adler-32's modulus of
# 65,521, so the lower half of the checksum is that sum plus 1, exactly and at the speed of zlib.
SUM_BYTES = 512


class Sums:
    """Lengths, bases and qualities of the reads of a file."""

    def __init__(self) -> None:
        self.reads = 0
        self.bases = 0
        self._length_min: int | None = None
        self._length_max: int | None = None
        self._gc = self._n = self._letters = 0
        self._qualities = self._q20 = self._q30 = self._quality_sum = 0

    def take(self, lengths: Sequence[int], bases: bytes, qualities: bytes) -> None:
        """Add some reads: how long each is, and all letters of all of them."""
        if not lengths:
            return
        self.reads += len(lengths)
        self.bases += sum(lengths)
        least, most = min(lengths), max(lengths)
        self._length_min = least if self._length_min is None else min(self._length_min, least)
        self._length_max = most if self._length_max is None else max(self._length_max, most)
        self._gc += bases.count(b"G") + bases.count(b"C")
        self._n += bases.count(b"N")
        self._letters += sum(lengths) if bases else 0  # a reader may know lengths alone
        self._qualities += len(qualities)
        self._q20 += len(qualities.translate(None, BELOW_Q20))
        self._q30 += len(qualities.translate(None, BELOW_Q30))
        parts = range(0, len(qualities), SUM_BYTES)
        total = sum([(zlib.adler32(qualities[at : at + SUM_BYTES]) & 0xFFFF) - 1 for at in parts])
        self._quality_sum += total - PHRED_OFFSET * len(qualities)

    def join(self, counts: Mapping[str, int]) -> None:
        """Add what the extension counted of reads and all their letters, by the names of totals."""
        if not counts["reads"]:
            return
        least, most = counts["shortest_plus_1"] - 1, counts["length_max"]
        self.reads += counts["reads"]
        self.bases += counts["bases"]
        self._length_min = least if self._length_min is None else min(self._length_min, least)
        self._length_max = most if self._length_max is None else max(self._length_max, most)
        self._gc += counts["gc"]
        self._n += counts["n"]
        self._letters += counts["bases"]
        self._qualities += counts["qualities"]
        self._q20 += counts["q20"]
        self._q30 += counts["q30"]
        self._quality_sum += counts["quality_sum"]

    def metrics(self) -> dict[str, int | float | None]:
        """The sums as FileMetrics names them; None where nothing was counted."""
        return {
            "read_length_min": self._length_min,
            "read_length_max": self._length_max,
            "gc_fraction": share(self._gc, self._letters - self._n),
            "n_fraction": share(self._n, self._letters),
            "q20_fraction": share(self._q20, self._qualities),
            "q30_fraction": share(self._q30, self._qualities),
            "quality_mean": share(self._quality_sum, self._qualities),
        }


def share(part: int, whole: int) -> float | None:
    """A part of the whole; None of nothing."""
    return part / whole if whole else None
