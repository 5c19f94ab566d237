"""What projects spend against what they may: windows, pace, and the day on which a budget ends."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal

import pytest

from genoflow.events import topics
from genoflow.events.budget_set import BudgetSet
from genoflow.events.event import Event
from genoflow.events.log.recorded import Recorded
from genoflow.events.run_charged import RunCharged
from genoflow.processors.watchtower.burn import Burn
from genoflow.processors.watchtower.fold import Tower
from tests.budget_facts import APRIL, MARCH, PROJECT, at, budget, charged, lifted, taken
from tests.towers import cut, folded, restored

DAYS = 31


def burn(tower: Tower, now: datetime, project: str = PROJECT) -> Burn:
    """What it says of a project."""
    return next(one for one in tower.burns(now.timestamp()) if one.project == project)


def month_of_charges(seed: int, projects: int = 3) -> list[tuple[Event, datetime]]:
    """Budgets, then a month of charges of which some take the place of others."""
    chance = random.Random(seed)
    told: list[tuple[Event, datetime]] = [
        (budget(1_000 * (n + 1), project_id=f"P{n}"), at(MARCH)) for n in range(projects)
    ]
    sums: dict[int, Decimal] = {}
    for number in range(200):
        run = chance.randrange(120)
        usd = Decimal(chance.randrange(1, 40_000_000)) / 1_000_000
        event = charged(
            run, usd, sums.get(run, Decimal(0)), project_id=f"P{run % projects}",
            is_billed=run in sums,
        )  # fmt: skip
        sums[run] = usd
        told.append((event, at(MARCH) + timedelta(days=DAYS * number / 201)))
    return told


def recounted(records: Sequence[Recorded]) -> Counter[tuple[str, str, int]]:
    """By a plain loop: what was charged by dimension, size and begin, in millionths."""
    found: Counter[tuple[str, str, int]] = Counter()
    for record in records:
        event = record.event
        if isinstance(event, RunCharged):
            assert event.cost_usd is not None
            change = int((event.cost_usd - event.former_usd) * 1_000_000)
            moment = record.recorded_at.timestamp()
            for size, seconds in (("hour", 3_600), ("day", 86_400)):
                begins = int(moment) // seconds * seconds
                found["all", size, begins] += change
                found[f"project={event.project_id}", size, begins] += change
    return found


def windows(tower: Tower) -> Counter[tuple[str, str, int]]:
    """What the tower has, in the words of the recount."""
    return Counter(
        {
            (name, size, begins): millionths
            for name, panes in tower.spent().items()
            for (size, begins), millionths in panes.items()
        }
    )


@pytest.mark.parametrize("seed", range(5))
def test_windows_of_money_are_what_a_plain_loop_adds_up(seed: int) -> None:
    records = taken(month_of_charges(seed))
    assert windows(folded(records)) == recounted(records)
    twice = [one for record in records for one in (record, record)]
    assert windows(folded(twice)) == recounted(records)
    assert windows(folded([*records, *records])) == recounted(records)


def test_a_charge_that_was_appended_twice_counts_once() -> None:
    told = month_of_charges(7)
    once = recounted(taken(told))
    assert windows(folded(taken([one for each in told for one in (each, each)]))) == once


@pytest.mark.parametrize("seed", range(5))
def test_a_death_in_the_writing_loses_no_cent(seed: int) -> None:
    chance, records = random.Random(seed), taken(month_of_charges(seed))
    written: dict[bytes, bytes] = {}
    tower, begins = Tower(), 0
    while begins < len(records):
        folded(records[begins : begins + 9], tower)
        whole = chance.random() < 0.5
        cut(tower, written, None if whole else chance.randrange(1 + len(tower.values)))
        if not whole:
            tower = restored(written)
        begins = tower.positions().get((topics.BUDGET.name, 0), 0)
    assert windows(tower) == recounted(records)
    spent = {one.project: one.spent_usd for one in tower.burns(at(MARCH, 31).timestamp())}
    for project, usd in spent.items():
        mine = [r.event for r in records if isinstance(r.event, RunCharged)]
        sums = [(e.cost_usd or 0) - e.former_usd for e in mine if e.project_id == project]
        assert usd == pytest.approx(float(sum(sums)))


def test_a_month_that_burns_evenly_ends_with_its_budget() -> None:
    told: list[tuple[Event, datetime]] = [(budget(310), at(MARCH))]
    told += [(charged(day, 10), at(MARCH, day)) for day in range(1, DAYS + 1)]
    tower = folded(taken(told[:16]))
    half = burn(tower, at(MARCH, 16))
    assert (half.spent_usd, half.budget_usd, half.week_usd) == (150, 310, 60)
    assert half.rate == pytest.approx(1.0, abs=0.03)
    assert half.ends_at is None
    assert half.ahead_usd < 310


def test_a_project_that_burns_twice_as_fast_is_told_its_day() -> None:
    told: list[tuple[Event, datetime]] = [(budget(310), at(MARCH))]
    told += [(charged(day, 20), at(MARCH, day)) for day in range(1, 11)]
    found = burn(folded(taken(told)), at(MARCH, 10, 1))
    assert found.rate is not None
    assert found.rate > 2
    assert (found.hour_usd, found.day_usd, found.week_usd) == (20, 40, 140)
    assert found.ends_at is not None
    assert found.ends_at.date() == at(MARCH, 15).date()  # 110 are left, at 20 a day
    assert found.ahead_usd == pytest.approx(200 + 20 * 21.6, rel=0.01)


def test_a_budget_that_is_over_has_ended_now_and_a_lifted_one_does_not() -> None:
    told: list[tuple[Event, datetime]] = [(budget(10), at(MARCH)), (charged(1, 12), at(MARCH, 2))]
    tower = folded(taken(told))
    assert burn(tower, at(MARCH, 3)).ends_at == at(MARCH, 3)
    assert burn(tower, at(APRIL, 3)).spent_usd == 0, "each month begins anew"
    assert burn(tower, at(APRIL, 3)).budget_usd == 10
    without = folded(taken([*told, (lifted(APRIL), at(APRIL))]))
    assert burn(without, at(APRIL, 3)) == burn(without, at(APRIL, 3))._replace(
        budget_usd=None, rate=None, ends_at=None
    )


def test_a_bill_that_comes_lower_gives_back() -> None:
    told: list[tuple[Event, datetime]] = [
        (budget(100), at(MARCH)), (charged(1, 80), at(MARCH, 5)),
        (charged(1, 30, 80, is_billed=True), at(MARCH, 20)),
    ]  # fmt: skip
    found = burn(folded(taken(told)), at(MARCH, 20, 1))
    assert (found.spent_usd, found.week_usd) == (30, -50)
    assert found.ends_at is None
    assert found.ahead_usd == 30, "a pace backwards is none"


def test_months_that_are_long_ago_are_let_go() -> None:
    months = [f"{year}-{month:02}" for year in (2023, 2024, 2025) for month in range(1, 13)]
    told: list[tuple[Event, datetime]] = [
        (charged(n, 5, month=month), at(month, 2)) for n, month in enumerate(months)
    ]
    assert all(isinstance(event, BudgetSet | RunCharged) for event, _ in told)
    tower = folded(taken(told))
    purse = next(value for key, value in tower.values.items() if key.kind == "purse")
    assert list(purse.plain()["months"]) == months[-24:]
    before = len(tower.values)
    tower.tidy(at("2026-06").timestamp())
    assert len(tower.values) < before
    assert windows(tower)
    assert all(begins >= at("2025-04").timestamp() for _, _, begins in windows(tower))
