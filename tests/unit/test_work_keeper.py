"""A worker is kept going while a fresh start mends it, and no longer."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path

import pytest

from genoflow.deploy import work_keeper
from genoflow.deploy.work_ends import EXIT_LASTING, EXIT_PASSING, EXIT_UNFORESEEN
from genoflow.deploy.work_keeper import is_mended_by_a_start, keep, meaning

SECONDS_MAX = 20


def script(tmp_path: Path, *codes: int) -> tuple[str, ...]:
    """A command whose nth run ends with the nth of these codes, and keeps what it was told."""
    text = (
        "import pathlib, sys\n"
        f"lives = pathlib.Path({str(tmp_path / 'lives')!r})\n"
        "before = lives.read_text() if lives.exists() else ''\n"
        "lives.write_text(before + sys.argv[1])\n"
        f"sys.exit({list(codes)!r}[len(before)])\n"
    )
    return sys.executable, "-c", text


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(work_keeper, "PAUSE_SECONDS_MIN", 0.01)


@pytest.mark.parametrize("last", [0, EXIT_LASTING, 2])
async def test_it_starts_again_until_that_would_mend_nothing(tmp_path: Path, last: int) -> None:
    said: list[str] = []
    command = script(tmp_path, EXIT_PASSING, EXIT_UNFORESEEN, last)
    async with asyncio.timeout(SECONDS_MAX):
        assert await keep(lambda again: (*command, str(again)), said.append) == last
    assert (tmp_path / "lives").read_text() == "012"
    assert said == [
        "the worker ended (exit code 75); it starts again in 0.01 s",
        "the worker ended (exit code 70); it starts again in 0.02 s",
    ]


async def test_a_signal_ends_the_child_and_the_keeping(tmp_path: Path) -> None:
    ready = tmp_path / "ready"
    text = (
        "import pathlib, signal, sys, time\n"
        "signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))\n"
        f"pathlib.Path({str(ready)!r}).write_text('x')\n"
        "time.sleep(600)\n"
    )
    keeping = asyncio.create_task(keep(lambda _: (sys.executable, "-c", text), print))
    async with asyncio.timeout(SECONDS_MAX):
        while not ready.exists():
            await asyncio.sleep(0.01)
        os.kill(os.getpid(), signal.SIGTERM)
        assert await keeping == 0


def test_what_a_start_mends() -> None:
    mended = [code for code in (0, 1, 2, 70, 75, 128 + 9, 128 + 11) if is_mended_by_a_start(code)]
    assert mended == [70, 75, 137, 139]


def test_an_end_is_told_in_words() -> None:
    assert meaning(75) == "exit code 75"
    assert meaning(137) == "killed by SIGKILL"
    assert meaning(128 + 99) == "killed by signal 99"
