"""The checksums of a file: MD5, SHA-256, and those by which a store knows it, in one pass.

A store keeps a checksum of the whole object, or one of its parts' checksums with their number
behind a hyphen; for the second it takes to know how long the parts were.
"""

from __future__ import annotations

import base64
import hashlib
import zlib
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, Protocol

from genoflow.native.batch import extension

# Shorter pieces are hashed where they are: handing one over takes as long as hashing it.
HANDED_OVER_BYTES_MIN = 64 * 1024
# Handed over and not yet hashed: two pieces of 4 MiB keep the thread busy while one is read.
WAITING_MAX = 2
SEPARATOR = "-"


class Digest(Protocol):
    """What hashlib's objects are."""

    def update(self, data: bytes, /) -> object: ...

    def digest(self) -> bytes: ...


class _Crc:
    """A cyclic checksum with hashlib's two methods; its digest is big-endian, as stores say it."""

    def __init__(self, step: Callable[[bytes, int], int], size_bytes: int) -> None:
        self._step = step
        self._size_bytes = size_bytes
        self._value = 0

    def update(self, data: bytes, /) -> None:
        """Go on with these bytes."""
        self._value = self._step(data, self._value)

    def digest(self) -> bytes:
        """Of all bytes that came."""
        return self._value.to_bytes(self._size_bytes, "big")


def _amazon(name: str, size_bytes: int) -> Digest:
    # The C library that boto3[crt] brings; imported where one of its two is asked for.
    from awscrt import checksums  # noqa: PLC0415

    return _Crc(getattr(checksums, name), size_bytes)


KINDS: Mapping[str, Callable[[], Digest]] = {
    "CRC32": lambda: _Crc(zlib.crc32, 4),
    "CRC32C": lambda: _amazon("crc32c", 4),
    "CRC64NVME": lambda: _amazon("crc64nvme", 8),
    "SHA1": lambda: hashlib.sha1(usedforsecurity=False),
    "SHA256": hashlib.sha256,
}


class _ByParts:
    """A checksum of checksums."""

    def __init__(self, make: Callable[[], Digest], sizes: Sequence[int]) -> None:
        self._make = make
        self._sizes = iter(sizes)
        self._part, self._left = make(), next(self._sizes, 0)
        self._whole, self._parts = make(), 0

    def update(self, data: bytes, /) -> None:
        """Go on with these bytes; what is behind the last part counts as one more."""
        while data:
            if not self._left:
                self._close()
                self._left = next(self._sizes, 0) or len(data)
            taken, data = data[: self._left], data[self._left :]
            self._part.update(taken)
            self._left -= len(taken)

    def _close(self) -> None:
        self._whole.update(self._part.digest())
        self._part = self._make()
        self._parts += 1

    def said(self) -> str:
        """As a store says it; asked once, at the end."""
        self._close()
        return f"{_base64(self._whole.digest())}{SEPARATOR}{self._parts}"


def _base64(digest: bytes) -> str:
    return base64.b64encode(digest).decode()


class Hashes:
    """MD5 and SHA-256 in one object: the twin of the extension's `Hashes`, one after the other."""

    def __init__(self) -> None:
        self._md5 = hashlib.md5(usedforsecurity=False)
        self._sha256 = hashlib.sha256()

    def update(self, data: bytes) -> None:
        """Go on with these bytes."""
        self._md5.update(data)
        self._sha256.update(data)

    def digests(self) -> tuple[bytes, bytes]:
        """MD5 and SHA-256 of all bytes so far."""
        return self._md5.digest(), self._sha256.digest()


def hashes() -> Any:
    """The extension's, where it is there and the processor has what it takes; else the twin."""
    make = getattr(extension(), "Hashes", Hashes)
    try:
        return make()
    except NotImplementedError:  # a processor without instructions for SHA-256
        return Hashes()


class Digests:
    """All checksums of the bytes so far, computed in a thread beside whoever reads them.

    `declared` names the store's own by kind, as the store says them; unknown kinds are left alone.
    """

    def __init__(
        self, declared: Mapping[str, str] | None = None, part_sizes: Sequence[int] = ()
    ) -> None:
        self._both = hashes()
        self._whole: dict[str, Digest] = {}
        self._by_parts: dict[str, _ByParts] = {}
        for kind, value in (declared or {}).items():
            if kind not in KINDS:
                continue
            if SEPARATOR not in value:
                self._whole[kind] = KINDS[kind]()
            elif part_sizes:
                self._by_parts[kind] = _ByParts(KINDS[kind], part_sizes)
        others = (*self._whole.values(), *self._by_parts.values())
        self._all: tuple[Any, ...] = (self._both, *others)
        self._thread: ThreadPoolExecutor | None = None
        self._waiting: list[Future[None]] = []

    def update(self, piece: bytes) -> None:
        """Go on with these bytes; they are hashed by the time that a checksum is asked for."""
        if len(piece) < HANDED_OVER_BYTES_MIN:
            self._settle(0)
            self._hash(piece)
            return
        if self._thread is None:
            # It ends with this object: nobody has to close what was left half read.
            self._thread = ThreadPoolExecutor(1, "checksums")
        self._settle(WAITING_MAX - 1)
        self._waiting.append(self._thread.submit(self._hash, piece))

    def _hash(self, piece: bytes) -> None:
        for one in self._all:
            one.update(piece)

    def _settle(self, left: int) -> None:
        while len(self._waiting) > left:
            self._waiting.pop(0).result()

    @property
    def md5(self) -> str:
        """Of all bytes that came."""
        self._settle(0)
        return str(self._both.digests()[0].hex())

    @property
    def sha256(self) -> str:
        """Of all bytes that came."""
        self._settle(0)
        return str(self._both.digests()[1].hex())

    def of_store(self) -> dict[str, str]:
        """The declared kinds that could be computed, each as the store says it; asked once."""
        self._settle(0)
        said = {kind: _base64(one.digest()) for kind, one in self._whole.items()}
        return said | {kind: one.said() for kind, one in self._by_parts.items()}
