"""What an event is: a frozen fact in the past tense, and the one way to derive the next."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar, Self, TypeVar
from uuid import UUID

from pydantic import BaseModel, ConfigDict, PrivateAttr, ValidationError

from genoflow.events.envelope import Actor, Envelope, Producer
from genoflow.events.errors import InvalidEvent
from genoflow.events.identity import derived_id, external_id
from genoflow.events.topics import Topic


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
        frozen=True, extra="forbid", allow_inf_nan=False, ser_json_bytes="base64"
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
        copy = self.model_copy()
        copy._envelope = envelope
        return copy

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
        mine = self.envelope
        return event.enveloped(
            Envelope(
                event_id=derived_id(
                    mine.event_id,
                    by.service,
                    event.type(),
                    event.key,
                    *event._parts(event.about.discriminator),
                ),
                type=event.type(),
                schema_version=event.about.version,
                subject=event.key,
                occurred_at=occurred_at or mine.occurred_at,
                correlation_id=mine.correlation_id,
                causation_id=mine.event_id,
                actor=actor or Actor(kind="service", id=by.service, on_behalf_of=_behalf(mine)),
                producer=by,
                traceparent=mine.traceparent,
                effect_id=effect_id,
            )
        )


E = TypeVar("E", bound=Event)


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


def _behalf(envelope: Envelope) -> str | None:
    actor = envelope.actor
    return actor.on_behalf_of or (actor.id if actor.kind == "person" else None)


def _plain(value: object) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)
