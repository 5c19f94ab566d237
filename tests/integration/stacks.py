"""What the tests of the embedded stack share: private homes, commands, patience."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from genoflow.deploy.local import stack as local_stack
from genoflow.deploy.local.state import StackStatus
from genoflow.deploy.settings import Settings
from tests import warm
from tests.servers import cli_environment, embedded_settings

PATIENCE_SECONDS = 60.0
COMMAND_SECONDS_MAX = 90.0


def cli(settings: Settings, *arguments: str, said: str = "") -> subprocess.CompletedProcess[str]:
    return warm.command(
        arguments, env=cli_environment(settings), said=said, timeout=COMMAND_SECONDS_MAX
    )


def until(condition: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < deadline, f"not within {PATIENCE_SECONDS} s: {what}"
        time.sleep(0.02)


def all_gone(status: StackStatus) -> bool:
    return not any(process.alive() for process in (status.supervisor, *status.processes))


def pids(status: StackStatus) -> dict[str, int | None]:
    return {name: service.pid for name, service in status.services.items()}


@contextmanager
def private(home: Path, **changes: Any) -> Iterator[Settings]:
    """A home of a test's own, for what would spoil the shared one."""
    chosen = embedded_settings(home).model_copy(update=changes)
    try:
        yield chosen
    finally:
        local_stack.down(chosen)
