"""A read model: which topics it reads, its tables, and what an event makes of their rows."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from typing import Any, ClassVar, Generic, TypeVar

from genoflow.events.log.recorded import Recorded
from genoflow.events.topics import Topic
from genoflow.projections.row import Row, Table

S = TypeVar("S")


class ReadModel(ABC, Generic[S]):
    """Rows that can be thrown away and built again: the same log gives the same rows.

    What is known of a subject is folded from its own events, in their order, each once. A row is
    fed by one subject, so by one partition of one topic; what spans subjects is joined in a query.
    """

    name: ClassVar[str]
    about: ClassVar[str]  # in a few words, for the table of what follows from what
    version: ClassVar[int] = 1  # one more where the same event gives other rows than before
    reads: ClassVar[tuple[Topic, ...]]
    tables: ClassVar[tuple[Table, ...]]
    has_state: ClassVar[bool] = True  # else `project` needs nothing but the record

    @abstractmethod
    def begin(self, key: str) -> S:
        """What is known of a subject of which nothing was heard."""

    @abstractmethod
    def project(self, state: S, record: Recorded) -> Iterable[Row]:
        """The rows that this event makes or changes, newest last; folds it into the state."""

    def table_of(self, row: Row) -> Table:
        """Where a row belongs."""
        for table in self.tables:
            if table.row is type(row):
                return table
        raise TypeError(f"{self.name}: {type(row).__name__} is a row of no table of it; list it")


AnyModel = ReadModel[Any]
