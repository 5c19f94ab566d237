"""Contestants, interleaved rounds, and the rows that come of them."""

from __future__ import annotations

import gc
import math
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

Figures = dict[str, float]
RATE = "events/s"
P50 = "p50 ms"
P99 = "p99 ms"
MEBIBYTES = "MiB"
SECONDS = "s"
ANSWERS = "answers/s"
CPU = "µs of CPU"
MEGABYTES = "MB/s"
CPU_SECONDS = "s of CPU"
NET_CPU_SECONDS = "s of CPU, net"
HIGHER_IS_BETTER = {
    RATE: True,
    ANSWERS: True,
    MEGABYTES: True,
    P50: False,
    P99: False,
    MEBIBYTES: False,
    SECONDS: False,
    CPU: False,
    CPU_SECONDS: False,
    NET_CPU_SECONDS: False,
}
SMALL = 0.1  # a smaller figure is told with three digits, wherever they stand
RATIO_OF_TWO_PLACES = 0.1  # a smaller one is told with two figures


@dataclass(frozen=True, slots=True)
class Contestant:
    """A name and one run of it, which tells its figures."""

    name: str
    run: Callable[[], Awaitable[Figures]]


@dataclass(frozen=True, slots=True)
class Comparison:
    """Which two are set side by side, in which unit, and what is asked of the ratio."""

    path: str
    ours: str
    anchor: str
    unit: str = RATE
    target: float | None = None  # None: for information
    note: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """One comparison with its outcome: ours divided by the anchor."""

    path: str
    ours: str
    anchor: str
    unit: str
    ours_figure: float
    anchor_figure: float
    ratio: float
    target: str
    verdict: str
    note: str

    def as_json(self) -> dict[str, Any]:
        """The row as results.json holds it."""
        return asdict(self)


async def compete(
    contestants: Sequence[Contestant], rounds: int, *, warm: bool = True
) -> dict[str, Figures]:
    """The best figures of each: one run to get warm, if wanted, then so many in turn."""
    best: dict[str, Figures] = {}
    gc.freeze()  # the material lives to the end: nobody pays for looking through it
    for contestant in contestants if warm else ():
        await contestant.run()
    for _ in range(rounds):
        for contestant in contestants:
            gc.collect()  # the garbage of one is not charged to the next
            figures = await contestant.run()
            kept = best.setdefault(contestant.name, figures)
            for unit, figure in figures.items():
                choose = max if HIGHER_IS_BETTER[unit] else min
                kept[unit] = choose(kept[unit], figure)
    gc.unfreeze()
    return best


def row_of(comparison: Comparison, best: Mapping[str, Figures]) -> Row:
    """The outcome of one comparison."""
    # What is shown decides, so that everybody can check it.
    ours = _rounded(best[comparison.ours][comparison.unit])
    anchor = _rounded(best[comparison.anchor][comparison.unit])
    ratio = ours / anchor
    target, verdict = "", "info"
    if comparison.target is not None:
        higher = HIGHER_IS_BETTER[comparison.unit]
        target = f"{'≥' if higher else '≤'} {comparison.target}"
        reached = ratio >= comparison.target if higher else ratio <= comparison.target
        verdict = "ok" if reached else "short"
    return Row(
        comparison.path, comparison.ours, comparison.anchor, comparison.unit,
        ours, anchor, shown_ratio(ratio), target, verdict, comparison.note,
    )  # fmt: skip


def shown_ratio(ratio: float) -> float:
    """The ratio to two places, or to two figures where two places would show nothing of it."""
    return round(ratio, 2) if ratio >= RATIO_OF_TWO_PLACES else float(f"{ratio:.2g}")


def ratio_text(ratio: float) -> str:
    """A ratio as it is printed: no column of a table says 0.00 of something that was measured."""
    return f"{ratio:.2f}" if ratio >= RATIO_OF_TWO_PLACES else f"{ratio:.2g}"


def percentile(sorted_values: Sequence[float], fraction: float) -> float:
    """The value at this fraction, by the nearest rank."""
    return sorted_values[max(0, math.ceil(fraction * len(sorted_values)) - 1)]


def table(rows: Sequence[Row]) -> str:
    """The rows as columns that a person reads."""
    head = ("path", "ours", "anchor", "unit", "ours", "anchor", "ratio", "target", "", "")
    lines = [head, *(_cells(row) for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(head))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    )


def _cells(row: Row) -> tuple[str, ...]:
    return (
        row.path, row.ours, row.anchor, row.unit, f"{row.ours_figure:,}",
        f"{row.anchor_figure:,}", ratio_text(row.ratio), row.target, row.verdict, row.note,
    )  # fmt: skip


def _rounded(figure: float) -> float:
    if figure >= 1_000:
        return round(figure)
    return round(figure, 3) if figure >= SMALL else float(f"{figure:.3g}")
