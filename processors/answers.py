"""What a decider or an effect answered: held against its row of the flow, and enveloped."""

from __future__ import annotations

import hashlib
from collections.abc import Container, Sequence
from datetime import datetime
from uuid import UUID

from genoflow.events.codec import Codec
from genoflow.events.envelope import Envelope, Producer
from genoflow.events.errors import InvalidEvent
from genoflow.events.event import Event, follow
from genoflow.events.log.changelog import STATE_BYTES_MAX
from genoflow.events.log.recorded import Recorded
from genoflow.processors.decision import DECISION_EVENTS_MAX, Decision, effect_id
from genoflow.processors.ledger import STATE, OpenEffect
from genoflow.processors.processor import Processor


class Answers:
    """Turns answers into events that may be written; InvalidEvent where the row forbids one."""

    def __init__(self, processor: Processor, producer: Producer, codec: Codec) -> None:
        self._processor = processor
        self._producer = producer
        self._codec = codec
        self._emits = frozenset(processor.emits)
        self._kinds = {effect.name: effect for effect in processor.effects}

    def events(self, cause: Event, decision: Decision) -> list[Event]:
        """The events of a decision, each caused by the event that was decided on."""
        if len(decision.events) > DECISION_EVENTS_MAX:
            raise InvalidEvent(
                f"{self._processor.name}: decided {len(decision.events):,} events at once and the "
                f"limit is {DECISION_EVENTS_MAX:,}; decide them one after another"
            )
        envelope, key = cause.envelope, cause.key
        return [self._checked(envelope, event, key, self._emits) for event in decision.events]

    def effects(
        self,
        record: Recorded,
        cause: Event,
        decision: Decision,
        already: Container[UUID],
    ) -> list[OpenEffect]:
        """The effects of a decision that are not open already."""
        opened: dict[UUID, OpenEffect] = {}
        for ordinal, effect in enumerate(decision.effects):
            kind = self._kinds.get(effect.name)
            if kind is None or not isinstance(effect.arguments, kind.arguments):
                raise InvalidEvent(
                    f"{self._processor.name}: opened the effect {effect.name!r} with "
                    f"{type(effect.arguments).__name__}, which FLOW does not list for it; add it "
                    f"to the row in processors/flow.py or mend the decider"
                )
            name = effect_id(
                cause.envelope.event_id, self._processor.name, effect.name, effect.discriminator
            )
            if name in already or name in opened:
                continue
            arguments = effect.arguments.model_dump(mode="json")
            if kind.arguments(**arguments) != effect.arguments:
                raise InvalidEvent(
                    f"{self._processor.name}: {kind.arguments.__name__} is not the same once it "
                    f"was written and read; give its fields types that JSON keeps, such as text"
                )
            value = record.value or b""
            opened[name] = OpenEffect(
                effect_id=name,
                name=effect.name,
                lane=effect.lane or cause.key,
                subject_key=cause.key,
                arguments=arguments,
                cause=cause.envelope,
                offset=record.offset,
                ordinal=ordinal,
                recorded_at=record.recorded_at,
                value_size_bytes=len(value),
                value_sha256=hashlib.sha256(value).hexdigest(),
            )
        return list(opened.values())

    def state(self, key: bytes, before: object, after: object) -> bytes | None:
        """The subject's new state as the changelog keeps it; None where there is nothing to keep.

        InvalidEvent where it is none of this row, or takes more than the changelog does.
        """
        if after is None or after is before:
            return None
        if not isinstance(after, self._processor.state):
            raise InvalidEvent(
                f"{self._processor.name}: evolve() answered with {type(after).__name__} and its "
                f"state is {self._processor.state.__name__}, or None to forget; mend evolve()"
            )
        kept = after.model_dump_json().encode()
        if len(kept) > STATE_BYTES_MAX - len(STATE) - len(key):
            raise InvalidEvent(
                f"{self._processor.name}: its state of this subject would have {len(kept):,} bytes "
                f"and the limit is {STATE_BYTES_MAX:,}; keep less in it, and mend evolve()"
            )
        return kept

    def outcome(
        self, effect: OpenEffect, events: Sequence[Event], occurred_at: datetime | None
    ) -> list[Event]:
        """The events of an outcome, each caused by the event that opened the effect."""
        allowed = frozenset(self._kinds[effect.name].emits)
        return [
            self._checked(
                effect.cause, event, effect.subject_key, allowed, effect.effect_id, occurred_at
            )
            for event in events
        ]

    def _checked(
        self,
        cause: Envelope,
        event: Event,
        key: str,
        allowed: frozenset[type[Event]],
        effect: UUID | None = None,
        occurred_at: datetime | None = None,
    ) -> Event:
        if type(event) not in allowed:
            raise InvalidEvent(
                f"{self._processor.name}: answered with {type(event).__name__}, which FLOW does "
                f"not list for it; add it to the row in processors/flow.py or mend the decider"
            )
        is_of_another = event.topic == self._processor.reads.name and event.key != key
        if is_of_another and type(event) not in self._processor.hands_over:
            raise InvalidEvent(
                f"{self._processor.name}: answered about {event.key!r} on the topic and in the "
                f"order of {key!r}; what is about another subject is a hop to its own topic, or "
                f"stands in `hands_over` of its row"
            )
        followed = follow(
            cause,
            event,
            by=self._producer,
            effect_id=effect,
            occurred_at=occurred_at,
            actor=cause.actor if type(event) in self._processor.in_its_name else None,
        )
        self._codec.prepare(followed)
        return followed
