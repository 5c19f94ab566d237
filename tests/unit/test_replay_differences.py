"""Each kind of difference, told by its own words; parked keys; what only counts for the state."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from genoflow.deploy.replay import compare, decider, recorded
from genoflow.deploy.replay.compare import differing
from genoflow.deploy.replay.decide import Report, Wish
from genoflow.deploy.replay.recorded import Digests, Said
from genoflow.deploy.replay.report import as_lines, as_plain
from genoflow.events import topics
from genoflow.events.case_closed import CaseClosed
from genoflow.events.divergence_found import DivergenceFound
from genoflow.events.errors import Refused, Retry
from genoflow.events.event import Event
from genoflow.events.log.memory import MemoryLog
from genoflow.events.log.port import Withheld
from genoflow.events.log.recorded import Position
from genoflow.events.qc_passed import QcPassed
from genoflow.events.sample_registered import SampleRegistered
from genoflow.processors.decision import Decision, Effect, effect_id
from genoflow.processors.flow import PROCESSORS
from genoflow.processors.processor import Call, Processor
from tests.examples import example
from tests.partition import CODEC
from tests.replays import facts, replayed, told, tried, whole_flow
from tests.spec import heard
from tests.toy import TOY, AboutFile, discarded, landed, requeued
from tests.workers import Lab, four_files_one_of_them_poison, landing, numbered, parked, until

JUDGE, CLOCK = PROCESSORS["judge-reads"], PROCESSORS["clock-sample"]
Change = Callable[[Decision], Decision]


def otherwise(row: Processor, change: Change) -> Processor:
    """The row with other decisions."""
    return replace(row, decide=lambda state, event: change(row.decide(state, event)))


# -- facts


async def test_other_fields_are_named() -> None:
    _, log, _ = whole_flow()

    def renamed(decision: Decision) -> Decision:
        events = [one.model_copy(update={"profile": "another"}) for one in decision.events]
        return replace(decision, events=tuple(events))

    report = await replayed(log, JUDGE, by=otherwise(JUDGE, renamed))
    passed, failed = await facts(log, QcPassed), report.decisions
    assert told(report) == [
        ("changed", "QcPassed: profile", len(passed)),
        ("changed", "QcFailed: profile", failed - len(passed)),
    ]
    [group, _] = report.groups(2)
    assert group.subjects == tuple(sorted({one.sample_id for one in passed}))
    [first, _] = group.examples
    assert (first.recorded["profile"], first.told["profile"]) == ("wgs-30x", "another")
    assert first.cause is not None
    assert first.recorded_at is not None
    assert first.recorded_at.offset > first.cause.offset


async def test_a_fact_that_is_new_stands_alone() -> None:
    _, log, _ = whole_flow()

    def more(decision: Decision) -> Decision:
        extra = [
            SampleRegistered(sample_id=one.key, registered_by="sample sheet") for one in
            decision.events
        ]  # fmt: skip
        return replace(decision, events=(*decision.events, *extra))

    by = otherwise(replace(JUDGE, emits=(*JUDGE.emits, SampleRegistered)), more)
    report = await replayed(log, JUDGE, by=by)
    assert told(report) == [("newly said", "SampleRegistered", report.decisions // 2)]


def test_the_same_fact_under_another_id_is_a_difference() -> None:
    cause, place = Position("gf.sample.v1", 0, 1), Position("gf.sample.v1", 0, 2)
    ids = [UUID(int=number) for number in (1, 2)]
    payloads = [{"round": 1, "because": str(one)} for one in ids]
    said = Said(ids[0], "QcPassed", "S1", b"", place)
    fact = compare._Fact(ids[1], "gf.sample.v1", "S1", "QcPassed", payloads[1])
    [found] = compare.paired(cause, [said], [fact], {place: payloads[0]}, Digests())
    assert (found.kind, found.what, found.subject) == ("other id", "QcPassed", "S1")
    assert (found.recorded, found.told) == (str(ids[0]), str(ids[1]))


def test_what_differs_in_ids_alone_is_told_apart() -> None:
    ids = "0e3b1a52-5b1f-5b6c-9d61-6f3f6b0f2a11", "1e3b1a52-5b1f-5b6c-9d61-6f3f6b0f2a11"
    before, after = ({"cause": f"run {one}", "rows": [{"id": one}]} for one in ids)
    assert differing(before, after) == ["cause", "rows[].id"]
    assert compare._without_ids(before) == compare._without_ids(after)


def test_fields_of_a_list_are_taken_together() -> None:
    before = {"rows": [{"a": 1, "b": 1}, {"a": 1, "b": 1}], "more": [1], "same": 0}
    after = {"rows": [{"a": 2, "b": 1}, {"a": 3, "b": 1}], "more": [1, 2], "same": 0}
    assert differing(before, after) == ["more", "rows[].a"]


# -- effects


async def test_a_deadline_that_is_kept_is_one_too_many() -> None:
    log, _ = tried(CLOCK.name)
    report = await replayed(
        log, CLOCK, by=otherwise(CLOCK, lambda decision: replace(decision, closes=()))
    )
    # Those that were cancelled are neither over nor open.
    assert [kind for kind, _, _ in told(report)] == ["newly opened"]


async def test_a_deadline_that_is_open_and_given_up_now_is_told() -> None:
    _, log, _ = whole_flow()
    by = replace(CLOCK, decide=_closing(CLOCK))
    report = await replayed(log, CLOCK, by=by)
    assert {kind for kind, _, _ in told(report)} == {"newly closed"}


def _closing(row: Processor) -> Callable[[Any, Event], Decision]:
    def decide(state: Any, event: Event) -> Decision:
        decision = row.decide(state, event)
        opened = [
            effect_id(event.envelope.event_id, row.name, one.name, one.discriminator)
            for one in decision.effects
        ]
        return replace(decision, closes=(*decision.closes, *opened))

    return decide


async def test_other_arguments_of_what_is_open_are_named() -> None:
    _, log, _ = whole_flow()

    def elsewhere(decision: Decision) -> Decision:
        return replace(
            decision, effects=tuple(replace(one, lane="one for all") for one in decision.effects)
        )

    report = await replayed(log, CLOCK, by=otherwise(CLOCK, elsewhere))
    assert {(kind, what) for kind, what, _ in told(report)} == {
        ("other arguments", f"{CLOCK.effects[0].name}: lane")
    }


async def test_an_effect_that_may_say_nothing_is_not_told_by_the_log() -> None:
    _, log, _ = whole_flow()
    row = PROCESSORS["join-case"]
    [call] = TOY.effects
    assert isinstance(call, Call)
    silent = replace(call, may_say_nothing=True)

    def mailing(decision: Decision) -> Decision:
        mail = Effect("mail", AboutFile(sample_id="S1", name="a"))
        return replace(decision, effects=(mail,) if decision.events else ())

    loud = await replayed(log, row, by=otherwise(replace(row, effects=(call,)), mailing))
    quiet = await replayed(log, row, by=otherwise(replace(row, effects=(silent,)), mailing))
    [(kind, what, count)] = told(loud)
    assert (kind, what) == ("newly opened", "mail")
    assert told(quiet) == []
    assert (quiet.untold, loud.untold) == (count, 0)
    assert any("cannot tell" in line for line in as_lines(quiet, 1))


# -- parking


@pytest.fixture
def lab() -> Lab:
    """An empty log with the toy on it."""
    return Lab(MemoryLog(topics.declared([TOY.changelog])))


def bearing(*poisons: str) -> Processor:
    """The toy, which refuses these files and no others."""

    def decide(state: Any, event: Any) -> Decision:
        if event.object_key in poisons:
            raise ValueError("no more of these")
        mild = event.model_copy(update={"etag": event.etag.replace("poison", "fine")})
        return TOY.decide(state, mild.enveloped(event.envelope))

    return replace(TOY, decide=decide)


async def replayed_toy(lab: Lab, by: Processor = TOY, wish: Wish | None = None) -> Report:
    """What it decides otherwise of what the lab's log holds of the toy."""
    assert isinstance(lab.log, MemoryLog)
    return await replayed(lab.log, TOY, wish, by=by)


