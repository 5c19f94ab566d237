"""What a read model knows of its subjects, folded in memory, and fetched again where it is not."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from genoflow.events.errors import MalformedEvent, UnknownSchema
from genoflow.events.log.recorded import Recorded
from genoflow.projections.model import AnyModel
from genoflow.projections.row import Row, Table, Version, place_of

STATES_MAX = 10_000  # subjects; most have some 30 events
# Of each event its id stays, a row or so, and what the state keeps of it: about 500 bytes.
EVENTS_MAX = 500_000

Subject = tuple[str, str]  # a topic and a key
# The earlier events of subjects: those of one topic, below an offset, in the order of the log.
Load = Callable[[str, Sequence[str], int], Awaitable[Iterable[Recorded]]]


@dataclass(slots=True)
class Known:
    """What is known of one subject, and which events it comes from."""

    state: Any
    seen: set[str] = field(default_factory=set)
    last: dict[tuple[Any, ...], Row] = field(default_factory=dict)  # as they were told


@dataclass(frozen=True, slots=True)
class SetAside:
    """A record that gave no rows, and why."""

    record: Recorded
    cause: str


@dataclass(slots=True)
class Changes:
    """What a batch makes of the rows: every version, in the order of the log."""

    versions: dict[str, list[Version]] = field(default_factory=dict)  # by table
    set_aside: list[SetAside] = field(default_factory=list)

    def add(self, table: Table, version: Version) -> None:
        """One more version of a row."""
        self.versions.setdefault(table.name, []).append(version)


class Folder:
    """Folds one build of a read model."""

    def __init__(
        self,
        model: AnyModel,
        load: Load,
        *,
        states_max: int = STATES_MAX,
        events_max: int = EVENTS_MAX,
    ) -> None:
        self._model = model
        self._load = load
        self._states_max = states_max
        self._events_max = events_max
        self._known: OrderedDict[Subject, Known] = OrderedDict()
        self._events = 0  # of all subjects that are known
        self._nobody = Known(None)  # for models that need nothing but the record

    def forget(self) -> None:
        """Fetch everything again: what was folded was not kept."""
        self._known.clear()
        self._events = 0

    async def fold(self, records: Sequence[Recorded]) -> Changes:
        """What these consecutive records of one partition make of the rows."""
        changes = Changes()
        if not records:
            return changes
        if self._model.has_state:
            await self._fetch(records)
        for record in records:
            self._take(record, changes)
        while self._known and (
            len(self._known) > self._states_max or self._events > self._events_max
        ):
            _, known = self._known.popitem(last=False)
            self._events -= len(known.seen)
        return changes

    async def _fetch(self, records: Sequence[Recorded]) -> None:
        topic, first = records[0].topic, records[0].offset
        missing = {one.key for one in records if (topic, one.key) not in self._known}
        for key in sorted(missing):
            self._known[topic, key] = Known(self._model.begin(key))
        if first and missing:
            for earlier in await self._load(topic, sorted(missing), first):
                self._take(earlier, Changes())

    def _take(self, record: Recorded, changes: Changes) -> None:
        model, known = self._model, self._of(record)
        try:
            event_id = record.event_id
            if model.has_state:
                if event_id in known.seen:
                    return
                known.seen.add(event_id)
                self._events += 1
            rows = list(model.project(known.state, record))
            place = place_of(record, event_id)
        except UnknownSchema:
            raise  # a newer release wrote it: nothing is decided about it here
        except MalformedEvent as error:
            changes.set_aside.append(SetAside(record, str(error)))
            return
        except Exception as error:  # noqa: BLE001 -- a defect of one event is not one of all rows
            changes.set_aside.append(SetAside(record, f"{type(error).__name__}: {error}"))
            return
        for row in rows:
            table, version = model.table_of(row), Version(row, place)
            if not model.has_state:
                changes.add(table, version)
                continue
            key = (table.name, *table.key_of(version))
            if known.last.get(key) == row:
                continue
            known.last[key] = row
            changes.add(table, version)

    def _of(self, record: Recorded) -> Known:
        if not self._model.has_state:
            return self._nobody
        subject = (record.topic, record.key)
        self._known.move_to_end(subject)
        return self._known[subject]
