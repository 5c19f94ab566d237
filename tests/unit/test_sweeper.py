"""The sweeper proposes what is due, once; a worker decides and deletes, or says why not."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from genoflow.deploy.hold_desk import holds_of
from genoflow.events import topics
from genoflow.events.deletion_refused import HELD, LOCKED
from genoflow.events.errors import Retry, Stop
from genoflow.events.event import Event
from genoflow.events.log.memory import MemoryLog
from genoflow.events.retention_published import RetentionPublished
from genoflow.processors.intake.due import rules_for
from genoflow.processors.intake.notices import Place
from genoflow.processors.intake.sweeper import Look
from genoflow.processors.ports import Removal
from genoflow.processors.sweep_files import SWEEP_FILES
from tests.partition import MOMENT
from tests.shelves import FakeShelves
from tests.sweeping import (
    DAY,
    OUTCOME,
    FakeRemover,
    hold,
    landed,
    release,
    requested,
    rules,
    submitted,
    succeeded,
    sweeper,
)
from tests.workers import Lab, until

RULES = rules(reads=10, work=7)
FILE = "raw/in/a.gz@1"


@pytest.fixture
async def lab() -> AsyncIterator[Lab]:
    async with MemoryLog(topics.declared(row.changelog for row in SWEEP_FILES)) as log:
        yield Lab(log)


async def put(lab: Lab, *facts: Event) -> None:
    for fact in facts:
        await lab.log.append(fact)


async def look(
    lab: Lab, day: float, *documents: RetentionPublished, shelves: FakeShelves | None = None
) -> Look:
    return await sweeper(lab.log, shelves or FakeShelves(), day).look(documents or (RULES,))


async def swept(
    lab: Lab, day: float, shelves: FakeShelves | None = None, topic: topics.Topic = topics.SAMPLE
) -> list[Any]:
    """Propose what is due on this day, let a worker do it, and tell what is said of it."""
    porch = sweeper(lab.log, shelves or FakeShelves(), day)
    known = {one.envelope.event_id for one in await answers(lab, topic)}
    proposals = (await porch.look((RULES,))).proposals
    await porch.propose(proposals)

    async def is_answered() -> bool:
        asked = {str(one.envelope.event_id) for one in proposals}
        causes = {str(one.envelope.causation_id) for one in await answers(lab, topic)}
        return asked <= causes

    async with lab.working(*SWEEP_FILES) as running:
        await until(is_answered, running)
    return [one for one in await answers(lab, topic) if one.envelope.event_id not in known]


async def answers(lab: Lab, topic: topics.Topic) -> list[Any]:
    found = await lab.said("FileDeleted", topic) + await lab.said("DeletionRefused", topic)
    return [one.event for one in found]


async def test_what_is_due_is_proposed_with_its_rule_and_asked_again_it_is_the_same(
    lab: Lab,
) -> None:
    await put(lab, landed(), landed("in/b.vcf", role="VCF"))
    assert (await look(lab, 9.9)).proposals == []
    [proposal] = (await look(lab, 10)).proposals
    assert (proposal.rule, proposal.file_class, proposal.keep_days) == ("reads-10", "reads", 10)
    assert [file.object_key for file in proposal.files] == ["in/a.gz"]
    [again] = (await look(lab, 12)).proposals
    assert again.envelope.event_id == proposal.envelope.event_id
    await put(lab, proposal)
    found = await look(lab, 12)
    assert (found.proposals, found.waiting) == ([], 1)


async def test_a_file_is_deleted_once_and_its_fact_names_rule_and_document(lab: Lab) -> None:
    lab.remover = remover = FakeRemover()
    await put(lab, landed())
    [gone] = await swept(lab, 10)
    assert (gone.rule, gone.rule_document_id, gone.rule_document_version) == ("reads-10", "r", "1")
    assert (gone.subject_key, gone.manner, remover.removed) == ("S7", "erased", [FILE])
    assert await swept(lab, 11) == []


async def test_a_worker_that_dies_between_the_deletion_and_its_word_says_it_once(lab: Lab) -> None:
    lab.remover = remover = FakeRemover(Stop("the machine went away"))
    await put(lab, landed())
    porch = sweeper(lab.log, FakeShelves(), 10)
    await porch.propose((await porch.look((RULES,))).proposals)
    assert isinstance(await lab.ended(*SWEEP_FILES), Stop)
    assert (remover.removed, await answers(lab, topics.SAMPLE)) == ([FILE], [])
    async with lab.working(*SWEEP_FILES, name="w2") as running:
        await until(lambda: _any(lab), running)
    assert [one.rule for one in await answers(lab, topics.SAMPLE)] == ["reads-10"]


async def _any(lab: Lab) -> bool:
    return bool(await answers(lab, topics.SAMPLE))


async def test_a_hold_stops_the_sweeper_the_decision_and_the_deletion(lab: Lab) -> None:
    lab.remover = remover = FakeRemover()
    await put(lab, landed())
    [proposal] = (await look(lab, 10)).proposals
    await put(lab, hold(), proposal)  # the sweeper had not heard of it
    async with lab.working(*SWEEP_FILES) as running:
        await until(lambda: _any(lab), running)
    [refused] = await answers(lab, topics.SAMPLE)
    assert (refused.reason_code, refused.rule) == (HELD, "reads-10")
    assert "court" in refused.reason
    held = await look(lab, 11)
    assert (held.proposals, [*held.held.values()]) == ([], [("court",)])
    await put(lab, release())
    [gone] = await swept(lab, 12)
    assert (gone.type(), remover.removed) == ("FileDeleted", [FILE])


async def test_a_hold_on_a_sample_keeps_what_its_runs_left_until_the_very_moment(lab: Lab) -> None:
    lab.remover = remover = FakeRemover()
    shelves = FakeShelves()
    shelves.put(Place("work", OUTCOME))
    await put(lab, landed(), requested(landed()), submitted(), succeeded(1))
    [proposal] = (await look(lab, 8, shelves=shelves)).proposals
    assert (proposal.topic, proposal.rule, proposal.sample_ids) == (
        topics.RUN.name, "work-7", ("S7",),
    )  # fmt: skip
    # The order of the run knows no hold of a sample: the effect looks for it.
    await put(lab, proposal, hold(day=8))
    async with lab.working(*SWEEP_FILES) as running:
        await until(lambda: _refused_on_run(lab), running)
    [refused] = await answers(lab, topics.RUN)
    assert (refused.reason_code, remover.removed) == (HELD, [])
    held = await look(lab, 9, shelves=shelves)
    assert held.proposals == []
    await put(lab, release(day=9))
    [gone] = await swept(lab, 9, shelves, topics.RUN)
    assert (gone.object_key, gone.rule) == (OUTCOME, "work-7")


async def _refused_on_run(lab: Lab) -> bool:
    return bool(await answers(lab, topics.RUN))


async def test_what_a_run_takes_stays_until_the_run_is_over_and_its_work_is_listed_once(
    lab: Lab,
) -> None:
    await put(lab, landed(), requested(landed()), submitted())
    found = await look(lab, 30)
    assert (found.proposals, found.in_use) == ([], 1)
    await put(lab, succeeded(30))
    shelves = FakeShelves()
    porch = sweeper(lab.log, shelves, 40)
    assert [one.rule for one in (await porch.look((RULES,))).proposals] == ["reads-10"]
    shelves.put(Place("work", OUTCOME))  # nothing was left: it is not listed again
    assert [one.rule for one in (await porch.look((RULES,))).proposals] == ["reads-10"]


async def test_a_lock_of_the_store_is_a_fact_and_it_is_asked_again_when_it_ends(lab: Lab) -> None:
    until_then = MOMENT + 20 * DAY
    lab.remover = FakeRemover(
        lock=Removal(is_gone=False, is_locked=True, locked_until=until_then, reason="locked")
    )
    await put(lab, landed())
    [refused] = await swept(lab, 10)
    assert (refused.reason_code, refused.kept_until) == (LOCKED, until_then)
    assert (await look(lab, 19)).proposals == []
    lab.remover = FakeRemover()
    [gone] = await swept(lab, 20)
    assert gone.type() == "FileDeleted"


async def test_another_try_follows_where_the_store_does_not_answer(lab: Lab) -> None:
    lab.remover = FakeRemover(Retry("the store is away"))
    await put(lab, landed())
    [gone] = await swept(lab, 10)
    assert gone.rule == "reads-10"


def test_of_several_assays_what_keeps_longest_counts_and_what_has_no_rule_is_kept() -> None:
    everywhere = rules(reads=10, work=7)
    wgs, wes = rules(("wgs",), reads=30), rules(("wes",), reads=5)

    def days(*assays: str) -> dict[str, int]:
        found = rules_for(assays, (everywhere, wgs, wes))
        return {name: rule.keep_days for name, (_, rule) in found.items()}

    assert days() == {"reads": 10, "work": 7}
    assert days("panel") == {"reads": 10, "work": 7}
    assert days("wgs") == {"reads": 30}
    assert days("wes", "wgs") == {"reads": 30}
    assert days("panel", "wes") == {"reads": 10}
    assert rules_for(("wgs",), (wes,)) == {}
    newer = rules(reads=99)
    assert rules_for((), (everywhere, newer))["reads"][1].keep_days == 99


def test_a_hold_that_was_released_and_placed_again_stands() -> None:
    assert [*holds_of([hold(day=1), release(day=2), hold(day=3)])] == ["court"]
    assert holds_of([hold(day=1), hold(day=1.5), release(day=2)]) == {}
