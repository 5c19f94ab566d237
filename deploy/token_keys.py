"""The keys that sign access tokens: a file of one owner, the newest key first.

Every process that serves the API needs the same file. A line that is put before the others signs
from the next start on; the older ones verify until they are removed, 15 minutes later or whenever.
"""

from __future__ import annotations

import base64
import contextlib
import os
import re
import secrets
import stat
from collections.abc import Mapping
from pathlib import Path

from genoflow.api.identity.tokens import new_key
from genoflow.events.errors import Refused

FILE = "token-keys"
FILE_BYTES_MAX = 4_096  # 60 keys; two are the most that anybody needs
_LINE = re.compile(r"([0-9a-f]{16}) ([A-Za-z0-9+/]{43}=)")


def token_keys(home: Path) -> Mapping[str, bytes]:
    """The keys by their names, the newest first; a new one where there is no file yet."""
    path = home / FILE
    if not path.exists():
        _create(path)
    try:
        mode = path.stat().st_mode
        lines = path.read_bytes()[:FILE_BYTES_MAX].decode("ascii").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise Refused(
            f"{path}: cannot be read ({type(error).__name__}); give it to the account that runs "
            f"this, or remove it for a new one: everybody signs in again"
        ) from error
    if stat.S_IMODE(mode) & 0o077:
        raise Refused(f"{path}: others may read the keys that sign tokens; chmod 600 it")
    found = [_LINE.fullmatch(line) for line in lines]
    if not found or None in found:
        raise Refused(f"{path}: holds no keys; remove it for a new one: everybody signs in again")
    return {one[1]: base64.b64decode(one[2]) for one in found if one is not None}


def _create(path: Path) -> None:
    name, key = new_key()
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(f"{name} {base64.b64encode(key).decode()}\n")
        file.flush()
        os.fsync(file.fileno())
    try:
        # Unlike a rename it leaves the file of whoever came first: both then read the same key.
        with contextlib.suppress(FileExistsError):
            path.hardlink_to(part)
    finally:
        part.unlink()
