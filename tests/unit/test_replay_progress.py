"""How far a replay is, and how fast: a line now and then, or a bar on a terminal."""

from __future__ import annotations

import io

from genoflow.deploy.replay.progress import LINE_SECONDS, Pace, progress_on


class Clock:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        """The time."""
        return self.now


class Terminal(io.StringIO):
    """A stream that somebody looks at."""

    def isatty(self) -> bool:
        """It is one."""
        return True


def test_the_rate_says_how_long_it_takes() -> None:
    clock = Clock()
    pace = Pace(clock)
    assert pace.words(0, 100) == "0 of 100 records, 0 a second"
    clock.now = 2.0
    assert pace.words(20_000, 50_000) == (
        "20,000 of 50,000 records, 10,000 a second, about 3 s left"
    )


def test_where_nobody_looks_a_line_stands_now_and_then() -> None:
    clock, stream = Clock(), io.StringIO()
    with progress_on(stream, clock) as progress:
        for number in range(1, 31):
            clock.now = float(number)
            progress(number, 30)
    lines = stream.getvalue().splitlines()
    assert len(lines) == 30 // LINE_SECONDS
    assert lines[0] == "5 of 30 records, 1 a second, about 25 s left"


def test_a_terminal_gets_a_bar_that_goes_away() -> None:
    stream = Terminal()
    with progress_on(stream) as progress:
        progress(1, 2)
        progress(2, 2)
    assert "2 of 2 records" in stream.getvalue()
