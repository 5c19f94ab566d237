"""What is proposed about orders and their runs: a fact, or a refusal with its reason."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import pytest

from genoflow.deploy.subject import LogSubjects
from genoflow.events import topics
from genoflow.events.case_closed import CaseClosed
from genoflow.events.case_closure_proposed import CaseClosureProposed
from genoflow.events.case_closure_refused import CaseClosureRefused
from genoflow.events.case_joined import CaseJoined
from genoflow.events.case_member import CaseMember
from genoflow.events.case_opened import CaseOpened
from genoflow.events.case_proposed import CaseProposed
from genoflow.events.case_refused import CaseRefused
from genoflow.events.errors import Parked
from genoflow.events.event import Event
from genoflow.events.log.memory import MemoryLog
from genoflow.events.rerun_proposed import RerunProposed
from genoflow.events.rerun_refused import RerunRefused
from genoflow.events.rerun_requested import RerunRequested
from genoflow.events.run_failed import RunFailed
from genoflow.events.run_submitted import RunSubmitted
from genoflow.processors.decision import Effect
from genoflow.processors.ports import Attempt, Ports
from genoflow.processors.running.names import run_id_of
from genoflow.processors.settle_case import (
    LOOK_AT_RUN,
    LOOK_AT_SAMPLES,
    SETTLE_CASE,
    Placing,
    Repeating,
    look_at_run,
    look_at_samples,
)
from genoflow.processors.settling import CHANGED
from tests.asked import like
from tests.fakes import FakeClock
from tests.partition import CODEC, Partition
from tests.run_facts import CASE, cancelled, ready, requested
from tests.spec import Spec, heard

given = Spec(SETTLE_CASE).given
MEMBER = CaseMember(sample_id="S1", role="single", subject_ref="P1")
WORDS: dict[str, Any] = {
    "case_id": CASE, "kind": "single", "members": (MEMBER,), "assay": "wgs",
    "reference": "GRCh38", "source": "api",
}  # fmt: skip
OPENED = CaseOpened(**WORDS)
STANDS = heard(OPENED)
READY = heard(ready())
RUN_ID = run_id_of(READY.envelope.event_id)
CLOSED = CaseClosed(case_id=CASE, outcome="cancelled", reason="not needed")


def order(request: str = "r1", **words: Any) -> CaseProposed:
    return heard(CaseProposed(**WORDS | {"request_id": request} | words))


def close(request: str = "r1", **words: Any) -> CaseClosureProposed:
    said = {"case_id": CASE, "outcome": "cancelled", "reason": "not needed"}
    return heard(CaseClosureProposed(**said | {"request_id": request} | words))


def again(request: str = "r1", run_id: UUID = RUN_ID, **words: Any) -> RerunProposed:
    said = {"case_id": CASE, "run_id": run_id, "request_id": request, "reason": "the disk is back"}
    return heard(RerunProposed(**said | words))


def no(proposal: Event, reason: str, standing: Event | None = None) -> Event:
    kinds: dict[type[Event], Any] = {
        CaseProposed: CaseRefused,
        CaseClosureProposed: CaseClosureRefused,
        RerunProposed: RerunRefused,
    }
    refused: Event = kinds[type(proposal)](
        case_id=CASE, proposal_event_id=proposal.envelope.event_id, reason=reason,
        standing_event_id=standing.envelope.event_id if standing else None,
    )  # fmt: skip
    return refused


def placing(proposal: CaseProposed | None = None) -> Placing:
    named = (proposal or order()).envelope.event_id
    return Placing(order=OPENED, proposal_id=named)


def repeating() -> Repeating:
    wish = RerunRequested(case_id=CASE, run_id=RUN_ID, request_id="r1", reason="the disk is back")
    return Repeating(fact=wish, proposal_id=again().envelope.event_id)


# -- orders


def test_an_order_is_held_to_its_samples_and_then_it_is_a_case() -> None:
    then = given().when(order()).then_effects(Effect(LOOK_AT_SAMPLES, placing()))
    then.performed(OPENED).then(OPENED)


def test_who_placed_the_order_stands_in_the_case() -> None:
    partition = Partition(SETTLE_CASE)
    partition.put(order())
    partition.work()
    [said] = partition.finish(partition.open_effects[0].effect_id, OPENED)
    assert said.envelope.actor == order().envelope.actor


def test_an_order_that_stands_is_answered_with_the_case() -> None:
    stands = no(order(), f"{CASE}: stands on the log already", STANDS)
    given(STANDS).when(order(source="lims")).then(
        no(order(source="lims"), f"{CASE}: stands on the log already", STANDS)
    )
    given(STANDS).when(order()).then(stands)


def test_another_order_with_the_id_of_a_case_is_refused_with_the_differences() -> None:
    other = order(reference="GRCh37")
    said = (
        "C1: reference: is GRCh38 on the log and GRCh37 here\n"
        "C1: is open already; give the new order an id of its own"
    )
    given(STANDS).when(other).then(no(other, said))


def test_of_two_orders_the_first_is_placed_whatever_comes_of_it() -> None:
    partition = Partition(SETTLE_CASE)
    first, second = order("r1"), order("r2", reference="GRCh37")
    partition.put(first, second, order("r1"))
    [said] = partition.work()
    assert said == no(
        second, "C1: another order with this id came first; look at it, then ask again"
    ).enveloped(said.envelope)
    [effect] = partition.open_effects
    partition.finish(effect.effect_id, no(first, "a sample is another's"))
    partition.work()
    third = order("r3", reference="GRCh37")
    partition.put(third)
    assert partition.work() == []
    assert [one.arguments["order"]["reference"] for one in partition.open_effects] == ["GRCh37"]


# -- the end of a case


def test_a_case_is_closed_once() -> None:
    given(STANDS).when(close()).then(CLOSED)
    partition = Partition(SETTLE_CASE)
    partition.put(STANDS, close("r1"), close("r2"), close("r1"))
    closed, refused = partition.work()
    assert (closed.type(), refused.type()) == ("CaseClosed", "CaseClosureRefused")


def test_a_case_that_is_closed_stays_so() -> None:
    closed = heard(CLOSED)
    given(STANDS, closed).when(close()).then(no(close(), "C1: was closed so before", closed))
    other = close(reason="withdrawn consent")
    said = (
        "C1: was closed already, cancelled (not needed); it stays so: open another case under an "
        "id of its own where more is owed"
    )
    given(STANDS, closed).when(other).then(no(other, said))
    said = "C1: no case has this id; `genoflow case list` shows those that there are"
    given().when(close()).then(no(close(), said))


# -- runs


def test_the_newest_run_is_held_to_its_own_story_and_then_it_is_had_again() -> None:
    then = given(STANDS, READY).when(again()).then_effects(Effect(LOOK_AT_RUN, repeating()))
    then.performed(repeating().fact).then(repeating().fact)


@pytest.mark.parametrize(
    ("story", "reason"),
    [
        ((STANDS,), f"run '{RUN_ID}': was never asked for in case C1"),
        (
            (STANDS, READY, CLOSED),
            "case C1: is closed, cancelled; open another case under an id of its own where more "
            "is owed",
        ),
    ],
)
def test_what_cannot_be_had_again_is_refused(story: tuple[Event, ...], reason: str) -> None:
    given(*story).when(again()).then(no(again(), reason))


def test_only_the_newest_run_is_had_again() -> None:
    later = heard(ready(2))
    newest = run_id_of(later.envelope.event_id)
    said = (
        f"run {RUN_ID}: a later run of case C1 has taken its place; ask about `genoflow run why "
        f"{newest}`"
    )
    given(STANDS, READY, later).when(again()).then(no(again(), said))
    wish = heard(repeating().fact)
    newest = run_id_of(wish.envelope.event_id)
    partition = Partition(SETTLE_CASE)
    partition.put(STANDS, READY, wish, again("r2"), again("r3", run_id=newest))
    [refused] = partition.work()
    assert str(newest) in refused.payload()["reason"]
    assert len(partition.open_effects) == 1


def test_of_two_wishes_the_first_is_looked_at() -> None:
    partition = Partition(SETTLE_CASE)
    partition.put(STANDS, READY, again("r1"), again("r2"))
    [refused] = partition.work()
    assert "is had again already" in refused.payload()["reason"]
    [effect] = partition.open_effects
    partition.finish(effect.effect_id, no(again("r1"), "it works"))
    partition.work()
    partition.put(again("r3"))
    assert partition.work() == []


def test_what_is_behind_what_was_seen_is_refused_as_changed() -> None:
    late = again(seen_offset=0)
    given(STANDS, READY).when(late).then(no(late, f"{CASE}: {CHANGED}"))
    given(STANDS, READY).when(again(seen_offset=1)).then()


# -- what the effects find


async def found(perform: Any, arguments: Any, *story: Event) -> Sequence[Event]:
    """What an effect says when this stands on the log."""
    async with MemoryLog(topics.TOPICS, partitions=4, codec=CODEC) as log:
        for event in story:
            await log.append(heard(event))
        ports = Ports(clock=FakeClock(), subjects=LogSubjects(log))
        return list(await perform(arguments, Attempt(UUID(int=1), 1, ports, lambda *_: None)))


async def test_a_sample_that_is_somebody_elses_in_another_case_refuses_the_order() -> None:
    joined = like(CaseJoined, sample_id="S1", case_id="C9", subject_ref="P9")
    said = "C1: member S1 has another subject in case C9; mend the reference, or the sample"
    assert await found(look_at_samples, placing(), joined) == [no(order(), said)]
    same = like(CaseJoined, sample_id="S1", case_id="C9", subject_ref="P1")
    assert await found(look_at_samples, placing(), same) == [OPENED]
    assert await found(look_at_samples, placing()) == [OPENED]


async def test_a_run_is_had_again_that_failed_or_was_cancelled() -> None:
    of_run: dict[str, Any] = {"run_id": RUN_ID, "case_id": CASE, "attempt": 1}
    asked = requested(run_id=RUN_ID)
    failed = like(RunFailed, **of_run, will_retry=False)
    assert await found(look_at_run, repeating(), asked, failed) == [repeating().fact]
    ended = cancelled().model_copy(update={"run_id": RUN_ID})
    assert await found(look_at_run, repeating(), asked, ended) == [repeating().fact]
    for story, words in (
        ((), "was never asked for"),
        ((asked, like(RunSubmitted, **of_run)), "is under way, and only a run that failed"),
        ((asked, like(RunFailed, **of_run, will_retry=True)), "is under way, and only a run"),
    ):
        [said] = await found(look_at_run, repeating(), *story)
        assert isinstance(said, RerunRefused)
        assert words in said.reason


async def test_without_a_reader_of_subjects_the_effect_is_parked_and_in_the_end_refused() -> None:
    attempt = Attempt(UUID(int=1), 1, Ports(clock=FakeClock()), lambda *_: None)
    with pytest.raises(Parked, match="no reader of subjects; wire one"):
        await look_at_samples(placing(), attempt)
    gives_up = {one.name: one.gives_up for one in SETTLE_CASE.effects if hasattr(one, "gives_up")}
    for name, arguments in ((LOOK_AT_SAMPLES, placing()), (LOOK_AT_RUN, repeating())):
        say = gives_up[name]
        assert say is not None
        [said] = say(arguments, "no broker answers")
        assert said.payload()["reason"] == "no broker answers"
