"""What a decider says beside what is recorded of it.

Facts are compared by cause: the same subject, type and fields; ids are looked at on their own. What
is said twice of one cause counts once, as it does for every reader of the log.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from pydantic import ValidationError

from genoflow.deploy.replay.decider import Plain
from genoflow.deploy.replay.recorded import Digests, Said, Told, Trace
from genoflow.deploy.replay.walk import Taken
from genoflow.events.errors import InvalidEvent, MalformedEvent
from genoflow.events.log.recorded import Position
from genoflow.events.registry import Registry
from genoflow.processors.decision import effect_id

# Facts of 2 kB each are 200 MB; a decider that differs more often is another decider.
DIFFERENCES_MAX = 100_000
FIELDS_MAX = 8  # of one group: more of them is a line that nobody reads
UUID_TEXT = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")

# The kinds of difference, as pages, programs and events call them.
CHANGED = "changed"  # the same fact with other fields
INSTEAD = "instead"  # another fact about the same subject
NO_LONGER = "no longer said"
NEW = "newly said"
OTHER_ID = "other id"  # the same fact under another id: it would stand on the log twice
NOT_OPENED = "no longer opened"
OPENED = "newly opened"
ARGUMENTS = "other arguments"
CLOSED = "newly closed"
PARKS = "parks"
TAKES = "no longer parks"


@dataclass(frozen=True, slots=True)
class Difference:
    """One decision that is not the one that is recorded."""

    kind: str
    what: str  # types, fields or names: differences of one kind and one `what` belong together
    subject: str
    cause: Position | None  # of the record that was decided on
    recorded_at: Position | None = None
    recorded: Any = None
    told: Any = None


@dataclass(slots=True)
class _Fact:
    """An event that the decider says and the log does not hold like that."""

    event_id: UUID
    topic: str
    key: str
    type: str
    payload: Plain


@dataclass(slots=True)
class Comparison:
    """Takes answers one after another, and tells at the end what is different."""

    row: str
    told: Told
    digests: Digests
    registry: Registry
    effects: Mapping[str, Mapping[str, Any]]  # what the deciding row says of its effects
    taken: int = 0
    decisions: int = 0  # events and effects that were compared
    untold: int = 0  # effects of which the log cannot tell whether they were opened
    found: list[Difference] = field(default_factory=list)
    _seen: dict[UUID, Position] = field(default_factory=dict)
    _more: dict[UUID, dict[UUID, _Fact]] = field(default_factory=dict)
    _pending: dict[UUID, Difference] = field(default_factory=dict)
    _closed: dict[UUID, Position] = field(default_factory=dict)
    _causes: set[UUID] = field(default_factory=set)

    def __post_init__(self) -> None:
        """Know which records have an answer on the log: only those are remembered."""
        self._causes = {*self.told.by_cause, *(one.cause for one in self.told.effects.values())}

    def take(self, taken: Taken, answer: Plain) -> None:
        """Compare what was answered to one record."""
        record, error = taken.record, answer.get("error")
        self.taken += 1
        if taken.was_parked:
            if error is None:
                self._note(TAKES, _type(taken), record.key, record.position)
            return
        cause = _id(taken)
        if error is not None:
            what = f"{_type(taken)}: {answer['error_class']}"
            self._note(PARKS, what, record.key, record.position, told=error)
            return
        if cause is None:
            return
        if cause in self._causes:
            self._seen.setdefault(cause, record.position)
        for plain in answer.get("events", ()):
            self._take_event(cause, record.position, plain)
        for plain in answer.get("effects", ()):
            self._take_effect(record.key, record.position, plain)
        for text in answer.get("closes", ()):
            self._pending.pop(UUID(text), None)
            self._closed[UUID(text)] = record.position

    def _take_event(self, cause: UUID, place: Position, plain: Plain) -> None:
        self.decisions += 1
        event_id = UUID(plain["id"])
        self._seen.setdefault(cause, place)
        named, payload = (plain["topic"], plain["key"], plain["type"]), plain["payload"]
        same = [one for one in self.told.by_cause.get(cause, ()) if one.event_id == event_id]
        for said in same:
            if said.digest != self.digests.of(*named, payload):
                payload = self._in_this_edition(plain["type"], payload)
            if said.digest == self.digests.of(*named, payload):
                said.is_matched = True
                return
        self._more.setdefault(cause, {})[event_id] = _Fact(event_id, *named, payload)

    def _in_this_edition(self, kind: str, payload: Plain) -> Plain:
        """The fields as this release has them: another revision may lack one that has a default."""
        model = self.registry.models.get(kind)
        if model is None:
            return payload
        try:
            return model.model_validate(payload).payload()
        except (ValidationError, InvalidEvent):
            return payload

    @property
    def is_full(self) -> bool:
        """Whether more is different than anybody looks at."""
        return len(self._more) + len(self.found) >= DIFFERENCES_MAX

    def _take_effect(self, key: str, place: Position, plain: Plain) -> None:
        self.decisions += 1
        name = UUID(plain["id"])
        self._closed.pop(name, None)
        trace = self.told.effects.get(name)
        if trace is None:
            self._pending[name] = Difference(OPENED, plain["name"], key, place, told=plain)
            return
        trace.is_matched = True
        if trace.open is None:
            return
        recorded = {"lane": trace.open.lane, "arguments": trace.open.arguments}
        told = {"lane": plain["lane"], "arguments": plain["arguments"]}
        fields = differing(self.digests.bare(recorded), self.digests.bare(told))
        if fields:
            what = f"{plain['name']}: {_listed(fields)}"
            self.found.append(Difference(ARGUMENTS, what, key, place, trace.place, recorded, told))

    def _note(self, kind: str, what: str, key: str, place: Position, told: Any = None) -> None:
        self.found.append(Difference(kind, what, key, place, told=told))

    # -- at the end

    def missing(self) -> list[Said]:
        """What is recorded of the records that were taken, and was not said like that."""
        return [
            said
            for cause in self._seen
            for said in self.told.by_cause.get(cause, ())
            if not said.is_matched
        ]

    def finish(self, recorded: Mapping[Position, Plain]) -> list[Difference]:
        """Everything that is different; `recorded` holds the fields of what is missing."""
        for cause, place in self._seen.items():
            missing = [one for one in self.told.by_cause.get(cause, ()) if not one.is_matched]
            more = self._more.get(cause, {})
            if missing or more:
                self.found += paired(place, missing, list(more.values()), recorded, self.digests)
        self.found += self._effects_at_the_end()
        return self.found

    def _effects_at_the_end(self) -> Iterator[Difference]:
        for difference in self._pending.values():
            if self.effects.get(difference.what, {}).get("may_say_nothing", True):
                self.untold += 1
            else:
                yield difference
        for name, trace in self.told.effects.items():
            place = self._seen.get(trace.cause)
            if place is not None and not trace.is_matched:
                what = self._effect_name(name, trace)
                yield Difference(NOT_OPENED, what, trace.key, place, trace.place, trace.told_by)
        for name, place in self._closed.items():
            known = self.told.effects.get(name)
            if known is not None and known.open is not None:
                yield Difference(CLOSED, known.open.name, known.key, place, known.place)

    def _effect_name(self, name: UUID, trace: Trace) -> str:
        """The name of a recorded effect, which an outcome does not say."""
        if trace.open is not None:
            return trace.open.name
        for known, about in self.effects.items():
            is_it = effect_id(trace.cause, self.row, known) == name
            if is_it or trace.told_by in about["emits"]:
                return known
        return trace.told_by


def paired(
    cause: Position,
    missing: Sequence[Said],
    more: Sequence[_Fact],
    recorded: Mapping[Position, Plain],
    digests: Digests,
) -> Iterator[Difference]:
    """The differences of one cause: facts beside those that are nearest to them."""
    left, other = list(missing), list(more)
    for is_near in (_is_same_id, _is_same_kind, _is_same_subject):
        for said in list(left):
            fact = next((one for one in other if is_near(said, one)), None)
            if fact is None:
                continue
            left.remove(said)
            other.remove(fact)
            yield from _beside(cause, said, fact, recorded.get(said.place, {}), digests)
    for said in left:
        payload = recorded.get(said.place)
        yield Difference(NO_LONGER, said.type, said.key, cause, said.place, payload)
    for fact in other:
        yield Difference(NEW, fact.type, fact.key, cause, told=fact.payload)


def _beside(
    cause: Position, said: Said, fact: _Fact, payload: Plain, digests: Digests
) -> Iterator[Difference]:
    place = said.place
    if said.type != fact.type:
        what = f"{said.type} → {fact.type}"
        yield Difference(INSTEAD, what, fact.key, cause, place, payload, fact.payload)
        return
    before, after = digests.bare(payload), digests.bare(fact.payload)
    fields = differing(_without_ids(before), _without_ids(after))
    if said.topic != fact.topic or said.key != fact.key:
        fields = ["its subject", *fields]
    if fields:
        what = f"{fact.type}: {_listed(fields)}"
        yield Difference(CHANGED, what, fact.key, cause, place, payload, fact.payload)
    elif said.event_id != fact.event_id or before != after:
        ids = (str(said.event_id), str(fact.event_id))
        yield Difference(OTHER_ID, fact.type, fact.key, cause, place, *ids)


def _is_same_id(said: Said, fact: _Fact) -> bool:
    return said.event_id == fact.event_id


def _is_same_kind(said: Said, fact: _Fact) -> bool:
    return (said.topic, said.key, said.type) == (fact.topic, fact.key, fact.type)


def _is_same_subject(said: Said, fact: _Fact) -> bool:
    return (said.topic, said.key) == (fact.topic, fact.key)


def differing(before: Any, after: Any, path: str = "") -> list[str]:
    """The fields in which two values differ, items of a list taken together, in order."""
    if before == after:
        return []
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        dotted = f"{path}." if path else ""
        found = [
            one
            for name in sorted({*before, *after})
            for one in differing(before.get(name), after.get(name), f"{dotted}{name}")
        ]
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        found = [
            one
            for old, new in zip(before, after, strict=True)
            for one in differing(old, new, f"{path}[]")
        ]
    else:
        found = [path]
    return list(dict.fromkeys(found))


def _listed(fields: Sequence[str]) -> str:
    more = len(fields) - FIELDS_MAX
    return ", ".join([*fields[:FIELDS_MAX], *([f"{more} more"] if more > 0 else [])])


def _without_ids(value: Any) -> Any:
    if isinstance(value, str):
        return UUID_TEXT.sub("(id)", value)
    if isinstance(value, Mapping):
        return {name: _without_ids(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_without_ids(one) for one in value]
    return value


def _type(taken: Taken) -> str:
    try:
        return taken.record.type
    except MalformedEvent:
        return "no event"


def _id(taken: Taken) -> UUID | None:
    try:
        return UUID(taken.record.event_id)
    except (MalformedEvent, ValueError):
        return None  # nothing can be caused by it
