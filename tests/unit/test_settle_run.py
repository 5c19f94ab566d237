"""What is proposed about a run and its results: a fact, or a refusal with its reason."""

from __future__ import annotations

from typing import Any

import pytest

from genoflow.events.event import Event
from genoflow.events.results_checked import ResultsChecked
from genoflow.events.results_held import ResultsHeld
from genoflow.events.results_release_proposed import ResultsReleaseProposed
from genoflow.events.results_release_refused import ResultsReleaseRefused
from genoflow.events.results_retracted import ResultsRetracted
from genoflow.events.results_retraction_proposed import ResultsRetractionProposed
from genoflow.events.results_retraction_refused import ResultsRetractionRefused
from genoflow.events.run_cancellation_proposed import RunCancellationProposed
from genoflow.events.run_cancellation_refused import RunCancellationRefused
from genoflow.events.run_cancelled import RunCancelled
from genoflow.events.run_failed import RunFailed
from genoflow.events.run_retry_proposed import RunRetryProposed
from genoflow.events.run_retry_refused import RunRetryRefused
from genoflow.events.run_retry_requested import RunRetryRequested
from genoflow.events.run_submitted import RunSubmitted
from genoflow.events.run_succeeded import RunSucceeded
from genoflow.processors.running.changed import withdrawn
from genoflow.processors.settle_run import SETTLE_RUN
from genoflow.processors.settling import CHANGED
from tests.asked import like
from tests.partition import Partition
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
from tests.spec import Spec, heard

given = Spec(SETTLE_RUN).given
OF_RUN: dict[str, Any] = {"run_id": RUN_ID, "case_id": CASE}
SUBMITTED = like(RunSubmitted, **OF_RUN, attempt=1)
SUCCEEDED = like(RunSucceeded, **OF_RUN, attempt=1)
FAILED = like(RunFailed, **OF_RUN, attempt=1, will_retry=False)
TRIED = like(RunFailed, **OF_RUN, attempt=1, will_retry=True)
HELD = heard(like(ResultsHeld, **OF_RUN))
CHECKED = like(ResultsChecked, **OF_RUN)
PUBLISHED = heard(published())
WHOLE = (requested(), SUBMITTED, SUCCEEDED, collected())
RETRACTED = ResultsRetracted(
    **OF_RUN, reason_code="wrong", reason="a swap", changes=withdrawn((result(),)),
    request_id="r1", role="director",
)  # fmt: skip
UNDER_WAY = (
    f"is under way, and only a run that failed goes on from there; `genoflow run why {RUN_ID}` "
    f"says what it waits for"
)
RELEASED = {"held_event_id": HELD.envelope.event_id, "request_id": "r1", "role": "director"}


def cancel(request: str = "r1", **words: Any) -> RunCancellationProposed:
    said: dict[str, Any] = {"run_id": RUN_ID, "request_id": request, "reason": "wrong tube"}
    return heard(RunCancellationProposed(**said | words))


def retry(request: str = "r1", **words: Any) -> RunRetryProposed:
    said: dict[str, Any] = {"run_id": RUN_ID, "request_id": request, "reason": "more disk"}
    return heard(RunRetryProposed(**said | words))


def goes_on(attempt: int, request: str = "r1") -> RunRetryRequested:
    return RunRetryRequested(**OF_RUN, attempt=attempt, request_id=request, reason="more disk")


def release(request: str = "r1", **words: Any) -> ResultsReleaseProposed:
    said = {"run_id": RUN_ID, "request_id": request, "role": "director", "reason": "a small panel"}
    return heard(ResultsReleaseProposed(**said | words))


def retract(request: str = "r1", **words: Any) -> ResultsRetractionProposed:
    said = {"run_id": RUN_ID, "request_id": request, "role": "director", "reason": "a swap"}
    return heard(ResultsRetractionProposed(**said | {"reason_code": "wrong"} | words))


def no(proposal: Event, reason: str) -> Event:
    kinds: dict[type[Event], Any] = {
        RunCancellationProposed: RunCancellationRefused,
        RunRetryProposed: RunRetryRefused,
        ResultsReleaseProposed: ResultsReleaseRefused,
        ResultsRetractionProposed: ResultsRetractionRefused,
    }
    named = proposal.envelope.event_id
    refused: Event = kinds[type(proposal)](run_id=RUN_ID, proposal_event_id=named, reason=reason)
    return refused


@pytest.mark.parametrize(("before", "attempt"), [((), None), ((SUBMITTED,), 1), ((TRIED,), 1)])
def test_a_run_that_is_under_way_is_ended(before: tuple[Event, ...], attempt: int | None) -> None:
    fact = RunCancelled(**OF_RUN, attempt=attempt, request_id="r1", reason="wrong tube")
    given(requested(), *before).when(cancel()).then(fact)


@pytest.mark.parametrize(
    ("story", "word"),
    [
        ((FAILED,), "failed"),
        ((SUCCEEDED,), "succeeded"),
        ((SUCCEEDED, collected()), "collected"),
        ((collected(), HELD), "held"),
        ((collected(), PUBLISHED), "published"),
        ((cancelled(),), "cancelled"),
        ((superseded(),), "superseded"),
    ],
)
def test_a_run_that_is_over_has_nothing_to_end(story: tuple[Event, ...], word: str) -> None:
    said = f"run {RUN_ID}: is {word} already, and there is nothing to end; `genoflow run why"
    given(requested(), SUBMITTED, *story).when(cancel()).then(
        no(cancel(), f"{said} {RUN_ID}` says what can be done")
    )


