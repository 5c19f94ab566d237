"""The stored bytes of a file: taken once, hashed as they come."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from genoflow.processors.validation.digests import Digests


class Source:
    """A stream of pieces with the checksums of all that was taken from it so far."""

    def __init__(self, pieces: Iterable[bytes], digests: Digests | None = None) -> None:
        self._pieces = iter(pieces)
        self._ahead = b""
        self._digests = digests or Digests()
        self._taken_bytes = 0
        self._copy: Callable[[bytes], None] | None = None

    def copy_to(self, write: Callable[[bytes], None]) -> None:
        """Write every piece that is handed on from now on to a copy, too."""
        write(self._ahead)
        self._copy = write

    def piece(self) -> bytes:
        """The next bytes, as many as there are at once; nothing at the end."""
        if self._ahead:
            piece, self._ahead = self._ahead, b""
            return piece
        return self._next()

    def peek(self, size_bytes: int) -> bytes:
        """The first bytes of what comes next, fewer only where the file ends."""
        while len(self._ahead) < size_bytes and (piece := self._next()):
            self._ahead += piece
        return self._ahead[:size_bytes]

    def drain(self) -> None:
        """Take what is left, for the checksums alone."""
        self._ahead = b""
        while self._next():
            pass

    @property
    def size_bytes(self) -> int:
        """How many bytes came, looked at or not."""
        return self._taken_bytes

    @property
    def md5(self) -> str:
        """Of all bytes that came."""
        return self._digests.md5

    @property
    def sha256(self) -> str:
        """Of all bytes that came."""
        return self._digests.sha256

    def contradictions(self, declared: Mapping[str, str]) -> list[tuple[str, str, str]]:
        """Kind, declared value and found value of each checksum of a store that differs.

        Asked once, when all bytes came; what was not given to `Digests` is not compared.
        """
        found = self._digests.of_store()
        return [
            (kind, value, found[kind])
            for kind, value in declared.items()
            if found.get(kind, value) != value
        ]

    def _next(self) -> bytes:
        for piece in self._pieces:
            if piece:
                self._digests.update(piece)
                self._taken_bytes += len(piece)
                if self._copy is not None:
                    self._copy(piece)
                return piece
        return b""
