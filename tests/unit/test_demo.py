"""The demonstration's own arithmetic: what it shows, what it counts, and the ids of a play."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest

from genoflow.deploy.demo import watched as watched_play
from genoflow.deploy.demo.board import Board
from genoflow.deploy.demo.count import counted, owed
from genoflow.deploy.demo.lab import RULES, RULES_ID, Play, next_numbers, prepare
from genoflow.deploy.demo.play import END
from genoflow.deploy.demo.screen import shortened
from genoflow.deploy.settings import Settings
from genoflow.events import topics
from genoflow.events.alert_raised import AlertRaised
from genoflow.events.alert_resolved import OVER, AlertResolved
from genoflow.events.case_member import CaseMember
from genoflow.events.case_opened import CaseOpened
from genoflow.events.errors import StackFault
from genoflow.events.event import Event, begin
from genoflow.events.log.memory import MemoryLog
from tests import alert_facts
from tests import qc_facts as facts
from tests.examples import somebody, someone

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


@pytest.fixture(scope="module")
def play(tmp_path_factory: pytest.TempPathFactory) -> Play:
    """The material of a play, with few reads."""
    return prepare(tmp_path_factory.mktemp("demo"), 7, 12, depth=0.5)


def opened(case_id: str, *samples: str) -> CaseOpened:
    """An order for these samples."""
    roles = ("tumour", "normal") if len(samples) > 1 else ("single",)
    members = tuple(
        CaseMember(sample_id=name, role=role, subject_ref="P1")
        for name, role in zip(samples, roles, strict=True)
    )
    return CaseOpened(
        case_id=case_id, kind="tumour-normal" if len(samples) > 1 else "single", members=members,
        assay="wgs", reference="GRCh38", source="test",
    )  # fmt: skip


def said(fact: Event, seconds: int = 0) -> Event:
    """The fact in its envelope."""
    at = NOW + timedelta(seconds=seconds)
    return begin(fact, occurred_at=at, actor=somebody(), by=someone())


async def told(board: Board, *events: tuple[topics.Topic, Event]) -> list[str]:
    """The rows of the board after these events, as text."""
    for topic, event in events:
        await board.take(topic.name, event)
    return [" | ".join((r.name, r.order, r.stage, r.newest, r.waits)) for r in await board.rows()]


def test_every_play_has_ids_of_its_own(play: Play) -> None:
    assert play.sample("A") == "DEMO-007-A"
    assert play.runs == ("260105_A00001_0012_AHG0012DRXY", "260105_M00001_0013_000000000-G0013")
    assert play.whole_cases == {f"DEMO-007-CASE-{number}" for number in range(1, 5)}
    orders = json.loads((play.folder / "orders.json").read_bytes())
    assert {one["case_id"] for one in orders} == {*play.cases}
    documents = json.loads((play.folder / "catalog.json").read_bytes())
    ids = {one["document_id"] for one in documents}
    assert {one["reference"] for one in orders} <= ids
    assert all(name.endswith("-demo-007") for name in ids)
    assays = {assay for one in documents for assay in one.get("assays", ())}
    assert {one["assay"] for one in orders} == assays
    rules = json.loads((play.folder / RULES).read_bytes())
    assert rules["document_id"] == RULES_ID
    assert [one["rule"] for one in rules["rules"]] == ["demo-rejected-files", "demo-failed-qc"]
    damaged, whole = play.sent(damaged=True), play.sent(damaged=False)
    assert damaged[:5] == whole[:5], "R1 is the same file"
    assert Path(damaged[-1]).stat().st_size < Path(whole[-1]).stat().st_size


async def test_the_next_play_comes_after_all_that_the_log_knows() -> None:
    async with MemoryLog() as log:
        assert await next_numbers(log) == (1, 1)
        await log.append(said(opened("DEMO-004-CASE-1", "DEMO-004-A")))
        await log.append(said(opened("DEMO-CASE", "S1")))
        assert await next_numbers(log) == (5, 1)


async def test_the_board_says_who_waits_for_whom(play: Play) -> None:
    board = Board(play, 0.0)
    case_id, d, e = "DEMO-007-CASE-4", play.sample("D"), play.sample("E")
    rows = await told(board, (topics.CASE, said(opened("CASE-4", "OTHER"))))
    assert all("nothing was heard of it yet" in row for row in rows[:6])
    assert rows[6] == f"{case_id} | D, E |  |  | "
    order = said(opened(case_id, d, e))
    rows = await told(board, (topics.CASE, order))
    assert f"waits for {d}" in rows[6]
    assert f"waits for {e}" in rows[6]
    joined = said(facts.joined(case_id).model_copy(update={"sample_id": d}))
    rows = await told(board, (topics.SAMPLE, joined))
    assert "waits for its reads" in rows[3]
    assert "CaseJoined" in rows[3]


def test_what_is_long_is_cut_with_a_sign() -> None:
    assert shortened("short") == "short"
    assert shortened("x" * 200).endswith("x…")


def test_the_truth_says_what_is_owed(play: Play) -> None:
    wanted = owed(play, END)
    per_sample = {
        letter: [wanted[kind, play.sample(letter)] for kind in (
            "FileLanded", "Validated", "FileRejected", "QcPassed", "QcFailed",
        )]
        for letter in "ABCDEF"
    }  # fmt: skip
    assert per_sample == {
        "A": [2, 2, 0, 1, 0], "B": [3, 2, 1, 1, 0], "C": [4, 4, 0, 1, 1], "D": [2, 2, 0, 1, 0],
        "E": [2, 2, 0, 1, 0], "F": [0, 0, 0, 0, 1],
    }  # fmt: skip
    assert [wanted["ResultsPublished", one] for one in sorted(play.cases)] == [1, 1, 1, 1, 0]


def test_an_alert_is_held_against_the_fact_that_it_is_about(play: Play) -> None:
    failed = [qc_failed(play.sample(letter)) for letter in "CF"]
    other = qc_failed("DEMO-001-C")
    known = [alert_of(play, fact) for fact in failed]
    by_the_lab = known[0].model_copy(update={"rules_document_id": "alerts", "alert_id": uuid4()})
    resolved = said(AlertResolved(alert_id=known[0].alert_id, manner=OVER, reason="QcPassed came"))
    found = watched_play.compared(play, [*failed, other], [*known, *known, by_the_lab, resolved])
    assert (found.facts, found.raised, found.over, found.wrong) == (2, 2, 1, ())
    assert "alerted 2 times, of 2 facts" in found.sentences()[0]
    again = known[1].model_copy(update={"alert_id": uuid4()})
    founded_on_nothing = alert_of(play, qc_failed(play.sample("A")))
    wrong = watched_play.compared(play, failed, [known[1], again, founded_on_nothing]).wrong
    assert wrong == (
        f"QcFailed of {play.sample('C')}: 0 alerts",
        f"QcFailed of {play.sample('F')}: 2 alerts",
        f"QcFailed of {play.sample('A')}: an alert, and no such fact",
    )


async def test_a_tower_that_does_not_run_is_not_waited_for_in_vain(
    play: Play, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watched_play, "STANDS_SECONDS_MAX", 0.0)
    monkeypatch.setattr(watched_play, "LOOK_SECONDS", 0.01)
    async with MemoryLog() as log:
        log.add_topic(topics.TOWER)
        await log.append(qc_failed(play.sample("C")))
        with pytest.raises(StackFault, match=r"does not run in .*; `genoflow down`, then"):
            await watched_play.watched(Settings(home=tmp_path), log, play)


def qc_failed(sample: str) -> Event:
    """A verdict of its first round."""
    return said(facts.failed().model_copy(update={"sample_id": sample}))


def alert_of(play: Play, fact: Event) -> AlertRaised:
    """What the rule of plays says of it."""
    return alert_facts.raised(
        alert_id=uuid4(), rules_document_id=RULES_ID, subject_key=fact.key,
        last_event_id=fact.envelope.event_id, headline=f"QcFailed of {fact.key}",
    )  # fmt: skip


def count_of(play: Play, events: Sequence[Event]) -> tuple[int, int, int]:
    """How much is lost, once too often and repeated."""
    found = counted(play, events, END)
    assert found.is_whole is not any((found.lost, found.unexpected, found.repeated))
    assert f"lost {len(found.lost)} of {found.expected} facts" in found.sentences()[0]
    return (
        sum(int(one.split()[0]) for one in found.lost),
        len(found.unexpected),
        len(found.repeated),
    )


def test_what_is_missing_and_what_stands_twice_is_counted(play: Play) -> None:
    all_owed = owed(play, END).total()
    first = said(opened("DEMO-007-CASE-1", play.sample("A")))
    assert count_of(play, []) == (all_owed, 0, 0)
    assert count_of(play, [first]) == (all_owed - 1, 0, 0)
    assert count_of(play, [first, first]) == (all_owed - 1, 1, 1), "an id that stands twice"
    joined = said(facts.joined("DEMO-007-CASE-9"))
    other_id = joined.envelope.model_copy(update={"event_id": uuid4()})
    again = joined.model_copy(update={"envelope": other_id})
    assert count_of(play, [joined, again]) == (all_owed, 0, 1), "the same fact under two ids"
