"""The worker on memory and on Kafka: what it was told to keep, through ends of every kind."""

from __future__ import annotations

import asyncio

import pytest

from genoflow.events import topics
from genoflow.events.errors import OutcomeUnknown, StateMismatch
from genoflow.processors import task_loop
from genoflow.processors.ledger import TASK
from tests.spec import heard
from tests.toy import TOY, TOY_ANEW, discarded, landed, requeued, topped
from tests.workers import (
    LATE,
    S1,
    WHOLE,
    Lab,
    four_files_one_of_them_poison,
    landing,
    numbered,
    parked,
    until,
)

SAMPLE = topics.SAMPLE
PARTITIONS = topics.PARTITIONS_EMBEDDED


# -- state, order, hops, place


async def test_the_next_worker_goes_on_behind_the_last_one(lab: Lab) -> None:
    await landing(lab, landed("a"), landed("b", "hop"), landed("x", sample="S2"))
    async with lab.working(TOY) as running:
        await until(numbered(lab, WHOLE[:2]), running)
        await until(numbered(lab, [("x", 1)], "S2"), running)
    await landing(lab, landed("c"), landed("d"))
    async with lab.working(TOY) as running:
        await until(numbered(lab, WHOLE), running)
    assert await lab.numbers() == WHOLE
    [hop] = await lab.facts(topics.NOTIFICATION)
    assert (hop.key, hop.type) == ("all", "NotificationFailed")


