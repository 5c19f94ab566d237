"""How a task's changelog is laid out: its state by key, and its position under a key of its own."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Mapping

from genoflow.events.errors import InvalidEvent, Stop
from genoflow.events.log.port import Restored

# State keys never begin with a zero byte, so the position cannot be hit by accident.
POSITION_KEY = b"\x00position"
_POSITION = struct.Struct(">q")


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
    for key in changes:
        if not key or key.startswith(b"\x00"):
            raise InvalidEvent(f"state key {key!r}: is empty or begins with a zero byte; rename it")
    return [*changes.items(), position_record(position)]


def fold(place: str, found: Iterable[tuple[bytes, bytes | None]]) -> Restored:
    """The state that a changelog's records add up to."""
    state: dict[bytes, bytes] = {}
    position: int | None = None
    records_seen = 0
    for key, value in found:
        records_seen += 1
        if key == POSITION_KEY and value is not None:
            position = position_of(value)
        elif value is None:
            state.pop(key, None)
        else:
            state[key] = value
    if records_seen and position is None:
        raise Stop(
            f"{place}: {records_seen} records and no position; it was written by something else "
            f"or cut short; restore it from a backup, or delete the topic to rebuild the state"
        )
    return Restored(state, position)