def test_a_run_that_nobody_asked_for_has_no_end() -> None:
    said = f"run '{RUN_ID}': was never asked for; `genoflow run list` shows those that were"
    given().when(cancel()).then(no(cancel(), said))


def test_a_run_that_failed_goes_on_as_often_as_a_person_asks() -> None:
    given(requested(), SUBMITTED, FAILED).when(retry()).then(goes_on(2))
    second = like(RunFailed, **OF_RUN, attempt=2, will_retry=False)
    story = (requested(), SUBMITTED, FAILED, heard(goes_on(2)), second)
    given(*story).when(retry("r2")).then(goes_on(3, "r2"))


@pytest.mark.parametrize(
    ("story", "said"),
    [
        ((), UNDER_WAY),
        ((SUBMITTED, TRIED), UNDER_WAY),
        ((SUBMITTED, SUCCEEDED), UNDER_WAY.replace("under way", "succeeded")),
        ((SUBMITTED, FAILED, goes_on(2)), UNDER_WAY),
        (
            (SUBMITTED, cancelled()),
            f"was cancelled, and does not go on; have it from the beginning with `genoflow run "
            f"again {RUN_ID}`",
        ),
    ],
)
def test_only_a_run_that_failed_goes_on(story: tuple[Event, ...], said: str) -> None:
    given(requested(), *story).when(retry()).then(no(retry(), f"run {RUN_ID}: {said}"))


def test_who_retries_has_seen_the_newest_failure() -> None:
    old = retry(seen_offset=1)
    given(requested(), SUBMITTED, FAILED).when(old).then(no(old, f"{RUN_ID}: {CHANGED}"))


def test_results_that_are_held_are_published_by_whoever_releases_them() -> None:
    fact = published(**RELEASED, reason="a small panel")
    given(*WHOLE, HELD).when(release()).then(fact)


def test_published_results_are_void_file_by_file() -> None:
    given(*WHOLE, PUBLISHED).when(retract()).then(RETRACTED)


@pytest.mark.parametrize(
    ("story", "reason"),
    [
        ((), "nothing on the log is about it"),
        (WHOLE, "is not held, no results of it were checked yet"),
        ((*WHOLE, CHECKED), "passed its checks and is published by itself"),
        ((*WHOLE, PUBLISHED), "its results are published already (since 2026-03-01 12:00 UTC)"),
        ((*WHOLE, HELD, cancelled()), "was cancelled; have its case run again"),
        (
            (*WHOLE, HELD, superseded()),
            "does not count any more, top-up; decide about the run that took its place: "
            f"`genoflow results show {LATER_ID}`",
        ),
        ((*WHOLE, PUBLISHED, RETRACTED), "its results were retracted already, wrong (a swap)"),
    ],
)
def test_what_is_not_held_is_not_released(story: tuple[Event, ...], reason: str) -> None:
    partition = Partition(SETTLE_RUN)
    partition.put(*(one if one.has_envelope else heard(one) for one in story), release())
    [said] = partition.work()
    assert said.type() == "ResultsReleaseRefused"
    assert said.payload()["reason"].startswith(f"run {RUN_ID}: {reason}")


@pytest.mark.parametrize(
    ("story", "reason"),
    [
        ((*WHOLE, HELD), "has published nothing that could be withdrawn"),
        ((*WHOLE, PUBLISHED, RETRACTED), "its results were retracted already, wrong (a swap)"),
        ((*WHOLE, PUBLISHED, superseded()), "does not count any more, top-up"),
    ],
)
def test_what_does_not_stand_is_not_taken_back(story: tuple[Event, ...], reason: str) -> None:
    partition = Partition(SETTLE_RUN)
    partition.put(*(one if one.has_envelope else heard(one) for one in story), retract())
    [said] = partition.work()
    assert said.type() == "ResultsRetractionRefused"
    assert said.payload()["reason"].startswith(f"run {RUN_ID}: {reason}")


@pytest.mark.parametrize(
    ("story", "ask"),
    [
        ((requested(), SUBMITTED), cancel),
        ((requested(), SUBMITTED, FAILED), retry),
        ((*WHOLE, HELD), release),
        ((*WHOLE, PUBLISHED), retract),
    ],
)
def test_of_two_proposals_the_first_is_the_fact(story: tuple[Event, ...], ask: Any) -> None:
    partition = Partition(SETTLE_RUN)
    events = [one if one.has_envelope else heard(one) for one in story]
    partition.put(*events, ask("r1"), ask("r2"), ask("r1"))
    first, second = partition.work()
    assert not first.type().endswith("Refused")
    assert second.type().endswith("Refused")
    assert "already" in second.payload()["reason"]


def test_what_is_behind_what_was_seen_is_refused_as_changed() -> None:
    story = (*WHOLE, HELD)
    late = release(seen_offset=3)
    given(*story).when(late).then(no(late, f"{RUN_ID}: {CHANGED}"))
    fact = published(**RELEASED, reason="a small panel")
    given(*story).when(release(seen_offset=4)).then(fact)


def test_a_run_of_thousands_of_files_is_kept_in_what_a_state_may_hold() -> None:
    files = tuple(result(f"kind-{number}", f"S{number}") for number in range(4_000))
    story = (heard(requested()), heard(collected(files=files)), heard(published(files=files)))
    partition = Partition(SETTLE_RUN)
    partition.put(*story, retract())
    [said] = partition.work()
    assert len(said.payload()["changes"]) == 1_000
