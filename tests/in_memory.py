"""A folder in memory for servers whose data tests make and drop by the thousand files.

Each database of a test is 600 files, each topic some twenty. ext4 passes over every inode that was
freed in the last minutes before it gives one out: behind some hundred tests a file takes ten times
as long as at the beginning, and for minutes half of both cores go to the kernel.
"""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

MEMORY = Path("/dev/shm")
PREFIX = "genoflow-tests-"
ROOM_BYTES_MIN = 6 * 1024**3  # three processes fill under one gigabyte in a whole run
_MEMINFO = Path("/proc/meminfo")


@contextmanager
def folder(otherwise: Path) -> Iterator[Path]:
    """A new folder in memory, which is gone behind the block; another one where memory is short."""
    if not has_room():
        yield otherwise
        return
    forget_the_dead()
    found = MEMORY / f"{PREFIX}{os.getpid()}-{secrets.token_hex(4)}"
    found.mkdir()
    try:
        yield found
    finally:
        shutil.rmtree(found, ignore_errors=True)


def has_room(memory: Path = MEMORY, meminfo: Path = _MEMINFO) -> bool:
    """Whether there is memory to spare, and files in it can have the attributes that S3 keeps."""
    probe = memory / f"{PREFIX}{secrets.token_hex(4)}"
    try:
        probe.touch()
        try:
            os.setxattr(probe, "user.genoflow", b"")
        finally:
            probe.unlink()
        return min(shutil.disk_usage(memory).free, _available(meminfo)) >= ROOM_BYTES_MIN
    except (OSError, AttributeError):  # no such folder, none for us, or not on Linux
        return False


def _available(meminfo: Path) -> int:
    lines = meminfo.read_text(encoding="ascii").splitlines()
    found = next((line for line in lines if line.startswith("MemAvailable:")), ": 0")
    return int(found.split()[1]) * 1024


def forget_the_dead(memory: Path = MEMORY) -> None:
    """Remove what killed tests could not: it would hold memory until the machine starts anew."""
    for left in memory.glob(f"{PREFIX}*-*"):
        pid = left.name.removeprefix(PREFIX).partition("-")[0]
        if pid.isdigit() and not Path("/proc", pid).exists():
            shutil.rmtree(left, ignore_errors=True)
