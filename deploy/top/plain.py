"""What is shown as text for pipes and for eyes: within eighty columns, or as wide as told."""

from __future__ import annotations

from rich.cells import cell_len, set_cell_size
from rich.console import Console
from rich.text import Text

from genoflow.deploy.top.shown import Shown
from genoflow.deploy.top.tables import Section, sections
from genoflow.deploy.top.words import is_unwell, totals_line, tower_line

LINES_MAX = 20  # of a table; `--json` has them all
GAP = "  "
INDENT = "    "  # of what is said below a row


def print_shown(shown: Shown, console: Console) -> None:
    """Print every table; the sentence of a row stands below it."""
    console.print(Text(f"{shown.at:%Y-%m-%d %H:%M:%S} UTC, {totals_line(shown)}", style="bold"))
    console.print(Text(tower_line(shown), style="red" if is_unwell(shown) else ""))
    for section in sections(shown):
        console.print()
        console.print(Text(section.title, style="bold"))
        _print_section(section, console)


def _print_section(section: Section, console: Console) -> None:
    shown = section.lines[:LINES_MAX]
    if not shown:
        console.print(Text(section.nothing, style="dim"))
    else:
        widths = _widths(section, console.width)
        titles = tuple(column.title for column in section.columns)
        console.print(_row(section, titles, widths, "dim"))
        for line in shown:
            console.print(_row(section, line.cells, widths, line.style))
            if line.more:
                for part in Text(line.more).wrap(console, console.width - len(INDENT)):
                    console.print(Text(INDENT + part.plain.rstrip()))
    more = len(section.lines) - len(shown)
    for left_out in (f"and {more:,} more" if more else "", section.left_out):
        if left_out:
            console.print(Text(left_out, style="dim"))


def _widths(section: Section, width: int) -> list[int]:
    """What each column takes; the first one holds names of any length, and gives way."""
    rows = section.lines[:LINES_MAX]
    found = [
        max(len(column.title), *(cell_len(line.cells[at]) for line in rows))
        for at, column in enumerate(section.columns)
    ]
    spare = width - sum(found[1:]) - len(GAP) * (len(found) - 1)
    found[0] = max(len(section.columns[0].title), min(found[0], spare))
    return found


def _row(section: Section, cells: tuple[str, ...], widths: list[int], style: str) -> Text:
    words = []
    for column, cell, width in zip(section.columns, cells, widths, strict=True):
        spare = width - cell_len(cell)
        if spare < 0:
            words.append(f"{set_cell_size(cell, width - 1)}…")
        else:
            words.append(" " * spare + cell if column.is_number else cell + " " * spare)
    return Text(GAP.join(words).rstrip(), style=style, no_wrap=True, overflow="ellipsis")
