"""How far a replay is, at which rate, and how long it will take: a bar, or a line now and then."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TextIO

LINE_SECONDS = 5.0  # between two lines where nobody looks at a terminal

Progress = Callable[[int, int], None]


class Pace:
    """The rate since the beginning, and what it says of the end."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._began = clock()

    def words(self, done: int, of: int, what: str = "records") -> str:
        """How far, how fast, and how long still."""
        passed = self._clock() - self._began
        rate = done / passed if passed > 0 else 0.0
        left = f", about {(of - done) / rate:,.0f} s left" if rate > 0 else ""
        return f"{done:,} of {of:,} {what}, {rate:,.0f} a second{left}"


@contextmanager
def progress_on(
    stream: TextIO, clock: Callable[[], float] = time.monotonic, what: str = "records"
) -> Iterator[Progress]:
    """Tell on this stream how far it is, until the end of the block."""
    pace = Pace(clock)
    if not stream.isatty():
        told = clock()

        def line(done: int, of: int) -> None:
            nonlocal told
            if clock() - told >= LINE_SECONDS:
                told = clock()
                stream.write(pace.words(done, of, what) + "\n")
                stream.flush()

        yield line
        return
    from rich.console import Console  # noqa: PLC0415 -- only where somebody looks at it
    from rich.progress import BarColumn, Progress, TextColumn  # noqa: PLC0415

    columns = (BarColumn(), TextColumn("{task.description}"))
    with Progress(*columns, console=Console(file=stream), transient=True) as shown:
        task = shown.add_task(f"reading {what}", total=None)

        def bar(done: int, of: int) -> None:
            shown.update(task, completed=done, total=of, description=pace.words(done, of, what))

        yield bar
