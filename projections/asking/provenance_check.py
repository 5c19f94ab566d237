"""Whether the events behind results hold together: causes are there, earlier, and their own."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from uuid import UUID

from genoflow.events.event import Event, follow
from genoflow.events.log.recorded import Recorded
from genoflow.projections.asking.provenance_parts import ChainEvent, Provenance


def faults_in(provenance: Provenance, records: Iterable[Recorded]) -> list[str]:
    """What contradicts the chain of events; nothing where it holds together."""
    chain = {one.event_id: one for one in provenance.events}
    facts = {one.event.envelope.event_id: one.event for one in records}
    found = [
        f"event {one}: other events follow from it, and no story here holds it; look for it with "
        f"`genoflow events show {one}`"
        for one in provenance.causes_elsewhere
    ]
    for one in provenance.events:
        if one.led_to_results:
            found += _faults_of(one, chain, facts)
    return found


def _faults_of(
    one: ChainEvent, chain: dict[UUID, ChainEvent], facts: dict[UUID, Event]
) -> Iterator[str]:
    event = facts[one.event_id]
    ids = {event.external_id()}
    for cause_id in dict.fromkeys((one.causation_id, *one.names)):
        cause = chain.get(cause_id) if cause_id is not None else None
        if cause is None:
            continue  # it came from outside, or is told of as one that is elsewhere
        if not _is_before(cause, one):
            yield (
                f"event {one.event_id} ({one.type}): stands at {_place(one)}, before "
                f"{cause.event_id} ({cause.type}) at {_place(cause)}, from which it follows"
            )
        if cause_id == one.causation_id:
            again = follow(facts[cause.event_id].envelope, event, by=one.producer)
            ids.add(again.envelope.event_id)
    can_tell = one.causation_id is None or one.causation_id in chain
    if can_tell and one.event_id not in ids:
        yield (
            f"event {one.event_id} ({one.type}): its id is not the one that its cause and what "
            f"it says give; its record, or that of its cause, is not as it was written"
        )


def _is_before(cause: ChainEvent, one: ChainEvent) -> bool:
    """By its place where both are in one partition, else by when the log took them."""
    if (cause.topic, cause.partition) == (one.topic, one.partition):
        return cause.offset < one.offset
    return cause.recorded_at <= one.recorded_at


def _place(one: ChainEvent) -> str:
    return f"{one.topic}[{one.partition}]@{one.offset}"
