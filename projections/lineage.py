"""What an event follows from, and what followed from it: both ways along the causes."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from genoflow.projections.event_search import COLUMNS, KeptEvent, event_of, kept
from genoflow.projections.store import Connection

EVENTS_MAX = 1_000  # each way: a flow cell of 96 samples has some 10,000 descendants


@dataclass(frozen=True, slots=True)
class Lineage:
    """An event between its causes and its consequences."""

    event: KeptEvent
    causes: list[KeptEvent]  # the first one first
    consequences: list[KeptEvent]  # in the order in which they were recorded
    is_cut: bool  # more follow than are shown


async def lineage_of(
    connection: Connection, event_id: UUID, *, limit: int = EVENTS_MAX
) -> Lineage | None:
    """The causes of an event up to the first one, and everything that followed; None of no event.

    A cause may stand on any topic. One that is not on the log (a request of a person) ends the way.
    """
    event = await event_of(connection, event_id)
    if event is None:
        return None
    causes = await connection.fetch(
        f"""
        with recursive way as (
            select e.*, 0 as step from live.events e where e.event_id = $1
            union all
            select e.*, way.step + 1 from live.events e join way on e.event_id = way.causation_id
            where way.step < $2
        )
        select {COLUMNS} from way e where step > 0 order by step desc
        """,
        event_id, limit,
    )  # fmt: skip
    found = await connection.fetch(
        f"""
        with recursive way(event_id) as (
            select $1::uuid
            union
            select e.event_id from live.events e join way on e.causation_id = way.event_id
        )
        select {COLUMNS} from live.events e join way using (event_id)
        where e.event_id <> $1
        order by e.recorded_at, e.log_topic, e.log_partition, e.log_offset limit $2
        """,
        event_id, limit + 1,
    )  # fmt: skip
    return Lineage(
        event, [kept(row) for row in causes], [kept(row) for row in found[:limit]],
        len(found) > limit,
    )  # fmt: skip