async def test_a_place_moves_over_records_of_no_concern(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(task_loop, "IDLE_COMMIT_SECONDS", 0.1)
    await landing(lab, landed("a"))

    async def at_the_end() -> bool:
        end = (await lab.log.ends(SAMPLE.name))[SAMPLE.name, S1]
        return (await lab.changelog(TOY, S1)).position == end

    async with lab.working(TOY) as running:
        await until(at_the_end, running)
        await landing(lab, heard(topped(7, landed("a"))), heard(topped(8, landed("a"))))
        await until(at_the_end, running)


async def test_a_new_processor_begins_where_its_row_says(lab: Lab) -> None:
    await landing(lab, landed("a"), landed("b"))

    async def begun() -> bool:
        return (await lab.changelog(LATE, S1)).position is not None

    async with lab.working(LATE) as running:
        await until(begun, running)
    await landing(lab, landed("c"))  # nobody is there
    async with lab.working(LATE) as running:
        await until(numbered(lab, [("c", 1)]), running)
    assert await lab.numbers() == [("c", 1)]
    async with lab.working(TOY) as running:
        await until(numbered(lab, [("c", 1), *WHOLE[:3]]), running)
    assert (await lab.numbers())[1:] == WHOLE[:3]


# -- effects


async def test_an_effect_is_done_and_its_outcome_is_a_fact(lab: Lab) -> None:
    await landing(lab, landed("a", "mail"))

    async def told() -> bool:
        return len(await lab.facts(topics.NOTIFICATION)) > 0

    async with lab.working(TOY) as running:
        await until(told, running)
    [record] = await lab.facts(topics.NOTIFICATION)
    effect = record.event.envelope.effect_id
    assert effect is not None
    assert lab.mail.times(effect) == 1


async def test_an_open_effect_is_adopted_by_the_next_owner(lab: Lab) -> None:
    await landing(lab, landed("a", "mail"))

    def dies(point: str) -> None:
        if point == "before-open":
            raise OutcomeUnknown("the power went")

    assert isinstance(await lab.ended(TOY, reach=dies), OutcomeUnknown)
    assert lab.mail.sent == []

    async def told() -> bool:
        return len(await lab.facts(topics.NOTIFICATION)) > 0

    async with lab.working(TOY) as running:
        await until(told, running)
    assert len(lab.mail.sent) == 1
    assert await lab.numbers() == [("a", 1)]


# -- parked keys


async def test_a_key_waits_for_a_person_and_drains_in_order(lab: Lab) -> None:
    fact = await four_files_one_of_them_poison(lab)
    assert await lab.numbers() == WHOLE[:1]
    assert fact.error.startswith(f"{SAMPLE.name}[{S1}]@{fact.offset}: ValueError: b is poison")
    await landing(lab, requeued(fact, mended=landed("b")))
    async with lab.working(TOY) as running:
        await until(numbered(lab, WHOLE), running)
        await landing(lab, requeued(fact, "r2", landed("b")), landed("e"))
        await until(numbered(lab, [*WHOLE, ("e", 5)]), running)
    assert await lab.numbers() == [*WHOLE, ("e", 5)]


async def test_a_discarded_event_lets_the_others_through(lab: Lab) -> None:
    fact = await four_files_one_of_them_poison(lab)
    await landing(lab, discarded(fact))
    async with lab.working(TOY) as running:
        await until(numbered(lab, WHOLE[:3]), running)
    assert await lab.numbers() == [("a", 1), ("c", 2), ("d", 3)]


async def half_drained(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    """S1 in the middle of its drain, one record a transaction, its worker dead."""
    fact = await four_files_one_of_them_poison(lab)
    await landing(lab, requeued(fact, mended=landed("b")))
    monkeypatch.setattr(task_loop, "BATCH_RECORDS_MAX", 1)
    passed: list[str] = []

    def dies(point: str) -> None:
        passed.append(point)
        if passed.count("between-drain-commits") == 2:
            raise OutcomeUnknown("the power went")

    assert isinstance(await lab.ended(TOY, reach=dies), OutcomeUnknown)
    assert 1 <= len(await lab.numbers()) < 4


async def test_a_drain_that_died_goes_on_where_it_was(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    await half_drained(lab, monkeypatch)
    async with lab.working(TOY) as running:
        await until(numbered(lab, WHOLE), running)
    assert await lab.numbers() == WHOLE


# -- releases


async def test_a_newer_release_rebuilds_and_an_older_one_stops(lab: Lab) -> None:
    await landing(lab, landed("a"), landed("b"))
    async with lab.working(TOY) as running:
        await until(numbered(lab, WHOLE[:2]), running)
    await landing(lab, landed("c"))
    async with lab.working(TOY_ANEW, version="2") as running:
        await until(numbered(lab, WHOLE[:3]), running)
    assert await lab.numbers() == WHOLE[:3]
    state = (await lab.changelog(TOY, S1)).state[b"state/S1"]
    assert state == b'{"newest_first":["c","b","a"],"size_bytes":3}'
    await landing(lab, landed("d"))
    error = await lab.ended(TOY)
    assert isinstance(error, StateMismatch)
    assert "folded by version 2 of toy (release 2) and this code has version 1" in str(error)
    assert "deploy the newer release here too" in str(error)
    async with lab.working(TOY_ANEW, version="2") as running:
        await until(numbered(lab, WHOLE), running)
    assert await lab.numbers() == WHOLE


async def test_a_parked_key_is_parked_behind_a_rebuild(lab: Lab) -> None:
    fact = await four_files_one_of_them_poison(lab)
    await landing(lab, requeued(fact, mended=landed("b")))
    async with lab.working(TOY_ANEW) as running:
        await until(numbered(lab, WHOLE), running)
    assert await lab.numbers() == WHOLE
    assert len(await parked(lab)) == 1  # a rebuild says nothing


async def test_a_rebuild_in_the_middle_of_a_drain(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    await half_drained(lab, monkeypatch)
    async with lab.working(TOY_ANEW) as running:
        await until(numbered(lab, WHOLE), running)
    assert await lab.numbers() == WHOLE
    state = (await lab.changelog(TOY, S1)).state[b"state/S1"]
    assert state == b'{"newest_first":["d","c","b","a"],"size_bytes":4}'


async def test_two_releases_at_once_lose_nothing(lab: Lab) -> None:
    samples = [f"S{number}" for number in range(12)]
    await landing(lab, *(landed("a", sample=sample) for sample in samples))

    async def all_have(count: int) -> bool:
        return len(await lab.told()) >= count * len(samples)

    async def new_had_one() -> bool:
        kept = [await lab.changelog(TOY, number) for number in range(PARTITIONS)]
        return any(b'"state_version":2' in found.state.get(TASK, b"") for found in kept)

    async with lab.working(TOY) as old:
        await until(lambda: all_have(1), old)
    # Both run; whichever partition the new one has had, the old one can never take again.
    older = asyncio.create_task(lab.ended(TOY, name="old"))
    async with lab.working(TOY_ANEW, name="new", version="2") as new:
        await landing(lab, *(landed("b", sample=sample) for sample in samples))
        await until(lambda: all_have(2), new)
        await until(new_had_one, new)
    await landing(lab, *(landed("c", sample=sample) for sample in samples))
    error = await older
    assert isinstance(error, StateMismatch)
    assert "deploy the newer release here too" in str(error)
    async with lab.working(TOY_ANEW, name="new", version="2") as new:
        await until(lambda: all_have(3), new)
    expected = [(sample, name, n) for sample in samples for n, name in enumerate("abc", start=1)]
    assert sorted(await lab.told()) == sorted(expected)


async def test_two_workers_share_and_one_is_enough(lab: Lab) -> None:
    samples = [f"S{number}" for number in range(12)]
    async with lab.working(TOY, name="one") as one:
        async with lab.working(TOY, name="two") as two:
            await landing(lab, *(landed("a", "mail", sample) for sample in samples))

            async def first() -> bool:
                return len(await lab.told()) >= 12

            await until(first, two)
        await landing(lab, *(landed("b", "mail", sample) for sample in samples))

        async def second() -> bool:
            return len(await lab.facts(topics.NOTIFICATION)) >= 24

        await until(second, one)
    expected = [(sample, name, n) for sample in samples for n, name in enumerate("ab", start=1)]
    assert sorted(await lab.told()) == sorted(expected)
    facts = await lab.facts(topics.NOTIFICATION)
    assert len({record.event_id for record in facts}) == len(facts) == 24
