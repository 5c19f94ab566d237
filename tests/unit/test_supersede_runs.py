"""A later run is published: those before it do not count, and what was published is amended."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import pytest

from genoflow.deploy.subject import LogSubjects
from genoflow.events import topics
from genoflow.events.case_answered import CaseAnswered
from genoflow.events.case_ready import CaseReady
from genoflow.events.errors import Parked
from genoflow.events.event import Event
from genoflow.events.log.memory import MemoryLog
from genoflow.events.measured import Measured
from genoflow.events.result_change import ResultChange
from genoflow.events.results_amended import ResultsAmended
from genoflow.events.results_retracted import ResultsRetracted
from genoflow.events.run_superseded import RunSuperseded
from genoflow.processors.answer_case import ANSWER_CASE
from genoflow.processors.decision import Effect
from genoflow.processors.ports import Attempt, Ports
from genoflow.processors.running.changed import CHANGES_MAX, changes, why_later, withdrawn
from genoflow.processors.running.names import run_id_of
from genoflow.processors.supersede_runs import SUPERSEDE_RUNS, Earlier, Later, compare
from tests.fakes import FakeClock
from tests.partition import CODEC, MOMENT
from tests.run_facts import (
    CASE,
    EARLIER_ID,
    LATER_ID,
    RUN_ID,
    collected,
    member,
    published,
    ready,
    requested,
    result,
    superseded,
)
from tests.spec import Spec, heard

given_answer, given = Spec(ANSWER_CASE).given, Spec(SUPERSEDE_RUNS).given
READY: dict[int, CaseReady] = {
    number: heard(ready(number), MOMENT.replace(minute=number)) for number in (1, 2, 3)
}
RUNS = {number: run_id_of(one.envelope.event_id) for number, one in READY.items()}


def answered(revision: int, **fields: Any) -> CaseAnswered:
    """The run of a revision is published."""
    known: dict[str, Any] = {
        "case_id": CASE, "run_id": RUNS[revision], "case_revision": revision,
        "published_event_id": UUID(int=revision), "supersedes_run_id": RUNS.get(revision - 1),
    }  # fmt: skip
    return CaseAnswered(**known | fields)


def later(revision: int, **earlier: bool) -> Effect:
    """The run of this revision takes the place of these: whether each was published."""
    taken = (Earlier(run_id=RUNS[int(name[1:])], published=was) for name, was in earlier.items())
    return Effect("compare", Later(run_id=RUNS[revision], earlier=tuple(taken)))


# -- answer-case


def test_a_case_hears_of_a_publication_once() -> None:
    said = heard(published(supersedes_run_id=EARLIER_ID))
    given_answer().when(said).then(
        CaseAnswered(
            case_id=CASE, run_id=RUN_ID, case_revision=1, supersedes_run_id=EARLIER_ID,
            published_event_id=said.envelope.event_id,
        )
    )  # fmt: skip
    given_answer(said).when(published(request_id="another")).then_nothing()


# -- supersede-runs


def test_the_first_run_of_a_case_takes_nobodys_place() -> None:
    given(READY[1]).when(answered(1)).then_nothing()


def test_a_later_run_takes_the_place_of_what_was_published_and_says_so_once() -> None:
    story = (READY[1], answered(1), READY[2])
    given(*story).when(answered(2)).then().then_effects(later(2, r1=True))
    given(*story, answered(2)).when(answered(2)).then_nothing()
    given(*story, answered(2)).when(answered(2, published_event_id=UUID(int=9))).then_nothing()


def test_it_reaches_past_a_run_that_was_never_published() -> None:
    story = (READY[1], answered(1), READY[2], READY[3])
    given(*story).when(answered(3)).then().then_effects(later(3, r1=True, r2=False))


def test_what_is_replaced_already_is_not_replaced_again() -> None:
    story = (READY[1], answered(1), READY[2], answered(2), READY[3])
    given(*story).when(answered(3)).then().then_effects(later(3, r2=True))


def test_an_older_run_that_is_published_last_takes_nobodys_place() -> None:
    story = (READY[1], READY[2], answered(2))
    given(*story).when(answered(1)).then().then_effects(later(2, r1=True))
    given(*story, answered(1)).when(answered(1)).then_nothing()
    given(*story, answered(1), READY[3]).when(answered(3)).then().then_effects(later(3, r2=True))


def test_a_run_that_no_revision_led_to_is_replaced_by_its_name() -> None:
    effect = Effect(
        "compare", Later(run_id=RUNS[2], earlier=(Earlier(run_id=EARLIER_ID, published=False),))
    )
    given(READY[2]).when(answered(2, supersedes_run_id=EARLIER_ID)).then().then_effects(effect)


# -- its effect


async def attempt(*events: Event, has_reader: bool = True) -> Attempt:
    """A try of an effect with a log that holds these events."""
    log = MemoryLog([topics.RUN], partitions=2, codec=CODEC)
    for event in events:
        await log.append(event if event.has_envelope else heard(event))
    reader = LogSubjects(log) if has_reader else None
    return Attempt(UUID(int=1), 1, Ports(clock=FakeClock(), subjects=reader), lambda *_: None)


async def compared(*story: Event, was_published: bool = True) -> Sequence[Event]:
    """What is said when the later run takes the place of the earlier one."""
    earlier = Earlier(run_id=RUN_ID, published=was_published)
    arguments = Later(run_id=LATER_ID, earlier=(earlier,))
    return await compare(arguments, await attempt(*story))


GROWN = member().model_copy(update={"round": 2})
LATER = (
    requested(run_id=LATER_ID, case_revision=2, members=(GROWN,)),
    published(run_id=LATER_ID, case_revision=2),
)
GONE = superseded(reason_code="top-up", reason="S1 was judged anew in round 2 after round 1")


async def test_a_run_that_published_nothing_is_superseded_and_nothing_is_amended() -> None:
    assert [*await compared(requested(), *LATER, was_published=False)] == [GONE]
    assert [*await compared(requested(), GONE, *LATER, was_published=False)] == []


async def test_one_that_was_superseded_before_it_was_published_is_amended_all_the_same() -> None:
    [said] = await compared(requested(), GONE, published(), *LATER)
    assert (type(said), said.key) == (ResultsAmended, str(LATER_ID))


async def test_of_a_run_that_was_never_asked_for_nothing_is_said() -> None:
    assert [*await compared(*LATER, was_published=False)] == []
    assert [*await compared(requested(case_id="C2"), *LATER, was_published=False)] == []


async def test_without_what_it_asks_it_is_parked_with_a_way_on() -> None:
    arguments = Later(run_id=LATER_ID, earlier=())
    with pytest.raises(Parked, match="no reader of subjects; wire one"):
        await compare(arguments, await attempt(has_reader=False))
    for some in ((), LATER[:1], LATER[1:]):
        with pytest.raises(Parked, match="does not hold its RunRequested and ResultsPublished"):
            await compare(arguments, await attempt(*some))


# -- why


@pytest.mark.parametrize(
    ("before", "later", "code", "words"),
    [
        ({}, {"members": (member().model_copy(update={"round": 2}),)}, "top-up",
         "S1 was judged anew in round 2 after round 1"),
        ({}, {"pipeline_version": "2"}, "new pipeline",
         "the case was run by germline 2 instead of germline 1"),
        ({}, {}, "asked for", "the case was run again"),
        ({}, {"members": (member("S2"),)}, "asked for", "the case was run again"),
    ],
)  # fmt: skip
def test_why_a_later_run_counts(
    before: dict[str, Any], later: dict[str, Any], code: str, words: str
) -> None:
    assert why_later([requested(**before)], requested(**later)) == (code, words)


def retracted(reason_code: str) -> ResultsRetracted:
    """They are void."""
    return ResultsRetracted(
        run_id=RUN_ID, case_id=CASE, reason_code=reason_code, reason="S1 is S2",
        changes=withdrawn((result(),)),
    )  # fmt: skip


def test_what_was_retracted_because_of_its_inputs_says_why_there_is_a_later_run() -> None:
    grown = requested(members=(member().model_copy(update={"round": 2}),))
    assert why_later([requested(), retracted("relabelled")], grown) == ("relabelled", "S1 is S2")
    assert why_later([requested(), retracted("wrong")], grown)[0] == "top-up"
    assert why_later([], grown)[0] == "asked for"


# -- what is different


def value(amount: float, on: str | None = "S1", **more: Any) -> Measured:
    known = {"metric": "mean_coverage", "unit": "x", "verdict": "not judged", "measured_on": on}
    return Measured(value=amount, **known | more)


async def test_an_amendment_says_under_the_later_run_what_is_different() -> None:
    old = [
        requested(),
        collected(value(21.0), value(0.9, "S1/S2", metric="relatedness", found="same")),
        published(files=(result(), result("bam", "S1"), result("report"))),
    ]
    now = (result(sha256="6" * 64), result("bam", "S1"), result("bai", "S1"))
    new = [
        LATER[0],
        collected(
            value(43.0), value(0.9, "S1/S2", metric="relatedness", found="unrelated"),
            run_id=LATER_ID,
        ),
        published(run_id=LATER_ID, files=now, pipeline_version="2"),
    ]  # fmt: skip
    gone, said = await compared(*old, *new)
    four = f"sha256 {'4' * 64}"
    assert isinstance(gone, RunSuperseded)
    assert said == ResultsAmended(
        run_id=LATER_ID, case_id=CASE, amends_run_id=RUN_ID, reason_code=gone.reason_code,
        reason=gone.reason, files=now,
        changes=(
            ResultChange(what="vcf", before=four, after=f"sha256 {'6' * 64}"),
            ResultChange(what="report", before=four, after=""),
            ResultChange(what="bai", sample_id="S1", before="", after=four),
            ResultChange(what="mean_coverage", sample_id="S1", before="21 x", after="43 x"),
            ResultChange(what="relatedness of S1/S2", before="0.9 x, same",
                         after="0.9 x, unrelated"),
            ResultChange(what="pipeline", before="germline 1", after="germline 2"),
        ),
    )  # fmt: skip


def test_the_same_answer_under_another_run_is_said_to_be_that() -> None:
    found = changes([published()], [published(run_id=LATER_ID)])
    assert found == (ResultChange(what="run", before=str(RUN_ID), after=str(LATER_ID)),)


def test_many_differences_are_counted() -> None:
    many = tuple(result(f"k{number}") for number in range(CHANGES_MAX + 5))
    found = changes([published()], [published(run_id=LATER_ID, files=many)])
    assert (len(found), found[-1].before) == (CHANGES_MAX, "7 more differences")
    found = withdrawn(many)
    assert (len(found), found[-1].before) == (CHANGES_MAX, "6 more files")
