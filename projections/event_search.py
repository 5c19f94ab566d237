"""Events by what they are and whose: page by page, or from a position on as they come."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from genoflow.events.errors import Refused
from genoflow.events.log.port import Vector
from genoflow.events.log.recorded import Position
from genoflow.projections.audit_trail import subject_id
from genoflow.projections.store import Connection, live_position

PAGE_MAX = 1_000  # an event is a kB or so, a page a MB at most
SCANNED_MAX = 2_000  # of one step of a stream: what is filtered out is read, too

COLUMNS = (
    "e.log_topic, e.log_partition, e.log_offset, e.event_id, e.recorded_at, e.type, e.subject, "
    "e.occurred_at, e.correlation_id, e.causation_id, e.actor_kind, e.actor_id, e.producer, "
    "e.producer_version, e.payload"
)
ORDER = "e.recorded_at, e.log_topic, e.log_partition, e.log_offset"


@dataclass(frozen=True, slots=True)
class KeptEvent:
    """One event as the audit trail has it."""

    topic: str
    partition: int
    offset: int
    event_id: UUID
    recorded_at: datetime
    type: str
    subject: str
    occurred_at: datetime
    correlation_id: UUID
    causation_id: UUID | None
    actor_kind: str
    actor_id: str
    producer: str
    producer_version: str
    payload: dict[str, Any]

    @property
    def place(self) -> Position:
        """Where it stands on the log."""
        return Position(self.topic, self.partition, self.offset)


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which events: all that is named has to hold; of a list, one."""

    types: Sequence[str] = ()
    subjects: Sequence[str] = ()
    topics: Sequence[str] = ()
    correlation_id: UUID | None = None
    causation_id: UUID | None = None
    actor_id: str | None = None
    producer: str | None = None
    recorded_from: datetime | None = None
    recorded_before: datetime | None = None

    def condition(self, given: list[Any]) -> str:
        """It as SQL about `e`; its values are added to those that are given."""
        lists: dict[str, tuple[str, Sequence[Any]]] = {
            "type": ("text", self.types),
            "subject_id": ("uuid", [subject_id(one) for one in self.subjects]),
            "log_topic": ("text", self.topics),
        }
        equal = {
            "correlation_id": self.correlation_id, "causation_id": self.causation_id,
            "actor_id": self.actor_id, "producer": self.producer,
        }  # fmt: skip
        parts = []
        for name, (kind, values) in lists.items():
            if values:
                given.append(list(values))
                parts.append(f"e.{name} = any(${len(given)}::{kind}[])")
        for name, value in equal.items():
            if value is not None:
                given.append(value)
                parts.append(f"e.{name} = ${len(given)}")
        for sign, moment in ((">=", self.recorded_from), ("<", self.recorded_before)):
            if moment is not None:
                given.append(moment)
                parts.append(f"e.recorded_at {sign} ${len(given)}")
        return " and ".join(parts) or "true"


ANY = Wanted()


async def event_of(connection: Connection, event_id: UUID) -> KeptEvent | None:
    """One event by its id, where it was recorded first."""
    rows = await connection.fetch(
        f"select {COLUMNS} from live.events e where e.event_id = $1 order by {ORDER} limit 1",
        event_id,
    )
    return kept(rows[0]) if rows else None


async def search(
    connection: Connection,
    wanted: Wanted = ANY,
    *,
    after: Position | None = None,
    limit: int = 100,
    newest_first: bool = False,
) -> list[KeptEvent]:
    """A page of these events, in the order in which they were recorded, behind the one named.

    What comes meanwhile is recorded later, so a walk to the end misses nothing and repeats nothing.
    """
    if not 1 <= limit <= PAGE_MAX:
        raise Refused(f"limit {limit}: a page has 1 to {PAGE_MAX:,} events; ask for so many")
    given: list[Any] = []
    condition = wanted.condition(given)
    if after is not None:
        last = await connection.fetch(
            "select recorded_at from live.events "
            "where log_topic = $1 and log_partition = $2 and log_offset = $3", *after,
        )  # fmt: skip
        if not last:
            raise Refused(f"after {after}: no event stands there; begin at the first page")
        sign = "<" if newest_first else ">"
        first = len(given)
        given += [last[0]["recorded_at"], *after]
        names = ", ".join(f"${first + number}" for number in range(1, 5))
        condition += f" and ({ORDER}) {sign} ({names})"
    given.append(limit)
    order = ORDER.replace(",", " desc,") + " desc" if newest_first else ORDER
    rows = await connection.fetch(
        f"select {COLUMNS} from live.events e where {condition} order by {order} "
        f"limit ${len(given)}",
        *given,
    )
    return [kept(row) for row in rows]


async def positions(connection: Connection) -> Vector:
    """Where the audit trail is: everything below stands in it."""
    return await live_position(connection, "audit-trail")


async def follow(
    connection: Connection, here: Vector, wanted: Wanted = ANY, *, limit: int = SCANNED_MAX
) -> tuple[list[KeptEvent], Vector]:
    """The next of these events from a position on, and the position behind them.

    Whoever hands the position back misses none and is given none twice, whichever build of the
    audit trail is live by then. At the end of what is kept it is the position that was given.
    """
    known = await positions(connection)
    places = sorted(known)
    starts = [here.get(place, 0) for place in places]
    given: list[Any] = [
        [topic for topic, _ in places], [partition for _, partition in places], starts, limit,
    ]  # fmt: skip
    condition = wanted.condition(given)
    rows = await connection.fetch(
        f"select {COLUMNS}, ({condition}) as is_wanted "
        f"from unnest($1::text[], $2::integer[], $3::bigint[]) b(topic, partition, start) "
        f"cross join lateral (select * from live.events w where w.log_topic = b.topic "
        f"and w.log_partition = b.partition and w.log_offset >= b.start "
        f"order by w.log_offset limit $4) e order by {ORDER} limit $4",
        *given,
    )
    after = dict(here)
    for row in rows:
        after[row["log_topic"], row["log_partition"]] = row["log_offset"] + 1
    return [kept(row) for row in rows if row["is_wanted"]], after


def kept(row: Any) -> KeptEvent:
    """The event in a row of these columns."""
    return KeptEvent(
        row["log_topic"], row["log_partition"], row["log_offset"], row["event_id"],
        row["recorded_at"], row["type"], row["subject"], row["occurred_at"],
        row["correlation_id"], row["causation_id"], row["actor_kind"], row["actor_id"],
        row["producer"], row["producer_version"], json.loads(row["payload"]),
    )  # fmt: skip
