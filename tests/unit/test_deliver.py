"""Telling a subscription, as stories: tries, waits, the end, and what each answer leads to."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from genoflow.events import topics
from genoflow.events.deadline_passed import DeadlinePassed
from genoflow.events.deadline_set import DeadlineSet
from genoflow.events.errors import Parked
from genoflow.events.event import Event
from genoflow.events.notification_failed import NotificationFailed
from genoflow.events.notification_queued import NotificationQueued
from genoflow.events.notification_sent import NotificationSent
from genoflow.events.subscription_cancelled import SubscriptionCancelled
from genoflow.processors.channels import ChatMessage, Publication
from genoflow.processors.decision import Effect
from genoflow.processors.deliver import (
    DELIVER,
    NAME,
    WAITING_MAX,
    WAITS,
    Deliver,
    Subscriber,
    Waiting,
    decide,
    gave_up,
    post_webhook,
    publish,
    say_in_chat,
    send_email,
)
from genoflow.processors.notices import Notice
from genoflow.processors.ports import Deployment, Undelivered
from genoflow.processors.repeated import SEEN_MAX
from tests.fakes import FakeMail, FakeWebhooks
from tests.partition import MOMENT, Partition
from tests.spec import Spec, heard
from tests.wishes import MAILBOX, attempt, subscription, webhook

given = Spec(DELIVER).given


# -- deliver


def queued(number: int = 1, channel: str = "email", headline: str = "It failed") -> Event:
    """A notification for S."""
    return NotificationQueued(
        subscription_id="S", notification_id=UUID(int=number), channel=channel,
        source_event_id=UUID(int=100 + number), source_type="QcFailed",
        source_topic=topics.SAMPLE.name, source_key="S1", source_occurred_at=MOMENT,
        headline=headline,
    )  # fmt: skip


def notice(number: int = 1, headline: str = "It failed") -> Notice:
    """What its receiver is told."""
    return Notice(
        notification_id=UUID(int=number), source_event_id=UUID(int=100 + number),
        source_type="QcFailed", source_topic=topics.SAMPLE.name, source_key="S1",
        source_occurred_at=MOMENT, headline=headline,
    )  # fmt: skip


def asks(tries: int = 1, number: int = 1, tries_max: int = 8, **fields: Any) -> Deliver:
    """A try."""
    made: dict[str, Any] = {"channel": "email", "target": MAILBOX, "secret_names": ()} | fields
    return Deliver(
        subscription_id="S", notice=notice(number), attempt=tries, attempts_max=tries_max, **made
    )


def failure(tries: int = 1, number: int = 1, **fields: Any) -> NotificationFailed:
    """A try that failed."""
    made: dict[str, Any] = {
        "attempts_max": 8, "reason_code": "server error", "reason": "it answered 500",
        "response_code": 500, "is_final": False, "channel": "email",
    } | fields  # fmt: skip
    return NotificationFailed(
        subscription_id="S", notification_id=UUID(int=number), attempt=tries, **made
    )


def sent(number: int = 1) -> NotificationSent:
    """A try that succeeded."""
    return NotificationSent(
        subscription_id="S", notification_id=UUID(int=number), attempt=1, channel="email"
    )


def wait(tries: int, due_at: Any, tries_max: int = 8) -> DeadlineSet:
    """The wait before the next try."""
    return DeadlineSet(
        subject_topic=topics.NOTIFICATION.name, subject_key="S", processor=NAME,
        deadline=str(UUID(int=1)), purpose=f"try {tries} of {tries_max} to tell of QcFailed",
        due_at=due_at,
    )  # fmt: skip


def passed(deadline: DeadlineSet) -> DeadlinePassed:
    """The end of that wait."""
    same = {name: getattr(deadline, name) for name in DeadlinePassed.model_fields if name in
            DeadlineSet.model_fields}  # fmt: skip
    return DeadlinePassed(deadline_id=UUID(int=7), **same)


def test_what_is_queued_is_told_once() -> None:
    one = heard(queued())
    given(subscription()).when(one).then().then_effects(Effect("email", asks()))
    given(subscription(), one).when(one).then_nothing()
    given(subscription(), one).performed(sent()).when(one).then_nothing()
    hook = webhook()
    given(hook).when(queued()).then_effects(
        Effect("webhook", asks(channel="webhook", target=hook.target, secret_names=("S",)))
    )


def test_a_failure_waits_and_is_tried_again_by_the_schedule() -> None:
    partition = Partition(DELIVER)
    partition.put(heard(subscription(attempts_max=10)), heard(queued()))
    partition.work()
    at = MOMENT
    for tries, pause in enumerate(WAITS, start=1):
        [effect] = partition.open_effects
        assert effect.arguments["attempt"] == tries
        partition.finish(effect.effect_id, failure(tries, attempts_max=10), occurred_at=at)
        [deadline] = partition.work()
        assert isinstance(deadline, DeadlineSet)
        assert deadline.payload() == wait(tries + 1, at + pause, 10).payload()
        over = passed(deadline).model_copy(update={"deadline_id": deadline.envelope.event_id})
        partition.put(heard(over), heard(over))
        partition.work()
        at += pause
    [last] = partition.open_effects
    assert last.arguments["attempt"] == len(WAITS) + 1
    partition.finish(last.effect_id, failure(10, attempts_max=10, is_final=True), occurred_at=at)
    assert partition.work() == []
    known = partition.state("S")
    assert isinstance(known, Subscriber)
    assert known.waiting == ()


def test_a_final_failure_sets_no_deadline() -> None:
    then = given(subscription()).when(queued())
    then.performed(failure(is_final=True)).then(failure(is_final=True))


def test_deadlines_of_others_and_moved_ones_open_nothing() -> None:
    before = given(subscription(), queued())
    before.when(passed(wait(2, MOMENT))).then_nothing()
    other = passed(wait(2, MOMENT)).model_copy(update={"processor": "someone"})
    given(subscription(), queued()).when(other).then_nothing()


def test_the_end_of_a_subscription_ends_what_waits() -> None:
    ended = SubscriptionCancelled(subscription_id="S", reason_code="asked for", reason="left")
    lost = NotificationFailed(
        subscription_id="S", notification_id=UUID(int=1), attempt=1, attempts_max=8,
        channel="email", reason_code="gone", is_final=True,
        reason="the subscription S was cancelled before it could be told (asked for)",
    )  # fmt: skip
    partition = Partition(DELIVER)
    partition.put(heard(subscription()), heard(queued()))
    partition.work()
    [effect] = partition.open_effects
    partition.put(heard(ended))
    assert [one.payload() for one in partition.work()] == [lost.payload()]
    assert partition.open_effects == []
    partition.put(heard(queued(2)), heard(subscription()), heard(ended))
    [after] = partition.work()
    assert isinstance(after, NotificationFailed)
    assert (after.notification_id, after.reason_code) == (UUID(int=2), "gone")
    assert effect.effect_id not in partition.task.effects


def test_what_nobody_subscribed_to_is_said() -> None:
    [said] = given().when(queued()).then_effects()._said
    assert isinstance(said, NotificationFailed)
    assert said.reason == "the subscription S is not known"


def test_beyond_the_limit_a_notification_is_tried_once() -> None:
    waiting = tuple(
        Waiting(notice=notice(n, "x" * 200), attempt=1, effect_id=UUID(int=n))
        for n in range(1, WAITING_MAX + 1)
    )
    state = Subscriber(
        channel="email", target=MAILBOX, attempts_max=8, waiting=waiting,
        seen=tuple(UUID(int=n) for n in range(SEEN_MAX)),
    )  # fmt: skip
    [effect] = decide(state, heard(queued(0, headline="x" * 2_000))).effects
    assert effect.arguments == asks(number=0, tries_max=1).model_copy(
        update={"notice": notice(0, "x" * 200)}
    )
    assert len(state.model_dump_json()) < 1_000_000


# -- the effects


async def test_a_letter_carries_the_id_and_says_how_to_end_it() -> None:
    mail = FakeMail()
    ports = {"mail": mail, "deployment": Deployment(public_url="https://lab.example/")}
    [said] = await send_email(asks(), attempt(**ports))
    assert isinstance(said, NotificationSent)
    [letter] = mail.sent
    assert (letter.message_id, letter.to, letter.subject) == (
        UUID(int=1), (MAILBOX,), "It failed",
    )  # fmt: skip
    assert f"https://lab.example/events/{UUID(int=101)}" in letter.body
    assert "genoflow subscription cancel S" in letter.body


async def test_a_payload_holds_ids_and_no_data() -> None:
    hooks = FakeWebhooks()
    said = await post_webhook(asks(channel="webhook", target="https://x/"), attempt(webhooks=hooks))
    assert [(type(one), getattr(one, "response_code", 0)) for one in said] == [
        (NotificationSent, 204)
    ]
    [hook] = hooks.posted
    assert hook.body == (
        '{"type":"QcFailed","timestamp":"2026-03-01T12:00:00+00:00","data":{"event_id":'
        f'"{UUID(int=101)}","topic":"gf.sample.v1","subject":"S1","subscription_id":"S"}}}}'
    )


@pytest.mark.parametrize(
    ("error", "tries", "is_final"),
    [
        (Undelivered("https://x/ answered 500", "server error", 500), 1, False),
        (Undelivered("https://x/ answered 500", "server error", 500), 8, True),
        (Undelivered("no", "address not allowed", is_lasting=True), 1, True),
        (Undelivered("https://x/ answered 410", "gone", 410, is_lasting=True), 1, True),
    ],
)
async def test_what_a_receiver_did_not_take_is_said(
    error: Undelivered, tries: int, is_final: bool
) -> None:
    asked = asks(tries, channel="webhook", target="https://x/")
    said: Sequence[Event] = await post_webhook(asked, attempt(webhooks=FakeWebhooks(error)))
    failed = said[0]
    assert isinstance(failed, NotificationFailed)
    assert (failed.reason_code, failed.is_final) == (error.reason_code, is_final)
    assert "https://x/" not in failed.reason
    ended = [one.type() for one in said[1:]]
    assert ended == (["SubscriptionCancelled"] if error.reason_code == "gone" else [])


async def test_a_worker_without_a_channel_says_how_to_get_one() -> None:
    with pytest.raises(Parked, match="GENOFLOW_SMTP"):
        await send_email(asks(), attempt())
    with pytest.raises(Parked, match="wire an adapter"):
        await post_webhook(asks(), attempt())


def test_a_try_without_any_answer_is_a_failure_like_others() -> None:
    [said] = gave_up(asks(), f"{MAILBOX} did not answer")
    assert isinstance(said, NotificationFailed)
    assert (said.reason, said.is_final) == ("the target did not answer", False)


# -- Amazon SNS and Slack


class Heard:
    """A publisher and a chat that keep what they were given, and answer yes or with this error."""

    def __init__(self, error: Undelivered | None = None) -> None:
        self.publications: list[Publication] = []
        self.messages: list[ChatMessage] = []
        self._error = error

    async def publish(self, publication: Publication) -> int:
        self.publications.append(publication)
        return self._answer()

    async def say(self, message: ChatMessage) -> int:
        self.messages.append(message)
        return self._answer()

    def _answer(self) -> int:
        if self._error is not None:
            raise self._error
        return 200


@pytest.mark.parametrize("channel", ["sns", "slack"])
def test_each_channel_has_its_effect(channel: str) -> None:
    wish = subscription(channel=channel, target="a target")
    then = given(wish).when(queued(channel=channel))
    then.then_effects(Effect(channel, asks(channel=channel, target="a target")))


async def test_a_topic_is_told_by_letter_and_a_phone_by_a_line() -> None:
    there = Heard()
    ports = {"publisher": there, "deployment": Deployment(public_url="https://lab.example/")}
    [said] = await publish(asks(channel="sns", target="arn:aws:sns:x"), attempt(**ports))
    assert isinstance(said, NotificationSent)
    assert (said.channel, said.response_code) == ("sns", 200)
    [publication] = there.publications
    assert (publication.message_id, publication.group) == (UUID(int=1), "S")
    assert publication.subject == f"It failed https://lab.example/events/{UUID(int=101)}"
    assert "genoflow subscription cancel S" in publication.body


async def test_a_room_is_told_where_to_read_on() -> None:
    there = Heard()
    [said] = await say_in_chat(asks(channel="slack", target="https://x/"), attempt(chat=there))
    assert isinstance(said, NotificationSent)
    [message] = there.messages
    assert message.url == "https://x/"
    assert message.text == (
        "It failed\nQcFailed of S1, 2026-03-01 12:00:00 UTC\ngenoflow timeline S1\n(subscription S)"
    )


@pytest.mark.parametrize("channel", ["sns", "slack"])
async def test_a_receiver_that_is_gone_ends_its_subscription(channel: str) -> None:
    there = Heard(Undelivered("https://x/ answered 404", "gone", 404, is_lasting=True))
    tell = publish if channel == "sns" else say_in_chat
    ports = attempt(publisher=there, chat=there)
    failed, ended = await tell(asks(channel=channel, target="https://x/"), ports)
    assert isinstance(failed, NotificationFailed)
    assert (failed.is_final, failed.reason) == (True, "the target answered 404")
    assert isinstance(ended, SubscriptionCancelled)
    assert ended.reason == "the receiver answered 404: it wants to hear nothing more"


async def test_a_worker_without_these_channels_says_so() -> None:
    for tell, word in ((publish, "sns"), (say_in_chat, "slack")):
        with pytest.raises(Parked, match=f"{word}: .*wire an adapter"):
            await tell(asks(channel=word), attempt())


async def test_a_receiver_says_when_it_wants_to_be_asked_again() -> None:
    busy = Heard(Undelivered("it answered 429", "refused", 429, retry_after_seconds=90))
    [failed] = await say_in_chat(asks(channel="slack", target="https://x/"), attempt(chat=busy))
    assert isinstance(failed, NotificationFailed)
    assert failed.retry_after_seconds == 90


@pytest.mark.parametrize(
    ("asked_for", "pause"),
    [
        (None, WAITS[0]), (1, WAITS[0]), (90, timedelta(seconds=90)), (10**9, WAITS[-1]),
    ],
)  # fmt: skip
def test_a_wait_that_was_asked_for_is_kept(asked_for: float | None, pause: timedelta) -> None:
    partition = Partition(DELIVER)
    partition.put(heard(subscription()), heard(queued()))
    partition.work()
    [effect] = partition.open_effects
    fact = failure(1, retry_after_seconds=asked_for)
    partition.finish(effect.effect_id, fact, occurred_at=MOMENT)
    [deadline] = partition.work()
    assert isinstance(deadline, DeadlineSet)
    assert deadline.due_at == MOMENT + pause
