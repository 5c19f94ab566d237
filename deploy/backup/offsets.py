"""From the offsets of the lost broker to those of the restored one.

Markers of transactions and compaction leave gaps between offsets; a restored partition has none.
So an offset becomes the number of records before it, and a position that pointed between two
records points to the later one, as it did.
"""

from __future__ import annotations

import bisect
import json
from array import array
from typing import Any

from genoflow.deploy.backup.manifest import Manifest
from genoflow.events.errors import DamagedFile


class OffsetMap:
    """The old offsets of each restored partition, in order: eight bytes a record."""

    def __init__(self) -> None:
        self._old: dict[tuple[str, int], array[int]] = {}
        self._next: dict[tuple[str, int], int] = {}

    def begin(self, topic: str, partition: int, after: int) -> None:
        """Open a partition whose sealed range ends before this old offset."""
        self._old[topic, partition] = array("q")
        self._next[topic, partition] = after

    def add(self, topic: str, partition: int, old: int) -> int:
        """Note the next record's old offset and return its new one."""
        known = self._old[topic, partition]
        known.append(old)
        return len(known) - 1

    def knows(self, topic: str, partition: int) -> bool:
        """Whether the partition was restored."""
        return (topic, partition) in self._old

    def translate(self, topic: str, partition: int, position: int, name: str) -> int:
        """The new offset of the record at this old position, or of the first one after it."""
        known = self._old.get((topic, partition))
        if known is None:
            raise DamagedFile(f"{name}: points into {topic}[{partition}], which is not restored")
        return bisect.bisect_left(known, position)

    def beyond(self, topic: str, partition: int, position: int) -> bool:
        """Whether a position lies behind all that the backup holds of the partition."""
        return position > self._next[topic, partition]

    def ranges(self, topic: str, partition: int) -> list[list[int]]:
        """Runs without a gap: first old offset, first new offset, number of records."""
        runs: list[list[int]] = []
        for new, old in enumerate(self._old[topic, partition]):
            if runs and old == runs[-1][0] + runs[-1][2]:
                runs[-1][2] += 1
            else:
                runs.append([old, new, 1])
        return runs

    def to_json(self, manifest: Manifest, cluster: str) -> bytes:
        """The map as it is kept: for positions that stand inside events and states."""
        topics: dict[str, dict[str, Any]] = {}
        for topic, partition in sorted(self._old):
            ranges = self.ranges(topic, partition)
            topics.setdefault(topic, {})[str(partition)] = ranges
        return json.dumps(
            {
                "backup": manifest.key, "from_cluster": manifest.cluster, "to_cluster": cluster,
                "ranges": "[first old offset, first new offset, records]", "topics": topics,
            },
            sort_keys=True, separators=(",", ":"),
        ).encode()  # fmt: skip
