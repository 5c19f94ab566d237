"""The secrets by which webhooks are signed: files of one owner, named by events and never in them.

A file holds one secret a line, the newest first. Two are valid while one takes the other's place:
a receiver that knows either of them takes the signature.
"""

from __future__ import annotations

import base64
import os
import re
import secrets
import stat
from collections.abc import Sequence
from pathlib import Path

from genoflow.events.errors import Parked, Refused

FOLDER = "webhook-secrets"
SECRET_BYTES = 32  # Standard Webhooks asks for 24 to 64
VALID_MAX = 2  # the new one and the one before
FILE_BYTES_MAX = 4_096  # two secrets of 64 bytes take 190
PREFIX = "whsec_"


class WebhookSecrets:
    """The secrets of one deployment, in files that only its account reads."""

    def __init__(self, home: Path) -> None:
        self._folder = home / FOLDER

    def valid(self, name: str) -> Sequence[str]:
        """Those that are valid, newest first; Parked where there are none that can be used."""
        path = self._path(name)
        way_on = "then `genoflow parked requeue`"
        try:
            mode = path.stat().st_mode
            lines = path.read_bytes()[:FILE_BYTES_MAX].decode("ascii").split()
        except (OSError, UnicodeDecodeError) as error:
            raise Parked(
                f"{path}: the secret {name!r} cannot be read ({type(error).__name__}); copy the "
                f"file from where the subscription was made, {way_on}"
            ) from error
        if stat.S_IMODE(mode) & 0o077:
            raise Parked(f"{path}: others may read this secret; chmod 600 it, {way_on}")
        if not lines or not all(_is_secret(line) for line in lines):
            raise Parked(f"{path}: holds no secret; rotate it, tell its receiver, {way_on}")
        return lines[:VALID_MAX]

    def create(self, name: str) -> str:
        """A new secret; the one that is there already where one is."""
        path = self._path(name)
        if path.exists():
            return self.valid(name)[0]
        return self._write(path, [_new()])

    def rotate(self, name: str) -> str:
        """A new secret before the one that was newest, which stays valid beside it."""
        return self._write(self._path(name), [_new(), *self.valid(name)[: VALID_MAX - 1]])

    def retire(self, name: str) -> None:
        """Let the newest alone be valid."""
        self._write(self._path(name), [self.valid(name)[0]])

    def remove(self, name: str) -> None:
        """Forget them; nothing where there are none."""
        self._path(name).unlink(missing_ok=True)

    def _path(self, name: str) -> Path:
        if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", name):
            raise Refused(f"{name!r}: is no name of a secret")
        return self._folder / name

    def _write(self, path: Path, lines: Sequence[str]) -> str:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        part = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
        with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write("\n".join(lines) + "\n")
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
        return lines[0]


def _new() -> str:
    return PREFIX + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()


def _is_secret(line: str) -> bool:
    return re.fullmatch(rf"{PREFIX}[A-Za-z0-9+/]{{16,}}=*", line) is not None
