"""Events asked for on a real Postgres: page by page, from a position on, and along their causes."""

from __future__ import annotations

import random
from typing import Any

import pytest

from genoflow.events import topics
from genoflow.events.case_member import CaseMember
from genoflow.events.case_opened import CaseOpened
from genoflow.events.errors import Refused
from genoflow.events.event import Event
from genoflow.events.log.memory import MemoryLog
from genoflow.events.log.port import Vector
from genoflow.events.log.recorded import Position
from genoflow.projections.audit_trail import AuditTrail
from genoflow.projections.event_search import KeptEvent, Wanted, follow, search
from genoflow.projections.lineage import lineage_of
from genoflow.projections.rebuild import rebuild
from genoflow.projections.runner import bring_up
from genoflow.projections.vectors import covers, from_word, to_word
from tests import qc_facts, run_facts
from tests.examples import someone
from tests.heard import joined
from tests.partition import CODEC, MOMENT
from tests.spec import heard

ALL = 120


def opened(case: str) -> CaseOpened:
    """An order of one sample."""
    member = CaseMember(sample_id="S1", role="single", subject_ref="P1")
    return CaseOpened(
        case_id=case, kind="single", assay="wgs", reference="GRCh38", source="tests",
        members=(member,),
    )  # fmt: skip


def facts(number: int, begin: int = 0) -> list[Event]:
    """So many facts about a few samples and cases."""
    return [
        joined(f"S{one % 7}", one) if one % 3 else heard(opened(f"CASE-{one}"), MOMENT)
        for one in range(begin, begin + number)
    ]


async def log_of(log: MemoryLog, connection: Any, events: list[Event]) -> None:
    """Append these, and let the audit trail know them."""
    for event in events:
        await log.append(event)
    await bring_up(log, CODEC, connection, [AuditTrail()])


async def test_a_walk_through_pages_misses_none_while_others_come(connection: Any) -> None:
    async with MemoryLog() as log:
        await log_of(log, connection, facts(ALL))
        seen: list[KeptEvent] = []
        page = await search(connection, limit=7)
        while page:
            seen += page
            await log_of(log, connection, facts(1, begin=ALL + len(seen)))
            page = await search(connection, after=seen[-1].place, limit=7)
            if len(seen) > 2 * ALL:
                break
        every = await search(connection, limit=1_000)
    assert len({one.event_id for one in seen}) == len(seen) > ALL
    assert [one.event_id for one in every[: len(seen)]] == [one.event_id for one in seen]
    back = await search(connection, limit=1_000, newest_first=True)
    assert back == every[::-1]
    assert await search(connection, after=back[4].place, limit=3, newest_first=True) == back[5:8]


async def test_what_is_named_has_to_hold(connection: Any) -> None:
    async with MemoryLog() as log:
        await log_of(log, connection, facts(30))
    every = await search(connection, limit=1_000)
    some = await search(connection, Wanted(types=("CaseJoined",), subjects=("S1", "S2")))
    assert some == [
        one for one in every if one.type == "CaseJoined" and one.subject in ("S1", "S2")
    ]
    assert some
    one = every[9]
    assert await search(connection, Wanted(correlation_id=one.correlation_id)) == [
        other for other in every if other.correlation_id == one.correlation_id
    ]
    later = Wanted(topics=(topics.CASE.name,), recorded_from=one.recorded_at)
    assert {two.topic for two in await search(connection, later)} == {topics.CASE.name}
    assert await search(connection, Wanted(subjects=("' or true --",))) == []
    with pytest.raises(Refused, match="1 to 1,000"):
        await search(connection, limit=1_001)
    with pytest.raises(Refused, match="no event stands there"):
        await search(connection, after=Position(topics.CASE.name, 0, 10**9))


@pytest.mark.parametrize("seed", range(3))
async def test_a_stream_that_goes_on_by_its_position_gives_each_event_once(
    connection: Any, seed: int
) -> None:
    """Also where another build of the audit trail is live when it comes back."""
    chance = random.Random(f"stream {seed}")
    wanted = Wanted(types=("CaseJoined",))
    here: Vector = {}
    seen: list[KeptEvent] = []
    async with MemoryLog() as log:
        for turn in range(8):
            await log_of(log, connection, facts(chance.randint(0, 20), begin=turn * 100))
            if turn == 4:
                said = {"person": "somebody", "reason": "asked for"}
                await rebuild(log, CODEC, connection, AuditTrail(), lambda _: None, said=said)
            for _ in range(chance.randint(1, 3)):
                some, after = await follow(connection, from_word(to_word(here)), wanted, limit=5)
                assert covers(after, here)
                seen, here = seen + some, after
        while True:
            some, after = await follow(connection, here, wanted, limit=5)
            if after == here:
                break
            seen, here = seen + some, after
    every = await search(connection, wanted, limit=1_000)
    assert sorted(one.event_id for one in seen) == sorted(one.event_id for one in every)


async def test_causes_and_consequences_are_told_both_ways(connection: Any) -> None:
    first = heard(opened("CASE-1"), MOMENT)
    second = first.follow(run_facts.requested(), by=someone())
    third = second.follow(run_facts.published(), by=someone())
    beside = first.follow(qc_facts.joined("CASE-1"), by=someone())
    async with MemoryLog() as log:
        await log_of(log, connection, [first, second, third, beside])
    found = await lineage_of(connection, second.envelope.event_id)
    assert found is not None
    assert [one.type for one in found.causes] == ["CaseOpened"]
    assert [one.type for one in found.consequences] == ["ResultsPublished"]
    whole = await lineage_of(connection, first.envelope.event_id, limit=2)
    assert whole is not None
    assert (len(whole.consequences), whole.is_cut) == (2, True)
    assert await lineage_of(connection, run_facts.RUN_ID) is None
