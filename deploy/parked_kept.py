"""What is parked as Postgres knows it: as from the log, but only what waits is looked at."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

from genoflow.deploy.parked import PREFIX_CHARACTERS_MIN, Found, Parking, Queued, parkings_of
from genoflow.events.codec import Codec
from genoflow.events.event_parked import EventParked
from genoflow.events.log.recorded import Position
from genoflow.processors.processor import Processor
from genoflow.processors.step import REQUESTS
from genoflow.projections.audit_trail import RECORD, AuditTrail, recorded, subject_id
from genoflow.projections.paging import LIMIT_MAX
from genoflow.projections.parked import ORDER, WAITS, ids_of, list_parkings
from genoflow.projections.store import Connection

# Bytes that are no event stand in a queue, too, and the audit trail has set them aside.
NO_EVENTS = """
select a.log_offset, a.type from gf.set_aside a join gf.builds b using (build)
where b.model = $1 and b.state = 'live' and a.topic = $2 and a.partition = $3 and a.subject = $4
"""


async def kept_parkings(
    connection: Connection, codec: Codec, rows: Mapping[str, Processor]
) -> list[Parking]:
    """All that waits for a person, in the order of the events, each with its queue."""
    facts = await _facts(connection, codec, await _waiting(connection))
    every = await _parkings_of(connection, codec, facts, rows)
    return [one for one in every if one.answer is None]


async def parkings_named(
    connection: Connection, codec: Codec, rows: Mapping[str, Processor], word: str
) -> list[Parking]:
    """All that a person may mean by this id, beginning of an id, or position; answered ones too."""
    may_be_one = len(word) >= PREFIX_CHARACTERS_MIN and word.isascii()  # as ids and positions are
    ids = await ids_of(connection, word) if may_be_one else []
    return await _parkings_of(connection, codec, await _facts(connection, codec, ids), rows)


async def _parkings_of(
    connection: Connection,
    codec: Codec,
    facts: Sequence[EventParked],
    rows: Mapping[str, Processor],
) -> list[Parking]:
    found = Found()
    subjects = {(one.input_topic, one.partition, one.subject_key) for one in facts}
    for topic, partition, key in sorted(subjects):
        await _look(connection, codec, found, Position(topic, partition, 0), key)
    return parkings_of(facts, found, rows)


async def _waiting(connection: Connection) -> list[UUID]:
    ids: list[UUID] = []
    after = None
    while after is None or len(ids) % LIMIT_MAX == 0:
        page = await list_parkings(connection, state=WAITS, after=after, limit=LIMIT_MAX)
        if not page:
            break
        ids += [row["parked_id"] for row in page]
        after = [page[-1][name] for name in ORDER]
    return ids


async def _facts(connection: Connection, codec: Codec, ids: Sequence[UUID]) -> list[EventParked]:
    kept = await connection.fetch(
        f"select {RECORD} from live.events where event_id = any($1::uuid[]) "
        f"order by log_partition, log_offset", ids,
    )  # fmt: skip
    events: Iterable[Any] = (recorded(row, codec).event for row in kept)
    return [one for one in events if isinstance(one, EventParked)]


async def _look(
    connection: Connection, codec: Codec, found: Found, place: Position, key: str
) -> None:
    """Note what stands on the topic of one subject."""
    told = await connection.fetch(
        f"select event_id, type, {RECORD} from live.events "
        f"where log_topic = $1 and subject_id = $2 order by log_offset",
        place.topic, subject_id(key),
    )  # fmt: skip
    wrong = await connection.fetch(
        NO_EVENTS, AuditTrail.name, place.topic, place.partition, key
    )  # fmt: skip
    for row in sorted([*told, *wrong], key=lambda row: row["log_offset"]):
        if row["type"] in REQUESTS:
            found.note(recorded(row, codec))
            continue
        position = place._replace(offset=row["log_offset"])
        kind = "" if row["type"] == "?" else row["type"]
        found.queue(Queued(position, kind, str(row.get("event_id") or "")), key)
