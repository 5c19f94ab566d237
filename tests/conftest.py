"""What every test may ask for: see tests/servers.py."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

pytest_plugins = ["tests.servers", "tests.aws"]
HERE = Path(__file__).parent

# A file of these takes minutes, and one of the others seconds: what is long begins first, so that
# at the end no process waits for another one's last file.
LONG_FIRST = ("e2e", "faults", "integration", "contracts", "simulation")


def pytest_configure() -> None:
    """Hear interrupts: a shell that runs the tests in the background has them ignored.

    What is ignored here would be ignored by every command that a test starts and interrupts.
    """
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put what takes long first, and leave the order within a folder."""
    items.sort(key=lambda item: _place(item.path))


def _place(path: Path) -> int:
    room = path.relative_to(HERE).parts[0]
    return LONG_FIRST.index(room) if room in LONG_FIRST else len(LONG_FIRST)
