"""What an event is: a frozen fact in the past tense, and the one way to derive the next."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar, Self, TypeVar
from uuid import UUID

from pydantic import BaseModel, ConfigDict, PrivateAttr, ValidationError

from genoflow.events.envelope import Actor, Envelope, Producer
from genoflow.events.errors import InvalidEvent
from genoflow.events.identity import derived_id, external_id
from genoflow.events.topics import Topic

# A few dozen processors on behalf of a lab's people: 300 bytes each are 300 kB.
SERVICES_KEPT_MAX = 1_000


@dataclass(frozen=True, slots=True)
class About:
    """Where a type of event stands and what identifies one of them.

    `identity` names the fields that identify the fact in the outside world; `discriminator` those
    that tell apart the facts of this type that follow from one cause for one subject.
    """

    topics: tuple[Topic, ...]  # none: it stands on its subject's own topic
    key: str
    version: str
    identity: tuple[str, ...] = ()
    discriminator: tuple[str, ...] = ()
    terminal: bool = False  # nobody but people and read models acts on it


class Event(BaseModel):
    """A fact. Subclasses hold its fields; the envelope is put around it by `begin` or `follow`."""

    model_config = ConfigDict(
        defer_build=True, frozen=True, extra="forbid", allow_inf_nan=False, ser_json_bytes="base64"
    )

    about: ClassVar[About]
    _envelope: Envelope | None = PrivateAttr(None)

    def __init__(self, **fields: Any) -> None:
        try:
            super().__init__(**fields)
        except ValidationError as error:
            raise InvalidEvent(explain(type(self).__name__, error)) from error

    # Without this mark pydantic would send model_validate through __init__, and its context, by
    # which a reader takes choices that are newer than itself, would be lost on the way.
    __init__.__pydantic_base_init__ = True  # type: ignore[attr-defined]

    @classmethod
    def type(cls) -> str:
        """The name of this type, on the wire and everywhere."""
        return cls.__name__

    @property
    def key(self) -> str:
        """The subject: the key on the topic, and what is ordered together."""
        return str(getattr(self, self.about.key))

    @property
    def topic(self) -> str:
        """The name of the topic that this event stands on."""
        return self.about.topics[0].name

    @property
    def envelope(self) -> Envelope:
        """The envelope; an event without one cannot be appended."""
        # Read where pydantic keeps it: its own way to a private attribute costs 2 µs a record.
        envelope: Envelope | None = (self.__pydantic_private__ or {}).get("_envelope")
        if envelope is None:
            raise InvalidEvent(
                f"{self.type()} {self.key}: has no envelope; "
                f"derive it with cause.follow(…) or open a story with begin(…)"
            )
        return envelope

    @property
    def has_envelope(self) -> bool:
        """Whether the envelope was put around it."""
        return self._envelope is not None

    def payload(self) -> dict[str, Any]:
        """The fields of the fact, without the envelope, as plain JSON types."""
        return self.model_dump(mode="json")

    def enveloped(self, envelope: Envelope) -> Self:
        """The same fact inside this envelope."""
        # By hand what model_copy does, without looking for what an event does not have: 4 µs.
        return _made(type(self), self.__dict__.copy(), {"_envelope": envelope})

    def _parts(self, names: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(_plain(getattr(self, name)) for name in names)

    def external_id(self) -> UUID:
        """The id of this fact when it comes from outside: the same for every reporter."""
        return external_id(self.type(), *self._parts(self.about.identity or (self.about.key,)))

    def follow(
        self,
        event: E,
        *,
        by: Producer,
        occurred_at: datetime | None = None,
        actor: Actor | None = None,
        effect_id: UUID | None = None,
    ) -> E:
        """The next fact, caused by this one: the only way to derive an envelope."""
        return follow(
            self.envelope,
            event,
            by=by,
            occurred_at=occurred_at,
            actor=actor,
            effect_id=effect_id,
        )


E = TypeVar("E", bound=Event)


def follow(
    cause: Envelope,
    event: E,
    *,
    by: Producer,
    occurred_at: datetime | None = None,
    actor: Actor | None = None,
    effect_id: UUID | None = None,
) -> E:
    """What `Event.follow` does, for those who kept the envelope of the cause and not the fact."""
    named, key = event.type(), event.key
    values = {
        "event_id": derived_id(
            cause.event_id, by.service, named, key, *event._parts(event.about.discriminator)
        ),
        "type": named,
        "schema_version": event.about.version,
        "subject": key,
        "occurred_at": occurred_at or cause.occurred_at,
        "correlation_id": cause.correlation_id,
        "causation_id": cause.event_id,
        "actor": actor or _service(by.service, _behalf(cause)),
        "producer": by,
        "traceparent": cause.traceparent,
        "effect_id": effect_id,
    }
    if occurred_at is None and key == cause.subject:
        return event.enveloped(_made(Envelope, values, None))  # all of it stands in checked models
    return event.enveloped(Envelope(**values))


def begin(
    event: E,
    *,
    occurred_at: datetime,
    actor: Actor,
    by: Producer,
    correlation_id: UUID | None = None,
    causation_id: UUID | None = None,
    traceparent: str | None = None,
) -> E:
    """A fact from outside, in its envelope: its id comes from what identifies it out there."""
    event_id = event.external_id()
    return event.enveloped(
        Envelope(
            event_id=event_id,
            type=event.type(),
            schema_version=event.about.version,
            subject=event.key,
            occurred_at=occurred_at,
            correlation_id=correlation_id or event_id,
            causation_id=causation_id,
            actor=actor,
            producer=by,
            traceparent=traceparent,
        )
    )


def explain(place: str, error: ValidationError) -> str:
    """One line a field: where it is, what was given, what it may be."""
    lines = []
    for fault in error.errors(include_url=False):
        where = ".".join(str(part) for part in fault["loc"]) or "the whole"
        given = "" if isinstance(fault["input"], dict) else f" (given: {fault['input']!r:.80})"
        reason = fault["msg"].removeprefix("Value error, ")
        lines.append(f"{place}.{where}: {reason}{given}")
    return "\n".join(lines)


M = TypeVar("M", bound=BaseModel)

# The slots of a pydantic model, set past its frozen __setattr__.
_put_values = BaseModel.__dict__["__dict__"].__set__
_put_names = BaseModel.__dict__["__pydantic_fields_set__"].__set__
_put_extra = BaseModel.__dict__["__pydantic_extra__"].__set__
_put_private = BaseModel.__dict__["__pydantic_private__"].__set__


def _made(model: type[M], values: dict[str, Any], private: dict[str, Any] | None) -> M:
    """A model of values that were checked before, which pydantic would check again."""
    made: M = object.__new__(model)
    _put_values(made, values)
    _put_names(made, set(values))
    _put_extra(made, None)
    _put_private(made, private)
    return made


@functools.lru_cache(maxsize=SERVICES_KEPT_MAX)
def _service(name: str, behalf: str | None) -> Actor:
    """The actor of a program; the codec keeps its bytes as long as it is the same one."""
    return Actor(kind="service", id=name, on_behalf_of=behalf)


def _behalf(envelope: Envelope) -> str | None:
    actor = envelope.actor
    return actor.on_behalf_of or (actor.id if actor.kind == "person" else None)


def _plain(value: object) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)
