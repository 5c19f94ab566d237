"""How a task's state, its open effects and its parked keys stand on its changelog.

    task                 what wrote it, and the last record that it took: TaskStamp
    state/<key>          what the decider knows of a subject
    effect/<id>          an effect that is open, or parked: OpenEffect
    parked/<key>         a key whose events wait for a person: ParkedKey
    was-parked/<t>/<o>   at record t the event at offset o was parked; kept for ever, since a
                         rebuild has to pass over it there and take it where it was requeued

Offsets here are places on the broker that there is now: a restore translates them. What people and
requests call a parked event by is the offset that it had when it was parked first: that is a name,
it stands in events, and nothing translates it.

The log adds the position itself, in the same transaction.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from pydantic import Field, ValidationError

from genoflow.events.envelope import Envelope
from genoflow.events.errors import StateMismatch
from genoflow.events.types import Part, Utc

TASK = b"task"
STATE = b"state/"
EFFECT = b"effect/"
PARKED = b"parked/"
WAS_PARKED = b"was-parked/"
# A person tries one event a handful of times; a request that comes again after 100 others would be
# acted on again.
REQUESTS_KEPT_MAX = 100


class TaskStamp(Part):
    """What wrote this changelog, and how far into which topic."""

    state_version: int
    code_version: str
    start: int  # where the processor began to read the partition
    rebuilding: bool = False  # the state is half of an old version and half of this one
    last_offset: int | None = None  # the last record taken and its id: the topic is still the same
    last_id: str | None = None


class OpenEffect(Part):
    """An effect between the decision that opened it and the outcome that closes it."""

    effect_id: UUID
    name: str
    lane: str
    subject_key: str
    arguments: dict[str, Any]
    cause: Envelope
    offset: int  # of the event that opened it
    ordinal: int  # among the effects that this event opened
    recorded_at: Utc
    value_size_bytes: int
    value_sha256: str
    parked: str | None = Field(None, description="why, where a person has to look at it")
    requests: tuple[UUID, ...] = Field((), description="those that were acted on, newest last")

    @property
    def order(self) -> tuple[int, int]:
        """Its place in its lane."""
        return self.offset, self.ordinal


class ParkedKey(Part):
    """A key that waits: the event that could not be taken, and how far its queue is drained."""

    offset: int  # of the event that a person has to look at
    named: int  # what EventParked called that offset
    trigger: int  # the record at which it was parked: itself, or the requeue that failed
    error: str
    requests: tuple[UUID, ...] = ()  # those that were acted on, newest last
    draining: int | None = None  # under the newest: the next offset to take


def with_request(before: tuple[UUID, ...], asked: UUID) -> tuple[UUID, ...]:
    """The requests that were acted on, with one more."""
    return (*before, asked)[-REQUESTS_KEPT_MAX:]


@dataclass(slots=True)
class Ledger:
    """A changelog, read: states stay bytes until they are asked for."""

    stamp: TaskStamp | None = None
    states: dict[bytes, bytes] = field(default_factory=dict)
    effects: dict[UUID, OpenEffect] = field(default_factory=dict)
    parked: dict[bytes, ParkedKey] = field(default_factory=dict)
    was_parked: dict[tuple[int, int], int] = field(default_factory=dict)  # and the name of each


def was_parked_key(trigger: int, offset: int) -> bytes:
    """The key of the record that an event was parked at another one."""
    return WAS_PARKED + f"{trigger}/{offset}".encode()


def read_ledger(place: str, records: Mapping[bytes, bytes]) -> Ledger:
    """What a task's changelog says; StateMismatch where a record is not ours or not readable."""
    ledger = Ledger()
    cut = len(STATE)
    for key, value in records.items():
        if key.startswith(STATE):
            ledger.states[key[cut:]] = value
            continue
        try:
            _read(ledger, key, value)
        except (ValidationError, ValueError) as error:
            raise StateMismatch(
                f"{place}: record {key!r} is not what this code writes ({error}); deploy the code "
                f"that wrote it, or delete the topic to rebuild the state"
            ) from error
    if records and ledger.stamp is None:
        raise StateMismatch(
            f"{place}: {len(records)} records and no stamp of a task; it was written by something "
            f"else; restore it from a backup, or delete the topic to rebuild the state"
        )
    return ledger


def _read(ledger: Ledger, key: bytes, value: bytes) -> None:
    if key == TASK:
        ledger.stamp = TaskStamp.model_validate_json(value)
    elif key.startswith(EFFECT):
        effect = OpenEffect.model_validate_json(value)
        ledger.effects[effect.effect_id] = effect
    elif key.startswith(PARKED):
        ledger.parked[key[len(PARKED) :]] = ParkedKey.model_validate_json(value)
    elif key.startswith(WAS_PARKED):
        trigger, offset = key[len(WAS_PARKED) :].split(b"/")
        ledger.was_parked[int(trigger), int(offset)] = int(value)
    else:
        raise ValueError("its key has no meaning here")


def translated(key: bytes, value: bytes, new: Callable[[int], int]) -> tuple[bytes, bytes]:
    """A record of a changelog as it has to stand where the input has other offsets."""
    if key == TASK:
        stamp = TaskStamp.model_validate_json(value)
        last = stamp.last_offset
        moved = {"start": new(stamp.start), "last_offset": None if last is None else new(last)}
        return key, stamp.model_copy(update=moved).model_dump_json().encode()
    if key.startswith(EFFECT):
        effect = OpenEffect.model_validate_json(value)
        placed = effect.model_copy(update={"offset": new(effect.offset)})
        return key, placed.model_dump_json().encode()
    if key.startswith(PARKED):
        parked = ParkedKey.model_validate_json(value)
        draining = parked.draining
        moved = {
            "offset": new(parked.offset),
            "trigger": new(parked.trigger),
            "draining": None if draining is None else new(draining),
        }
        return key, parked.model_copy(update=moved).model_dump_json().encode()
    if key.startswith(WAS_PARKED):
        trigger, offset = key[len(WAS_PARKED) :].split(b"/")
        return was_parked_key(new(int(trigger)), new(int(offset))), value
    return key, value
