"""Counts to metrics, as FastQC defines them; where it groups places, here each has its own."""

from __future__ import annotations

import functools
import math
from collections.abc import Mapping, Sequence
from typing import Any

from genoflow.events.file_metrics import FileMetrics
from genoflow.processors.validation.reads.counts import (
    ADAPTERS,
    ALPHABET,
    POSITIONS_MAX,
    QUALITIES,
)
from genoflow.processors.validation.reads.duplicates import duplication, frequent
from genoflow.processors.validation.sums import share

Raw = Mapping[str, Any]
PERCENTILES = {
    "median": 50,
    "lower_quartile": 25,
    "upper_quartile": 75,
    "percentile_10": 10,
    "percentile_90": 90,
}
LENGTHS_MAX = 1_000  # of different lengths each is listed; of more, as many groups are


def metrics_of(raw: Raw) -> tuple[FileMetrics, dict[str, object]]:
    """What the event carries, and all of it under the names of the lab's report and of FastQC."""
    copies = duplication(raw) if "levels" in raw else {}
    metrics = _file_metrics(raw, copies.get("total_deduplicated_percentage"))
    return metrics, _details(raw, metrics) | copies


def _file_metrics(raw: Raw, deduplicated: float | None) -> FileMetrics:
    lengths, bases, reads = raw["lengths"], raw["bases"], raw["reads"]
    total = _all_qualities(raw)
    return FileMetrics(
        read_length_min=min(lengths, default=None),
        read_length_max=max(lengths, default=None),
        gc_fraction=share(raw["gc"], bases - raw["n"]),
        n_fraction=share(raw["n"], bases),
        q20_fraction=share(raw["q20"] if total is None else sum(total[20:]), bases),
        q30_fraction=share(raw["q30"] if total is None else sum(total[30:]), bases),
        quality_mean=share(raw["quality_sum"], bases),
        adapter_fraction=share(raw["adapter_reads"], reads) if "adapter_reads" in raw else None,
        poly_g_fraction=share(raw["tails"], reads) if "tails" in raw else None,
        duplicate_fraction=(
            None if deduplicated is None or not reads
            else min(1.0, max(0.0, 1 - deduplicated / 100))
        ),
    )  # fmt: skip


def _details(raw: Raw, metrics: FileMetrics) -> dict[str, object]:
    details: dict[str, object] = {
        "total_reads": raw["reads"],
        "total_bases": raw["bases"],
        "gc_content": None if metrics.gc_fraction is None else 100 * metrics.gc_fraction,
        "mean_quality": metrics.quality_mean,
        "q20_rate": metrics.q20_fraction,
        "q30_rate": metrics.q30_fraction,
        "sequence_length_distribution": lengths_of(raw["lengths"]),
    }
    if "levels" not in raw:
        return details
    return details | {
        "positions_counted": POSITIONS_MAX,
        "per_base_quality": per_base_quality(raw["qualities"]),
        "per_sequence_quality_scores": {
            str(quality): count for quality, count in enumerate(raw["means"]) if count
        },
        "per_base_sequence_content": per_base_content(raw["letters"]),
        "per_sequence_gc_content": per_sequence_gc(raw["gc_of"]),
        "per_base_n_content": per_base_n(raw),
        "adapter_content": adapter_content(raw),
        "overrepresented_sequences": frequent(raw),
    }


def _all_qualities(raw: Raw) -> list[int] | None:
    if "qualities" not in raw:
        return None
    rows = (*raw["qualities"], raw["beyond"])
    return [sum(row[quality] for row in rows) for quality in range(QUALITIES)]


def lengths_of(lengths: Mapping[int, int]) -> list[tuple[int, int, int]]:
    """From, to and count: each length, or groups of one width where there are many."""
    if len(lengths) <= LENGTHS_MAX:
        return [(length, length, lengths[length]) for length in sorted(lengths)]
    least = min(lengths)
    width = -(-(max(lengths) - least + 1) // LENGTHS_MAX)
    groups: dict[int, int] = {}
    for length, count in lengths.items():
        group = (length - least) // width
        groups[group] = groups.get(group, 0) + count
    begins = ((least + group * width, groups[group]) for group in sorted(groups))
    return [(begin, begin + width - 1, count) for begin, count in begins]


def per_base_quality(rows: Sequence[Sequence[int]]) -> dict[str, list[float]]:
    """Mean and percentiles of each place."""
    found: dict[str, list[float]] = {"mean": [], **{name: [] for name in PERCENTILES}}
    for row in rows:
        total = sum(row)
        found["mean"].append(sum(quality * count for quality, count in enumerate(row)) / total)
        for name, percent in PERCENTILES.items():
            found[name].append(_percentile(row, total * percent // 100))
    return found


def _percentile(row: Sequence[int], rank: int) -> int:
    """The least quality that, with all below it, so many have."""
    seen = 0
    for quality, count in enumerate(row):
        seen += count
        if seen >= rank:
            return quality
    return QUALITIES - 1


def per_base_content(letters: Sequence[Sequence[int]]) -> dict[str, list[float]]:
    """Of the bases A, C, G and T at each place, each one's percentage."""
    four = letters[:4]
    totals = [sum(column) for column in zip(*four, strict=True)]
    return {
        chr(letter): [
            100 * count / total if total else 0.0
            for count, total in zip(counts, totals, strict=True)
        ]
        for letter, counts in zip(ALPHABET, four, strict=False)
    }


def per_base_n(raw: Raw) -> list[float]:
    """Of the bases at each place, the percentage of N."""
    covered = [sum(row) for row in raw["qualities"]]
    return [100 * n / total for n, total in zip(raw["letters"][4], covered, strict=True)]


def per_sequence_gc(gc_of: Mapping[tuple[int, int], int]) -> list[float]:
    """Reads by their percentage of G and C, from 0 to 100.

    A read of few bases can have only some of the percentages; it counts for all those that are
    nearest to it, shared with the other numbers of G and C that are near them.
    """
    found = [0.0] * 101
    for (length, gc), count in sorted(gc_of.items()):
        for percent, weight in _weights(length)[gc]:
            found[percent] += count * weight
    return found


@functools.lru_cache(maxsize=128)  # lengths up to 100, and ten hundreds
def _weights(length: int) -> list[list[tuple[int, float]]]:
    claims = [0] * 101
    ranges = []
    for gc in range(length + 1):
        low, high = max(gc - 0.5, 0.0), min(gc + 0.5, float(length))
        near = range(_rounded(low * 100 / length), _rounded(high * 100 / length) + 1)
        ranges.append(near)
        for percent in near:
            claims[percent] += 1
    return [[(percent, 1 / claims[percent]) for percent in near] for near in ranges]


def _rounded(value: float) -> int:
    return math.floor(value + 0.5)


def adapter_content(raw: Raw) -> dict[str, list[float]]:
    """The percentage of reads in which each adapter began by each place."""
    longest = max(raw["lengths"], default=0)
    size = len(next(iter(ADAPTERS.values())))
    places = min(longest - size + 1, POSITIONS_MAX) if longest > size else 0
    found = {}
    for name, counts in zip(ADAPTERS, raw["adapter_at"], strict=True):
        seen, percents = 0, []
        for count in counts[:places]:
            seen += count
            percents.append(100 * seen / raw["reads"])
        found[name] = percents
    return found
