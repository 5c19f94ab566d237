"""Who is told, as stories: what is planned beside an event, and what is queued because of it."""

from __future__ import annotations

from datetime import timedelta
from itertools import permutations

import pytest

from genoflow.events import topics
from genoflow.events.case_closed import CaseClosed
from genoflow.events.errors import Parked
from genoflow.events.event import Event
from genoflow.events.notification_planned import NotificationPlanned
from genoflow.events.notification_queued import NotificationQueued
from genoflow.events.recipient import Recipient
from genoflow.events.sample_registered import SampleRegistered
from genoflow.events.subscription_created import SubscriptionCreated
from genoflow.processors.flow import PROCESSORS
from genoflow.processors.headlines import TOLD, headline_of, subjects_of
from genoflow.processors.plan_notifications import RECIPIENTS_MAX, Who, who
from tests import qc_facts as facts
from tests.examples import example
from tests.fakes import FakeSubscriptions
from tests.partition import MOMENT, Partition
from tests.spec import Spec, heard
from tests.wishes import attempt, subscription, webhook

PLAN, QUEUE = PROCESSORS["plan-notifications-sample"], PROCESSORS["queue-notifications-sample"]
KINDS = [(topic, kind) for topic, kinds in TOLD.items() for kind in kinds]


# -- headlines


@pytest.mark.parametrize(("topic", "kind"), KINDS, ids=lambda one: getattr(one, "__name__", ""))
def test_every_headline_is_one_line_that_names_its_subject(
    topic: topics.Topic, kind: type[Event]
) -> None:
    for seed in range(5):
        event = example(kind, seed)
        line = headline_of(topic, event)
        assert line == " ".join(line.split())
        assert any(one in line for one in (" ".join(s.split()) for s in subjects_of(event)))
        assert topic in event.about.topics or not event.about.topics


def test_a_headline_repeats_no_free_text() -> None:
    event = CaseClosed(case_id="C1", outcome="withdrawn", reason="Mrs. Example asked for it")
    assert headline_of(topics.CASE, event) == "Case C1 was closed: withdrawn"


# -- plan-notifications


def question(event: Event, *before: Event) -> Who:
    """What is asked because of an event."""
    partition = Partition(PLAN)
    partition.put(*(one if one.has_envelope else heard(one) for one in (*before, event)))
    partition.work()
    return Who(**partition.open_effects[-1].arguments)


async def planned(asked: Who, *wishes: SubscriptionCreated, **projects: str) -> NotificationPlanned:
    """The plan that follows."""
    reader = FakeSubscriptions(*wishes, projects=projects)
    [said] = await who(asked, attempt(subscriptions=reader))
    assert isinstance(said, NotificationPlanned)
    return said


def names(said: NotificationPlanned) -> list[str]:
    """Who is told."""
    return [one.subscription_id for one in said.recipients]


async def test_a_plan_names_those_whose_wishes_fit_and_stands_beside_its_event() -> None:
    failed = heard(facts.failed(2))
    said = await planned(
        question(failed),
        subscription("by-type"),
        subscription("other-type", event_types=("QcPassed",)),
        subscription("by-sample", subject_keys=(facts.SAMPLE,)),
        webhook("other-sample", subject_keys=("S9",)),
        subscription("by-project", project_ids=("P1",)),
    )
    assert (said.topic, said.key) == (failed.topic, failed.key)
    assert (said.source_event_id, said.source_type) == (failed.envelope.event_id, "QcFailed")
    assert names(said) == ["by-sample", "by-type"]


async def test_a_plan_for_nobody_stands_on_the_log_too() -> None:
    assert names(await planned(question(facts.failed(1)))) == []


def by(who: str, project: str | None) -> SampleRegistered:
    """The sample as an order or a sheet makes it known."""
    return SampleRegistered(sample_id=facts.SAMPLE, project_id=project, registered_by=who)


async def test_the_project_of_a_sample_is_asked_for() -> None:
    asked = question(facts.failed(1), by("sample sheet", "P1"))
    of = subscription("P", project_ids=("P1", "P2"))
    assert names(await planned(asked, of, subscription("Q", project_ids=("P2",)))) == ["P"]


@pytest.mark.parametrize(
    ("sheet", "order", "project"),
    [("P1", None, "P1"), (None, "P2", "P2"), ("P1", "P2", "P2"), (None, None, None)],
)
def test_the_project_of_a_sample_is_the_order_s_whoever_came_first(
    sheet: str | None, order: str | None, project: str | None
) -> None:
    said = [by("sample sheet", sheet), by("order", order), facts.joined(project_id=order)]
    for before in permutations(said):
        asked = question(facts.failed(1), *before)
        assert asked.project_id == project, [one.type() for one in before]


def test_of_two_orders_the_later_one_says_the_project() -> None:
    first, second = facts.joined(project_id="P1"), facts.joined(case_id="C2", project_id="P2")
    assert question(facts.failed(1), first, second).project_id == "P2"
    assert question(facts.failed(1), second, first, second).project_id == "P1"


async def test_the_project_of_a_run_is_that_of_its_case() -> None:
    asked = question(facts.failed(1)).model_copy(update={"case_id": "C1"})
    said = await planned(asked, subscription("P", project_ids=("P1",)), C1="P1")
    assert (names(said), said.project_id) == (["P"], "P1")
    said = await planned(asked, subscription("P", project_ids=("P1",)), C1="P2")
    assert (names(said), said.project_id) == ([], "P2")
    said = await planned(asked, subscription("A"), C1="P1")
    assert said.project_id is None  # nobody asked for a project, so no order was read


async def test_more_receivers_than_can_be_queued_wait_for_a_person() -> None:
    many = [subscription(f"S{n}") for n in range(RECIPIENTS_MAX + 1)]
    with pytest.raises(Parked, match="1,001 subscriptions want it"):
        await planned(question(facts.failed(1)), *many)
    with pytest.raises(Parked, match="wire a reader"):
        await who(question(facts.failed(1)), attempt())


def test_an_event_is_asked_about_once() -> None:
    failed = heard(facts.failed(1))
    Spec(PLAN).given(failed).when(failed).then_nothing()


# -- queue-notifications


def plan(failed: Event, *named: str) -> NotificationPlanned:
    """A plan for these subscriptions."""
    return NotificationPlanned(
        subject_topic=failed.topic, subject_key=failed.key, headline="Sample S1 failed",
        source_event_id=failed.envelope.event_id, source_type=failed.type(),
        recipients=tuple(Recipient(subscription_id=n, channel="email") for n in named),
    )  # fmt: skip


def test_each_recipient_has_one_notification_under_its_own_key() -> None:
    failed = heard(facts.failed(1), MOMENT - timedelta(hours=3))
    partition = Partition(QUEUE)
    whole = heard(plan(failed, "A", "B", "A"))
    partition.put(failed, whole, whole)
    said = partition.work()
    queued = [one for one in said if isinstance(one, NotificationQueued)]
    assert [(one.topic, one.key) for one in queued] == [
        (topics.NOTIFICATION.name, "A"), (topics.NOTIFICATION.name, "B"),
    ]  # fmt: skip
    for one in queued:
        assert one.notification_id == one.envelope.event_id
        assert one.source_occurred_at == failed.envelope.occurred_at
        assert (one.source_topic, one.source_key) == (failed.topic, failed.key)


def test_a_plan_for_nobody_queues_nothing() -> None:
    failed = heard(facts.failed(1))
    Spec(QUEUE).given(failed).when(plan(failed)).then_nothing()
