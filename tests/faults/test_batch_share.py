"""A small share of `python -m tests.faults batch`, and proof that its verdict bites."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from genoflow.processors.adapters.batch_launcher import BatchLauncher
from genoflow.processors.adapters.job_notes import JobNotes
from tests import batch_trial
from tests.batch_double import LostAnswer
from tests.batch_server import faults
from tests.batch_trial import BatchTrial, Weather
from tests.faults import batch, local_jobs
from tests.trial import Ending

CANCELLED = "the run is cancelled at any moment"


@pytest.mark.parametrize("scenario", batch.SCENARIOS)
def test_a_run_at_batch_is_done_once_whatever_goes_wrong(scenario: str) -> None:
    row = batch.play(scenario, batch.CASES_SMALL, seed=2)
    assert row.broken == []
    assert row.cases == batch.CASES_SMALL


@pytest.mark.parametrize("scenario", local_jobs.SCENARIOS)
def test_a_job_on_this_machine_is_done_once_whatever_goes_wrong(
    scenario: str, tmp_path: Path
) -> None:
    row = local_jobs.play(scenario, 1, seed=2, room=tmp_path)
    assert row.broken == []


def two_jobs() -> Weather:
    """SubmitJob's answer is lost, no list shows the job, and the first is at work when the second
    begins."""
    lost = faults(("submit_job done", 1, LostAnswer()))
    return Weather(lag_seconds=120, step_seconds=40, program_seconds=90, fault=lost)


def test_two_jobs_of_one_name_are_one_run_and_the_second_goes() -> None:
    played = BatchTrial(two_jobs()).play()
    assert (played.broken, played.submitted) == ([], 2)
    assert len({job_id for _, job_id, _ in played.programs}) == 1


def test_without_a_claim_a_late_list_makes_two_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    async def yes(_notes: JobNotes, _job_id: str) -> bool:
        return True

    monkeypatch.setattr(JobNotes, "claimed", yes)
    assert BatchTrial(two_jobs()).play().broken == ["the program ran in 2 jobs"]


def test_without_its_note_a_cancelled_run_is_begun_all_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def nobody_said_so(_notes: JobNotes) -> bool:
        return False

    monkeypatch.setattr(JobNotes, "is_cancelled", nobody_said_so)
    found = batch.play(CANCELLED, 12, seed=3).broken
    assert any("a program began after its job was cancelled" in fault for fault in found)


def as_it_moves(after_seconds: float) -> BatchTrial:
    """The job that waits gets its host while another one is submitted in its place."""
    wishes = [(after_seconds, "urgent")]
    return BatchTrial(
        Weather(wishes=wishes, answer_seconds=0.5, step_seconds=2.0, program_seconds=20.0)
    )


def test_a_claim_that_is_not_closed_loses_a_job_that_is_moved(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert [as_it_moves(at).play().broken for at in (4.3, 4.5)] == [[], []]

    async def left_open(_notes: JobNotes, _number: int) -> bool:
        return True

    monkeypatch.setattr(JobNotes, "close_before", left_open)
    for at in (4.3, 4.5):
        [fault] = as_it_moves(at).play().broken
        assert "RunLost" in fault


def test_a_job_that_leaves_no_manifest_is_no_success(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batch_trial, "leave_results", lambda *_: None)
    trial = BatchTrial(endings=[Ending("step", 200)])
    played = trial.play()
    said = [fact["type"] for fact in played.tried.facts]
    assert "RunSucceeded" not in said
    assert "RunFailed" in said
    assert any("the log says" in fault for fault in played.broken)


def test_a_host_that_is_taken_at_every_attempt_ends_as_lost() -> None:
    played = BatchTrial(Weather(taken_at=(5,) * 20)).play()
    facts = {fact["type"]: fact for fact in played.tried.facts}
    assert played.taken == 10
    assert "RunSucceeded" not in facts
    assert "left no outcome" in str(facts["RunLost"])


def test_a_launcher_that_never_looks_submits_again(monkeypatch: pytest.MonkeyPatch) -> None:
    weather: Any = {"fault": faults(("submit_job done", 1, LostAnswer())), "step_seconds": 40}
    assert BatchTrial(Weather(**weather)).play().submitted == 1

    async def blind(*_: Any) -> dict[str, str]:
        return {}

    monkeypatch.setattr(BatchLauncher, "_named", blind)
    weather["fault"] = faults(("submit_job done", 1, LostAnswer()))
    assert BatchTrial(Weather(**weather)).play().submitted == 2