async def test_a_parked_key_waits_in_a_replay_as_it_waits_now(lab: Lab) -> None:
    await four_files_one_of_them_poison(lab)
    report = await replayed_toy(lab)
    assert told(report) == []
    assert (report.taken, report.decisions) == (2, 1)  # two files wait behind the one


@pytest.mark.parametrize("mended", [True, False])
async def test_a_key_goes_on_where_it_was_requeued(lab: Lab, mended: bool) -> None:
    fact = await four_files_one_of_them_poison(lab)
    request = requeued(fact, mended=landed("b")) if mended else discarded(fact)
    await landing(lab, request, landed("e"))
    count = 5 if mended else 4
    async with lab.working(TOY) as running:
        await until(numbered(lab, [("", 0)] * count), running)
    report = await replayed_toy(lab)
    assert told(report) == []
    assert (report.decisions, report.recorded) == (count, count)


async def test_a_requeue_that_is_parked_again_is_followed(lab: Lab) -> None:
    fact = await four_files_one_of_them_poison(lab)
    await landing(lab, requeued(fact))
    async with lab.working(TOY):
        [_, again] = await parked(lab, 2)
    await landing(lab, requeued(again, "r2", mended=landed("b")))
    async with lab.working(TOY) as running:
        await until(numbered(lab, [("", 0)] * 4), running)
    assert told(await replayed_toy(lab)) == []
    report = await replayed_toy(lab, bearing())
    assert told(report) == [("no longer parks", "FileLanded", 2)]


