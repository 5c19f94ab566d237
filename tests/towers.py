"""Towers that fold, die in the middle of their writing, and are restored from what they wrote."""

from __future__ import annotations

from collections.abc import Iterable

from genoflow.events.log.recorded import Recorded
from genoflow.processors.watchtower.fold import Tower
from genoflow.processors.watchtower.kept import read_key, read_value, write_value


def folded(records: Iterable[Recorded], tower: Tower | None = None) -> Tower:
    """A tower behind these records."""
    tower = tower or Tower()
    for record in records:
        tower.fold(record)
    return tower


def cut(tower: Tower, written: dict[bytes, bytes], upto: int | None) -> None:
    """Write what changed, as the table does, and stop behind so many values."""
    for key, value in tower.take_changes()[:upto]:
        if value is None:
            written.pop(key.written(), None)
        else:
            written[key.written()] = write_value(value, 1)


def restored(written: dict[bytes, bytes]) -> Tower:
    """The tower that finds what was written."""
    tower = Tower()
    for name, value in written.items():
        key = read_key(name)
        tower.restore(key, read_value(key, value))
    return tower
