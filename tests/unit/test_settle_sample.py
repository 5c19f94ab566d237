"""What is proposed about reads that failed: a fact, or a refusal with its reason."""

from __future__ import annotations

from typing import Any

import pytest

from genoflow.events.event import Event
from genoflow.events.qc_overridden import QcOverridden
from genoflow.events.qc_override_proposed import QcOverrideProposed
from genoflow.events.qc_override_refused import QcOverrideRefused
from genoflow.events.top_up_proposed import TopUpProposed
from genoflow.events.top_up_refused import TopUpRefused
from genoflow.events.top_up_requested import TopUpRequested
from genoflow.processors.settle_sample import SETTLE_SAMPLE
from genoflow.processors.settling import CHANGED
from tests import qc_facts as facts
from tests.partition import Partition
from tests.qc_facts import SAMPLE
from tests.spec import Spec, heard

given = Spec(SETTLE_SAMPLE).given
FAILED = heard(facts.failed())
SECOND = heard(facts.failed(2))


def override(request: str = "r1", **words: Any) -> QcOverrideProposed:
    said = {"sample_id": SAMPLE, "request_id": request, "role": "director", "reason": "enough"}
    return heard(QcOverrideProposed(**said | words))


def top_up(request: str = "r1", **words: Any) -> TopUpProposed:
    said = {"sample_id": SAMPLE, "request_id": request, "reason": "a short run"}
    return heard(TopUpProposed(**said | words))


def overridden(failed: Event = FAILED, **words: Any) -> QcOverridden:
    said: dict[str, Any] = {
        "sample_id": SAMPLE, "round": 1, "overridden_event_id": failed.envelope.event_id,
        "request_id": "r1", "role": "director", "reason": "enough",
        "failed_metrics": ("mean_coverage",),
    }  # fmt: skip
    return QcOverridden(**said | words)


def no(proposal: Event, reason: str) -> Event:
    kind = QcOverrideRefused if isinstance(proposal, QcOverrideProposed) else TopUpRefused
    return kind(sample_id=SAMPLE, proposal_event_id=proposal.envelope.event_id, reason=reason)


def topped_up(**words: Any) -> TopUpRequested:
    said: dict[str, Any] = {
        "sample_id": SAMPLE, "round": 2, "failed_event_id": FAILED.envelope.event_id,
        "reads_wanted": 50, "reason": "a short run",
    }  # fmt: skip
    return TopUpRequested(**said | words)


def test_reads_that_failed_go_on_in_the_name_of_whoever_proposed_it() -> None:
    partition = Partition(SETTLE_SAMPLE)
    partition.put(FAILED, override())
    [said] = partition.work()
    assert said == overridden().enveloped(said.envelope)
    assert said.envelope.actor == override().envelope.actor
    assert said.envelope.causation_id == override().envelope.event_id


def test_more_reads_are_asked_for_as_many_as_are_missing_or_as_are_named() -> None:
    given(FAILED).when(top_up()).then(topped_up())
    wish = top_up(reads_wanted=7, library_id="L1")
    given(FAILED).when(wish).then(topped_up(reads_wanted=7, library_id="L1"))


@pytest.mark.parametrize(
    ("story", "reason"),
    [
        ((), "S1: its reads were not judged yet; `genoflow timeline S1` tells its story"),
        ((facts.requested(),), "S1: round 1 is being judged; wait for its verdict"),
        ((FAILED, facts.requested(2)), "S1: round 2 is being judged; wait for its verdict"),
        (
            (FAILED, overridden()),
            "S1: round 1 is overridden already; `genoflow timeline S1` tells its story",
        ),
    ],
)
def test_where_nothing_holds_the_sample_back_the_refusal_says_so(
    story: tuple[Event, ...], reason: str
) -> None:
    for proposal in (override(), top_up()):
        given(*story).when(proposal).then(no(proposal, reason))


def test_what_no_run_can_take_is_refused() -> None:
    failed = heard(facts.failed(reason_code="mates differ"))
    said = (
        f"S1: round 1 failed because of 'mates differ', and no run can take such reads; "
        f"{failed.reason}"
    )
    given(failed).when(override()).then(no(override(), said))


def test_how_many_reads_has_to_be_said_where_nobody_knows() -> None:
    unknown = heard(facts.failed(reads_missing=None))
    said = "how many reads would be enough cannot be told from round 1; say it with --reads, or"
    given(unknown).when(top_up()).then(no(top_up(), f"S1: {said} as reads_wanted"))


def test_of_two_proposals_the_first_is_the_fact() -> None:
    # Nothing was read back between the two.
    partition = Partition(SETTLE_SAMPLE)
    partition.put(FAILED, override("r1"), override("r2"), top_up("r3"))
    first, *others = partition.work()
    assert first.type() == "QcOverridden"
    assert [one.type() for one in others] == ["QcOverrideRefused", "TopUpRefused"]
    assert all("is overridden already" in one.payload()["reason"] for one in others)


def test_more_reads_are_asked_for_once_in_a_round() -> None:
    partition = Partition(SETTLE_SAMPLE)
    partition.put(FAILED, top_up("r1"), top_up("r2"))
    assert [one.type() for one in partition.work()] == ["TopUpRequested", "TopUpRefused"]
    partition.put(top_up("r3"), SECOND, top_up("r4"))
    assert [one.type() for one in partition.work()] == ["TopUpRefused", "TopUpRequested"]
    assert partition.said[-1].payload()["round"] == 3


def test_who_asked_for_more_reads_may_still_let_the_first_go_on() -> None:
    given(FAILED, topped_up()).when(override()).then(overridden())


def test_a_second_delivery_is_answered_once() -> None:
    given(FAILED, override()).when(override()).then_nothing()
    given(override()).when(override()).then_nothing()


def test_what_is_behind_what_was_seen_is_refused_as_changed() -> None:
    story = (heard(facts.registered()), FAILED)
    late = override(seen_offset=0)
    given(*story).when(late).then(no(late, f"S1: {CHANGED}"))
    given(*story).when(override(seen_offset=1)).then(overridden())
    given(*story).when(override(seen_offset=100)).then(overridden())


def test_an_earlier_round_can_be_named_and_is_held_to_its_own_failure() -> None:
    story = (FAILED, SECOND)
    given(*story).when(override(round=1, seen_offset=0)).then(overridden())
    late = override(seen_offset=0)
    given(*story).when(late).then(no(late, f"S1: {CHANGED}"))
    other = override(round=3)
    said = "S1: its reads were not judged yet; `genoflow timeline S1` tells its story"
    given(*story).when(other).then(no(other, said))


def test_the_answer_that_stands_counts_and_not_the_one_that_this_code_would_give() -> None:
    refused = heard(no(override(), "not on a Friday"))
    state = SETTLE_SAMPLE.state()
    for offset, event in enumerate((FAILED, override(), refused)):
        state = SETTLE_SAMPLE.fold(state, event, offset)
    [said] = SETTLE_SAMPLE.decide(state, override("r2")).events
    assert said == overridden(request_id="r2")
