"""What runs cost their project, and what is told when that comes near to its budget."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import Phase, settings
from hypothesis import given as whatever
from hypothesis import strategies as st

from genoflow.events.budget_reached import BudgetReached
from genoflow.events.event import Event
from genoflow.events.run_cancelled import RunCancelled
from genoflow.events.run_charged import RunCharged
from genoflow.events.run_failed import RunFailed
from genoflow.events.run_lost import RunLost
from genoflow.events.run_submitted import RunSubmitted
from genoflow.events.run_succeeded import RunSucceeded
from genoflow.events.task_completed import TaskCompleted
from genoflow.events.task_failed import TaskFailed
from genoflow.processors.charge_runs import CHARGE_RUNS, Cost
from genoflow.processors.charge_runs import evolve as with_cost
from genoflow.processors.headlines import headline_of
from genoflow.processors.watch_budgets import MONTHS_KEPT_MAX, WATCH_BUDGETS, Project
from genoflow.processors.watch_budgets import evolve as with_charge
from genoflow.projections.budget_months import BudgetMonth, months_told
from tests.budget_facts import (
    APRIL,
    MARCH,
    PROJECT,
    at,
    bill,
    budget,
    charged,
    each,
    lifted,
    of_run,
    run,
    task,
)
from tests.partition import Partition
from tests.run_facts import RUN_ID, requested
from tests.spec import Spec, heard

given, given_charges = Spec(CHARGE_RUNS).given, Spec(WATCH_BUDGETS).given
ASKED = heard(requested(project_id=PROJECT), at(MARCH))
SUBMITTED = of_run(RunSubmitted)
BEGUN = (ASKED, SUBMITTED)


def says(usd: float | None, former: float = 0, month: str = MARCH, **more: Any) -> RunCharged:
    """The run is charged so much of a month, in place of what it was before."""
    return RunCharged(
        project_id=PROJECT, run_id=RUN_ID, month=month, is_billed=more.get("is_billed", False),
        cost_usd=None if usd is None else Decimal(str(usd)), former_usd=Decimal(str(former)),
    )  # fmt: skip


# -- charge-runs


@pytest.mark.parametrize("end", [RunSucceeded, RunFailed, RunCancelled, RunLost])
def test_a_run_is_charged_when_it_is_over_by_the_month_in_which_its_tasks_ended(end: Any) -> None:
    tasks = (
        task(TaskCompleted, 1, 2), task(TaskFailed, 2, 0.5), task(TaskCompleted, 3, 1, APRIL),
    )  # fmt: skip
    given(*BEGUN, *tasks[:1]).when(tasks[1]).then_nothing()
    given(*BEGUN, *tasks).when(of_run(end, APRIL)).then(says(2.5), says(1, month=APRIL))
    given(*BEGUN, *tasks, of_run(end, APRIL)).when(of_run(end, APRIL, 5)).then_nothing()


def test_a_task_counts_once_and_one_from_an_earlier_attempt_not_at_all() -> None:
    tasks = (
        task(TaskCompleted, 1, 2), task(TaskCompleted, 1, 2), task(TaskCompleted, 1, 2, APRIL),
        task(TaskCompleted, 2, 7, is_cached=True),
    )  # fmt: skip
    given(*BEGUN, *tasks).when(of_run(RunSucceeded)).then(says(2))


def test_what_is_heard_after_the_end_is_charged_in_place_of_what_was() -> None:
    over = (*BEGUN, task(TaskCompleted, 1, 2), of_run(RunSucceeded))
    given(*over).when(task(TaskCompleted, 2, 1)).then(says(3, former=2))


def test_another_attempt_is_charged_when_that_is_over() -> None:
    first = (*BEGUN, task(TaskFailed, 1, 2), of_run(RunFailed))
    second = of_run(RunSubmitted, attempt=2)
    given(*first, second).when(task(TaskCompleted, 1, 1, attempt=2)).then_nothing()
    given(*first, second).when(of_run(RunFailed, minute=7)).then_nothing()
    done = task(TaskCompleted, 1, 1, attempt=2)
    given(*first, second, done).when(of_run(RunSucceeded, attempt=2)).then(says(3, former=2))


def test_a_bill_takes_the_place_of_the_estimate_of_its_month_alone() -> None:
    over = (
        *BEGUN, task(TaskCompleted, 1, 2), task(TaskCompleted, 2, 1, APRIL), of_run(RunSucceeded),
    )  # fmt: skip
    given(*over).when(bill(1.5)).then(says(1.5, former=2, is_billed=True))
    given(*over, bill(1.5)).when(bill(1.75)).then(says(1.75, former=1.5, is_billed=True))
    another = bill(0.25, source="azure")
    given(*over, bill(1.5)).when(another).then(says(1.75, former=1.5, is_billed=True))
    given(*over, bill(1.5), bill(1.75)).when(bill(1.5)).then_nothing()  # told again
    given(*over, bill(1.5)).when(task(TaskCompleted, 3, 9)).then_nothing()


def test_a_bill_may_come_before_the_run_is_over() -> None:
    given(*BEGUN).when(bill(1.5)).then(says(1.5, is_billed=True))
    worked = (*BEGUN, bill(1.5), task(TaskCompleted, 1, 2), task(TaskCompleted, 2, 3, APRIL))
    given(*worked).when(of_run(RunSucceeded)).then(says(3, month=APRIL))


def test_a_run_without_a_price_is_charged_what_nobody_knows() -> None:
    given(*BEGUN).when(of_run(RunSucceeded)).then(says(None))
    local = task(TaskCompleted, 1, None)
    given(*BEGUN, local).when(of_run(RunSucceeded, APRIL)).then(says(None))
    given(*BEGUN, local, of_run(RunSucceeded)).when(bill(1)).then(says(1, is_billed=True))


def test_a_run_that_never_began_or_is_of_no_project_is_charged_nothing() -> None:
    given(ASKED).when(of_run(RunCancelled)).then_nothing()
    nobodys = heard(requested(), at(MARCH))
    spent = (nobodys, SUBMITTED, task(TaskCompleted, 1, 2))
    given(*spent).when(of_run(RunSucceeded)).then_nothing()
    given(*spent).when(bill(3)).then_nothing()


# -- watch-budgets


def reached(percent: int, spent: float, of: Event, month: str = MARCH) -> BudgetReached:
    """This share of this budget is reached."""
    usd: Any = of
    return BudgetReached(
        project_id=PROJECT, month=month, percent=percent, spent_usd=Decimal(str(spent)),
        month_usd=usd.month_usd, budget_event_id=of.envelope.event_id,
    )  # fmt: skip


SET = budget(100)


def test_each_share_is_told_once_in_a_month() -> None:
    given_charges(SET).when(charged(1, 79.99)).then_nothing()
    near = (SET, charged(1, 79.99))
    given_charges(*near).when(charged(2, 0.01)).then(reached(80, 80, SET))
    given_charges(*near, charged(2, 0.01)).when(charged(3, 19)).then_nothing()
    given_charges(*near, charged(2, 0.01)).when(charged(3, 20)).then(reached(100, 100, SET))
    given_charges(SET).when(charged(1, 500)).then(reached(80, 500, SET), reached(100, 500, SET))
    april = charged(4, 90, month=APRIL)
    given_charges(SET, charged(1, 500)).when(april).then(reached(80, 90, SET, APRIL))


def test_what_a_bill_takes_back_and_another_brings_is_not_told_again() -> None:
    story = (SET, charged(1, 85), charged(1, 60, former=85, is_billed=True))
    given_charges(*story).when(charged(2, 30)).then_nothing()
    given_charges(*story).when(charged(2, 40)).then(reached(100, 100, SET))


def test_a_charge_takes_the_place_of_the_one_before_and_a_repetition_of_none() -> None:
    story = (SET, charged(1, 50), charged(1, 50))
    given_charges(*story).when(charged(2, 29)).then_nothing()
    given_charges(*story).when(charged(1, 79, former=50)).then_nothing()
    given_charges(*story).when(charged(1, 80, former=50)).then(reached(80, 80, SET))


def test_a_budget_that_is_set_late_is_told_of_at_once_and_another_one_anew() -> None:
    given_charges(charged(1, 90)).when(SET).then(reached(80, 90, SET))
    less, more = budget(90), budget(1_000)
    given_charges(SET, charged(1, 90)).when(less).then(
        reached(80, 90, less), reached(100, 90, less)
    )
    given_charges(SET, charged(1, 90)).when(more).then_nothing()
    given_charges(SET, charged(1, 90)).when(SET).then_nothing()


def test_a_budget_holds_from_its_month_on_and_no_longer_than_it_is_lifted() -> None:
    june = budget(10, since=APRIL)
    given_charges(SET, june).when(charged(1, 80)).then(reached(80, 80, SET))
    late = charged(1, 80)  # a bill of March that comes in April is measured by March's
    given_charges(SET, lifted(APRIL)).when(late).then(reached(80, 80, SET))
    given_charges(SET, lifted(APRIL)).when(charged(2, 900, month=APRIL)).then_nothing()
    given_charges(SET, lifted(MARCH)).when(charged(2, 900)).then_nothing()
    given_charges(lifted(MARCH)).when(charged(2, 900)).then_nothing()


def test_a_run_that_costs_nobody_knows_what_counts_for_nothing() -> None:
    given_charges(SET).when(charged(1, None)).then_nothing()


def test_its_state_stays_small() -> None:
    state = Project()
    for number in range(130):
        month = f"{2000 + number // 12}-{number % 12 + 1:02}"
        for event in (budget(5, since=month), charged(number, 1, month=month)):
            state = with_charge(state, event)
    assert len(state.months) == len(state.budgets) == MONTHS_KEPT_MAX
    assert len(state.model_dump_json()) < 20_000


def test_the_line_that_people_are_sent_says_what_is_spent() -> None:
    said = headline_of(WATCH_BUDGETS.reads, reached(80, 1234.5, budget(1_500)))
    assert said == (
        "Project P1 has spent 80 % of its budget for runs of 2026-03: 1,234.50 of 1,500.00 USD"
    )


# -- sums, whatever comes


USD = st.integers(0, 10**9).map(lambda number: Decimal(number).scaleb(-6))
HAPPENS = st.one_of(
    st.tuples(st.just("task"), st.integers(1, 4), USD, st.sampled_from((MARCH, APRIL))),
    st.tuples(st.just("bill"), st.integers(1, 2), USD, st.sampled_from((MARCH, APRIL))),
    st.tuples(st.just("end"), st.just(0), st.just(Decimal(0)), st.sampled_from((MARCH, APRIL))),
)
STORIES = st.dictionaries(st.integers(1, 4), st.lists(HAPPENS, max_size=8), max_size=4)


def charges_of(number: int, story: Sequence[Any]) -> tuple[list[RunCharged], dict[str, Decimal]]:
    """What the row charges a run that goes so, and what a plain recount of it comes to."""
    facts: list[Event] = [
        heard(requested(run_id=run(number), project_id=PROJECT), at(MARCH)),
        of_run(RunSubmitted, run_id=run(number)),
    ]
    estimated: dict[str, Decimal] = {}
    bills: dict[tuple[str, str], Decimal] = {}
    names = set()
    for what, which, usd, month in [*story, ("end", 0, Decimal(0), MARCH)]:
        if what == "task":
            facts.append(task(TaskCompleted, which, float(usd), month, run_id=run(number)))
            if which not in names:
                estimated[month] = estimated.get(month, Decimal(0)) + Decimal(str(float(usd)))
            names.add(which)
        elif what == "bill":
            fact = bill(float(usd), month, f"bill {which}")
            facts.append(_of(fact, run(number)))
            bills[f"bill {which}", month] = fact.cost_usd
        else:
            facts.append(of_run(RunSucceeded, month, run_id=run(number)))
    counts = dict(estimated)
    for month in {one for _, one in bills}:
        counts[month] = sum((usd for (_, one), usd in bills.items() if one == month), Decimal(0))
    partition = Partition(CHARGE_RUNS)
    partition.put(*facts)
    partition.work()
    return [one for one in partition.said if isinstance(one, RunCharged)], counts


def _of(fact: Event, run_id: Any) -> Event:
    return heard(type(fact)(**dict(fact) | {"run_id": run_id}), fact.envelope.occurred_at)


@settings(max_examples=25, deadline=None, derandomize=True, phases=(Phase.generate,))
@whatever(STORIES, st.randoms(use_true_random=False))
async def test_sums_are_a_plain_recount_whatever_comes_in_which_order_and_how_often(
    stories: dict[int, list[Any]], chance: Any
) -> None:
    lines, total = [], {MARCH: Decimal(0), APRIL: Decimal(0)}
    for number, story in stories.items():
        charges, counts = charges_of(number, _distinct(story))
        lines.append(charges)
        total = {month: usd + counts.get(month, Decimal(0)) for month, usd in total.items()}
    heard_of: list[RunCharged] = []
    while any(lines):  # runs in any order among each other, each in its own
        line = chance.choice([one for one in lines if one])
        heard_of += [line.pop(0)] * chance.choice((1, 1, 2))
        heard_of += [chance.choice(heard_of[-20:])] if chance.random() < 0.2 else []
    state = Project()
    for event in heard_of:
        state = with_charge(state, event)
    assert {one.month: one.spent_usd for one in state.months} == {
        month: total[month] for month in {one.month for one in heard_of}
    }
    once = {one.envelope.event_id: one for one in heard_of}.values()
    for month, usd in total.items():
        told = await months_told(each(once), month=month)
        assert sum((one.spent_usd for one in told), Decimal(0)) == usd


def _distinct(story: list[Any]) -> list[Any]:
    """A bill that says again what an earlier one said is the same fact, and changes nothing."""
    return list({(one[0], one[1], one[2], one[3]): one for one in story}.values())


async def test_a_month_is_told_with_its_budget_and_what_counts() -> None:
    charges = (
        charged(1, 50), charged(1, 45, former=50, is_billed=True), charged(2, 36), charged(3, None),
        charged(4, 7, month=APRIL),
    )  # fmt: skip
    said = heard(reached(80, 81, SET), at(MARCH, 5))
    told = await months_told(each((SET, *charges, said, lifted(APRIL))), month=MARCH)
    [march] = told
    assert march == BudgetMonth(
        PROJECT, MARCH, month_usd=Decimal(100), warn_percent=(80, 100), reached=(80,),
        set_by=SET.envelope.actor.id, reason="as agreed", runs=3, runs_unpriced=1,
        estimated_usd=Decimal(36), billed_usd=Decimal(45),
    )  # fmt: skip
    assert (march.spent_usd, march.share_percent) == (Decimal(81), 81.0)
    [april] = await months_told(each((SET, *charges, lifted(APRIL))), month=APRIL)
    assert (april.month_usd, april.spent_usd, april.share_percent) == (None, Decimal(7), None)
    assert await months_told(each((SET, *charges)), month=MARCH, project_id="P2") == []


def test_the_state_of_a_run_stays_small() -> None:
    state = Cost(project_id=PROJECT, attempt=1)
    for number in range(300):
        state = with_cost(state, task(TaskCompleted, number, 0.01))
    assert state.estimated[0].usd == 3
    assert len(state.model_dump_json()) < 300 * 20
