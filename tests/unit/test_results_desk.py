"""What a person decides about results, what nobody can decide, and what is shown of them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid5

import pytest

from genoflow.deploy.people import append_said
from genoflow.deploy.results_desk import released, taken_back
from genoflow.deploy.settings import Settings
from genoflow.deploy.subject import LogSubjects
from genoflow.events import topics
from genoflow.events.errors import GenoflowError, Refused
from genoflow.events.event import Event
from genoflow.events.log.memory import MemoryLog
from genoflow.events.measured import Measured
from genoflow.events.result_change import ResultChange
from genoflow.events.results_amended import ResultsAmended
from genoflow.events.results_checked import ResultsChecked
from genoflow.events.results_held import ResultsHeld
from genoflow.events.results_published import ResultsPublished
from genoflow.events.results_retracted import ResultsRetracted
from genoflow.projections.asking import run as runs
from genoflow.projections.asking.asked import about_case
from genoflow.projections.asking.results import about_results, facts
from genoflow.projections.asking.source import Scanning
from tests.asked import like, member_ready, opened, ready, sentences, told
from tests.partition import CODEC, MOMENT
from tests.run_facts import (
    CASE,
    LATER_ID,
    RUN_ID,
    cancelled,
    collected,
    published,
    requested,
    result,
    superseded,
)
from tests.spec import heard

RUN = str(RUN_ID)
TI_TV = Measured(metric="ti_tv", value=0.2, unit="ratio", required_min=1.0, verdict="fail")
SAID: dict[str, Any] = {
    "run_id": RUN_ID, "case_id": CASE, "profile": "wgs-30x", "profile_version": "1",
    "measured": (TI_TV,),
}  # fmt: skip
HELD = heard(ResultsHeld(**SAID, reasons=("ti_tv is 0.2.", "sex of S1 is wrong.")))
CHECKED = ResultsChecked(**SAID)
WHOLE = (requested(), collected())
WORDS: dict[str, Any] = {
    "reason": "a small panel", "role": "director", "person": "a.b", "request_id": None,
    "at": MOMENT,
}  # fmt: skip


def release(*story: Event, **changes: Any) -> ResultsPublished:
    return released(RUN, told(*story), **WORDS | changes)


def withdraw(*story: Event, **changes: Any) -> ResultsRetracted:
    return taken_back(RUN, told(*story), **{"reason_code": "wrong"} | WORDS | changes)


def test_a_release_publishes_what_was_held_and_names_who_answers_for_it() -> None:
    said = release(*WHOLE, HELD)
    held_id = HELD.envelope.event_id
    assert said == published(
        held_event_id=held_id, request_id=str(uuid5(held_id, "release")), role="director",
        reason="a small panel",
    ).enveloped(said.envelope)  # fmt: skip
    assert (said.envelope.actor.kind, said.envelope.actor.id) == ("person", "a.b")
    assert said.envelope.causation_id == held_id
    again = release(*WHOLE, HELD, reason="other words")
    assert again.envelope.event_id == said.envelope.event_id
    named = release(*WHOLE, HELD, request_id="R-7")
    assert named.envelope.event_id != said.envelope.event_id


def test_what_is_withdrawn_is_named_file_by_file() -> None:
    said = withdraw(*WHOLE, CHECKED, published())
    assert (said.reason_code, said.role, said.reason) == ("wrong", "director", "a small panel")
    assert said.changes == (ResultChange(what="vcf", before=f"sha256 {'4' * 64}", after=""),)
    assert withdraw(*WHOLE, published()).envelope.event_id == said.envelope.event_id


@pytest.mark.parametrize(
    ("story", "reason"),
    [
        ((), "nothing on the log is about it; `genoflow run list`"),
        ((requested(),), "is not held, no results of it were checked yet"),
        (WHOLE, "is not held, no results of it were checked yet"),
        ((*WHOLE, CHECKED), "passed its checks and is published by itself"),
        ((*WHOLE, HELD, published()), "are published already .since 2026-03-01 12:03 UTC"),
        ((*WHOLE, HELD, superseded()), f"does not count any more, top-up; .* show {LATER_ID}`"),
        ((*WHOLE, HELD, cancelled()), "was cancelled; have its case run again"),
    ],
)
def test_what_is_not_held_cannot_be_released(story: tuple[Event, ...], reason: str) -> None:
    with pytest.raises(Refused, match=f"run {RUN}: .*{reason}"):
        release(*story)


@pytest.mark.parametrize(
    ("story", "reason"),
    [
        ((), "nothing on the log is about it"),
        ((*WHOLE, HELD), "has published nothing that could be withdrawn"),
        ((*WHOLE, published(), superseded()), "does not count any more, top-up"),
    ],
)
def test_what_is_not_published_cannot_be_withdrawn(story: tuple[Event, ...], reason: str) -> None:
    with pytest.raises(Refused, match=reason):
        withdraw(*story)


def test_what_was_withdrawn_stays_so() -> None:
    gone = withdraw(*WHOLE, published())
    for decide in (withdraw, release):
        with pytest.raises(Refused, match="were retracted already, wrong"):
            decide(*WHOLE, published(), gone)


# -- what is shown


def shown(*story: Event) -> dict[str, Any]:
    return facts(runs.run_of(RUN, told(*story)))


def why(*story: Event) -> str:
    return sentences("it", runs.why(runs.run_of(RUN, told(*story))))


def amended() -> ResultsAmended:
    change = ResultChange(what="vcf", sample_id="S1", before="a", after="b")
    return ResultsAmended(
        run_id=RUN_ID, case_id=CASE, amends_run_id=LATER_ID, reason_code="top-up",
        reason="more reads.", changes=(change,), files=(result(),),
    )  # fmt: skip


def test_a_hold_shows_each_reason_and_the_command() -> None:
    found = shown(*WHOLE, HELD)
    assert (found["state"], found["counts"], "files" in found) == ("held", False, False)
    assert [one["reason"] for one in found["held"]] == ["ti_tv is 0.2.", "sex of S1 is wrong."]
    first, second = why(*WHOLE, HELD).splitlines()
    assert first.startswith("it holds its results back: ti_tv is 0.2 (since")
    assert "sex of S1 is wrong" in second
    assert f"`genoflow results release {RUN} --role ROLE --reason TEXT`" in second


def test_what_was_released_says_by_whom() -> None:
    story = (*WHOLE, HELD, release(*WHOLE, HELD))
    found = shown(*story)
    assert (found["released_by"], found["role"], found["reason"]) == (
        "a.b", "director", "a small panel",
    )  # fmt: skip
    assert [one["sha256"] for one in found["files"]] == ["4" * 64]
    text = why(*story)
    assert "it is published: 1 file (vcf)" in text
    assert "it was held, and a.b released its results as director: a small panel" in text


def test_what_was_amended_says_what_is_different() -> None:
    found = shown(*WHOLE, published(), amended())
    assert (found["state"], found["counts"], found["amends"]) == ("amended", True, str(LATER_ID))
    assert found["changes"] == [{"what": "vcf", "sample": "S1", "before": "a", "after": "b"}]
    assert (
        f"it takes the place of run {LATER_ID}, top-up (more reads): different are vcf of S1"
    ) in why(*WHOLE, published(), amended())


def test_what_does_not_count_shows_no_files() -> None:
    gone = withdraw(*WHOLE, published())
    for story, state in (((superseded(),), "superseded"), ((gone,), "retracted")):
        found = shown(*WHOLE, published(), *story)
        assert (found["state"], found["counts"], found["files"]) == (state, False, [])
    assert found["changes"][0]["after"] == "nothing any more"
    text = why(*WHOLE, published(), gone)
    assert "it had its results retracted by a.b as director, wrong (a small panel)" in text


@pytest.fixture
async def log() -> AsyncIterator[MemoryLog]:
    async with MemoryLog(topics.TOPICS, partitions=4, codec=CODEC) as memory:
        yield memory


async def test_of_a_case_the_run_that_counts_is_shown(log: MemoryLog) -> None:
    subjects = Scanning(LogSubjects(log))
    with pytest.raises(Refused, match="is no run, and no case"):
        await about_results(subjects, CASE)
    later = requested(run_id=LATER_ID, case_revision=2, supersedes_run_id=RUN_ID)
    case = (opened(), member_ready("D"), member_ready("E"), ready(2))
    await log.append_atomically(told(*case, *WHOLE, published(), later))
    found = await about_results(subjects, CASE)
    assert (found["run"], found["counts"]) == (RUN, True)
    assert [one["run"] for one in found["runs"]] == [RUN, str(LATER_ID)]
    assert (await about_results(subjects, RUN))["files"] == found["files"]
    sayings = (await about_case(subjects, CASE)).sentences
    assert any(f"waits for run {LATER_ID}" in one for one in sayings)
    assert any(f"has results meanwhile: those of run {RUN}" in one for one in sayings)
    gone = superseded()
    its_own = published(run_id=LATER_ID, case_revision=2, supersedes_run_id=RUN_ID)
    await log.append_atomically(told(its_own, gone))
    assert (await about_results(subjects, CASE))["run"] == str(LATER_ID)
    sayings = (await about_case(subjects, CASE)).sentences
    assert not any("meanwhile" in one for one in sayings)


async def test_what_a_person_states_is_appended_unless_it_names_somebody(log: MemoryLog) -> None:
    patterns = Settings().person_patterns
    fact = release(*WHOLE, HELD)
    assert await append_said(log, fact, patterns, dry_run=True) == "nothing was appended"
    assert (await append_said(log, fact, patterns, dry_run=False)).startswith(topics.RUN.name)
    named = like(ResultsRetracted, run_id=RUN_ID, reason="asked for by 12345678")
    with pytest.raises(GenoflowError):
        await append_said(log, heard(named), (r"\d{8}",), dry_run=False)
