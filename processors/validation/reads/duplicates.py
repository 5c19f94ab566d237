"""How many of the reads are copies: FastQC's estimate from the first 100,000 kinds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

# The levels that FastQC shows: 1 to 9 times, and then up to each of these.
STEPS = (50, 100, 500, 1_000, 5_000, 10_000)
LABELS = (*map(str, range(1, 10)), ">10", ">50", ">100", ">500", ">1k", ">5k", ">10k+")
CARE = 0.01  # of a kind: a correction below it is left out


def duplication(raw: Mapping[str, Any]) -> dict[str, Any]:
    """Levels of duplication as percentages, and the percentage that is left without copies."""
    deduplicated, total = [0.0] * len(LABELS), [0.0] * len(LABELS)
    for level, kinds in sorted(raw["levels"].items()):
        corrected = _corrected(raw["counted_at_limit"], raw["reads"], level, kinds)
        slot = _slot(level)
        deduplicated[slot] += corrected
        total[slot] += corrected * level
    all_kinds, all_reads = sum(deduplicated), sum(total)
    return {
        "sequence_duplication_levels": {
            "level": list(LABELS),
            "percentage_of_deduplicated": _percents(deduplicated, all_kinds),
            "percentage_of_total": _percents(total, all_reads),
        },
        "total_deduplicated_percentage": 100 * all_kinds / all_reads if all_reads else 100.0,
    }


def _percents(parts: list[float], whole: float) -> list[float]:
    return [100 * part / whole if whole else 0.0 for part in parts]


def _slot(level: int) -> int:
    return level - 1 if level <= 10 else 9 + sum(level > step for step in STEPS)


def _corrected(counted: int, reads: int, level: int, kinds: int) -> float:
    """How many kinds of this level the whole file has, if so many showed among those counted."""
    if counted == reads or reads - kinds < counted:
        return kinds
    missed, enough = 1.0, 1 - kinds / (kinds + CARE)
    for number in range(counted):
        missed *= (reads - number - level) / (reads - number)
        if missed < enough:
            return kinds
    return kinds / (1 - missed)


def frequent(raw: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The beginnings that more than a thousandth of the reads share, most frequent first."""
    ordered = sorted(raw["frequent"].items(), key=lambda one: (-one[1], one[0]))
    return [
        {"sequence": kind.decode("latin-1"), "count": count,
         "percentage": 100 * count / raw["reads"]}
        for kind, count in ordered
    ]  # fmt: skip
