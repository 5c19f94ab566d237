"""Files of the stack: written whole or not at all, locked by the kernel, never half there."""

from __future__ import annotations

import asyncio
import errno
import fcntl
import os
import secrets
import shutil
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from genoflow.events.errors import StackFault

SECRET_BYTES = 24  # 32 characters of base64: beyond guessing, short enough to paste
LOCK_POLL_SECONDS = 0.1
DISK_FULL_BYTES = 16_000_000  # less than one segment of Postgres's write-ahead log
LOG_TAIL_LINES = 12
LOG_TAIL_BYTES = 8_192  # 12 lines of 600 bytes; a Java stack trace is cut, its first line is not


def write_atomically(path: Path, text: str, *, durable: bool = True) -> None:
    """Replace the file by one with this text, so that no reader ever sees a part of it."""
    unfinished = path.with_name(f"{path.name}.{os.getpid()}.new")
    try:
        descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            if durable:
                os.fsync(file.fileno())
        unfinished.replace(path)
    except OSError:
        unfinished.unlink(missing_ok=True)
        raise


def fault_of(error: OSError, place: Path, way_out: str) -> StackFault:
    """Say in one sentence what the operating system refused, where, and what to do."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        way_out = "free some space there, or name another disk with GENOFLOW_HOME"
    return StackFault(f"{place}: {error.strerror or error}; {way_out}")


def disk_complaint(path: Path) -> str:
    """Return what to do where the disk of this path is full, and nothing where it is not."""
    if (free := shutil.disk_usage(path).free) >= DISK_FULL_BYTES:
        return ""
    return (
        f"the disk of {path} is full ({free // 10**6} MB free): free some space, "
        "then run `genoflow down` and `genoflow up`"
    )


def make_directory(path: Path) -> None:
    """Create the directory for its owner alone, or say why it cannot be."""
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise fault_of(
            error, path, "make it writable, or name another directory with GENOFLOW_HOME"
        ) from error


def remove_tree(path: Path) -> None:
    """Remove a directory with read-only parts, such as Go's module cache; absent is fine."""
    for directory, _, _ in os.walk(path):
        Path(directory).chmod(0o700)
    if path.exists():
        shutil.rmtree(path)


def keep_secret(path: Path) -> str:
    """Return the secret kept in this file, made on first use and readable by its owner alone."""
    if not path.exists():
        write_atomically(path, secrets.token_urlsafe(SECRET_BYTES))
    return path.read_text(encoding="utf-8").strip()


def try_lock(path: Path) -> int | None:
    """Take the kernel's lock on the file and return its descriptor, or None where it is held.

    A file that a killed process left behind is not locked, so there is no stale lock.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    return descriptor


@asynccontextmanager
async def locked(path: Path) -> AsyncIterator[None]:
    """Hold the lock on the file for the length of the block, waiting for it as long as it takes."""
    while (descriptor := try_lock(path)) is None:  # noqa: ASYNC110
        await asyncio.sleep(LOCK_POLL_SECONDS)  # another process holds it: nothing here can tell
    try:
        yield
    finally:
        os.close(descriptor)


def tail(path: Path, lines: int = LOG_TAIL_LINES) -> str:
    """Return the last lines of a log, empty where there is none."""
    if not path.exists():
        return ""
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - LOG_TAIL_BYTES))
        text = file.read().decode(errors="replace")
    return "\n".join(text.splitlines()[-lines:])


def port_is_free(port: int) -> bool:
    """Say whether a server could listen on this port of the loopback address now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def free_port() -> int:
    """Return a port of the loopback address that nothing listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port
