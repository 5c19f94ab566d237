"""Plots as SVG that stands in a page: no script, colours by class, and words for who cannot see."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator, Sequence

from genoflow.api.reports.curves import Plot, Point
from genoflow.api.reports.markup import figure, folded, table, text
from genoflow.api.reports.report import Judgement

WIDTH, HEIGHT = 720, 260
LEFT, RIGHT, TOP, BOTTOM = 70, 28, 12, 46
STYLES = 6  # colours and dashes; a seventh line looks like the first
TICKS = 6
BAR_SHARE = 0.8  # of the room that a bar has
WITHIN_BANDS = ("mean", "median")  # what is drawn as a line there
LETTER_WIDTH = 7.0  # of the letters at an axis, rounded up
ROWS_BELOW = 2
VALUES_MAX = 12  # bars that have their number above them; of more the table tells it
Scale = Callable[[float], float]


def chart(plot: Plot, prefix: str) -> str:
    """A figure: the plot, a legend where there are several lines, and all numbers in a table."""
    name = f"{prefix}-{plot.id}"
    body = _svg(plot, name)
    legend = _legend(plot) if len(plot.series) > 1 else ""
    return (
        f'<figure id="{name}"><h4>{text(plot.title)}</h4><p>{text(plot.about)}</p>{body}{legend}'
        f"{folded('Numbers', _numbers(plot))}</figure>\n"
    )


def ticks(low: float, high: float, count: int = TICKS) -> list[float]:
    """Round values that begin at or above the low end and go as far as the high one."""
    if high <= low:
        return [low]
    raw = (high - low) / count
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(power * one for one in (1, 2, 5, 10) if power * one >= raw * 0.999)
    first = math.ceil(low / step - 1e-9)
    last = math.floor(high / step + 1e-9)
    return [number * step for number in range(first, last + 1)]


def _scale(low: float, high: float, begin: float, end: float) -> Scale:
    width = high - low or 1.0
    return lambda value: begin + (value - low) / width * (end - begin)


def _range(plot: Plot) -> tuple[float, float, float, float]:
    places = [x for points in plot.series.values() for x, _ in points]
    values = [y for points in plot.series.values() for _, y in points]
    low, high = min(places), max(places)
    if plot.kind == "bars":
        half = _gap(sorted(set(places))) / 2
        low, high = low - half, high + half
    top = plot.y_max if plot.y_max is not None else max(values, default=0.0) * 1.05
    return low, high, plot.y_min, top or 1.0


def _gap(places: Sequence[float]) -> float:
    return min((b - a for a, b in itertools.pairwise(places)), default=1.0)


def _svg(plot: Plot, name: str) -> str:
    low, high, bottom, top = _range(plot)
    across = _scale(low, high, LEFT, WIDTH - RIGHT)
    up = _scale(bottom, top, HEIGHT - BOTTOM, TOP)
    drawn = {"lines": _lines, "bars": _bars, "bands": _bands}[plot.kind]
    parts = [*_axes(plot, across, up), *drawn(plot, across, up)]
    return (
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-labelledby="{name}-t {name}-d">'
        f'<title id="{name}-t">{text(plot.title)}</title>'
        f'<desc id="{name}-d">{text(summary(plot))}</desc>{"".join(parts)}</svg>'
    )


def summary(plot: Plot) -> str:
    """The plot in words: where each line begins and ends, and how far it goes."""
    said = []
    for name, points in plot.series.items():
        if not points:
            continue
        values = [y for _, y in points]
        first, last = points[0], points[-1]
        said.append(
            f"{name}: {figure(first[1])} at {_place(plot, first[0])}, {figure(last[1])} at "
            f"{_place(plot, last[0])}, least {figure(min(values))}, most {figure(max(values))}"
        )
    return "; ".join(said)


def _place(plot: Plot, x: float) -> str:
    return plot.labels[int(x)] if plot.labels else figure(x)


def _axes(plot: Plot, across: Scale, up: Scale) -> Iterator[str]:
    low, high, bottom, top = _range(plot)
    base = HEIGHT - BOTTOM
    for value in ticks(bottom, top):
        at = up(value)
        yield f'<path class="grid" d="M{LEFT} {at:.1f}H{WIDTH - RIGHT}"/>'
        yield f'<text class="tick" x="{LEFT - 6}" y="{at + 4:.1f}" text-anchor="end">'
        yield f"{text(figure(value))}</text>"
    for value in plot.marks:
        yield f'<path class="mark" d="M{LEFT} {up(value):.1f}H{WIDTH - RIGHT}"/>'
    for value, label, row in _below(plot, low, high):
        place = f'x="{across(value):.1f}" y="{base + 16 + 13 * row}"'
        yield f'<text class="tick" {place} text-anchor="middle">{text(label)}</text>'
    yield f'<path class="axis" d="M{LEFT} {TOP}V{base}H{WIDTH - RIGHT}"/>'
    middle = (TOP + base) / 2
    yield f'<text class="name" x="{(LEFT + WIDTH - RIGHT) / 2}" y="{HEIGHT - 8}"'
    yield f' text-anchor="middle">{text(plot.x)}</text>'
    yield f'<text class="name" transform="translate(14 {middle}) rotate(-90)"'
    yield f' text-anchor="middle">{text(plot.y)}</text>'


def _below(plot: Plot, low: float, high: float) -> list[tuple[float, str, int]]:
    """What stands below the axis, where, and in which of two rows, so that none covers another."""
    if not plot.labels:
        whole = (value for value in ticks(low, high, 10) if value == int(value))
        return [(value, figure(value), 0) for value in whole]
    named = [(float(at), label) for at, label in enumerate(plot.labels) if low <= at <= high]
    room = (WIDTH - LEFT - RIGHT) / max(len(named), 1)
    wide = max((len(label) for _, label in named), default=0) * LETTER_WIDTH
    rows = 1 if wide <= room else ROWS_BELOW
    step = max(1, math.ceil(wide / (rows * room)))
    return [(at, label, order % rows) for order, (at, label) in enumerate(named[::step])]


def _path(points: Sequence[Point], across: Scale, up: Scale) -> str:
    return "L".join(f"{across(x):.1f} {up(y):.1f}" for x, y in points)


def _lines(plot: Plot, across: Scale, up: Scale) -> Iterator[str]:
    for number, points in enumerate(plot.series.values()):
        if points:
            style = number % STYLES + 1
            yield f'<path class="line s{style}" d="M{_path(points, across, up)}"/>'
        if len(points) == 1:
            [(x, y)] = points
            yield f'<circle class="dot s{style}" cx="{across(x):.1f}" cy="{up(y):.1f}" r="3"/>'


def _bars(plot: Plot, across: Scale, up: Scale) -> Iterator[str]:
    for points in plot.series.values():
        gap = _gap(sorted({x for x, _ in points}))
        half = max((across(gap) - across(0.0)) * BAR_SHARE / 2, 0.5)
        half = min(half, 40.0)
        for x, y in points:
            at, high = across(x), up(y)
            size = f'width="{2 * half:.1f}" height="{max(up(0.0) - high, 0.0):.1f}"'
            yield f'<rect class="bar" x="{at - half:.1f}" y="{high:.1f}" {size}/>'
            if plot.labels and len(points) <= VALUES_MAX:
                yield f'<text class="tick" x="{at:.1f}" y="{max(high - 4, TOP):.1f}"'
                yield f' text-anchor="middle">{text(figure(y))}</text>'


def _bands(plot: Plot, across: Scale, up: Scale) -> Iterator[str]:
    bands = (("outer", "percentile_10", "percentile_90"),
             ("inner", "lower_quartile", "upper_quartile"))  # fmt: skip
    for style, low, high in bands:
        if low in plot.series and high in plot.series:
            around = [*plot.series[high], *reversed(plot.series[low])]
            yield f'<path class="band {style}" d="M{_path(around, across, up)}Z"/>'
    for number, name in enumerate(WITHIN_BANDS, start=1):
        if name in plot.series:
            yield f'<path class="line s{number}" d="M{_path(plot.series[name], across, up)}"/>'


def _legend(plot: Plot) -> str:
    names = WITHIN_BANDS if plot.kind == "bands" else plot.series
    told = "".join(
        f'<li><svg class="swatch" viewBox="0 0 28 8" aria-hidden="true">'
        f'<path class="line s{number % STYLES + 1}" d="M0 4H28"/></svg> {text(name)}</li>'
        for number, name in enumerate(names)
    )
    return f'<ul class="legend">{told}</ul>'


def _numbers(plot: Plot) -> str:
    places = sorted({x for points in plot.series.values() for x, _ in points})
    columns = [dict(points) for points in plot.series.values()]
    rows = (
        [text(_place(plot, x)), *(text(figure(column.get(x))) for column in columns)]
        for x in places
    )
    return table(f"{plot.title}: numbers", [plot.x or "what", *plot.series], rows)


# -- thresholds

GAUGE_WIDTH, GAUGE_HEIGHT = 220, 30
WIDE_FRACTION = 0.25  # smaller ones, such as contamination, have a scale of their own
ROOM = 0.15  # beyond the outermost of the value and its bounds


def gauge(one: Judgement) -> str:
    """Where a value lies between its bounds; nothing where there is no value, or no bound."""
    bounds = [bound for bound in one.bounds if bound is not None]
    if one.value is None or not bounds:
        return ""
    low, high = _gauge_range(one.value, bounds, one.unit)
    across = _scale(low, high, 4, GAUGE_WIDTH - 4)
    needed = (one.required_min, one.required_max)
    wished = (one.warn_min, one.warn_max)
    parts = [_zone("track", low, high, across)]
    for style, (least, most) in (("allowed", needed), ("good", wished)):
        if (least, most) != (None, None):
            begin = low if least is None else least
            parts.append(_zone(style, begin, high if most is None else most, across))
    for style, some in (("required", needed), ("wish", wished)):
        told = (bound for bound in some if bound is not None)
        parts += [f'<path class="{style}" d="M{across(bound):.1f} 4V26"/>' for bound in told]
    parts.append(f'<circle class="value" cx="{across(one.value):.1f}" cy="15" r="5"/>')
    said = text(f"{figure(one.value)} {one.unit}; {wanted(one)}")
    return (
        f'<svg class="gauge" viewBox="0 0 {GAUGE_WIDTH} {GAUGE_HEIGHT}" role="img" '
        f'aria-label="{said}"><title>{said}</title>{"".join(parts)}</svg>'
    )


def _gauge_range(value: float, bounds: Sequence[float], unit: str) -> tuple[float, float]:
    low, high = min(value, *bounds), max(value, *bounds)
    if unit == "fraction" and high > WIDE_FRACTION:
        return 0.0, 1.0
    room = (high - low or abs(high) or 1.0) * ROOM
    return (low - room if low < 0 else max(0.0, low - room)), high + room


def _zone(style: str, begin: float, end: float, across: Scale) -> str:
    left = across(begin)
    return (
        f'<rect class="{style}" x="{left:.1f}" y="10" width="{max(across(end) - left, 0):.1f}" '
        f'height="10"/>'
    )


def wanted(one: Judgement) -> str:
    """The bounds of a metric in words."""
    named = (
        ("at least", one.required_min), ("at most", one.required_max),
        ("warning below", one.warn_min), ("warning above", one.warn_max),
    )  # fmt: skip
    said = [f"{word} {figure(bound)}" for word, bound in named if bound is not None]
    return ", ".join(said) or "nothing is required"
