"""What was queued for a subscription is told by its channel, and told again where that failed.

A try is an effect; a wait between tries is a deadline, after the schedule of Standard Webhooks. An
answer that says "never again" cancels the subscription. Every try of a notification carries
its one id, so a receiver recognises a repetition, which nobody can exclude: a worker may die
between the receiver's yes and the commit.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from genoflow.events import topics
from genoflow.events.deadline_passed import DeadlinePassed
from genoflow.events.deadline_set import DeadlineSet
from genoflow.events.errors import Parked
from genoflow.events.event import Event
from genoflow.events.notification_failed import NotificationFailed
from genoflow.events.notification_queued import NotificationQueued
from genoflow.events.notification_sent import NotificationSent
from genoflow.events.subscription_cancelled import SubscriptionCancelled
from genoflow.events.subscription_created import SubscriptionCreated
from genoflow.events.types import TEXT_CHARACTERS_MAX, Part
from genoflow.processors.channels import ChatMessage, Publication
from genoflow.processors.decision import NOTHING, Arguments, Decision, Effect, effect_id
from genoflow.processors.notices import Notice, body_of, letter_of, line_of, text_of
from genoflow.processors.ports import Attempt, Hook, Undelivered
from genoflow.processors.processor import Call, Processor
from genoflow.processors.repeated import Remembering, is_repeated, with_this

NAME = "deliver"
# The schedule that Standard Webhooks recommends: three days and four hours in all.
WAITS = (
    timedelta(seconds=5),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=5),
    timedelta(hours=10),
    timedelta(hours=14),
    timedelta(hours=20),
    timedelta(hours=24),
)
ATTEMPTS_MAX = len(WAITS) + 1
# Of one subscription. A notice takes 600 bytes as JSON with a headline of 200, so a full list is
# 0.6 MB of the 1 MB that a state may have. What comes beyond it is told once, and not again.
WAITING_MAX = 1_000
HEADLINE_CHARACTERS_MAX = 200
CALL_SECONDS_MAX = 45  # the adapters' own limits are 30 s and less


class Waiting(Part):
    """A notice that was not taken yet: the effect that tells it, or the moment of the next try."""

    notice: Notice
    attempt: int
    effect_id: UUID | None
    due_at: datetime | None = None


class Subscriber(Remembering):
    """What is known of a subscription, and what it has not been told yet."""

    channel: str = ""
    target: str = ""
    secret_names: tuple[str, ...] = ()
    attempts_max: int = 0  # none: it was never created
    is_cancelled: bool = False
    waiting: tuple[Waiting, ...] = ()

    @property
    def is_in_force(self) -> bool:
        """Whether anything may be sent."""
        return self.attempts_max > 0 and not self.is_cancelled


class Deliver(Arguments):
    """One try: what is told, whom, and which try it is."""

    subscription_id: str
    notice: Notice
    channel: str
    target: str
    secret_names: tuple[str, ...]
    attempt: int
    attempts_max: int


# -- what follows


def decide(state: Subscriber, event: Event) -> Decision:
    """Tell what was queued; wait after a failure; tell again; end with the subscription."""
    return _step(state, event)[1]


def evolve(state: Subscriber, event: Event) -> Subscriber:
    """Keep the subscription, and what it has not been told yet."""
    return _step(state, event)[0]


def _step(state: Subscriber, event: Event) -> tuple[Subscriber, Decision]:
    if is_repeated(state, event):
        return state, NOTHING
    noted = state.model_copy(update={"seen": with_this(state, event)})
    return _STEPS[type(event)](noted, event)


def _created(state: Subscriber, event: SubscriptionCreated) -> tuple[Subscriber, Decision]:
    if state.attempts_max:
        return state, NOTHING
    update = {name: getattr(event, name) for name in ("channel", "target", "secret_names")}
    limit = min(event.attempts_max, ATTEMPTS_MAX)
    return state.model_copy(update={**update, "attempts_max": limit}), NOTHING


def _told(state: Subscriber, event: NotificationSent) -> tuple[Subscriber, Decision]:
    return _without(state, event.notification_id), NOTHING


def _queued(state: Subscriber, event: NotificationQueued) -> tuple[Subscriber, Decision]:
    if not state.is_in_force:
        why = "was cancelled before it could be told" if state.attempts_max else "is not known"
        return state, Decision(events=(_ended(state, event, event.notification_id, 1, why),))
    notice = Notice(
        **{name: getattr(event, name) for name in Notice.model_fields if name != "headline"},
        headline=event.headline[:HEADLINE_CHARACTERS_MAX],
    )
    if len(state.waiting) >= WAITING_MAX:
        return state, Decision(effects=(_effect(state, event.key, notice, 1, attempts_max=1),))
    return _tried(state, event, notice, 1)


def _failed(state: Subscriber, event: NotificationFailed) -> tuple[Subscriber, Decision]:
    found = _find(state, event.notification_id)
    if found is None or found.effect_id is None or found.attempt != event.attempt:
        return state, NOTHING
    if event.is_final or found.attempt >= state.attempts_max:
        return _without(state, event.notification_id), NOTHING
    asked_for = timedelta(seconds=event.retry_after_seconds or 0.0)
    pause = max(WAITS[found.attempt - 1], min(asked_for, WAITS[-1]))
    due_at = event.envelope.occurred_at + pause
    wait = found.model_copy(update={"effect_id": None, "due_at": due_at})
    deadline = DeadlineSet(
        subject_topic=event.topic,
        subject_key=event.key,
        processor=NAME,
        deadline=str(event.notification_id),
        purpose=f"try {found.attempt + 1} of {state.attempts_max} to tell of "
        f"{found.notice.source_type}",
        due_at=due_at,
    )
    return _with(state, wait), Decision(events=(deadline,))


def _passed(state: Subscriber, event: DeadlinePassed) -> tuple[Subscriber, Decision]:
    for one in state.waiting:
        named = (NAME, str(one.notice.notification_id), one.due_at)
        if one.effect_id is None and named == (event.processor, event.deadline, event.due_at):
            return _tried(state, event, one.notice, one.attempt + 1)
    return state, NOTHING


def _cancelled(state: Subscriber, event: SubscriptionCancelled) -> tuple[Subscriber, Decision]:
    if state.is_cancelled:
        return state, NOTHING
    after = state.model_copy(update={"is_cancelled": True, "waiting": ()})
    why = f"was cancelled before it could be told ({event.reason_code})"
    return after, Decision(
        events=tuple(
            _ended(state, event, one.notice.notification_id, _next_try(one), why)
            for one in state.waiting
        ),
        closes=tuple(one.effect_id for one in state.waiting if one.effect_id is not None),
    )


def _tried(
    state: Subscriber, event: Event, notice: Notice, attempt: int
) -> tuple[Subscriber, Decision]:
    effect = _effect(state, event.key, notice, attempt, attempts_max=state.attempts_max)
    name = effect_id(event.envelope.event_id, NAME, effect.name)
    waiting = Waiting(notice=notice, attempt=attempt, effect_id=name)
    return _with(state, waiting), Decision(effects=(effect,))


def _effect(
    state: Subscriber, key: str, notice: Notice, attempt: int, *, attempts_max: int
) -> Effect:
    asked = Deliver(
        subscription_id=key,
        notice=notice,
        channel=state.channel,
        target=state.target,
        secret_names=state.secret_names,
        attempt=attempt,
        attempts_max=attempts_max,
    )
    return Effect(state.channel, asked)


def _ended(
    state: Subscriber,
    event: NotificationQueued | SubscriptionCancelled,
    notification_id: UUID,
    attempt: int,
    why: str,
) -> NotificationFailed:
    channel = event.channel if isinstance(event, NotificationQueued) else state.channel
    return NotificationFailed(
        subscription_id=event.subscription_id,
        notification_id=notification_id,
        attempt=attempt,
        attempts_max=max(state.attempts_max, attempt),
        channel=channel,
        reason_code="gone",
        reason=f"the subscription {event.subscription_id} {why}",
        is_final=True,
    )


def _next_try(one: Waiting) -> int:
    return one.attempt if one.effect_id is not None else one.attempt + 1


def _find(state: Subscriber, notification_id: UUID) -> Waiting | None:
    found = (one for one in state.waiting if one.notice.notification_id == notification_id)
    return next(found, None)


def _without(state: Subscriber, notification_id: UUID) -> Subscriber:
    left = tuple(o for o in state.waiting if o.notice.notification_id != notification_id)
    return state.model_copy(update={"waiting": left})


def _with(state: Subscriber, changed: Waiting) -> Subscriber:
    others = _without(state, changed.notice.notification_id).waiting
    return state.model_copy(update={"waiting": (*others, changed)})


_STEPS: Mapping[type[Event], Callable[[Subscriber, Any], tuple[Subscriber, Decision]]] = {
    SubscriptionCreated: _created,
    SubscriptionCancelled: _cancelled,
    NotificationQueued: _queued,
    NotificationFailed: _failed,
    NotificationSent: _told,
    DeadlinePassed: _passed,
}


# -- the effects

Perform = Callable[[Deliver, Attempt], Awaitable[Sequence[Event]]]


async def send_email(asked: Deliver, attempt: Attempt) -> Sequence[Event]:
    """Hand a letter to the mail server: sent, or failed with its reason."""
    mail = attempt.ports.mail
    if mail is None:
        raise Parked(
            "email: no mail server is named; set GENOFLOW_SMTP for the workers, start them again, "
            "then `genoflow parked requeue`"
        )
    letter = letter_of(asked.notice, asked.subscription_id, asked.target, attempt.ports.deployment)
    return await _by(asked, attempt, lambda _: mail.send(letter))


async def post_webhook(asked: Deliver, attempt: Attempt) -> Sequence[Event]:
    """Post to the receiver: sent, or failed with its reason; 410 ends the subscription."""
    webhooks = attempt.ports.webhooks
    if webhooks is None:
        raise Parked("webhook: this worker posts no webhooks; wire an adapter, then requeue it")
    body = body_of(asked.notice, asked.subscription_id, attempt.ports.deployment)
    hook = Hook(asked.notice.notification_id, asked.target, body, asked.secret_names)
    return await _by(asked, attempt, lambda begun: webhooks.post(hook, begun))


async def publish(asked: Deliver, attempt: Attempt) -> Sequence[Event]:
    """Publish to a topic or a phone: sent, or failed with its reason; one that is gone ends it."""
    publisher = attempt.ports.publisher
    if publisher is None:
        raise Parked("sns: this worker publishes nothing; wire an adapter, then requeue it")
    notice, deployment = asked.notice, attempt.ports.deployment
    publication = Publication(
        message_id=notice.notification_id,
        target=asked.target,
        group=asked.subscription_id,
        subject=line_of(notice, deployment),
        body=letter_of(notice, asked.subscription_id, asked.target, deployment).body,
    )
    return await _by(asked, attempt, lambda _: publisher.publish(publication))


async def say_in_chat(asked: Deliver, attempt: Attempt) -> Sequence[Event]:
    """Write to the room: sent, or failed with its reason; a room that is gone ends it."""
    chat = attempt.ports.chat
    if chat is None:
        raise Parked("slack: this worker writes to no rooms; wire an adapter, then requeue it")
    text = text_of(asked.notice, asked.subscription_id, attempt.ports.deployment)
    message = ChatMessage(asked.target, text)
    return await _by(asked, attempt, lambda _: chat.say(message))


async def _by(
    asked: Deliver, attempt: Attempt, tell: Callable[[datetime], Awaitable[int | None]]
) -> Sequence[Event]:
    begun = attempt.ports.clock.now()
    try:
        code = await tell(begun)
    except Undelivered as error:
        return _not_taken(asked, error)
    return [_sent(asked, code, begun, attempt)]


def _sent(asked: Deliver, code: int | None, begun: datetime, attempt: Attempt) -> NotificationSent:
    seconds = (attempt.ports.clock.now() - begun).total_seconds()
    return NotificationSent(
        subscription_id=asked.subscription_id,
        notification_id=asked.notice.notification_id,
        attempt=asked.attempt,
        channel=asked.channel,
        response_code=code,
        duration_seconds=max(0.0, seconds),  # the machine's clock may have jumped back
    )


def _not_taken(asked: Deliver, error: Undelivered) -> list[Event]:
    said: list[Event] = [_failure(asked, str(error), error)]
    if error.reason_code == "gone":
        said_no = error.response_code or "that it is gone"
        reason = f"the receiver answered {said_no}: it wants to hear nothing more"
        said.append(
            SubscriptionCancelled(
                subscription_id=asked.subscription_id, reason_code="gone", reason=reason
            )
        )
    return said


def gave_up(asked: Deliver, reason: str) -> Sequence[Event]:
    """What is said of a try that came to no answer at all."""
    return [_failure(asked, reason)]


def _failure(asked: Deliver, reason: str, error: Undelivered | None = None) -> NotificationFailed:
    is_lasting = error is not None and error.is_lasting
    hidden = reason.replace(asked.target, "the target").replace("\x00", "")
    return NotificationFailed(
        subscription_id=asked.subscription_id,
        notification_id=asked.notice.notification_id,
        attempt=asked.attempt,
        attempts_max=asked.attempts_max,
        channel=asked.channel,
        reason_code=error.reason_code if error else "no answer",
        reason=hidden[:TEXT_CHARACTERS_MAX],
        response_code=error.response_code if error else None,
        is_final=is_lasting or asked.attempt >= asked.attempts_max,
        retry_after_seconds=error.retry_after_seconds if error else None,
    )


OUTCOMES = (NotificationSent, NotificationFailed, SubscriptionCancelled)


def _call(channel: str, perform: Perform, emits: tuple[type[Event], ...] = OUTCOMES) -> Call:
    """The effect of one channel."""
    return Call(
        channel,
        arguments=Deliver,
        emits=emits,
        perform=perform,
        seconds_max=CALL_SECONDS_MAX,
        gives_up=gave_up,
    )


DELIVER = Processor(
    NAME,
    reads=topics.NOTIFICATION,
    on=(NotificationQueued, NotificationFailed, DeadlinePassed, SubscriptionCancelled),
    folds=(SubscriptionCreated, NotificationSent),
    emits=(DeadlineSet, NotificationFailed),
    # Once for each of a notification's tries, of which there are ten; cancelled once for all.
    again=(DeadlineSet, NotificationFailed, SubscriptionCancelled),
    decide=decide,
    evolve=evolve,
    state=Subscriber,
    effects=(
        _call("email", send_email, (NotificationSent, NotificationFailed)),
        _call("webhook", post_webhook),
        _call("sns", publish),
        _call("slack", say_in_chat),
    ),
    about="tells each subscription by its channel, and again where that failed",
)
