"""Passwords: hashed with argon2id, a few at a time, and as slow for a name that nobody has."""

from __future__ import annotations

import asyncio
import secrets

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from genoflow.events.errors import Refused

# NIST 800-63B: 8 at least and 64 at least allowed, no rules of composition; a lab gets 12.
CHARACTERS_MIN = 12
CHARACTERS_MAX = 200
AT_ONCE_MAX = 2  # each takes 64 MiB and 0.1 to 0.4 s of two shared cores: more would only queue
GENERATED_BYTES = 18  # 24 characters, 144 bits


class Passwords:
    """Hashes and verifies off the event loop, a bounded number at a time."""

    def __init__(self, hasher: PasswordHasher | None = None) -> None:
        self._hasher = hasher or PasswordHasher()  # RFC 9106's second choice: 64 MiB, 3 passes
        self._gate = asyncio.Semaphore(AT_ONCE_MAX)
        self._nobody = self._hasher.hash(secrets.token_urlsafe(GENERATED_BYTES))

    async def hash(self, password: str) -> str:
        """What may be kept of a password; Refused where it is too short or too long."""
        check(password)
        async with self._gate:
            return await asyncio.to_thread(self._hasher.hash, password)

    async def matches(self, kept: str | None, password: str) -> bool:
        """Whether the password is the one that was kept; never, where nothing was."""
        if len(password) > CHARACTERS_MAX:
            return False
        async with self._gate:
            # Somebody unknown takes as long as somebody known, so that time tells no names.
            right = await asyncio.to_thread(self._verify, kept or self._nobody, password)
        return right and kept is not None

    def _verify(self, kept: str, password: str) -> bool:
        try:
            return self._hasher.verify(kept, password)
        except (VerificationError, InvalidHashError):
            return False


def check(password: str) -> None:
    """Refused where a password is too short or too long; what it holds is its owner's choice."""
    if not CHARACTERS_MIN <= len(password) <= CHARACTERS_MAX:
        raise Refused(
            f"the password has {len(password)} characters; take {CHARACTERS_MIN} to "
            f"{CHARACTERS_MAX}, a sentence is fine"
        )


def generated() -> str:
    """A password out of chance, to be printed once."""
    return secrets.token_urlsafe(GENERATED_BYTES)
