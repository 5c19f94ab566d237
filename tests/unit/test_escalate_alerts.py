"""Alerts as stories: who is told when, what ends a ladder, and what is said when it is over."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import Phase, settings
from hypothesis import given as whatever
from hypothesis import strategies as st

from genoflow.events import topics
from genoflow.events.alert_acknowledged import AlertAcknowledged
from genoflow.events.alert_escalated import AlertEscalated
from genoflow.events.alert_resolved import PERSON, AlertResolved
from genoflow.events.alert_step import AlertStep
from genoflow.events.deadline_cancelled import DeadlineCancelled
from genoflow.events.deadline_passed import DeadlinePassed
from genoflow.events.deadline_set import DeadlineSet
from genoflow.events.event import Event
from genoflow.events.notification_planned import NotificationPlanned
from genoflow.processors.escalate_alerts import ESCALATE_ALERTS, NAME, Telling, evolve
from genoflow.processors.flow import PROCESSORS
from genoflow.processors.plan_notifications import Who, who
from tests.alert_facts import (
    ALERT,
    HEADLINE,
    MINUTE,
    acknowledged,
    alert_id,
    raised,
    resolved,
    told,
)
from tests.fakes import FakeSubscriptions
from tests.partition import MOMENT, Partition
from tests.spec import Spec, heard
from tests.wishes import attempt, subscription

LEADER = alert_id(9)
given = Spec(ESCALATE_ALERTS).given


def waits(step: int, due_at: datetime, steps: int = 3) -> DeadlineSet:
    return DeadlineSet(
        subject_topic=topics.ALERT.name, subject_key=str(ALERT), processor=NAME,
        deadline=f"step-{step}", due_at=due_at,
        purpose=f"step {step} of {steps} of this alert, unless somebody acknowledges it",
    )  # fmt: skip


def passed(step: int, due_at: datetime, late: timedelta = timedelta(0)) -> DeadlinePassed:
    fact = DeadlinePassed(
        subject_topic=topics.ALERT.name, subject_key=str(ALERT), deadline_id=UUID(int=step),
        processor=NAME, deadline=f"step-{step}", purpose="a step", due_at=due_at,
    )  # fmt: skip
    return heard(fact, due_at + late)


AT_ONCE = raised()
SECOND = MOMENT + 15 * MINUTE


# -- who is told when


def test_the_first_step_is_told_at_once_and_the_second_waited_for() -> None:
    given().when(AT_ONCE).then(told(1), waits(2, SECOND))


def test_a_step_that_nobody_answered_is_followed_by_the_next() -> None:
    third = SECOND + timedelta(hours=1)
    given(AT_ONCE).when(passed(2, SECOND)).then(told(2, 900), waits(3, third))
    given(AT_ONCE, passed(2, SECOND)).when(passed(3, third)).then(told(3, 4500))


def test_a_step_counts_from_when_people_were_told_and_not_from_when_it_was_due() -> None:
    late = timedelta(hours=5)  # no worker ran
    third = SECOND + late + timedelta(hours=1)
    given(AT_ONCE).when(passed(2, SECOND, late)).then(told(2, 18_900), waits(3, third))


def test_quiet_hours_are_waited_for_and_then_everybody_has_the_usual_time() -> None:
    morning = MOMENT + timedelta(hours=9)
    quiet = raised(tell_at=morning)
    given().when(quiet).then(waits(1, morning))
    then = given(quiet).when(passed(1, morning))
    then.then(told(1, 9 * 3_600), waits(2, morning + 15 * MINUTE))


def test_a_ladder_may_begin_later() -> None:
    ladder = (AlertStep(after_seconds=60, subscription_ids=("bench",)),)
    given().when(raised(ladder=ladder)).then(waits(1, MOMENT + MINUTE, 1))


def test_without_a_ladder_those_who_subscribed_are_told_once() -> None:
    given().when(raised(ladder=())).then(told(1, steps=1))


def test_an_alert_whose_moment_is_past_is_told_from_now_on() -> None:
    """An outage of the raiser: the ladder has its usual length."""
    late = raised(tell_at=MOMENT - timedelta(hours=3))
    given().when(late).then(told(1), waits(2, SECOND))


def test_steps_without_a_wait_are_told_together() -> None:
    ladder = tuple(AlertStep(after_seconds=0, subscription_ids=(one,)) for one in ("a", "b"))
    said = given().when(raised(ladder=ladder))
    named = {"steps": 2}
    said.then(told(1, **named, subscription_ids=("a",)), told(2, **named, subscription_ids=("b",)))


def test_a_part_of_a_group_tells_nobody() -> None:
    given().when(raised(part_of=LEADER)).then()
    given(raised(part_of=LEADER)).when(acknowledged()).then()


# -- what ends it


@pytest.mark.parametrize(
    ("word", "verb"), [(acknowledged(), "acknowledged"), (resolved(), "resolved")]
)
def test_a_word_that_ends_the_ladder_cancels_the_wait(word: Event, verb: str) -> None:
    partition = Partition(ESCALATE_ALERTS)
    partition.put(AT_ONCE)
    partition.work()
    [wait] = [one for one in partition.said if isinstance(one, DeadlineSet)]
    partition.put(heard(word, MOMENT + MINUTE))
    partition.work()
    [cancelled] = [one for one in partition.said if isinstance(one, DeadlineCancelled)]
    assert cancelled.deadline_id == wait.envelope.event_id
    assert (cancelled.processor, cancelled.deadline) == (wait.processor, wait.deadline)
    assert cancelled.reason == f"the alert was {verb}"


def test_the_clock_closes_what_was_cancelled() -> None:
    """The id that is computed is the one by which the clock knows the wait."""
    partition, clock = Partition(ESCALATE_ALERTS), Partition(PROCESSORS["clock-alert"])
    partition.put(AT_ONCE, heard(acknowledged(), MOMENT + MINUTE))
    partition.work()
    clock.put(*(one for one in partition.said if not isinstance(one, AlertEscalated)))
    clock.work()
    assert clock.open_effects == []


def test_after_a_word_that_ends_it_no_step_is_told() -> None:
    given(AT_ONCE, acknowledged()).when(passed(2, SECOND)).then()
    given(AT_ONCE, resolved(manner=PERSON)).when(passed(2, SECOND)).then()
    given(AT_ONCE, acknowledged()).when(resolved()).then()
    given(AT_ONCE, resolved()).when(acknowledged()).then()


def test_a_word_that_came_before_the_alert_holds() -> None:
    given(acknowledged()).when(AT_ONCE).then()
    given(resolved()).when(AT_ONCE).then()


def test_what_is_said_again_tells_nobody_again() -> None:
    given(AT_ONCE).when(AT_ONCE).then()
    given(AT_ONCE).when(raised(severity="critical", at=MOMENT + MINUTE)).then()
    given(AT_ONCE, passed(2, SECOND)).when(passed(2, SECOND)).then()
    given(AT_ONCE, acknowledged()).when(acknowledged()).then()


@pytest.mark.parametrize(
    "changes",
    [{"processor": "watch-silence"}, {"deadline": "step-3"}, {"due_at": SECOND + MINUTE}],
)
def test_a_deadline_of_another_kind_tells_nobody(changes: dict[str, Any]) -> None:
    other = passed(2, SECOND)
    fact = DeadlinePassed(**dict(other) | changes)
    given(AT_ONCE).when(fact.enveloped(other.envelope)).then()


WORDS = st.sampled_from(
    (AT_ONCE, heard(acknowledged(), MOMENT + MINUTE), heard(resolved(), SECOND),
     passed(2, SECOND), passed(3, SECOND + timedelta(hours=1)))
)  # fmt: skip


@whatever(st.lists(WORDS, max_size=12))
@settings(max_examples=150, deadline=None, phases=(Phase.generate, Phase.shrink))
def test_in_any_order_and_however_often_a_step_is_told_once(words: list[Event]) -> None:
    partition = Partition(ESCALATE_ALERTS)
    partition.put(*words)
    partition.work()
    steps = [one.step for one in partition.said if isinstance(one, AlertEscalated)]
    assert steps == sorted(set(steps))
    state = Telling()
    for word in words:
        state = evolve(state, word)
        if isinstance(word, AlertAcknowledged | AlertResolved):
            assert state.is_over
            assert state.wait is None


# -- who hears of it

PLAN = PROCESSORS["plan-notifications-alert"]
EVERYBODY = (
    subscription("escalations", event_types=("AlertEscalated",)),
    subscription("ends", event_types=("AlertResolved",)),
    subscription("of-s1", event_types=("AlertEscalated", "AlertResolved"), subject_keys=("S-1",)),
    subscription("of-s2", event_types=("AlertEscalated", "AlertResolved"), subject_keys=("S-2",)),
    subscription("of-p1", event_types=("AlertEscalated", "AlertResolved"), project_ids=("P1",)),
    subscription("bench"),
    subscription("head"),
)


async def plans(*events: Event, **projects: str) -> list[NotificationPlanned]:
    """What is planned because of these events."""
    partition = Partition(PLAN)
    partition.put(*(one if one.has_envelope else heard(one) for one in events))
    partition.work()
    said: list[NotificationPlanned] = []
    for effect in partition.open_effects:
        reader = FakeSubscriptions(*EVERYBODY, projects=projects)
        [plan] = await who(Who(**effect.arguments), attempt(subscriptions=reader))
        assert isinstance(plan, NotificationPlanned)
        said.append(plan)
    return said


def names(plan: NotificationPlanned) -> list[str]:
    return [one.subscription_id for one in plan.recipients]


async def test_a_step_is_told_to_those_that_it_names_and_to_those_who_subscribed() -> None:
    [plan] = await plans(AT_ONCE, told(1))
    assert names(plan) == ["bench", "escalations", "of-s1"]
    assert plan.headline == f"Alert {ALERT} (warning): {HEADLINE}"
    [_, plan] = await plans(AT_ONCE, told(1), told(3))
    assert names(plan) == ["escalations", "head", "of-s1"]
    assert "(warning, step 3 of 3)" in plan.headline


async def test_who_is_named_and_has_subscribed_is_told_once() -> None:
    [plan] = await plans(AT_ONCE, told(1, subscription_ids=("escalations", "nobody")))
    assert names(plan) == ["escalations", "of-s1"]  # one that is not in force is not told


async def test_the_end_is_told_to_those_who_subscribed_if_the_alert_was_told() -> None:
    assert await plans(AT_ONCE, resolved()) == []
    [_, plan] = await plans(AT_ONCE, told(1), resolved())
    assert names(plan) == ["ends", "of-s1"]
    assert plan.headline == f"Alert {ALERT} is over: {HEADLINE}"
    [_, plan] = await plans(AT_ONCE, told(1), resolved(), heard(resolved(manner=PERSON), SECOND))
    assert plan.source_type == "AlertResolved"


async def test_an_alert_about_a_case_is_told_in_its_project() -> None:
    about: dict[str, Any] = {"subject_topic": topics.CASE.name, "subject_key": "C-1"}
    happened = (raised(**about), told(1, **about))
    [plan] = await plans(*happened, **{"C-1": "P1"})
    assert names(plan) == ["bench", "escalations", "of-p1"]
