"""A table as a class: a field is a column; the place on the log that a row speaks of is added."""

from __future__ import annotations

import json
import types
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from functools import cache
from operator import attrgetter
from typing import Any, NamedTuple, NewType, Union, get_args, get_origin, get_type_hints
from uuid import UUID

from genoflow.events.event import Event
from genoflow.events.log.recorded import Recorded

Json = NewType("Json", str)  # kept as jsonb; made by `as_json`

# What Postgres calls each kind of column.
KINDS: dict[Any, str] = {
    str: "text",
    int: "bigint",
    float: "double precision",
    bool: "boolean",
    bytes: "bytea",
    datetime: "timestamptz",
    UUID: "uuid",
    Json: "jsonb",
}
_ENCODER = json.JSONEncoder(sort_keys=True, ensure_ascii=False, default=str)
NOT_IN_TEXT = "\x00"  # Postgres keeps every character but this one


class Place(NamedTuple):
    """The event that a row speaks of: the newest one that changed it."""

    log_topic: str
    log_partition: int
    log_offset: int
    event_id: UUID
    recorded_at: datetime


PLACE = {
    "log_topic": "text",
    "log_partition": "integer",
    "log_offset": "bigint",
    "event_id": "uuid",
    "recorded_at": "timestamptz",
}


def place_of(record: Recorded, event_id: str) -> Place:
    """Where a record of this id stands, as its rows tell it."""
    return Place(record.topic, record.partition, record.offset, UUID(event_id), record.recorded_at)


def as_json(value: object) -> Json:
    """The same text for the same value, with what Postgres cannot keep replaced."""
    return Json(_ENCODER.encode(value).replace("\\u0000", "\\ufffd"))


def json_of(event: Event) -> Json:
    """The fields of a fact, which Postgres keeps as it keeps `as_json(event.payload())`."""
    return Json(event.model_dump_json().replace("\\u0000", "\\ufffd"))


def as_text(value: str) -> str:
    """A text that Postgres can keep."""
    return value.replace(NOT_IN_TEXT, "\ufffd")


class Row:
    """The base of all rows: frozen dataclasses whose fields are columns."""

    __slots__ = ()


class Column(NamedTuple):
    """One column of a table."""

    name: str
    kind: str
    is_nullable: bool


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of one kind, one for each key; with a history, every version of each is kept."""

    name: str
    row: type[Row]
    key: tuple[str, ...]
    indexes: tuple[str, ...] = ()  # what stands behind `on TABLE`
    is_append_only: bool = False  # a row never changes, so that it has no history

    @property
    def columns(self) -> tuple[Column, ...]:
        """Its own columns, then the place on the log."""
        return _columns(self.row)

    @property
    def history(self) -> str | None:
        """The name of the table with every version of its rows."""
        return None if self.is_append_only else f"{self.name}_history"

    @property
    def names(self) -> tuple[str, ...]:
        """Its relations."""
        return (self.name,) if self.history is None else (self.name, self.history)

    def create(self, schema: str) -> list[str]:
        """The statements that make it, and its history, in a schema."""
        columns = ", ".join(
            f"{one.name} {one.kind}{'' if one.is_nullable else ' not null'}" for one in self.columns
        )
        key = ", ".join(self.key)
        made = [f"create table {schema}.{self.name} ({columns}, primary key ({key}))"]
        made += [f"create index on {schema}.{self.name} {index}" for index in self.indexes]
        if self.history is not None:
            place = "log_topic, log_partition, log_offset"
            made.append(
                f"create table {schema}.{self.history} ({columns}, primary key ({key}, {place}))"
            )
        return made

    def insert(self, schema: str, before: int = 0) -> str:
        """The statement that writes the newest versions of many rows, a list a column.

        The lists are its parameters, behind so many others.
        """
        names = ", ".join(one.name for one in self.columns)
        if self.is_append_only:
            conflict = "do nothing"
        else:
            changes = ", ".join(
                f"{one.name} = excluded.{one.name}"
                for one in self.columns
                if one.name not in self.key
            )
            conflict = f"({', '.join(self.key)}) do update set {changes}"
        return (
            f"insert into {schema}.{self.name} ({names}) select * from {self._lists(before)} "
            f"on conflict {conflict}"
        )

    def insert_history(self, schema: str, before: int = 0) -> str:
        """The statement that keeps versions of many rows."""
        names = ", ".join(one.name for one in self.columns)
        return (
            f"insert into {schema}.{self.history} ({names}) select * from {self._lists(before)} "
            f"on conflict do nothing"
        )

    def _lists(self, before: int) -> str:
        numbered = enumerate(self.columns, start=before + 1)
        lists = [f"${number}::{one.kind}[]" for number, one in numbered]
        return f"unnest({', '.join(lists)})"

    def key_of(self, version: Version) -> tuple[Any, ...]:
        """What tells a row from the others of its table."""
        return _key(self.key)(version)

    def lists_of(self, versions: Sequence[Version]) -> list[list[Any]]:
        """The columns of these rows."""
        return [list(values) for values in zip(*self.records_of(versions), strict=True)]

    def records_of(self, versions: Iterable[Version]) -> list[tuple[Any, ...]]:
        """The same, a tuple a row."""
        own = _values(tuple(one.name for one in self.columns[: -len(PLACE)]))
        return [(*own(row), *place) for row, place in versions]


class Version(NamedTuple):
    """A row as one event left it."""

    row: Row
    place: Place


def newest(table: Table, versions: Iterable[Version]) -> list[Version]:
    """The last version of every key, in an order that does not depend on how they came."""
    key = _key(table.key)
    if table.is_append_only:  # the first one stands, and they stay in the order of the log
        first: dict[tuple[Any, ...], Version] = {}
        for one in versions:
            first.setdefault(key(one), one)
        return list(first.values())
    last = {key(one): one for one in versions}
    return [last[found] for found in sorted(last)]


@cache  # as many as there are tables
def _key(names: tuple[str, ...]) -> Callable[[Version], tuple[Any, ...]]:
    return _values(tuple(f"{'place' if name in PLACE else 'row'}.{name}" for name in names))


@cache
def _values(names: tuple[str, ...]) -> Callable[[Any], tuple[Any, ...]]:
    """Takes these of an object: in one call where there are several, which gives a tuple."""
    if len(names) > 1:
        return attrgetter(*names)
    take = attrgetter(*names)
    return lambda one: (take(one),)


_KNOWN: dict[Any, tuple[Column, ...]] = {}  # types say what they say once


def _columns(row: type[Row]) -> tuple[Column, ...]:
    if row in _KNOWN:
        return _KNOWN[row]
    hints = get_type_hints(row)
    own = [_column(one.name, hints[one.name]) for one in fields(row)]  # type: ignore[arg-type]
    _KNOWN[row] = (*own, *(Column(name, kind, False) for name, kind in PLACE.items()))
    return _KNOWN[row]


def _column(name: str, hint: Any) -> Column:
    if get_origin(hint) in (Union, types.UnionType):
        [kind] = [one for one in get_args(hint) if one is not type(None)]
        return Column(name, KINDS[kind], True)
    return Column(name, KINDS[hint], False)
