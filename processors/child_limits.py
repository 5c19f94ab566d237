"""What a child process that reads bytes is held to: its memory, its time, its parent's life."""

from __future__ import annotations

import ctypes
import os
import resource
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

BYTES_SECONDS_MAX = 6 * 3_600  # a 100 GB file at 10 MB/s takes 2.8 h
BYTES_MEMORY_MAX = 2 * 1024**3  # of one child process
PROGRESS_SECONDS = 0.25  # four a second: more than a person can read
EXIT_SIGNAL_BASE = 128
PR_SET_PDEATHSIG = 1
OOM_SCORE = 500  # of -1,000 to 1,000: where memory is short the kernel takes us, not the worker


def die_with(guard: int) -> None:
    """Be killed when this parent is; and where memory is short, before others are."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        try:
            Path("/proc/self/oom_score_adj").write_text(str(OOM_SCORE), encoding="ascii")
        except OSError as error:
            sys.stderr.write(f"oom_score_adj stays as it is: {error}\n")
    if os.getppid() != guard:
        os._exit(EXIT_SIGNAL_BASE + signal.SIGKILL)


def status_bytes(name: str, process: int | str = "self") -> int:
    """What Linux says of the memory of a process; 0 where it does not say.

    `VmHWM` is the most that was resident: `getrusage` may tell the parent's where that was more.
    """
    try:
        said = Path(f"/proc/{process}/status").read_text(encoding="ascii", errors="replace")
    except OSError:
        return 0  # another system, or a process that is gone
    lines = (line for line in said.split("\n") if line.startswith(f"{name}:"))
    return next((int(line.split()[1]) * 1024 for line in lines), 0)


def data_bytes() -> int:
    """What this process could write to when it began: code, libraries and their threads."""
    return status_bytes("VmData")


@contextmanager
def limited_memory(limit_bytes: int) -> Iterator[None]:
    """Limit the memory that can be written to; a mapped reference genome does not count.

    RLIMIT_AS would count it, and watching the resident size would come late and count it, too.
    Only Linux holds to it. What leaks stays in the sum, until a fresh process is needed.
    """
    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    limited = limit_bytes if hard == resource.RLIM_INFINITY else min(limit_bytes, hard)
    resource.setrlimit(resource.RLIMIT_DATA, (limited, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_DATA, (hard, hard))
