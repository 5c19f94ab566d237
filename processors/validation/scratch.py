"""A file for libraries that read files and not streams: gone with us."""

from __future__ import annotations

import errno
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO

from genoflow.events.errors import Retry


@contextmanager
def scratch() -> Iterator[IO[bytes]]:
    """A temporary file without a name: the system frees it with the process, however that ends.

    Retry where this machine has no room for what is written to it.
    """
    try:
        with tempfile.TemporaryFile() as file:
            yield file
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            said = f"no room in {tempfile.gettempdir()} for a part of the file: {error}"
            raise Retry(f"{said}; free some, or set TMPDIR") from error
        raise
