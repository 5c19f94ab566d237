"""What every test may ask for: see tests/servers.py."""

from __future__ import annotations

import logging
import signal
from collections.abc import Generator
from pathlib import Path

import pytest

pytest_plugins = ["tests.servers", "tests.aws"]
HERE = Path(__file__).parent

# A file of these takes minutes, and one of the others seconds: what is long begins first, so that
# at the end no process waits for another one's last file.
LONG_FIRST = (
    "e2e", "faults", "integration", "contracts", "simulation", "unit/test_every_row.py",
)  # fmt: skip


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol() -> Generator[None, object, object]:
    """Leave nothing that a command line set up for its log lines to the tests behind it.

    `genoflow.deploy.cli.run` owns its process, and so the root logger: its handler would take the
    place of pytest's own when the next test's first line comes.
    """
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    found = yield
    root.handlers[:] = handlers
    root.setLevel(level)
    return found


def pytest_configure() -> None:
    """Hear interrupts: a shell that runs the tests in the background has them ignored.

    What is ignored here would be ignored by every command that a test starts and interrupts.
    """
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put what takes long first, and leave the order as it is within a folder."""
    items.sort(key=lambda item: _place(item.path))


def _place(path: Path) -> int:
    name = path.relative_to(HERE).as_posix()
    found = (place for place, begins in enumerate(LONG_FIRST) if name.startswith(begins))
    return next(found, len(LONG_FIRST))
