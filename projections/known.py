"""What all rows know of the log: as far as the read model that is furthest behind."""

from __future__ import annotations

from genoflow.events.log.port import Vector
from genoflow.projections.models import MODELS
from genoflow.projections.store import Connection

# The audit trail has a place for every partition that anybody reads. Where another model has none
# it has not begun there, and knows nothing of it.
_KNOWN = """
select a.topic, a.partition, min(coalesce(p.next_offset, 0)) as next_offset
from gf.builds trail
join gf.positions a on a.build = trail.build
join unnest($1::text[], $2::text[]) as reads(model, topic) on reads.topic = a.topic
left join gf.builds b on b.model = reads.model and b.state = 'live'
left join gf.positions p
    on p.build = b.build and p.topic = a.topic and p.partition = a.partition
where trail.model = 'audit-trail' and trail.state = 'live'
group by a.topic, a.partition
"""
_READS = [(model.name, topic.name) for model in MODELS for topic in model.reads]


async def known_position(connection: Connection) -> Vector:
    """The position that every read model has come to; they may be fed by several processes."""
    models, topics = zip(*_READS, strict=True)
    rows = await connection.fetch(_KNOWN, models, topics)
    return {(row["topic"], row["partition"]): row["next_offset"] for row in rows}
