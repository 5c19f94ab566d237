"""What a person may say of labels, and what is refused with a way out."""

from __future__ import annotations

from typing import Any

import pytest

from genoflow.api.desks import Decided
from genoflow.deploy.label_desk import READ_SETS_MAX, relabelled, swapped
from genoflow.deploy.people import saying
from genoflow.deploy.subject import LogSubjects
from genoflow.events import topics
from genoflow.events.errors import Refused
from genoflow.events.event import Event
from genoflow.events.log.memory import MemoryLog
from genoflow.events.sample_relabelled import SampleRelabelled
from tests.partition import CODEC, MOMENT
from tests.qc_facts import SAMPLE, invalidated, joined, registered
from tests.spec import heard

OTHER = "S2"
KNOWN = (registered("A", of_sample=2), registered("B", of_sample=2), joined(sample_id=OTHER))


def decided(**changes: Any) -> Decided:
    said: dict[str, Any] = {
        "reason": "tubes were swapped", "role": "lead", "request_id": None,
        "says": saying("a.b", MOMENT, option="--person"),
    }  # fmt: skip
    return Decided(**said | changes)


async def known(*events: Event) -> LogSubjects:
    log = MemoryLog([topics.SAMPLE], partitions=2, codec=CODEC)
    for event in events:
        await log.append(event if event.has_envelope else heard(event))
    return LogSubjects(log)


async def relabel(
    *events: Event, true: str = OTHER, names: tuple[str, ...] = (), **changes: Any
) -> SampleRelabelled:
    [fact] = await relabelled(await known(*events), SAMPLE, true, names, decided(**changes))
    return fact


async def test_all_read_sets_that_count_move_unless_some_are_named() -> None:
    said = await relabel(*KNOWN)
    assert (said.sample_id, said.true_sample_id, said.read_set_ids) == (SAMPLE, OTHER, ("A", "B"))
    assert (said.role, said.envelope.actor.kind, said.envelope.actor.id) == (
        "lead",
        "person",
        "a.b",
    )
    assert (await relabel(*KNOWN, invalidated("A"))).read_set_ids == ("B",)
    assert (await relabel(*KNOWN, names=("B", "B"))).read_set_ids == ("B",)


async def test_the_same_decision_has_the_same_id() -> None:
    first, again = await relabel(*KNOWN), await relabel(*KNOWN, reason="said otherwise")
    assert first.envelope.event_id == again.envelope.event_id
    for other in (
        await relabel(*KNOWN, names=("A",)),
        await relabel(*KNOWN, request_id="R-7"),
        await relabel(*KNOWN, joined(sample_id="S3"), true="S3"),
    ):
        assert other.envelope.event_id != first.envelope.event_id


async def test_what_cannot_be_moved_is_refused_with_what_can() -> None:
    with pytest.raises(Refused, match="'S1': is its own label already; name another with --as"):
        await relabel(*KNOWN, true=SAMPLE)
    with pytest.raises(Refused, match="'S9': nothing on the log is about it; `genoflow sample li"):
        await relabel(*KNOWN, true="S9")
    with pytest.raises(Refused, match="'S1': nothing on the log is about it"):
        await relabel(KNOWN[2])
    with pytest.raises(Refused, match="read set 'C' is not registered; it has A, B; `genoflow sam"):
        await relabel(*KNOWN, names=("C",))
    with pytest.raises(
        Refused, match=r"read set 'A' does not count any more \(withdrawn\); it has"
    ):
        await relabel(*KNOWN, invalidated("A"), names=("A",))
    with pytest.raises(Refused, match="'S1': has no read set that counts"):
        await relabel(joined(), joined(sample_id=OTHER))
    with pytest.raises(Refused, match="--person"):
        await relabel(*KNOWN, says=saying("a" * 201, MOMENT, option="--person"))


async def test_what_was_relabelled_a_moment_ago_is_not_moved_again() -> None:
    said = await relabel(*KNOWN, names=("A",))
    assert (await relabel(*KNOWN, said)).read_set_ids == ("B",)
    with pytest.raises(Refused, match="read set 'A' was relabelled as S2 already; it has B; "):
        await relabel(*KNOWN, said, names=("A",))


async def test_too_many_at_once_are_refused() -> None:
    count = READ_SETS_MAX + 1
    many = [registered(f"R{number}", of_sample=count) for number in range(count)]
    with pytest.raises(Refused, match="has 401 read sets, and 400 move at once; name some"):
        await relabel(*many, KNOWN[2])


async def test_a_swap_is_two_relabellings_of_what_counts() -> None:
    both = (*KNOWN, registered("C", sample_id=OTHER))
    said = await swapped(await known(*both), SAMPLE, OTHER, decided())
    assert [(one.sample_id, one.true_sample_id, one.read_set_ids) for one in said] == [
        (SAMPLE, OTHER, ("A", "B")), (OTHER, SAMPLE, ("C",)),
    ]  # fmt: skip
    other_way = await swapped(await known(*both), OTHER, SAMPLE, decided())
    assert {one.envelope.event_id for one in other_way} == {one.envelope.event_id for one in said}


async def test_a_swap_needs_two_samples_with_reads() -> None:
    with pytest.raises(Refused, match="cannot be swapped with itself; name two samples"):
        await swapped(await known(*KNOWN), SAMPLE, SAMPLE, decided())
    with pytest.raises(Refused, match="'S2': has no read set that counts"):
        await swapped(await known(*KNOWN), SAMPLE, OTHER, decided())
    with pytest.raises(Refused, match="'S9': nothing on the log"):
        await swapped(await known(*KNOWN), SAMPLE, "S9", decided())
