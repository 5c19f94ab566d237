"""Shows a play: a table that lives on a terminal, and elsewhere a line for each change."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable

from rich.console import Console
from rich.live import Live
from rich.table import Table

from genoflow.deploy.demo.board import Board, Row
from genoflow.events.printable import printable

PAUSE_SECONDS = 0.25  # between two looks: eyes follow four changes a second
WIDTH_MIN = 120  # of a terminal on which a table of these columns can be read
WAITS_CHARACTERS_MAX = 140  # of a line: `genoflow sample why` says it whole
NAME_CHARACTERS = 36  # of the longest name, that of a run


@contextlib.asynccontextmanager
async def shown(board: Board, console: Console) -> AsyncIterator[None]:
    """Show the board within the block, and once more at its end."""
    is_live = console.is_terminal and console.width >= WIDTH_MIN
    if not is_live:
        async with _repeated(_Lines(board, console).look):
            yield
        return
    with Live(console=console, auto_refresh=False) as live:

        async def look() -> None:
            live.update(_table(board, await board.rows()), refresh=True)

        async with _repeated(look):
            yield


@contextlib.asynccontextmanager
async def _repeated(look: Callable[[], Awaitable[None]]) -> AsyncIterator[None]:
    async def repeat() -> None:
        while True:
            await look()
            await asyncio.sleep(PAUSE_SECONDS)

    task = asyncio.create_task(repeat())
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        await look()


class _Lines:
    """Prints what has changed, and nothing twice."""

    def __init__(self, board: Board, console: Console) -> None:
        self._board = board
        self._console = console
        self._printed: set[tuple[str, str, str]] = set()

    async def look(self) -> None:
        """Print each row whose stage or newest fact is another."""
        for row in await self._board.rows():
            now = (row.name, row.stage, row.newest)
            if row.newest and now not in self._printed:
                self._printed.add(now)
                what = "; ".join(part for part in (row.stage, shortened(row.waits)) if part)
                time = f"{self._board.seconds:6.1f} s"
                line = f"{time}  {row.name:<{NAME_CHARACTERS}}{row.newest:<24}{what}"
                self._console.print(printable(line.rstrip()), markup=False)


def shortened(text: str) -> str:
    """The beginning of a text, with a sign where more follows."""
    return text if len(text) <= WAITS_CHARACTERS_MAX else f"{text[: WAITS_CHARACTERS_MAX - 1]}…"


def _table(board: Board, rows: list[Row]) -> Table:
    first = board.first_validated
    validated = f"; first Validated at {first:.0f} s" if first is not None else ""
    table = Table(
        title=f"{board.play.prefix}: {board.seconds:.0f} s{validated}", title_justify="left",
        expand=True,
    )  # fmt: skip
    for name in ("sample or run", "order", "where it is", "newest fact"):
        table.add_column(name, no_wrap=True)
    table.add_column("what it waits for", no_wrap=True, overflow="ellipsis", ratio=1)
    for row in rows:
        cells = (row.name, row.order, row.stage, row.newest, row.waits)
        style = "green" if row.stage.endswith("published") else None
        table.add_row(*(printable(cell) for cell in cells), style=style)
    return table
