"""What is parked: EventParked facts, less those that a person has answered on the input topic.

The log is asked and nothing else, so the answer is the same whether a worker runs or not. What was
requeued and could not be taken again is parked again, under an id of its own.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from genoflow.deploy.event_lines import event_of
from genoflow.events import topics
from genoflow.events.codec import HEADER_ID, Codec, header
from genoflow.events.errors import MalformedEvent, NotThere, Refused
from genoflow.events.event_parked import EventParked
from genoflow.events.identity import derived_id
from genoflow.events.log.port import EventLog, Vector
from genoflow.events.log.recorded import EPOCH, Position, Recorded
from genoflow.processors.processor import Processor
from genoflow.processors.step import REQUESTS, Request
from genoflow.projections.asking.source import Parked

PREFIX_CHARACTERS_MIN = 4  # of an id that a person types: 65,536 of them


class Address(NamedTuple):
    """What a request calls a parked event, or a parked effect, by."""

    processor: str
    topic: str
    partition: int
    offset: int
    effect_id: UUID | None

    @property
    def position(self) -> Position:
        """The place that it had when it was parked first."""
        return Position(self.topic, self.partition, self.offset)


class Queued(NamedTuple):
    """An event behind a parked one."""

    position: Position
    type: str
    event_id: str


class Answer(NamedTuple):
    """What a person decided, and where that stands."""

    request: Request
    position: Position


@dataclass(frozen=True, slots=True)
class Parking:
    """One time that something was parked."""

    fact: EventParked
    address: Address
    place: Position  # where its event stands now; a restore may have moved it
    answer: Answer | None  # none: it waits for a person
    queue: tuple[Queued, ...] = ()  # events of its key that wait behind it; none behind an effect

    @property
    def event_id(self) -> UUID:
        """The id by which people call it."""
        return self.fact.envelope.event_id

    @property
    def is_effect(self) -> bool:
        """Whether its event was taken, and only an effect of it waits."""
        return self.fact.effect_id is not None

    @property
    def error(self) -> str:
        """Why, without the place that stands beside it anyway."""
        return self.fact.error.removeprefix(f"{self.address.position}: ")


_Subject = tuple[str, int, str]  # topic, partition, key


@dataclass(slots=True)
class Found:
    """What stands on the input topics about parked subjects."""

    requests: dict[Address, list[Answer]] = field(default_factory=dict)
    records: dict[_Subject, list[Queued]] = field(default_factory=dict)

    def note(self, record: Recorded) -> None:
        """Keep a request, or what stands in a queue."""
        try:
            kind = record.type
        except MalformedEvent:
            kind = ""
        if kind in REQUESTS:
            request = event_of(record)
            if isinstance(request, Request):
                address = Address(
                    request.processor, record.topic, request.partition, request.offset,
                    request.effect_id,
                )  # fmt: skip
                self.requests.setdefault(address, []).append(Answer(request, record.position))
            return
        named = (header(record.headers, HEADER_ID) or b"").decode()
        self.queue(Queued(record.position, kind, named), record.key)

    def queue(self, queued: Queued, key: str) -> None:
        """Keep what stands on the topic of a subject."""
        subject = (queued.position.topic, queued.position.partition, key)
        self.records.setdefault(subject, []).append(queued)


async def read_parkings(log: EventLog, rows: Mapping[str, Processor]) -> list[Parking]:
    """Every time that something was parked, in the order of the events; each with its answer."""
    facts = await _facts(log)
    return parkings_of(facts, await _scan(log, _history(facts)), rows)


async def read_parking(log: EventLog, rows: Mapping[str, Processor], event_id: UUID) -> Parking:
    """The time of this id; only what stands behind it on its own partition is looked at."""
    facts = await _facts(log)
    known = next((one for one in facts if one.envelope.event_id == event_id), None)
    if known is None:
        raise NotThere(
            f"parked {event_id}: nothing was parked under this id; /v1/parked lists what was"
        )
    of_place = [one for one in facts if _address(one) == _address(known)]
    found = parkings_of(of_place, await _scan(log, _history(of_place)), rows)
    return next(one for one in found if one.event_id == event_id)


async def _facts(log: EventLog) -> list[EventParked]:
    found = [event_of(record) async for record in log.read_topic(topics.PARKED.name)]
    return [one for one in found if isinstance(one, EventParked)]


def parkings_of(
    facts: Iterable[EventParked], found: Found, rows: Mapping[str, Processor]
) -> list[Parking]:
    """These facts in the order of the events, each with what was found of its subject."""
    parkings = [
        _parking(address, fact, rows.get(address.processor), found)
        for address, parked in _history(facts).items()
        for fact in {fact.envelope.event_id: fact for fact in parked}.values()
    ]
    return sorted(parkings, key=lambda one: (one.address[1:4], one.address.processor))


def waiting_of(parkings: Iterable[Parking]) -> dict[tuple[str, str], list[Parked]]:
    """Those that nobody has answered, by the topic and the key of their subject."""
    found: dict[tuple[str, str], list[Parked]] = {}
    for one in parkings:
        if one.answer is None:
            fact = one.fact
            told = Parked(one.event_id, fact.processor, one.error, fact.recorded_at)
            found.setdefault((fact.input_topic, fact.subject_key), []).append(told)
    return found


def _history(facts: Iterable[EventParked]) -> dict[Address, list[EventParked]]:
    history: dict[Address, list[EventParked]] = {}
    for fact in facts:
        history.setdefault(_address(fact), []).append(fact)
    return history


def _address(fact: EventParked) -> Address:
    return Address(fact.processor, fact.input_topic, fact.partition, fact.offset, fact.effect_id)


async def _scan(log: EventLog, history: Mapping[Address, list[EventParked]]) -> Found:
    """Read the input topics from the first parked event on; only parked subjects are looked at."""
    first: dict[tuple[str, int], datetime] = {}
    wanted: set[_Subject] = set()
    for address, facts in history.items():
        place = (address.topic, address.partition)
        first[place] = min(first.get(place, facts[0].recorded_at), facts[0].recorded_at)
        wanted.add((*place, facts[0].subject_key))
    start: Vector = {}
    stop: Vector = {}
    for topic in dict.fromkeys(topic for topic, _ in first):
        ends = await log.ends(topic)
        stop |= {place: end for place, end in ends.items() if place in first}
    for place in stop:  # a foreign hand may name others, which this log has not
        start[place] = (await log.offsets_at(place[0], first[place]))[place]
    found = Found()
    async for record in log.read(start, stop):
        if (record.topic, record.partition, record.key) in wanted:
            found.note(record)
    return found


def _parking(address: Address, fact: EventParked, row: Processor | None, found: Found) -> Parking:
    records = found.records.get((address.topic, address.partition, fact.subject_key), [])
    place = _place(address, fact, records)
    answer = _answer(fact, found.requests.get(address, []))
    queue: tuple[Queued, ...] = ()
    if answer is None and fact.effect_id is None:
        reads = {event.type() for event in (*row.on, *row.folds)} if row else None
        queue = tuple(
            one
            for one in records
            if one.position.offset > place.offset
            and (reads is None or not one.type or one.type in reads)
        )
    return Parking(fact, address, place, answer, queue)


def _place(address: Address, fact: EventParked, records: Iterable[Queued]) -> Position:
    same = [one.position for one in records if one.event_id == str(fact.parked_event_id)]
    return address.position if not same or address.position in same else same[0]


def _answer(fact: EventParked, answers: Iterable[Answer]) -> Answer | None:
    """The first request after the one because of which it was parked this time."""
    first: dict[UUID, Answer] = {}
    for one in answers:
        first.setdefault(one.request.envelope.event_id, one)
    given = list(first.values())
    for number, one in enumerate(given):
        asked = one.request.envelope.event_id
        # An effect's outcome follows from its event, so only its id says which request it was.
        again = derived_id(asked, fact.processor, fact.type(), fact.key)
        if asked == fact.envelope.causation_id or again == fact.envelope.event_id:
            given = given[number + 1 :]
            break
    return given[0] if given else None


def find(parkings: Iterable[Parking], word: str) -> Parking:
    """The one that a person means: by its id or the beginning of it, or by its position."""
    every = list(parkings)
    at_position = [one for one in every if str(one.address.position) == word]
    matching = at_position or [
        one
        for one in every
        if len(word) >= PREFIX_CHARACTERS_MIN and str(one.event_id).startswith(word.lower())
    ]
    waiting = [one for one in matching if one.answer is None]
    chosen = waiting if at_position and waiting else matching
    if len(chosen) == 1:
        return chosen[0]
    if at_position and not waiting:
        return at_position[-1]
    if not chosen:
        raise Refused(
            f"{word!r}: nothing was parked under this id or position; `genoflow parked list` shows "
            f"what waits (an id may be cut to {PREFIX_CHARACTERS_MIN} characters)"
        )
    ids = ", ".join(str(one.event_id) for one in chosen)
    raise Refused(f"{word!r}: means {len(chosen)} of them ({ids}); write more of the id")


def short_ids(parkings: Iterable[Parking]) -> dict[UUID, str]:
    """The shortest beginnings, of eight characters or more, that tell these ids apart."""
    ids = [str(one.event_id) for one in parkings]
    length = 8
    while len({name[:length] for name in ids}) < len(set(ids)):
        length += 1
    return {UUID(name): name[:length] for name in ids}


async def record_of(log: EventLog, parking: Parking, codec: Codec) -> Recorded:
    """The record that was parked: from EventParked, or from its place where it is not in there."""
    fact = parking.fact
    if fact.value is None:
        place, offset = (parking.place.topic, parking.place.partition), parking.place.offset
        if offset >= (await log.ends(parking.place.topic)).get(place, 0):
            raise Refused(
                f"{parking.place}: the log has no such place, and the event that is parked names "
                f"it; whoever wrote that fact was wrong, so discard it"
            )
        async with aclosing(log.read({place: offset}, {place: offset + 1})) as records:
            async for record in records:
                if hashlib.sha256(record.value or b"").hexdigest() == fact.value_sha256:
                    return record
        raise Refused(
            f"{parking.place}: {fact.value_size_bytes:,} bytes were parked there and others stand "
            f"there now; bring them back from a backup, or discard the event"
        )
    headers = tuple((one.header, one.value) for one in fact.headers)
    at_ms = int((fact.recorded_at - EPOCH).total_seconds() * 1000)
    return Recorded(*parking.place, at_ms, fact.subject_key.encode(), fact.value, headers, codec)
