"""Brings a read model to where the log is, from wherever it was left."""

from __future__ import annotations

from collections.abc import Sequence

from genoflow.events.log.port import POLL_RECORDS_MAX, EventLog, Vector
from genoflow.events.log.recorded import Recorded
from genoflow.projections.store import Batch, Connection, Projection, apply, position, prepare

POLL_SECONDS = 0.2


async def catch_up(
    log: EventLog, connection: Connection, projection: Projection, topics: Sequence[str]
) -> int:
    """Fold everything that stands on these topics now; returns how many records were new."""
    await prepare(connection, projection)
    place = dict.fromkeys([p for topic in topics for p in await log.starts(topic)], 0)
    place |= await position(connection, projection)
    ends: Vector = {}
    for topic in topics:
        ends |= await log.ends(topic)
    left = {p: offset for p, offset in place.items() if offset < ends.get(p, 0)}
    count = 0
    if not left:
        return count
    async with await log.reader(left) as reader:
        while any(left[p] < ends[p] for p in left):
            found = await reader.poll(POLL_SECONDS, POLL_RECORDS_MAX)
            for batch in _batches(found, left, reader.positions()):
                if await apply(connection, projection, batch):
                    count += len(batch.records)
            left = reader.positions()
    return count


def _batches(found: Sequence[Recorded], before: Vector, after: Vector) -> list[Batch]:
    by_place: dict[tuple[str, int], list[Recorded]] = {p: [] for p in before}
    for record in found:
        by_place[record.topic, record.partition].append(record)
    return [
        Batch(topic, partition, before[topic, partition], after[topic, partition], records)
        for (topic, partition), records in by_place.items()
        if after[topic, partition] > before[topic, partition]
    ]
