"""Words and tables of a page; whatever comes from a file or the log passes through `text`."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from html import escape

GROUPED_FROM = 10_000  # larger numbers are written 12,345; smaller ones with four digits
NONE = "–"


def text(value: object) -> str:
    """A value as text of HTML: nothing in it is markup, and nothing in it is invisible."""
    plain = "".join(
        one if one.isprintable() else ascii(one)[1:-1] for one in str(value)
    )  # a line feed, what turns the direction of writing, half a character: shown as \n, \u202e
    return escape(plain, quote=True)


def figure(value: object) -> str:
    """A number as people read it; any other value as its text."""
    if value is None:
        return NONE
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float) and math.isfinite(value):
        return f"{value:,.0f}" if abs(value) >= GROUPED_FROM else f"{value:.4g}"
    return str(value)


def table(
    caption: str, head: Sequence[str], rows: Iterable[Sequence[str]], numbers_from: int = 1
) -> str:
    """A table of cells that are HTML already; the first of a row names it."""
    titles = "".join(f'<th scope="col">{text(one)}</th>' for one in head)
    lines = []
    for first, *others in rows:
        cells = "".join(
            f'<td class="{"n" if at >= numbers_from else "w"}">{one}</td>'
            for at, one in enumerate(others, start=1)
        )
        lines.append(f'<tr><th scope="row">{first}</th>{cells}</tr>')
    said = text(caption)
    return (
        f'<div class="wide" role="region" tabindex="0" aria-label="{said}"><table>'
        f"<caption>{said}</caption><thead><tr>{titles}</tr></thead>"
        f"<tbody>{''.join(lines)}</tbody></table></div>\n"
    )


def pairs(told: Iterable[tuple[str, object]]) -> str:
    """Names with their values, those without a value left out."""
    rows = "".join(
        f"<div><dt>{text(name)}</dt><dd>{text(figure(value))}</dd></div>"
        for name, value in told
        if value not in (None, "")
    )
    return f"<dl>{rows}</dl>\n" if rows else ""


def folded(title: str, body: str) -> str:
    """What is shown once somebody asks for it; no script is needed for that."""
    return f"<details><summary>{text(title)}</summary>{body}</details>\n"
