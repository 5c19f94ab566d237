"""What is late is asked for again: when, how often, whom, and when no more."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from genoflow.events import topics
from genoflow.events.deadline_passed import DeadlinePassed
from genoflow.events.deadline_set import DeadlineSet
from genoflow.events.errors import Parked
from genoflow.events.event import Event
from genoflow.events.file_landed import FileLanded
from genoflow.events.repair_tried import AWAY, BROUGHT, NOTHING_NEW, RepairTried
from genoflow.processors.decision import Effect
from genoflow.processors.flow import FLOW, Porch
from genoflow.processors.ports import Attempt, Ports
from genoflow.processors.repair_sources import (
    ASK,
    ASKED,
    DEADLINE,
    NAME,
    PAUSES,
    REPAIR_SOURCES,
    TRIES_MAX,
    Wanted,
    ask,
    away,
)
from genoflow.processors.sources import Answer, Question
from genoflow.processors.watchtower.stages import BY_NAME, STAGES
from tests.alert_facts import ALERT, raised, resolved
from tests.examples import example
from tests.fakes import FakeClock
from tests.partition import MOMENT, Partition
from tests.spec import Spec, heard

given = Spec(REPAIR_SOURCES).given
OF_S1: dict[str, Any] = {"stage": "land", "item": "RS1 R1", "owed_by": "store-notifications"}
LATE = raised(**OF_S1)
WANTED = Wanted(
    alert_id=ALERT, porch="store-notifications", stage="land", item="RS1 R1",
    subject_topic=topics.SAMPLE.name, subject_key="S-1",
)  # fmt: skip


def tried(number: int = 1, at: datetime = MOMENT) -> RepairTried:
    """The source had nothing."""
    fact = RepairTried(
        **dict(WANTED) | {"number": number}, tries_max=TRIES_MAX, outcome=NOTHING_NEW, reason="so"
    )
    return heard(fact, at)


def waits(number: int, until: datetime) -> DeadlineSet:
    return DeadlineSet(
        subject_topic=topics.ALERT.name, subject_key=str(ALERT), processor=NAME, deadline=DEADLINE,
        purpose=f"try {number} of {TRIES_MAX} to have what is lacking from its source",
        due_at=until,
    )  # fmt: skip


def passed(due_at: datetime) -> Event:
    fact = DeadlinePassed(**dict(waits(2, due_at)), deadline_id=UUID(int=1))
    return heard(fact, due_at)


def test_the_source_is_asked_at_once() -> None:
    given().when(LATE).then().then_effects(Effect(ASK, WANTED))


@pytest.mark.parametrize(
    "fields",
    [
        {"stage": "validate", "owed_by": "validate-files"},
        {"kind": "rate", "stage": None},
        {"subject_key": None, "subject_topic": None},
        {"stage": None},
    ],
)
def test_what_has_no_source_outside_is_asked_of_nobody(fields: dict[str, Any]) -> None:
    given().when(raised(**OF_S1 | fields)).then_nothing()


def test_an_alert_that_is_raised_again_asks_nobody_again() -> None:
    given(LATE).when(LATE).then_nothing()
    given(LATE).performed(tried()).when(raised(at=MOMENT + PAUSES[0], **OF_S1)).then_nothing()


def test_all_tries_with_a_longer_pause_before_each() -> None:
    partition, at, waited = Partition(REPAIR_SOURCES), MOMENT, list[timedelta]()
    partition.put(LATE)
    partition.work()
    for number in range(1, TRIES_MAX + 1):
        [effect] = partition.open_effects
        assert effect.arguments["number"] == number
        partition.finish(effect.effect_id, RepairTried(**dict(tried(number))), occurred_at=at)
        partition.work()
        waits = [one for one in partition.said if isinstance(one, DeadlineSet)]
        if len(waits) == number:
            waited.append(waits[-1].due_at - at)
            at = waits[-1].due_at
            partition.put(passed(at))
            partition.work()
    assert tuple(waited) == PAUSES
    assert partition.open_effects == [], "a fifth try would be one too many"
    assert TRIES_MAX == 4


def test_never_two_tries_at_a_time() -> None:
    given(LATE).when(passed(MOMENT + PAUSES[0])).then_nothing()
    given(LATE).performed(tried()).when(passed(MOMENT)).then_nothing()


def test_behind_its_end_nobody_is_asked() -> None:
    due_at = MOMENT + PAUSES[0]
    given(LATE).performed(tried()).when(passed(due_at)).then_effects(
        Effect(ASK, WANTED.model_copy(update={"number": 2}))
    )
    over = given(LATE, resolved()).performed(tried())
    over.when(passed(due_at)).then_nothing()
    given(resolved()).when(LATE).then_nothing()


def test_a_try_that_was_under_way_at_the_end_is_told_and_the_last() -> None:
    partition = Partition(REPAIR_SOURCES)
    partition.put(LATE, heard(resolved(), MOMENT))
    partition.work()
    [effect] = partition.open_effects
    [said] = partition.finish(effect.effect_id, RepairTried(**dict(tried())))
    assert said.type() == "RepairTried"
    assert partition.work() == []


class _Source:
    def __init__(self, *brought: Event) -> None:
        self.brought = brought
        self.asked: list[Question] = []

    async def ask(self, question: Question) -> Answer:
        """What it was made with."""
        self.asked.append(question)
        return Answer("s3://raw/", MOMENT, self.brought, "it was looked at")


async def test_what_was_found_is_told() -> None:
    source = _Source(example(FileLanded, 1), example(FileLanded, 2))
    attempt = Attempt(UUID(int=1), 1, Ports(FakeClock(), sources=source), lambda *_: None)
    [said] = await ask(WANTED, attempt)
    assert isinstance(said, RepairTried)
    assert (said.outcome, said.facts, said.types) == (BROUGHT, 2, ("FileLanded",))
    assert (said.place, said.looked_at, said.number) == ("s3://raw/", MOMENT, 1)
    assert source.asked == [
        Question("store-notifications", "land", topics.SAMPLE.name, "S-1", "RS1 R1")
    ]
    source.brought = ()
    [said] = await ask(WANTED, attempt)
    assert isinstance(said, RepairTried)
    assert (said.outcome, said.facts) == (NOTHING_NEW, 0)
    [said] = away(WANTED, "the store does not answer")
    assert isinstance(said, RepairTried)
    assert (said.outcome, said.place, said.looked_at) == (AWAY, None, None)


async def test_a_worker_without_sources_leaves_it_to_a_person() -> None:
    attempt = Attempt(UUID(int=1), 1, Ports(FakeClock()), lambda *_: None)
    with pytest.raises(Parked, match="knows no source of store-notifications"):
        await ask(WANTED, attempt)


def test_who_is_asked_is_a_porch_and_owes_it() -> None:
    porches = {row.name for row in FLOW if isinstance(row, Porch)}
    assert set(ASKED.values()) <= porches
    assert {name: BY_NAME[name].owed_by for name in ASKED if name != "run"} == {
        name: porch for name, porch in ASKED.items() if name != "run"
    }
    assert [one.name for one in STAGES if one.owed_by in porches and one.name not in ASKED] == []
