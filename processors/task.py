"""What one record, and one outcome, do to a task. No broker, no clock, no waiting: only facts.

take(record)      decide on the state before it, fold it in, note what is to be written
finish(outcome)   an effect's events, and the effect is closed
step()            all that was noted since the last step, to be committed as one transaction
"""

from __future__ import annotations

import traceback
from uuid import UUID

from genoflow.events.codec import HEADER_ID, Codec, header
from genoflow.events.envelope import Envelope, Producer
from genoflow.events.errors import MalformedEvent, StateMismatch, Stop
from genoflow.events.event import Event
from genoflow.events.event_discarded import EventDiscarded
from genoflow.events.event_requeued import EventRequeued
from genoflow.events.log.recorded import Position, Recorded
from genoflow.processors import ledger as on_changelog
from genoflow.processors.answers import Answers
from genoflow.processors.decision import NOTHING
from genoflow.processors.failure import parked as failed
from genoflow.processors.ledger import Ledger, OpenEffect, ParkedKey, TaskStamp
from genoflow.processors.parking import parked_effect, parked_record
from genoflow.processors.processor import Processor, State
from genoflow.processors.reading import event_of, line_of
from genoflow.processors.step import REQUESTS, Drain, Outcome, Request, Step

HOT_STATES_MAX = 10_000  # states kept as objects beside their bytes: 1 kB each, 10 MB a task
ERROR_CHARACTERS_MAX = 2_000  # what EventParked takes


