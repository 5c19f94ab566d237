"""What a person decides about reads that failed, and what nobody can decide."""

from __future__ import annotations

from typing import Any

import pytest

from genoflow.deploy.qc_desk import overridden, qc_of, topped_up
from genoflow.events import topics
from genoflow.events.errors import Refused
from genoflow.events.event import Event
from genoflow.events.log.memory import MemoryLog
from genoflow.events.qc_failed import QcFailed
from genoflow.events.qc_overridden import QcOverridden
from genoflow.events.qc_passed import QcPassed
from genoflow.events.top_up_requested import TopUpRequested
from tests import qc_facts as facts
from tests.partition import CODEC, MOMENT
from tests.qc_facts import SAMPLE
from tests.spec import heard

FAILED = heard(facts.failed())


def override(*story: Event, **changes: Any) -> QcOverridden:
    said: dict[str, Any] = {
        "reason": "enough for this question", "role": "director", "person": "a.b",
        "request_id": None, "at": MOMENT,
    }  # fmt: skip
    return overridden(SAMPLE, story, **said | changes)


def top_up(*story: Event, **changes: Any) -> TopUpRequested:
    said: dict[str, Any] = {
        "reason": "a short run", "reads": None, "library_id": None, "person": "a.b", "at": MOMENT,
    }  # fmt: skip
    return topped_up(SAMPLE, story, **said | changes)


def passed() -> QcPassed:
    return heard(
        QcPassed(
            sample_id=SAMPLE, round=2, profile="wgs-30x", profile_version="1",
            read_set_ids=("A",), measured=facts.failed().measured,
        )
    )  # fmt: skip


def test_an_override_names_the_failure_the_person_and_what_failed() -> None:
    said = override(FAILED)
    assert (said.round, said.overridden_event_id) == (1, FAILED.envelope.event_id)
    assert said.failed_metrics == ("mean_coverage",)
    assert (said.envelope.actor.kind, said.envelope.actor.id) == ("person", "a.b")
    assert said.envelope.causation_id == FAILED.envelope.event_id
    assert override(FAILED, reason="other words").envelope.event_id == said.envelope.event_id
    named = override(FAILED, request_id="R-7")
    assert named.envelope.event_id != said.envelope.event_id


def test_a_top_up_wants_the_reads_that_are_missing() -> None:
    said = top_up(FAILED)
    assert (said.round, said.reads_wanted, said.failed_event_id) == (
        2, 50, FAILED.envelope.event_id,
    )  # fmt: skip
    assert top_up(FAILED, reads=7, library_id="L1").reads_wanted == 7
    unknown = heard(facts.failed(reads_missing=None))
    with pytest.raises(Refused, match="say it with --reads"):
        top_up(unknown)
    assert top_up(unknown, reads=7).reads_wanted == 7


@pytest.mark.parametrize(
    ("story", "reason"),
    [
        ((), "its reads were not judged yet"),
        ((heard(facts.requested()),), "round 1 is being judged"),
        ((FAILED, heard(facts.requested(2))), "round 2 is being judged"),
        ((passed(), FAILED), "round 2 passed, nothing holds it back"),
        ((FAILED, passed()), "round 2 passed, nothing holds it back"),
        ((FAILED, heard(facts.overridden(1))), "round 1 is overridden already"),
    ],
)
def test_where_nothing_holds_the_sample_back_nothing_is_decided(
    story: tuple[Event, ...], reason: str
) -> None:
    for decide in (override, top_up):
        with pytest.raises(Refused, match=reason):
            decide(*story)


def test_one_of_several_rounds_can_be_named() -> None:
    assert override(FAILED, passed(), number=1).round == 1
    with pytest.raises(Refused, match="not judged yet"):
        override(FAILED, passed(), number=3)


@pytest.mark.parametrize("reason_code", ["no reads", "mates differ"])
def test_what_no_run_can_take_cannot_be_overridden(reason_code: str) -> None:
    story: QcFailed = heard(facts.failed(reason_code=reason_code))
    with pytest.raises(Refused, match=f"because of '{reason_code}', and no run can take"):
        override(story)
    assert top_up(story).reads_wanted == 50


async def test_only_what_is_about_the_sample_and_its_quality_is_read() -> None:
    log = MemoryLog([topics.SAMPLE], partitions=2, codec=CODEC)
    of_another = heard(facts.failed().model_copy(update={"sample_id": "S2"}))
    for event in (heard(facts.registered()), of_another, FAILED, heard(facts.requested(2))):
        await log.append(event)
    assert [event.type() for event in await qc_of(log, SAMPLE)] == ["QcFailed", "QcRequested"]
    assert await qc_of(log, "S9") == []
