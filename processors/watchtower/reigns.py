"""Whose words count: of several keepers, each in its time.

A keeper that was stopped for longer than its session may write once more when it goes on, behind
its successor: the group fences readers, and no writers. So a keeper begins its reign with a fence
in every partition of the table's changelog, and then reads the table. What stands before the fence
was written in its order up to some value; what an earlier reign writes behind it, nobody reads.
"""

from __future__ import annotations

from collections.abc import Container

from genoflow.processors.watchtower.kept import KINDS, Key, Value, read_key, read_value

FENCE = "fence"


def fence(partition: int, reign: int) -> tuple[bytes, bytes]:
    """Key and value of the record with which a reign begins in this partition."""
    return Key(FENCE, "", partition).written(), f"{reign} null".encode()


def reign_of(written: bytes) -> int:
    """Whose value it is."""
    return int(written.partition(b" ")[0])


class Changelog:
    """The table as its changelog tells it, record by record, from the first one on."""

    def __init__(self) -> None:
        self.rows: dict[bytes, bytes] = {}
        # Behind them stands a value that nobody reads. Should compaction leave that one alone,
        # the value is gone; so whoever reigns next writes it again.
        self.shadowed: set[bytes] = set()
        self._newest: dict[int, int] = {}  # reign, by partition

    @property
    def newest(self) -> int:
        """The newest reign that has begun anywhere."""
        return max(self._newest.values(), default=0)

    def take(self, partition: int, name: bytes, value: bytes | None) -> None:
        """Take one record of it; None forgets."""
        if value is None:
            self.rows.pop(name, None)
            return
        reign, newest = reign_of(value), self._newest.get(partition, 0)
        if reign < newest:
            if read_key(name).kind != FENCE:  # of two who begin at once, one comes too late
                self.shadowed.add(name)
            return
        self._newest[partition] = reign
        self.rows[name] = value
        self.shadowed.discard(name)

    def values(self, kinds: Container[str] = KINDS) -> list[tuple[Key, Value]]:
        """What was kept, of these kinds alone; a fence is of none."""
        found = [(read_key(name), written) for name, written in self.rows.items()]
        return [(key, read_value(key, written)) for key, written in found if key.kind in kinds]
