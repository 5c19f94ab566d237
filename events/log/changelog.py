"""How a task's changelog is laid out: its state by key, and its position under a key of its own."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Mapping

from genoflow.events.errors import InvalidEvent, Stop
from genoflow.events.log.port import Restored

# State keys never begin with a zero byte, so the position cannot be hit by accident.
POSITION_KEY = b"\x00position"
_POSITION = struct.Struct(">q")
# Key and value of a state: as much as an event, and with its framing below the broker's 1 MiB.
STATE_BYTES_MAX = 1_000_000


def position_record(position: int) -> tuple[bytes, bytes]:
    """The record that says where the input goes on."""
    return POSITION_KEY, _POSITION.pack(position)


def position_of(value: bytes) -> int:
    """The offset in a position record."""
    return int(_POSITION.unpack(value)[0])


def records(
    changes: Mapping[bytes, bytes | None], position: int
) -> list[tuple[bytes, bytes | None]]:
    """What one commit writes to the changelog: the changes, then the position."""
    for key, value in changes.items():
        if not key or key.startswith(b"\x00"):
            raise InvalidEvent(f"state key {key!r}: is empty or begins with a zero byte; rename it")
        size_bytes = len(key) + len(value or b"")
        if size_bytes > STATE_BYTES_MAX:
            raise InvalidEvent(
                f"state {key[:80]!r}: has {size_bytes:,} bytes and the limit is "
                f"{STATE_BYTES_MAX:,}; keep less in it, or spread it over several keys"
            )
    return [*changes.items(), position_record(position)]


class Folding:
    """A changelog on its way to a state; it keeps the state alone, never the records."""

    def __init__(self, place: str) -> None:
        self._place = place
        self._state: dict[bytes, bytes] = {}
        self._position: bytes | None = None
        self._records = 0

    def take(self, found: Iterable[tuple[bytes, bytes | None]]) -> None:
        """The next records, in order."""
        state = self._state
        for key, value in found:
            self._records += 1
            if value is None:
                state.pop(key, None)
            elif key == POSITION_KEY:
                self._position = value
            else:
                state[key] = value

    def restored(self) -> Restored:
        """The state and the position behind all records."""
        if self._records and self._position is None:
            raise Stop(
                f"{self._place}: {self._records} records and no position; it was written by "
                f"something else or cut short; restore it from a backup, or delete the topic to "
                f"rebuild the state"
            )
        return Restored(
            self._state, None if self._position is None else position_of(self._position)
        )
