"""What people are told of a priority that was changed: by why, explain, watch and the rows."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from genoflow.deploy.run_explain import explained
from genoflow.deploy.run_watch import Lines, screen
from genoflow.deploy.subject import LogSubjects
from genoflow.events.case_priority_changed import CasePriorityChanged
from genoflow.events.event import Event
from genoflow.events.log.memory import MemoryLog
from genoflow.events.run_priority_changed import RunPriorityChanged
from genoflow.events.run_priority_kept import RunPriorityKept
from genoflow.events.run_priority_requested import RunPriorityRequested
from genoflow.events.run_requested import RunRequested
from genoflow.projections.asking import case as cases
from genoflow.projections.asking import run as runs
from genoflow.projections.asking.source import Scanning
from tests.asked import opened, requested, sentences, told
from tests.examples import someone
from tests.partition import MOMENT
from tests.provenances import from_outside, story
from tests.provenances import told as provenance
from tests.run_facts import CASE
from tests.unit.test_run_look import OF_RUN, RUN, failed, log, seen_of, submitted

__all__ = ["log"]  # a fixture

WISH = RunPriorityRequested(**OF_RUN, priority="urgent", reason="ward 3.")
MOVED = RunPriorityChanged(**OF_RUN, attempt=1, priority="urgent", is_moved=True)
LATER = RunPriorityChanged(**OF_RUN, attempt=2, priority="urgent", is_moved=False)
KEPT = RunPriorityKept(
    **OF_RUN, attempt=1, priority="urgent", reason_code="begun", reason="it has its host"
)
BEGINNING = requested().model_copy(update={"priority": "routine"}), submitted()


def why(*events: Event) -> str:
    return sentences(RUN, runs.why(runs.run_of(RUN, told(*BEGINNING, *events))))


def test_a_run_says_what_became_of_its_priority() -> None:
    assert "is to be urgent (ward 3)" in why(WISH)
    moved = why(WISH, MOVED)
    assert "is urgent now: its job was moved to that queue" in moved
    assert "is to be urgent" not in moved, "it is answered"
    assert "though urgent was asked for, begun: it has its host" in why(WISH, KEPT)
    facts: list[Any] = [
        runs.facts(runs.run_of(RUN, told(*BEGINNING, *events)))["priority"]
        for events in ((), (WISH, KEPT), (WISH, MOVED))
    ]
    assert facts == ["routine", "routine", "urgent"]


def test_a_case_says_who_wants_it_sooner() -> None:
    wanted = CasePriorityChanged(case_id="C1", priority="urgent", request_id="r", reason="ward 3.")
    case = cases.case_of("C1", told(opened(), wanted))
    assert "is urgent, as " in sentences("C1", cases.why(case))
    assert "wants (ward 3)" in sentences("C1", cases.why(case))
    assert cases.facts(case)["priority"] == case.row.priority == "urgent"


async def test_a_run_is_explained_with_its_priorities(log: MemoryLog) -> None:
    for event in told(*BEGINNING, WISH, KEPT, failed(will_retry=True), LATER):
        await log.append(event)
    said = "\n".join(await explained(Scanning(LogSubjects(log)), RUN))
    assert "it is to be urgent (ward 3)." in said
    assert "it is not moved, though urgent was asked for, begun: it has its host." in said
    assert "it is urgent now: it is submitted so." in said


async def test_who_watches_sees_the_priority_as_it_changes(log: MemoryLog) -> None:
    seen = await seen_of(log, *BEGINNING)
    lines = Lines()
    assert not any("priority" in line for line in lines.of(seen))
    kept = replace(seen, run=replace(seen.run, priority_kept="begun: it has its host"))
    assert lines.of(kept) == [f"run {RUN}: priority routine, begun: it has its host"]
    urgent = replace(seen, run=replace(seen.run, priority="urgent"))
    assert lines.of(urgent) == [f"run {RUN}: priority urgent"]
    assert lines.of(urgent) == []
    shown = [screen(one, MOMENT, 200, 20, None)[0] for one in (seen, urgent)]
    assert [line.endswith(" · urgent") for line in shown] == [False, True]


async def test_the_row_of_a_run_has_the_priority_of_its_newest_submission(log: MemoryLog) -> None:
    kept = await seen_of(log, *BEGINNING, WISH, KEPT)
    assert (kept.run.priority, kept.run.priority_kept) == ("routine", "begun: it has its host")
    late = told(failed(will_retry=True), submitted(2), LATER, MOVED.model_copy(
        update={"priority": "low"}
    ))  # fmt: skip
    seen = await seen_of(log, *late)
    assert (seen.run.priority, seen.run.priority_kept) == ("urgent", None)


async def test_whoever_changed_the_priority_stands_in_the_provenance() -> None:
    events = story()
    [asked] = [one for one in events if isinstance(one, RunRequested)]
    wanted = from_outside(
        CasePriorityChanged(case_id=CASE, priority="urgent", request_id="r", reason="ward 3"), 2
    )
    of_run: dict[str, Any] = {"run_id": asked.run_id, "case_id": CASE, "priority": "urgent"}
    wish = wanted.follow(RunPriorityRequested(**of_run, reason="ward 3"), by=someone())
    answer = wish.follow(RunPriorityChanged(**of_run, attempt=1, is_moved=True), by=someone())
    found, faults = await provenance([*events, wanted, wish, answer])
    assert faults == []
    assert found.run.priority == "urgent"
    assert ("changed its priority", "a.b") in [(one.did, one.actor.id) for one in found.decisions]
