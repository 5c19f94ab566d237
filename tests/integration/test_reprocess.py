"""Work asked for again about a cohort: rows in a real Postgres, the log in memory."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Any
from uuid import UUID

import pytest

from genoflow.deploy.replay import reprocess
from genoflow.deploy.replay.chosen import Selection, select
from genoflow.deploy.replay.reprocess import Plan, Said, append, kind_named, planned
from genoflow.deploy.subject import LogSubjects
from genoflow.events import topics
from genoflow.events.case_closed import CaseClosed
from genoflow.events.case_opened import CaseOpened
from genoflow.events.demultiplex_failed import DemultiplexFailed
from genoflow.events.demultiplex_reopened import DemultiplexReopened
from genoflow.events.errors import Refused, Retry
from genoflow.events.event import Event
from genoflow.events.qc_failed import QcFailed
from genoflow.events.rerun_requested import RerunRequested
from genoflow.events.run_failed import RunFailed
from genoflow.events.run_submitted import RunSubmitted
from genoflow.events.run_succeeded import RunSucceeded
from genoflow.events.top_up_requested import TopUpRequested
from genoflow.projections import cases, runs, samples, sequencing_runs
from tests.asked import like, registered
from tests.integration.rows import Rows, rows_of
from tests.partition import MOMENT
from tests.run_facts import requested

PATTERNS = (r"\bMRN\d+\b",)
COHORT = 30  # runs; two of three fail
REASON = "the disk is mended"


def run_id(number: int) -> UUID:
    return UUID(int=1_000 + number)


def cohort() -> list[Event]:
    """Runs of two projects: every third succeeds, the others fail for one of two reasons."""
    events: list[Event] = []
    for number in range(COHORT):
        case = f"C{number:03}"
        of: dict[str, Any] = {"run_id": run_id(number), "case_id": case, "attempt": 1}
        events += [
            like(CaseOpened, case_id=case, project_id=f"P{number % 2}"),
            requested(run_id=run_id(number), case_id=case, attempts_max=1),
            like(RunSubmitted, **of),
        ]
        if number % 3 == 0:
            events.append(like(RunSucceeded, **of))
        else:
            why = "no space left" if number % 3 == 1 else "no memory left"
            events.append(like(RunFailed, **of, will_retry=False, reason=why))
    return events


@pytest.fixture
async def rows(postgres_url: str) -> AsyncIterator[Rows]:
    made = (samples.Samples(), sequencing_runs.SequencingRuns(), cases.Cases(), runs.Runs())
    async with rows_of(postgres_url, *made) as opened:
        yield opened


async def chosen(rows: Rows, kind: str, where: str, **how: Any) -> Selection:
    known: dict[str, Any] = {"at_position": None, "limit": 1_000}
    return await select(rows.connection, kind_named(kind).rows, where, **known | how)


async def plan_of(rows: Rows, kind: str, where: str, reason: str = REASON, **how: Any) -> Plan:
    selection = await chosen(rows, kind, where, **how)
    said = Said(reason, "mona", MOMENT)
    return await planned(LogSubjects(rows.log), kind_named(kind), selection, said, _quiet)


def _quiet(_done: int, _of: int) -> None:
    """Tell nobody."""


async def on_the_log(rows: Rows, kind: type[Event]) -> list[Any]:
    """Every event of a type, as it stands there, repetitions too."""
    return [
        record.event
        async for record in rows.log.read_topic(kind.about.topics[0].name)
        if record.type == kind.type()
    ]


def keys(subjects: Sequence[Any]) -> list[str]:
    return [one.key for one in subjects]


async def test_the_runs_of_a_project_that_failed_are_asked_for_again(rows: Rows) -> None:
    await rows.tell(*cohort())
    plan = await plan_of(rows, "run", "state = failed and project_id = P1")
    owed = [number for number in range(COHORT) if number % 3 and number % 2]
    assert keys(plan.selection.subjects) == [str(run_id(number)) for number in owed]
    assert {words: len(some) for words, some in plan.groups()} == {
        "failed: no memory left": 5, "failed: no space left": 5,
    }  # fmt: skip
    assert await on_the_log(rows, RerunRequested) == [], "nothing was appended yet"
    assert await append(rows.log, plan, PATTERNS, _quiet) == len(owed)
    found = await on_the_log(rows, RerunRequested)
    assert {one.run_id for one in found} == {run_id(number) for number in owed}
    assert {(one.reason, one.envelope.actor.id) for one in found} == {(REASON, "mona")}
    assert all(one.envelope.causation_id for one in found)


async def test_a_second_time_appends_nothing_twice_whatever_stopped_the_first(
    rows: Rows, monkeypatch: pytest.MonkeyPatch
) -> None:
    await rows.tell(*cohort())
    monkeypatch.setattr(reprocess, "BATCH_MAX", 7)
    first = await plan_of(rows, "run", "state = failed")
    appended = 0

    async def dying(events: Sequence[Event]) -> None:
        nonlocal appended
        if appended == 7:
            raise Retry("the broker is gone")
        appended += len(events)
        await type(rows.log).append_atomically(rows.log, events)

    with monkeypatch.context() as broken:
        broken.setattr(rows.log, "append_atomically", dying)
        with pytest.raises(Retry):
            await append(rows.log, first, PATTERNS, _quiet)
    assert len(await on_the_log(rows, RerunRequested)) == 7
    position = first.selection.position
    second = await plan_of(rows, "run", "state = failed", at_position=position)
    assert keys(second.selection.subjects) == keys(first.selection.subjects)
    assert len(second.facts) == len(first.facts) - 7
    assert "was asked for again" in str([one.refusal for one in second.requests])
    await append(rows.log, second, PATTERNS, _quiet)
    found = await on_the_log(rows, RerunRequested)
    ids = [one.envelope.event_id for one in found]
    assert len({*ids}) == len(ids) == len(first.facts)
    assert {*ids} == {one.envelope.event_id for one in first.facts}
    await rows.follow()
    assert (await plan_of(rows, "run", "state = failed")).facts == [], "at any position"


async def test_the_desk_says_what_may_not_be_asked_for(rows: Rows) -> None:
    closed = CaseClosed(case_id="C001", outcome="cancelled", reason="not needed")
    later = requested(run_id=UUID(int=5), case_id="C002", case_revision=2)
    await rows.tell(*cohort(), closed, later)
    plan = await plan_of(rows, "run", "assay != none and state in (succeeded, failed)")
    refused = {one.subject.key: one.refusal for one in plan.requests if one.refusal}
    assert "is closed" in str(refused.pop(str(run_id(1))))
    assert "a later run of case C002" in str(refused.pop(str(run_id(2))))
    assert set(refused) == {str(run_id(number)) for number in range(0, COHORT, 3)}
    words = [words for words, _ in plan.groups()]
    assert sum(one.startswith("not asked for") for one in words) == 3
    assert words.index(next(one for one in words if one.startswith("not"))) == 2, "last"


async def test_a_selection_is_that_of_its_position_and_bounded(rows: Rows) -> None:
    await rows.tell(*cohort()[: 4 * 15])
    before = await chosen(rows, "run", "state = failed")
    await rows.tell(*cohort()[4 * 15 :])
    now = await chosen(rows, "run", "state = failed")
    assert len(now.subjects) == 20 > len(before.subjects) == 10
    then = await chosen(rows, "run", "state = failed", at_position=before.position)
    assert then == before
    assert now.is_whole
    part = await chosen(rows, "run", "state = failed", limit=3)
    assert keys(part.subjects) == keys(now.subjects)[:3]
    assert not part.is_whole
    with pytest.raises(Refused, match="rows have not come as far"):
        await chosen(rows, "run", "state = failed", at_position=_later(now.position))


def _later(position: str) -> str:
    from genoflow.projections.vectors import from_word, to_word

    return to_word({place: offset + 1 for place, offset in from_word(position).items()})


async def test_demultiplexing_and_top_ups_are_asked_for_once_each(rows: Rows) -> None:
    failed = like(DemultiplexFailed, instrument_run_id="R1", attempt=1, will_retry=False) if (
        "will_retry" in DemultiplexFailed.model_fields
    ) else like(DemultiplexFailed, instrument_run_id="R1", attempt=1)  # fmt: skip
    low = like(
        QcFailed, sample_id="S7", round=1, reason_code="below threshold", reads_missing=1_000
    )
    await rows.tell(failed, registered("S7"), low)
    for kind, where, fact in (
        ("demultiplex", "instrument_run_id = R1", DemultiplexReopened),
        ("top-up", "sample_id = S7", TopUpRequested),
    ):
        for number in (1, 0):
            plan = await plan_of(rows, kind, where)
            assert len(plan.requests) == 1
            assert await append(rows.log, plan, PATTERNS, _quiet) == number, plan.requests
        assert len(await on_the_log(rows, fact)) == 1


async def test_no_identifier_of_a_person_reaches_the_log(rows: Rows) -> None:
    await rows.tell(*cohort())
    plan = await plan_of(rows, "run", "state = failed", reason="as MRN1234567 wanted")
    with pytest.raises(Refused, match="identifier of a person"):
        await append(rows.log, plan, PATTERNS, _quiet)
    assert await on_the_log(rows, RerunRequested) == []
    assert topics.CASE.name == RerunRequested.about.topics[0].name


@pytest.mark.parametrize(("word", "words"), [("qc", "top-up"), ("validate", "genoflow reads send")])
def test_what_nobody_can_ask_for_says_where_to_go(word: str, words: str) -> None:
    with pytest.raises(Refused, match=words):
        kind_named(word)
    with pytest.raises(Refused, match="there is run, demultiplex, top-up"):
        kind_named("everything")
