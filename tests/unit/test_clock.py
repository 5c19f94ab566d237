"""The clock of a topic: deadlines that pass, move, are cancelled, and come again."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

import pytest

from genoflow.events import topics
from genoflow.events.deadline_cancelled import DeadlineCancelled
from genoflow.events.deadline_passed import DeadlinePassed
from genoflow.events.deadline_set import DeadlineSet
from genoflow.processors.clock import CLOCKS, SEEN_MAX, WITH_DEADLINES, Until, Wait, Waits, passed
from genoflow.processors.decision import Effect, effect_id
from genoflow.processors.processor import Processor, Timer
from tests.partition import MOMENT, Partition
from tests.spec import Spec, heard

HOUR = timedelta(hours=1)
every_clock = pytest.mark.parametrize("row", CLOCKS, ids=lambda row: row.name)
SAMPLE_CLOCK = next(row for row in CLOCKS if row.reads is topics.SAMPLE)


def deadline(
    hours: float = 1, name: str = "answer", row: Processor = SAMPLE_CLOCK, at: datetime = MOMENT
) -> DeadlineSet:
    """X waits for so many hours."""
    fact = DeadlineSet(
        subject_topic=row.reads.name, subject_key="X", processor="someone", deadline=name,
        purpose="an answer", due_at=MOMENT + hours * HOUR,
    )  # fmt: skip
    return heard(fact, at)


def cancelled(event: DeadlineSet) -> DeadlineCancelled:
    """Nobody waits any more."""
    fact = DeadlineCancelled(
        subject_topic=event.topic, subject_key="X", deadline_id=event.envelope.event_id,
        processor=event.processor, deadline=event.deadline, reason="it came",
    )  # fmt: skip
    return heard(fact)


def until(event: DeadlineSet) -> Until:
    """What the timer of a deadline is told."""
    return Until(deadline_id=event.envelope.event_id, **dict(event))


def over(event: DeadlineSet) -> DeadlinePassed:
    """What the clock says in the end."""
    return DeadlinePassed(deadline_id=event.envelope.event_id, **dict(event))


def timer(event: DeadlineSet, row: Processor = SAMPLE_CLOCK) -> UUID:
    """The effect that waits for it."""
    return effect_id(event.envelope.event_id, row.name, "deadline")


def test_every_topic_with_deadlines_has_one_clock() -> None:
    assert [row.reads for row in CLOCKS] == list(WITH_DEADLINES)
    assert len({row.name for row in CLOCKS}) == len(CLOCKS)


@every_clock
def test_a_deadline_is_waited_for_and_passes(row: Processor) -> None:
    one = deadline(row=row)
    wait = Wait(name="someone/answer", deadline_id=one.envelope.event_id)
    then = Spec(row).given().when(one).then().then_effects(Effect("deadline", until(one)))
    then.then_state(Waits(open=(wait,), seen=(one.envelope.event_id,)))
    after = then.performed(*passed(until(one))).then(over(one))
    after.then_state(Waits(seen=(one.envelope.event_id,)))


@every_clock
def test_a_cancelled_deadline_does_not_pass(row: Processor) -> None:
    one = deadline(row=row)
    Spec(row).given(one).when(cancelled(one)).then().then_closed(timer(one, row))


given = Spec(SAMPLE_CLOCK).given


def test_the_timer_is_due_when_the_deadline_is() -> None:
    [kind] = SAMPLE_CLOCK.effects
    assert isinstance(kind, Timer)
    assert kind.due_at(until(deadline(3))) == MOMENT + 3 * HOUR


def test_setting_a_deadline_again_moves_it() -> None:
    first, later, sooner = deadline(1), deadline(5), deadline(0.5)
    for second in (later, sooner):
        then = given(first).when(second).then().then_closed(timer(first))
        then.then_effects(Effect("deadline", until(second))).performed(over(second)).then(
            over(second)
        )


def test_a_deadline_of_another_name_stands_beside_it() -> None:
    first, second = deadline(1, "answer"), deadline(2, "question")
    given(first).when(second).then_effects(Effect("deadline", until(second))).then_closed()


def test_a_deadline_in_the_past_is_waited_for_like_any_other() -> None:
    past = deadline(-5)
    given().when(past).then_effects(Effect("deadline", until(past)))


def test_a_deadline_that_is_told_again_is_one() -> None:
    one = deadline()
    given(one).when(one).then_nothing()
    given(one, cancelled(one)).when(one).then_nothing()
    given(one).performed(over(one)).when(one).then_nothing()


def test_a_deadline_that_was_moved_and_is_told_again_stays_moved() -> None:
    first, second = deadline(1), deadline(5)
    given(first, second).when(first).then_nothing()


def test_what_is_cancelled_twice_or_too_late_or_unknown_changes_nothing() -> None:
    one, other = deadline(1), deadline(2)
    given(one, cancelled(one)).when(cancelled(one)).then_nothing()
    given(one).performed(over(one)).when(cancelled(one)).then_nothing()
    given(one).when(cancelled(other)).then_nothing()
    given().when(cancelled(one)).then_nothing()


def test_a_moved_deadline_is_cancelled_by_the_id_of_the_newest() -> None:
    first, second = deadline(1), deadline(5)
    given(first, second).when(cancelled(first)).then_nothing()
    given(first, second).when(cancelled(second)).then_closed(timer(second))


def test_a_timer_that_went_off_while_it_was_cancelled_says_nothing() -> None:
    one = deadline()
    partition = Partition(SAMPLE_CLOCK)
    partition.put(one, cancelled(one))
    partition.work()
    assert partition.finish(timer(one), over(one)) == []


def test_cancelled_between_its_passing_and_our_reading_of_it() -> None:
    one = deadline()
    partition = Partition(SAMPLE_CLOCK)
    partition.put(one)
    partition.work()
    partition.put(cancelled(one))  # it stands before DeadlinePassed on the topic
    said = partition.finish(timer(one), over(one))
    assert [event.type() for event in said] == ["DeadlinePassed"]
    assert partition.work() == []
    assert partition.state("X") == Waits(seen=(one.envelope.event_id,))
    assert partition.task.effects == {}


def test_what_was_over_is_remembered_for_a_while() -> None:
    many = [deadline(hours, at=MOMENT + hours * HOUR) for hours in range(SEEN_MAX + 1)]
    state = Waits()
    for one in many:
        state = SAMPLE_CLOCK.evolve(state, one)
    assert len(state.seen) == SEEN_MAX
    assert len(state.open) == 1