async def test_a_release_that_parks_something_else_is_shown(lab: Lab) -> None:
    await four_files_one_of_them_poison(lab)
    report = await replayed_toy(lab, bearing("a"))
    assert told(report) == [
        ("no longer parks", "FileLanded", 1), ("parks", "FileLanded: ValueError", 1),
    ]  # fmt: skip
    assert [one.told for one in report.differences if one.kind == "parks"] == [
        "ValueError: no more of these"
    ]


async def test_what_cannot_be_folded_any_more_is_shown(lab: Lab) -> None:
    await landing(lab, landed("a"), landed("b"))
    async with lab.working(TOY) as running:
        await until(numbered(lab, [("", 0)] * 2), running)

    def evolve(state: Any, event: Any) -> Any:
        if event.object_key == "a":
            raise KeyError("a")
        return TOY.evolve(state, event)

    report = await replayed_toy(lab, replace(TOY, evolve=evolve))
    # Without the first file the second one has another number.
    assert told(report) == [
        ("changed", "TopUpRequested: reads_wanted, round", 1), ("parks", "FileLanded: KeyError", 1),
    ]  # fmt: skip


# -- the frame


@pytest.mark.parametrize("name", ["judge-reads", "clock-sample", "check-qc", "validate-files"])
async def test_states_that_are_kept_as_bytes_are_the_same(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, log, _ = whole_flow()
    monkeypatch.setattr(decider, "HOT_STATES_MAX", 1)
    assert told(await replayed(log, PROCESSORS[name])) == []


async def test_what_was_recorded_before_only_counts_for_the_state(lab: Lab) -> None:
    await landing(lab, landed("a"), landed("b"))
    async with lab.working(TOY) as running:
        await until(numbered(lab, [("", 0)] * 2), running)
    await landing(lab, landed("c"))
    async with lab.working(TOY) as running:
        await until(numbered(lab, [("", 0)] * 3), running)
    records = await lab.said("FileLanded")
    wish = Wish(since=records[-1].recorded_at)
    assert (await replayed_toy(lab, wish=wish)).taken < (await replayed_toy(lab)).taken
    assert told(await replayed_toy(lab, wish=wish)) == []


async def test_it_ends_early_where_everything_is_different(monkeypatch: pytest.MonkeyPatch) -> None:
    _, log, _ = whole_flow()
    monkeypatch.setattr(compare, "DIFFERENCES_MAX", 1)
    monkeypatch.setattr("genoflow.deploy.replay.decide.BATCH_RECORDS", 10)
    whole = await replayed(log, JUDGE)
    by = otherwise(
        JUDGE,
        lambda decision: replace(
            decision,
            events=tuple(one.model_copy(update={"profile": "x"}) for one in decision.events),
        ),
    )
    report = await replayed(log, JUDGE, by=by)
    assert report.is_cut
    assert report.taken < whole.taken
    assert any("--from" in line for line in as_lines(report, 1))


async def test_a_processor_that_never_worked_has_nothing_to_compare() -> None:
    log = MemoryLog([*topics.TOPICS, TOY.changelog], codec=CODEC)
    await log.append(landed("a"))
    report = await replayed(log, TOY)
    assert (report.records, report.taken, told(report)) == (0, 0, [])


class Late(MemoryLog):
    """A log that withholds a record which is not written yet."""

    async def withheld(self, topic: str) -> dict[tuple[str, int], Withheld]:
        """One more than there is, on one topic."""
        if topic != topics.CASE.name:
            return {}
        end = (await self.ends(topic))[topic, 0]
        return {(topic, 0): Withheld(end, 1, datetime(2026, 3, 1, tzinfo=UTC))}


async def test_it_waits_for_answers_whose_transaction_is_not_over_yet() -> None:
    log = Late([*topics.TOPICS, TOY.changelog], partitions=1, codec=CODEC)
    running = asyncio.create_task(replayed(log, TOY))
    done, _ = await asyncio.wait([running], timeout=0.2)
    assert not done
    await log.append(a_case())
    assert told(await running) == []


async def test_a_transaction_that_never_ends_is_told_of(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recorded, "SETTLE_SECONDS_MAX", 0.1)
    log = Late([*topics.TOPICS, TOY.changelog], partitions=1, codec=CODEC)
    with pytest.raises(Retry, match=r"gf\.case\.v1\[0\]@0: a transaction has had no end"):
        await replayed(log, TOY)


def a_case() -> Event:
    """Any event of a case."""
    return heard(example(CaseClosed, 1))


async def test_a_row_that_reads_another_topic_is_refused() -> None:
    _, log, _ = whole_flow()
    with pytest.raises(Refused, match=r"reads gf\.case\.v1 at that revision"):
        await replayed(log, JUDGE, by=replace(JUDGE, reads=topics.CASE))


# -- the report


def test_every_kind_of_difference_can_stand_on_the_log() -> None:
    kinds = [
        compare.CHANGED, compare.INSTEAD, compare.NO_LONGER, compare.NEW, compare.OTHER_ID,
        compare.NOT_OPENED, compare.OPENED, compare.ARGUMENTS, compare.CLOSED, compare.PARKS,
        compare.TAKES,
    ]  # fmt: skip
    for kind in kinds:
        DivergenceFound(
            stream="toy", replay_id=UUID(int=1), kind=kind, what="", differences=1,
            subjects_count=1, subjects=("S1",), example="",
        )  # fmt: skip


async def test_a_report_says_the_same_to_people_and_programs() -> None:
    _, log, _ = whole_flow()
    by = otherwise(JUDGE, lambda decision: replace(decision, events=()))
    report = await replayed(log, JUDGE, by=by)
    plain = as_plain(report, 2)
    lines = list(as_lines(report, 2))
    assert plain["differences"] == len(report.differences)
    assert sum(group["count"] for group in plain["groups"]) == plain["differences"]
    for group in plain["groups"]:
        assert any(line.startswith(f"{group['kind']}: {group['what']}") for line in lines)
        for shown in group["examples"]:
            assert any(shown["decided_on"] in line for line in lines)
    assert json.loads(json.dumps(plain)) == plain
