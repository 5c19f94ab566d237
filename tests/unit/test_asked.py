"""Questions that hop between topics, and orders held against the log, on a log in memory."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from genoflow.deploy import subject
from genoflow.deploy.parked import read_parkings, waiting_of
from genoflow.deploy.settings import Settings
from genoflow.deploy.subject import LogSubjects
from genoflow.events import topics
from genoflow.events.case_closed import CaseClosed
from genoflow.events.errors import InvalidEvent, Refused
from genoflow.events.event import Event
from genoflow.events.event_parked import EventParked
from genoflow.events.log.memory import MemoryLog
from genoflow.events.log.partitioner import partition_of
from genoflow.events.log.recorded import Raw
from genoflow.events.qc_passed import QcPassed
from genoflow.events.results_published import ResultsPublished
from genoflow.processors.flow import PROCESSORS
from genoflow.processors.intake import order_desk as orders
from genoflow.processors.intake.order_desk import Said, person
from genoflow.processors.intake.privacy import PrivacyGuard
from genoflow.projections.asking import asked, lists
from genoflow.projections.asking.source import Scanning
from tests.asked import (
    RUN_ID,
    failed,
    joined,
    landed,
    like,
    member_ready,
    opened,
    ready,
    registered,
    requested,
    told,
)
from tests.partition import CODEC, MOMENT

GUARD = PrivacyGuard(Settings().person_patterns)
RUN = str(RUN_ID)
BY = Said(person("a.b"), MOMENT)


@pytest.fixture
async def log() -> AsyncIterator[MemoryLog]:
    async with MemoryLog(topics.TOPICS, partitions=4, codec=CODEC) as memory:
        yield memory


async def said(log: MemoryLog, kind: str, name: str) -> str:
    ask: Any = getattr(asked, f"about_{kind}")
    parked = waiting_of(await read_parkings(log, PROCESSORS))
    found = await ask(Scanning(LogSubjects(log), parked), name)
    json.dumps(found.facts, default=str)
    return "\n".join(found.sentences)


async def put(log: MemoryLog, *events: Event) -> None:
    await log.append_atomically(told(*events))


# -- the reader


async def test_a_subject_has_its_own_events_each_once_and_in_order(log: MemoryLog) -> None:
    events = told(registered(), joined(), landed("R1"), registered("S8"))
    for event in (*events, events[0], *events):
        await log.append(event)
    subjects = LogSubjects(log)
    found = await subjects.events_of(topics.SAMPLE, ["S7", "S9"])
    assert found == {"S7": events[:3], "S9": []}
    assert await subjects.events_of(topics.SAMPLE, []) == {}
    assert [one async for one in subjects.every(topics.SAMPLE, type(events[0]))] in (
        [events[0], events[3]], [events[3], events[0]],
    )  # fmt: skip


async def test_bytes_that_are_no_event_are_left_out(log: MemoryLog) -> None:
    await put(log, registered())
    await log.append_raw(
        topics.SAMPLE.name, partition_of(b"S7", 4), [Raw(b"S7", b"rubbish", (), 0)]
    )
    found = await LogSubjects(log).events_of(topics.SAMPLE, ["S7"])
    assert [event.type() for event in found["S7"]] == ["SampleRegistered"]
    assert len([one async for one in LogSubjects(log).every(topics.SAMPLE)]) == 1


async def test_what_is_asked_is_bounded(log: MemoryLog, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subject, "ASKED_EVENTS_MAX", 1)
    await put(log, registered(), joined())
    with pytest.raises(Refused, match="more than 1 events are about what was asked"):
        await LogSubjects(log).events_of(topics.SAMPLE, ["S7"])


# -- hops


async def test_a_case_asks_its_members_and_its_runs(log: MemoryLog) -> None:
    await put(log, opened(), registered("D"), joined("D"), member_ready("E"))
    await log.append(failed(sample="D", read_set_ids=()))
    assert "C1 waits for D (tumour), which failed QC of its reads" in await said(log, "case", "C1")
    await put(log, member_ready("D"), ready(), requested())
    text = await said(log, "case", "C1")
    assert f"C1 waits for run {RUN}, which waits to be submitted to local" in text
    assert f"{RUN} is for case C1" in await said(log, "run", RUN.upper())


async def test_a_sample_with_good_reads_tells_what_its_case_waits_for(log: MemoryLog) -> None:
    good = like(QcPassed, sample_id="D", round=1, read_set_ids=("X",))
    await put(log, opened(), registered("D"), joined("D"), good, member_ready("D"))
    text = await said(log, "sample", "D")
    assert "D passed QC of its reads in round 1" in text
    assert "C1 waits for E (normal), which has not heard of its order yet" in text


async def test_a_sample_of_a_cancelled_case_says_so(log: MemoryLog) -> None:
    closed = CaseClosed(case_id="C1", outcome="cancelled", reason="ordered twice")
    await put(log, opened(), registered("D"), joined("D"), closed)
    assert "C1 is closed, cancelled (ordered twice)" in await said(log, "sample", "D")


async def test_a_file_is_found_by_its_place_with_every_version(log: MemoryLog) -> None:
    await put(log, registered(), landed("R1"), landed("R1", version="2"))
    of_run = landed("OTHER", sample_id=None, instrument_run_id="RUN1")
    loose = landed("I2", sample_id=None)
    await put(log, of_run, loose)
    for name in ("L1.FC.1/R1", "raw/L1.FC.1/R1"):
        assert (await said(log, "file", name)).count("waits to be validated") == 2
    text = await said(log, "file", "raw/L1.FC.1/R1@2")
    assert text.splitlines()[1] == (
        "raw/L1.FC.1/R1@2 is a file of sample S7; ask `genoflow sample why S7`"
    )
    assert "of run RUN1 and of no sample" in await said(log, "file", "L1.FC.1/OTHER")
    assert "waits for its sample" in await said(log, "file", "L1.FC.1/I2")


async def test_a_parked_key_is_told_until_a_person_answers(log: MemoryLog) -> None:
    await put(log, registered())
    place = {"input_topic": topics.SAMPLE.name, "partition": partition_of(b"S7", 4), "offset": 0}
    parked = like(
        EventParked, subject_key="S7", processor="watch-silence", **place, effect_id=None,
        error="it cannot be taken.",
    )  # fmt: skip
    await put(log, parked)
    text = await said(log, "sample", "S7")
    assert "S7 is parked for watch-silence: it cannot be taken (since" in text
    assert "`genoflow parked show " in text


@pytest.mark.parametrize("kind", ["sample", "case", "run", "file"])
async def test_what_is_not_there_is_named(log: MemoryLog, kind: str) -> None:
    with pytest.raises(Refused, match=f"{kind} 'x': .*`genoflow {kind} list`"):
        await said(log, kind, "x")


async def test_lists_show_the_newest_first_with_their_state(log: MemoryLog) -> None:
    published = like(ResultsPublished, run_id=RUN_ID, case_id="C1")
    await put(log, registered(), landed("R1"), opened(), member_ready("D"), member_ready("E"))
    await put(log, ready(), requested(), published, landed("I2", sample_id=None), registered("S8"))
    subjects = LogSubjects(log)
    assert [(one.id, one.state) for one in await lists.all_samples(subjects)] == [
        ("S8", "waits for order"), ("S7", "waits for order"),
    ]  # fmt: skip
    assert [(o.id, o.state) for o in await lists.all_cases(subjects)] == [("C1", "run published")]
    assert [(o.id, o.state) for o in await lists.all_runs(subjects)] == [(RUN, "published")]
    assert {(o.id, o.state) for o in await lists.all_files(subjects)} == {
        ("raw/L1.FC.1/R1@1", "landed"), ("raw/L1.FC.1/I2@1", "unassigned"),
    }  # fmt: skip


# -- orders


def document(case: str = "C1", subject_ref: str = "P1", **more: Any) -> dict[str, Any]:
    member = {"sample_id": "S7", "role": "single", "subject_ref": subject_ref}
    return {
        "case_id": case, "kind": "single", "assay": "panel", "reference": "GRCh38",
        "members": [member], **more,
    }  # fmt: skip


def read(*documents: dict[str, Any]) -> list[Any]:
    return orders.read_orders([("a.json", json.dumps(documents))], GUARD).orders


async def placed(log: MemoryLog, *documents: dict[str, Any], dry_run: bool = False) -> list[bool]:
    done = await orders.place(log, LogSubjects(log), read(*documents), BY, dry_run=dry_run)
    return [one.is_new for one in done]


async def test_an_order_is_placed_once_by_a_person(log: MemoryLog) -> None:
    assert await placed(log, document(), dry_run=True) == [True]
    assert await placed(log, document(), document("C2")) == [True, True]
    assert await placed(log, document()) == [False]
    [event] = (await LogSubjects(log).events_of(topics.CASE, ["C1"]))["C1"]
    assert (event.envelope.actor.kind, event.envelope.actor.id) == ("person", "a.b")
    assert event.envelope.event_id == event.external_id()
    assert sum((await log.ends(topics.CASE.name)).values()) - 2 <= 4  # two, and their markers


def test_a_person_whose_name_is_no_account_is_refused() -> None:
    with pytest.raises(InvalidEvent, match=r"person\.id"):
        person("a" * 201)


async def test_the_place_of_a_single_order_is_told(log: MemoryLog) -> None:
    [placed_] = await orders.place(log, LogSubjects(log), read(document()), BY, dry_run=False)
    number = partition_of(b"C1", await log.partitions(topics.CASE.name))
    assert placed_.position == (topics.CASE.name, number, 0)
    [again] = await orders.place(log, LogSubjects(log), read(document()), BY, dry_run=False)
    assert (again.is_new, again.position) == (False, None)


async def test_another_order_under_the_same_id_is_refused_with_what_differs(log: MemoryLog) -> None:
    await placed(log, document())
    with pytest.raises(Refused) as refusal:
        await placed(log, document(assay="exome"), document("C2"))
    assert "C1: assay: is panel on the log and exome here" in str(refusal.value)
    assert (await LogSubjects(log).events_of(topics.CASE, ["C2"]))["C2"] == []


async def test_a_sample_of_two_subjects_is_refused(log: MemoryLog) -> None:
    await put(log, joined(case="C0"))
    assert await placed(log, document()) == [True]
    with pytest.raises(Refused, match="C2: member S7 has another subject in case C0"):
        await placed(log, document("C2", "P2"))


def test_everything_wrong_in_every_file_is_told() -> None:
    texts = [
        ("a.json", json.dumps([document(), document(assay="exome")])),
        ("b.json", json.dumps(document(kind="trio"))), ("c.json", "{"),
    ]  # fmt: skip
    with pytest.raises(Refused) as refusal:
        orders.read_orders(texts, GUARD)
    text = str(refusal.value)
    for fact in (
        "a.json order 2: C1: is ordered otherwise in a.json order 1: assay: is panel",
        "b.json: members: a trio case needs a proband", "c.json: is no JSON",
        "nothing was appended",
    ):  # fmt: skip
        assert fact in text


async def test_a_case_is_closed_once(log: MemoryLog) -> None:
    def fact(reason: str = "ordered twice") -> CaseClosed:
        return CaseClosed(case_id="C1", outcome="cancelled", reason=reason)

    async def close(fact: CaseClosed, *, dry_run: bool = False) -> bool:
        return await orders.close(log, LogSubjects(log), fact, BY, dry_run=dry_run)

    with pytest.raises(Refused, match="C1: no case has this id"):
        await close(fact())
    await placed(log, document())
    assert await close(fact(), dry_run=True)
    assert await close(fact())
    assert not await close(fact())
    with pytest.raises(Refused, match=r"was closed already, cancelled \(ordered twice\)"):
        await close(fact("another reason"))
    with pytest.raises(InvalidEvent):
        fact("")
