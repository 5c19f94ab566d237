"""What the watchtower has counted, read from the changelog of its table, by whoever wants to know.

It needs no tower that answers: what was written last is there when none runs.
"""

from __future__ import annotations

from collections.abc import Container

from genoflow.events import topics
from genoflow.events.log.port import EventLog
from genoflow.events.log.recorded import Recorded
from genoflow.processors.watchtower.fold import Tower
from genoflow.processors.watchtower.kept import KINDS, read_key, read_value
from genoflow.processors.watchtower.reigns import Changelog

# Everything that happens in the lab; what the tower says itself and who read what are no news.
SOURCES = tuple(one.name for one in topics.TOPICS if one not in (topics.ALERT, topics.ACCESS))


class TowerTable:
    """The tower's table, followed record by record; values of these kinds alone."""

    def __init__(self, kinds: Container[str] = KINDS) -> None:
        self._kinds = kinds
        self._tower = Tower()
        self._changelog = Changelog()
        self._fresh: set[bytes] = set()

    def take(self, record: Recorded) -> None:
        """Note a value; of a name that is written often only the last one is decoded."""
        name = record.key_bytes or b""
        self._changelog.take(record.partition, name, record.value)
        self._fresh.add(name)

    def tower(self) -> Tower:
        """The tower as it stands; the next call changes the same one."""
        for name in self._fresh:
            key, value = read_key(name), self._changelog.rows.get(name)
            if key.kind not in self._kinds:
                continue  # a fence is of none
            if value is None:
                self._tower.values.pop(key, None)
            else:
                self._tower.restore(key, read_value(key, value))
        self._fresh.clear()
        return self._tower


async def read_changelog(log: EventLog) -> Changelog:
    """The tower's table as it was written last."""
    found = Changelog()
    async for record in log.read_topic(topics.TOWER.name):
        found.take(record.partition, record.key_bytes or b"", record.value)
    return found


async def read_tower(log: EventLog, kinds: Container[str] = KINDS) -> Tower:
    """The tower as its table was written last; values of these kinds alone."""
    tower = Tower()
    for key, value in (await read_changelog(log)).values(kinds):
        tower.restore(key, value)
    return tower
