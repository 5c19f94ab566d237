"""Bad input to a worker, on memory and on Kafka: it ends as stated, and nothing is lost."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace

import pytest

from genoflow.events import topics
from genoflow.events.errors import Stop, UnknownSchema
from genoflow.events.event import Event
from genoflow.events.log.recorded import Raw
from genoflow.events.registry import released
from genoflow.processors.decision import Decision
from genoflow.processors.ports import Attempt
from genoflow.processors.processor import Call
from genoflow.processors.runner import Runner
from tests.toy import TOY, AboutFile, landed, requeued, sent, topped
from tests.workers import S1, WHOLE, Lab, landing, numbered, parked, until

SAMPLE = topics.SAMPLE


@pytest.mark.parametrize(
    ("etag", "fact", "way_out"),
    [
        ("poison", "ValueError: b is poison", ""),
        ("stranger", "answered with FileLanded, which FLOW does not list", "mend the decider"),
        ("elsewhere", "answered about 'S2' on the topic and in the order of 'S1'", "is a hop"),
        ("unknown-effect", "opened the effect 'telephone'", "mend the decider"),
    ],
)
async def test_what_a_decider_may_not_do_parks_the_key(
    lab: Lab, etag: str, fact: str, way_out: str
) -> None:
    await landing(lab, landed("a"), landed("b", etag), landed("c"), landed("d"))
    async with lab.working(TOY) as running:
        [found] = await parked(lab)
        await landing(lab, landed("x", sample="S2"))
        await until(numbered(lab, [("x", 1)], "S2"), running)  # others go on
    assert found.error.startswith(f"{SAMPLE.name}[{S1}]@{found.offset}: ")
    assert fact in found.error
    assert way_out in found.error
    mended = replace(TOY, decide=lambda s, e: Decision(events=(topped(len(s.names) + 1, e),)))
    await landing(lab, requeued(found))
    async with lab.working(mended) as running:
        await until(numbered(lab, WHOLE), running)
    assert await lab.numbers() == WHOLE


async def test_an_unknown_version_stops_and_is_still_there(lab: Lab) -> None:
    await landing(lab, landed("a"))
    async with lab.working(TOY) as running:
        await until(numbered(lab, WHOLE[:1]), running)
    subject = released().current("FileLanded").subject.encode()
    value = b"\x00\x00\x0f\x42\x3f" + b"of a schema to come"
    newer = Raw(b"S1", value, [("ce_type", subject)], 0)
    [offset] = await lab.log.append_raw(SAMPLE.name, S1, [newer])
    await landing(lab, landed("b"))
    for _ in range(2):  # it stops as often as it is started
        error = await lab.ended(TOY)
        assert isinstance(error, UnknownSchema)
        assert str(error).startswith(f"{SAMPLE.name}[{S1}]@{offset}: ")
        assert "deploy" in str(error)
    assert await lab.numbers() == WHOLE[:1]
    position = (await lab.changelog(TOY, S1)).position
    assert position is not None
    assert position <= offset
    assert await lab.facts(topics.PARKED) == []


async def test_a_changelog_without_a_position_stops(lab: Lab) -> None:
    await landing(lab, landed("a"))
    await lab.log.append_raw(TOY.changelog.name, S1, [Raw(b"state/S1", b"{}", (), 0)])
    error = await lab.ended(TOY)
    assert isinstance(error, Stop)
    assert str(error).startswith(f"{TOY.changelog.name}[{S1}]: 1 records and no position")
    assert "restore it from a backup, or delete the topic to rebuild the state" in str(error)
    assert await lab.numbers() == []


async def test_an_effect_that_never_ends_is_parked_and_opened_again_by_a_person(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert Runner.__init__.__kwdefaults__ is not None
    monkeypatch.setitem(Runner.__init__.__kwdefaults__, "pauses_seconds", (0.01,))

    async def hangs(_arguments: AboutFile, _attempt: Attempt) -> Sequence[Event]:
        await asyncio.Event().wait()
        return []

    [mail] = TOY.effects
    assert isinstance(mail, Call)
    hanging = replace(TOY, effects=(replace(mail, perform=hangs, seconds_max=0.05),))
    await landing(lab, landed("a", "mail"), landed("b"))
    async with lab.working(hanging) as running:
        [fact] = await parked(lab)
        await until(numbered(lab, WHOLE[:2]), running)  # its position is not held
    assert "not done within 0.05 s; see what it waits for, then requeue it" in fact.error
    assert fact.effect_id is not None
    await landing(lab, requeued(fact))

    async def told() -> bool:
        return len(await lab.facts(topics.NOTIFICATION)) > 0

    async with lab.working(TOY) as running:
        await until(told, running)
    [record] = await lab.facts(topics.NOTIFICATION)
    assert record.event.payload() == sent(fact.effect_id).payload()