class Task:
    """One processor on one partition of its topic."""

    def __init__(
        self,
        processor: Processor,
        partition: int,
        *,
        producer: Producer,
        codec: Codec,
        ledger: Ledger,
        position: int,
    ) -> None:
        self.processor = processor
        self.partition = partition
        self.position = position
        self.effects = ledger.effects
        self.parked = ledger.parked
        self.producer = producer
        self._codec = codec
        self._states = ledger.states
        self._was_parked = ledger.was_parked
        self._stamp = ledger.stamp or TaskStamp(
            state_version=processor.state_version, code_version=producer.version, start=position
        )
        self._last: Recorded | None = None
        self._hot: dict[bytes, State] = {}
        self._changed: dict[bytes, bytes | None] = {}
        self._decides = frozenset(processor.on)
        self._on = frozenset((*processor.on, *processor.folds))
        self._types = frozenset(event.type() for event in self._on) | REQUESTS
        self._answers = Answers(processor, producer, codec)
        self._initial = processor.state()
        self._step = Step(position)
        self._noted_bytes = 0
        self._old: Ledger | None = None  # while the state is rebuilt: what it was before

    # -- records

    def take(self, record: Recorded) -> Drain | None:
        """Take the next record; a Drain where a parked key is to be read again up to here."""
        self.position = record.offset + 1
        self._last = record
        key = record.key_bytes or b""
        try:
            named = record.type
        except MalformedEvent:
            named = None  # nobody knows whether it is for us: taking it will say why it cannot be
        if named is not None and named not in self._types:
            return None
        if named in REQUESTS:
            return self._request(record, key)
        if key not in self.parked:
            self._take(record, key, record.offset, None)
        return None

    def _take(self, record: Recorded, key: bytes, trigger: int, by: Envelope | None) -> bool:
        """Whether the event could be taken; else it is parked."""
        if self._old is not None:
            return self._retake(record, key, trigger)
        try:
            event = event_of(record)
            if type(event) not in self._on:
                return True
            state = self.state(key)
            decision = NOTHING
            if type(event) in self._decides:
                decision = self.processor.decide(state, event)
            after = self.processor.fold(state, event, record.offset)
            kept = self._answers.state(key, state, after)
            events = self._answers.events(event, decision)
            effects = self._answers.effects(record, event, decision, self.effects)
        except Stop:
            raise
        except Exception as error:  # noqa: BLE001 -- a decider is code: whatever it raises parks
            self._park(record, trigger, error, by)
            return False
        for event in events:
            self._append(event)
        for effect in effects:
            self._put_effect(effect)
            self._step.opened.append(effect)
        for closed in decision.closes:
            self._close(closed)
        if after is not state:
            self._keep(key, after, kept)
        return True

    def _retake(self, record: Recorded, key: bytes, trigger: int) -> bool:
        assert self._old is not None
        named = self._was_parked.get((trigger, record.offset))
        if named is not None:
            before = self._old.parked.get(key)
            error = before.error if before and before.offset == record.offset else ""
            self._set_parked(key, self._parked(key, record.offset, named, trigger, error))
            return False
        try:
            event = event_of(record)
            if type(event) in self._on:
                state = self.state(key)
                after = self.processor.fold(state, event, record.offset)
                kept = self._answers.state(key, state, after)
                if after is not state:
                    self._keep(key, after, kept)
        except Stop:
            raise
        except Exception as error:
            raise StateMismatch(
                f"{record.position}: {self.processor.name} took this event before and cannot fold "
                f"it now ({line_of(error)}); mend evolve() and start again, nothing was changed"
            ) from error
        return True

    def _keep(self, key: bytes, after: State | None, kept: bytes | None) -> None:
        self._changed[key] = kept  # whether it differs from what stands there, step() sees
        self._hot[key] = self._initial if after is None else after

    def state(self, key: bytes) -> State:
        """What is known of a subject now."""
        found = self._hot.get(key)
        if found is None:
            kept = self._states.get(key)
            found = self._initial if kept is None else self._read_state(key, kept)
            self._hot[key] = found
        return found

    def _read_state(self, key: bytes, kept: bytes) -> State:
        try:
            return self.processor.state.model_validate_json(kept)
        except ValueError as error:
            raise StateMismatch(
                f"{self.processor.changelog.name}[{self.partition}] state of {key!r}: does not fit "
                f"this code ({line_of(error)}); raise state_version, and it is rebuilt"
            ) from error

    # -- outcomes

    def finish(self, outcome: Outcome) -> None:
        """Append what an effect led to and close it; nothing where it is closed already."""
        effect = self.effects.get(outcome.effect_id)
        if effect is None or effect.parked is not None:
            return
        if outcome.parked is None:
            try:
                events = self._answers.outcome(effect, outcome.events, outcome.occurred_at)
            except Stop:
                raise
            except Exception as error:  # noqa: BLE001 -- an effect is code: it may answer anything
                outcome = failed(effect, error)
            else:
                for event in events:
                    self._append(event)
                self._close(effect.effect_id)
                return
        reason = (outcome.parked or "")[:ERROR_CHARACTERS_MAX]
        waits = effect.model_copy(update={"parked": reason})
        self._put_effect(waits)
        self._step.parked.append(waits)
        place = Position(self.processor.reads.name, self.partition, effect.offset)
        self._append(
            parked_effect(
                self.producer, place, effect, reason, outcome.error_class, outcome.error_trace
            )
        )

    def _put_effect(self, effect: OpenEffect) -> None:
        self.effects[effect.effect_id] = effect
        key = on_changelog.EFFECT + str(effect.effect_id).encode()
        self._step.changes[key] = effect.model_dump_json().encode()

    def _close(self, effect: UUID) -> None:
        closed = self.effects.pop(effect, None)
        if closed is not None:
            self._step.changes[on_changelog.EFFECT + str(effect).encode()] = None
            self._step.closed.append(closed)

    # -- parking

    def _park(self, record: Recorded, trigger: int, error: Exception, by: Envelope | None) -> None:
        key = record.key_bytes or b""
        reason = f"{record.position}: {line_of(error)}"[:ERROR_CHARACTERS_MAX]
        before = self.parked.get(key)
        again = before is not None and before.offset == record.offset
        named = before.named if before is not None and again else record.offset
        self._set_parked(key, self._parked(key, record.offset, named, trigger, reason))
        self._was_parked[trigger, record.offset] = named
        was = on_changelog.was_parked_key(trigger, record.offset)
        self._step.changes[was] = str(named).encode()
        trace = "".join(traceback.format_exception(error))
        self._append(parked_record(self.producer, record, named, by, reason, error, trace))

    def _parked(self, key: bytes, offset: int, named: int, trigger: int, error: str) -> ParkedKey:
        before = self.parked.get(key)
        requests = before.requests if before else ()
        return ParkedKey(
            offset=offset, named=named, trigger=trigger, error=error, requests=requests
        )

    def _append(self, event: Event) -> None:
        self._noted_bytes += self._codec.prepare(event)
        self._step.events.append(event)

    def _set_parked(self, key: bytes, parked: ParkedKey | None) -> None:
        if parked is None:
            self.parked.pop(key, None)
            self._step.changes[on_changelog.PARKED + key] = None
        else:
            self.parked[key] = parked
            self._step.changes[on_changelog.PARKED + key] = parked.model_dump_json().encode()

    # -- what a person decided

    def _request(self, record: Recorded, key: bytes) -> Drain | None:
        try:
            request = event_of(record)
        except MalformedEvent:
            if key not in self.parked:
                self._take(record, key, record.offset, None)  # it will say why, and park
            return None
        assert isinstance(request, Request)
        if request.processor != self.processor.name or request.partition != self.partition:
            return None
        if request.effect_id is not None:
            if self._old is None:
                self._request_effect(request)
            return None
        parked = self.parked.get(key)
        asked = request.envelope.event_id
        if parked is None:
            return None
        if parked.draining is None:
            if parked.named != request.offset or asked in parked.requests:
                return None
            acted = on_changelog.with_request(parked.requests, asked)
            parked = parked.model_copy(update={"requests": acted, "draining": parked.offset})
            self._set_parked(key, parked)
        self.position = record.offset  # the request is done only when the key's queue is
        return Drain(key, record.offset, parked.draining or 0, request)

    def _request_effect(self, request: Request) -> None:
        effect = self.effects.get(request.effect_id) if request.effect_id else None
        asked = request.envelope.event_id
        if effect is None or effect.parked is None or asked in effect.requests:
            return
        if isinstance(request, EventDiscarded):
            self._close(effect.effect_id)
            return
        acted = on_changelog.with_request(effect.requests, asked)
        reopened = effect.model_copy(update={"parked": None, "requests": acted})
        self._put_effect(reopened)
        self._step.opened.append(reopened)

    def take_queued(self, drain: Drain, record: Recorded) -> bool:
        """Take the next event of a key that drains; whether the key goes on."""
        parked = self.parked[drain.key]
        try:
            ours = record.type in self._types and record.type not in REQUESTS
        except MalformedEvent:
            ours = True
        head = record.offset == parked.offset
        taken = True
        if ours and not (head and isinstance(drain.request, EventDiscarded)):
            value = drain.request.value if isinstance(drain.request, EventRequeued) else None
            if head and value is not None:
                record = Recorded(
                    record.topic, record.partition, record.offset, record.timestamp_ms,
                    record.key_bytes, value, (), self._codec,
                )  # fmt: skip
            taken = self._take(record, drain.key, drain.trigger, drain.request.envelope)
        if taken:
            self._set_parked(drain.key, parked.model_copy(update={"draining": record.offset + 1}))
        return taken

    def drained(self, drain: Drain) -> None:
        """The queue of a key is empty; its later events are taken as they come."""
        self._set_parked(drain.key, None)
        self.position = drain.trigger + 1

    def stuck_again(self, drain: Drain) -> None:
        """An event of the queue was parked; the request is done, the rest waits behind it."""
        self.position = drain.trigger + 1

    # -- committing

    @property
    def noted(self) -> int:
        """How many records wait to be committed."""
        return len(self._step.events) + len(self._step.changes) + len(self._changed)

    @property
    def noted_bytes(self) -> int:
        """How large the events are that wait to be committed."""
        return self._noted_bytes

    def step(self) -> Step:
        """All that was noted since the last step; the caller commits it before it goes on."""
        step, self._step, self._noted_bytes = self._step, Step(self.position), 0
        step.position = self.position
        for key, kept in self._changed.items():
            if kept is None:
                if self._states.pop(key, None) is not None:
                    step.changes[on_changelog.STATE + key] = None
                self._hot.pop(key, None)
            elif self._states.get(key) != kept:
                self._states[key] = step.changes[on_changelog.STATE + key] = kept
        self._changed = {}
        if len(self._hot) > HOT_STATES_MAX:
            self._hot.clear()
        return step

    def stamp(self, step: Step, *, rebuilding: bool = False) -> None:
        """Put the task's stamp on what is about to be committed."""
        last = self._last
        found = header(last.headers, HEADER_ID) if last else None
        self._stamp = self._stamp.model_copy(
            update={
                "code_version": self.producer.version,
                "state_version": self.processor.state_version,
                "rebuilding": rebuilding,
                "last_offset": last.offset if last else self._stamp.last_offset,
                "last_id": (found.decode() if found else None) if last else self._stamp.last_id,
            }
        )
        step.changes[on_changelog.TASK] = self._stamp.model_dump_json().encode()

    # -- rebuilding: the same records again, for their state only

    @property
    def is_outdated(self) -> bool:
        """Whether the state was folded by older code, or half folded again."""
        return self._stamp.rebuilding or self._stamp.state_version < self.processor.state_version

    def begin_rebuild(self) -> int:
        """Forget the state and begin at the returned offset; records are folded and not decided."""
        self._old = Ledger(states=self._states, parked=self.parked)
        self._states, self.parked, self._hot = {}, {}, {}
        return self._stamp.start

    @property
    def half_drained(self) -> dict[bytes, int]:
        """While rebuilding: keys that were draining, each with the offset that they had reached."""
        before = self._old.parked if self._old is not None else {}
        return {k: parked.draining for k, parked in before.items() if parked.draining is not None}

    def end_rebuild(self, position: int) -> Step:
        """Everything that differs from before, to be committed in parts under the old position."""
        assert self._old is not None
        for key in sorted(self._old.parked.keys() - self.parked.keys()):
            self._step.changes[on_changelog.PARKED + key] = None
        self.position = position
        step = self.step()
        for key in sorted(self._old.states.keys() - self._states.keys()):
            step.changes[on_changelog.STATE + key] = None
        self._old = None
        return step
