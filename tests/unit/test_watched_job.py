"""A job is watched until it is over; what nobody knows of is begun, lost, or parked."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest

from genoflow.events.errors import Parked, Retry
from genoflow.events.event import Event
from genoflow.events.run_exited import RunExited
from genoflow.events.run_lost import RunLost
from genoflow.processors import watched_job
from genoflow.processors.job_outcome import JobOutcome
from genoflow.processors.ledger import OpenEffect
from genoflow.processors.ports import JobOrder, Ports
from genoflow.processors.processor import Job
from genoflow.processors.running.manifest import Submission
from genoflow.processors.watched_job import watched
from tests.examples import example
from tests.fakes import FakeClock, FakeLauncher, FakeStore
from tests.spec import heard

BUCKET = "outcomes"
ORDER = JobOrder(("program",))


def collect(_arguments: Any, body: bytes) -> Sequence[Event]:
    """How it ended."""
    code = JobOutcome.model_validate_json(body).exit_code
    return [RunExited(run_id=UUID(int=7), attempt=1, job_id="j", exit_code=code)]


def lost(_arguments: Any, reason: str) -> Sequence[Event]:
    """Nobody knows of it."""
    return [RunLost(run_id=UUID(int=7), attempt=1, launcher="local", job_id="j", reason=reason)]


BEGUN_HERE = Job(
    "run", arguments=Submission, emits=(RunExited, RunLost), order=lambda _: ORDER, collect=collect
)
BEGUN_BEFORE = replace(BEGUN_HERE, lost=lost)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Look again at once."""
    monkeypatch.setattr(watched_job, "JOB_LOOK_SECONDS", (0.001,))


def effect() -> OpenEffect:
    """An open effect."""
    cause = heard(example(RunExited)).envelope
    return OpenEffect(
        effect_id=UUID(int=3), name="run", lane="l", subject_key="s", arguments={}, cause=cause,
        offset=0, ordinal=0, recorded_at=cause.occurred_at, value_size_bytes=0,
        value_sha256="0" * 64,
    )  # fmt: skip


def world(
    outcome: JobOutcome | None = None, fault: Callable[[str], None] = lambda _: None
) -> tuple[FakeLauncher, Ports]:
    """A launcher whose jobs end so."""
    store = FakeStore(fault=fault)
    launcher = FakeLauncher(store, BUCKET, lambda _: outcome, lambda _: 0.0)
    ports = Ports(clock=FakeClock(), store=store, launcher=launcher, outcome_bucket=BUCKET)
    return launcher, ports


async def test_an_unknown_job_is_begun_once() -> None:
    launcher, ports = world(JobOutcome(exit_code=3))
    [said] = await watched(BEGUN_HERE, effect(), None, ports)
    assert isinstance(said, RunExited)
    assert (said.exit_code, launcher.begun.total()) == (3, 1)


async def test_a_job_that_another_effect_began_and_nobody_knows_is_lost() -> None:
    launcher, ports = world(JobOutcome(exit_code=0))
    [said] = await watched(BEGUN_BEFORE, effect(), None, ports)
    assert isinstance(said, RunLost)
    assert "knows no such job" in said.reason
    assert launcher.begun.total() == 0


async def test_a_job_without_an_outcome_is_lost_or_looked_at_by_a_person() -> None:
    for kind in (BEGUN_HERE, BEGUN_BEFORE):
        launcher, ports = world(None)
        await launcher.launch(UUID(int=3), ORDER)
        if kind is BEGUN_HERE:
            with pytest.raises(Parked, match="ended and left no outcome at outcomes/effects/"):
                await watched(kind, effect(), None, ports)
        else:
            [said] = await watched(kind, effect(), None, ports)
            assert isinstance(said, RunLost)
            assert "left no outcome" in said.reason


async def test_a_store_that_is_away_ends_no_job() -> None:
    left = 20  # more than an effect is tried

    def fault(operation: str) -> None:
        nonlocal left
        if operation == "store.get" and left:
            left -= 1
            raise Retry("away")

    _, ports = world(JobOutcome(exit_code=0), fault)
    [said] = await watched(BEGUN_HERE, effect(), None, ports)
    assert isinstance(said, RunExited)
    assert left == 0


async def test_what_was_cancelled_is_begun_by_nobody() -> None:
    launcher, _ = world(JobOutcome(exit_code=0))
    await launcher.cancel(UUID(int=3))
    await launcher.launch(UUID(int=3), ORDER)
    assert launcher.begun.total() == 0
