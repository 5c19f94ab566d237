"""A copy of a file for libraries that read files and not streams: bounded, and gone with us."""

from __future__ import annotations

import errno
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO

from genoflow.events.errors import Retry
from genoflow.processors.validation.port import Fault

SCRATCH_BYTES_MAX = 512 * 1024**3  # a BAM of a genome at 100 reads a place has 300 GB


@contextmanager
def scratch(size_bytes: int | None) -> Iterator[IO[bytes]]:
    """A temporary file without a name: the system frees it with the process, however that ends.

    Retry where this machine has no room for so much.
    """
    free = shutil.disk_usage(tempfile.gettempdir()).free
    if size_bytes is not None and size_bytes > free:
        raise Retry(_short(f"{size_bytes} bytes are needed and {free} are free"))
    try:
        with tempfile.TemporaryFile() as file:
            yield file
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise Retry(_short(str(error))) from error
        raise


def keep(file: IO[bytes], piece: bytes) -> None:
    """Add a piece; Fault where the file is longer than any that is read this way."""
    if file.tell() + len(piece) > SCRATCH_BYTES_MAX:
        raise Fault("unreadable", f"it has more than {SCRATCH_BYTES_MAX} bytes, which is the limit")
    file.write(piece)


def _short(said: str) -> str:
    folder = tempfile.gettempdir()
    return f"no room for a copy of the file in {folder}: {said}; free some, or set TMPDIR"
