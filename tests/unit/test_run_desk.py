"""What a person may decide about a run, and what is refused with the reason."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from genoflow.deploy import run_desk
from genoflow.deploy.subject import LogSubjects
from genoflow.events import topics
from genoflow.events.case_closed import CaseClosed
from genoflow.events.errors import Refused
from genoflow.events.event import Event
from genoflow.events.log.memory import MemoryLog
from genoflow.events.run_cancelled import RunCancelled
from genoflow.events.run_failed import RunFailed
from genoflow.events.run_submitted import RunSubmitted
from genoflow.events.run_succeeded import RunSucceeded
from tests.asked import RUN_ID, like, told
from tests.partition import CODEC, MOMENT
from tests.run_facts import CASE, requested

RUN = str(RUN_ID)
OF_RUN: dict[str, Any] = {"run_id": RUN_ID, "case_id": CASE, "attempt": 1}
ASKED = requested(run_id=RUN_ID, attempts_max=2)
SUBMITTED = like(RunSubmitted, **OF_RUN, job_id="J1")
FAILED = like(RunFailed, **OF_RUN, will_retry=False)
PASSES = like(RunFailed, **OF_RUN, will_retry=True)
SUCCEEDED = like(RunSucceeded, **OF_RUN)
ENDED = like(RunCancelled, **OF_RUN, reason="wrong tube")
CLOSED = CaseClosed(case_id=CASE, outcome="cancelled", reason="not needed")


@pytest.fixture
async def log() -> AsyncIterator[MemoryLog]:
    """An empty log."""
    async with MemoryLog(topics.TOPICS, partitions=4, codec=CODEC) as memory:
        yield memory


async def decided(log: MemoryLog, verb: str, *events: Event, key: str = RUN) -> Any:
    """What is said when this stands on the log."""
    for event in told(*events):
        await log.append(event)
    how: dict[str, Any] = {"reason": "why", "person": "jo", "request_id": None, "at": MOMENT}
    return await getattr(run_desk, verb)(LogSubjects(log), key, **how)


@pytest.mark.parametrize("before", [(), (SUBMITTED,), (SUBMITTED, PASSES)])
async def test_a_run_that_is_under_way_can_be_ended(
    log: MemoryLog, before: tuple[Event, ...]
) -> None:
    said = await decided(log, "cancelled", ASKED, *before, key=RUN.upper())
    attempt = 1 if before else None
    assert (said.run_id, said.case_id, said.attempt) == (RUN_ID, CASE, attempt)
    assert (said.reason, said.envelope.actor.id) == ("why", "jo")
    again = await decided(log, "cancelled")
    assert again.envelope.event_id == said.envelope.event_id, "the same decision twice is one"


@pytest.mark.parametrize(
    ("last", "word"), [(FAILED, "failed"), (SUCCEEDED, "succeeded"), (ENDED, "cancelled")]
)
async def test_a_run_that_is_over_has_nothing_to_end(
    log: MemoryLog, last: Event, word: str
) -> None:
    with pytest.raises(Refused, match=f"is {word} already, and there is nothing to end"):
        await decided(log, "cancelled", ASKED, SUBMITTED, last)


@pytest.mark.parametrize("last", [FAILED, ENDED])
async def test_a_run_that_failed_or_was_ended_is_had_again(log: MemoryLog, last: Event) -> None:
    said = await decided(log, "again", ASKED, SUBMITTED, last)
    assert (said.case_id, said.run_id, said.reason) == (CASE, RUN_ID, "why")


async def test_a_run_that_failed_goes_on_and_the_same_wish_is_one(log: MemoryLog) -> None:
    said = await decided(log, "retried", ASKED, SUBMITTED, FAILED)
    assert (said.case_id, said.run_id, said.attempt, said.reason) == (CASE, RUN_ID, 2, "why")
    twice = await decided(log, "retried")
    assert twice.envelope.event_id == said.envelope.event_id
    with pytest.raises(Refused, match="a later run of case C1 has taken its place"):
        await decided(log, "retried", requested(case_revision=2))


@pytest.mark.parametrize(
    ("before", "words"),
    [
        ((), "was never asked for"),
        ((ASKED, SUBMITTED), "only a run that failed or was cancelled is run again"),
        ((ASKED, SUBMITTED, PASSES), "only a run that failed or was cancelled is run again"),
        ((ASKED, FAILED, CLOSED), "is closed, cancelled; open another case"),
        ((ASKED, FAILED, requested(case_revision=2)), "a later run of case C1 has taken its place"),
    ],
)
async def test_what_cannot_be_had_again_is_refused(
    log: MemoryLog, before: tuple[Event, ...], words: str
) -> None:
    with pytest.raises(Refused, match=words):
        await decided(log, "again", *before)
