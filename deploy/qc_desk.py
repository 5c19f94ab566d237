"""What a person decides about reads that failed, held against what the log says of the sample."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import aclosing
from datetime import datetime
from typing import get_args

from genoflow.deploy.people import said_by
from genoflow.events import topics
from genoflow.events.event import E, Event
from genoflow.events.log.partitioner import partition_of
from genoflow.events.log.port import EventLog
from genoflow.events.qc_overridden import QcOverridden
from genoflow.events.top_up_requested import TopUpRequested
from genoflow.processors import qc_rules as rules
from genoflow.processors.qc_rules import Quality, Verdict
from genoflow.processors.settling import Ruled


async def qc_of(log: EventLog, sample_id: str) -> list[Event]:
    """What stands on the log about the quality of a sample's reads, in order."""
    name, key = topics.SAMPLE.name, sample_id.encode()
    place = (name, partition_of(key, await log.partitions(name)))
    start, stop = await log.starts(name), await log.ends(name)
    types = {kind.type() for kind in get_args(Verdict)}
    async with aclosing(log.read({place: start[place]}, {place: stop[place]})) as records:
        return [
            record.event
            async for record in records
            if record.key_bytes == key and record.type in types
        ]


def overridden(
    sample_id: str,
    story: Sequence[Event],
    *,
    reason: str,
    role: str,
    person: str | None,
    request_id: str | None,
    at: datetime,
    number: int | None = None,
) -> QcOverridden:
    """The override of the round that failed last; Refused where none holds the sample back."""
    ruled = rules.overridden(
        _known(story), sample_id, reason=reason, role=role, request_id=request_id, number=number
    )
    return _said(story, ruled, person, at)


def topped_up(
    sample_id: str,
    story: Sequence[Event],
    *,
    reason: str,
    reads: int | None,
    library_id: str | None,
    person: str | None,
    at: datetime,
    number: int | None = None,
) -> TopUpRequested:
    """The wish for more reads after the round that failed last; Refused where none did."""
    ruled = rules.topped_up(
        _known(story), sample_id, reason=reason, reads=reads, library_id=library_id, number=number
    )
    return _said(story, ruled, person, at)


def _known(story: Sequence[Event]) -> Quality:
    known = Quality()
    for number, event in enumerate(story):
        known = Quality(rounds=rules.heard(known, event, number))
    return known


def _said(story: Sequence[Event], ruled: Ruled[E], person: str | None, at: datetime) -> E:
    assert ruled.about is not None
    cause = next(one for one in story if one.envelope.event_id == ruled.about.event_id)
    return said_by(person, ruled.fact, at, cause)
