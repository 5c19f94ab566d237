"""Demultiplexing, told as stories: when it is asked for, how it ends, and what samples hear."""

from __future__ import annotations

from itertools import permutations
from typing import Any

import pytest

from genoflow.events.demultiplex_completed import DemultiplexCompleted
from genoflow.events.demultiplex_failed import DemultiplexFailed
from genoflow.events.demultiplex_requested import DemultiplexRequested
from genoflow.events.event import Event
from genoflow.processors.decision import effect_id
from genoflow.processors.demultiplex import DEMULTIPLEX, collect, order
from genoflow.processors.demultiplexing.manifest import Completed, Failed, Manifest, Request
from genoflow.processors.demultiplexing.names import read_set_id
from genoflow.processors.job_outcome import OUTPUT_BYTES_MAX, JobOutcome
from genoflow.processors.ports import Attempt, Deployment, Ports
from genoflow.processors.request_demultiplex import REQUEST_DEMULTIPLEX, Plan, plan
from tests.fakes import FakeClock
from tests.sequencing import (
    ATTACHED,
    COMPLETED,
    FAILED,
    ROWS,
    RUN,
    STARTED,
    amended,
    library,
    mirrored,
    requested,
)
from tests.spec import Spec, Then

asking = Spec(REQUEST_DEMULTIPLEX).given
working = Spec(DEMULTIPLEX).given


# -- request-demultiplex


async def said(then: Then) -> DemultiplexRequested:
    """What the one plan that was opened says."""
    [effect] = then._opened
    ports = Ports(FakeClock(), deployment=Deployment("bclconvert", "reads-of-the-lab"))
    attempt = Attempt(effect.effect_id, 1, ports, lambda *_: None)
    [event] = await plan(Plan(**effect.arguments), attempt)
    then.performed(event).then(event)
    assert isinstance(event, DemultiplexRequested)
    return event


READY = (STARTED, ATTACHED, COMPLETED, mirrored())


@pytest.mark.parametrize("order_of", [*permutations(READY)])
async def test_it_is_asked_for_when_the_last_thing_comes(order_of: tuple[Event, ...]) -> None:
    *before, last = order_of
    event = await said(asking(*before).when(last))
    expected = requested(adapter="bclconvert", output_bucket="reads-of-the-lab")
    assert event.payload() == expected.payload()


@pytest.mark.parametrize("missing", range(4))
def test_nothing_is_asked_for_while_one_thing_is_missing(missing: int) -> None:
    some = [event for number, event in enumerate(READY) if number != missing]
    for count in range(3):
        asking(*some[:count]).when(some[count]).then_nothing()


@pytest.mark.parametrize("again", READY, ids=lambda event: event.type())
def test_what_is_told_again_asks_for_nothing(again: Event) -> None:
    asking(*READY).when(again).then_nothing()


async def test_an_amended_sheet_asks_anew_and_an_older_one_does_not() -> None:
    later = amended(3, ROWS[:1])
    event = await said(asking(*READY).when(later))
    assert (event.attempt, event.sheet_revision, event.rows) == (2, 3, ROWS[:1])
    assert event.output_prefix == f"reads/{RUN}/a2"
    asking(*READY, later).when(amended(2)).then_nothing()
    asking(*READY, later).when(later).then_nothing()


async def test_a_sheet_that_was_amended_before_the_end_is_followed_at_once() -> None:
    event = await said(asking(STARTED, ATTACHED, amended(), COMPLETED).when(mirrored()))
    assert (event.attempt, event.sheet_revision) == (1, 2)


async def test_a_later_copy_of_the_run_is_read_anew() -> None:
    event = await said(asking(*READY).when(mirrored("b")))
    assert (event.attempt, event.manifest_sha256) == (2, "b" * 64)
    asking(*READY, mirrored("b")).when(mirrored("a")).then_nothing()


def test_a_failed_run_is_not_demultiplexed() -> None:
    asking(STARTED, ATTACHED, COMPLETED, FAILED).when(mirrored()).then_nothing()
    asking(*READY, FAILED).when(amended()).then_nothing()


# -- demultiplex


def test_the_job_is_told_all_and_where_the_list_of_files_is() -> None:
    then = working(mirrored("b"), mirrored("a")).when(requested())
    [effect] = then._opened
    request = Request(**effect.arguments)
    assert request.manifest_key == f"runs/{RUN}.a"
    assert request.requested == DemultiplexRequested(**dict(requested()))
    told = order(request)
    assert told.program[1:] == ("-m", "genoflow.deploy.demultiplex")
    assert Request.model_validate_json(told.document) == request
    working(requested()).when(requested()).then_nothing()


def test_a_newer_attempt_ends_the_older_one() -> None:
    first, second = requested(1), requested(2)
    name = effect_id(first.envelope.event_id, "demultiplex", "demultiplex")
    working(first).when(second).then_closed(name)
    working(first, second).when(first).then_nothing()


def job(**outcome: Any) -> Event:
    """What becomes of a job that ended so."""
    output = outcome.pop("output", "")
    whole = {"exit_code": 0, "output": output, "output_size_bytes": len(output)} | outcome
    request = Request(requested=DemultiplexRequested(**dict(requested())), manifest_key="k")
    [event] = collect(request, JobOutcome(**whole).to_bytes())
    return event


GOOD = Manifest(
    completed=Completed(
        tool="picard", tool_version="3.4.0", libraries=(library(ROWS[0], 7),),
        expected_roles=("R1", "R2"), reads_total=9, reads_undetermined=2,
        undetermined_fraction=2 / 9,
    )
).model_dump_json()  # fmt: skip


def test_a_whole_manifest_is_success() -> None:
    event = job(output=GOOD)
    assert isinstance(event, DemultiplexCompleted)
    assert (event.attempt, event.reads_total, event.libraries) == (1, 9, (library(ROWS[0], 7),))
    working().when(requested()).performed(event).then(event)


@pytest.mark.parametrize(
    ("outcome", "reason_code", "exit_code", "words"),
    [
        ({"exit_code": 3, "output": GOOD}, "tool failed", 3, "exit code 3"),
        ({}, "output missing", 0, "printed no manifest"),
        ({"output": GOOD[:-9]}, "output missing", 0, "cannot be read"),
        ({"output": "{}"}, "output missing", 0, "says no success"),
        ({"output": GOOD, "output_size_bytes": OUTPUT_BYTES_MAX + 1}, "output missing", 0, "1 MiB"),
        ({"exit_code": -9}, "out of memory", None, "memory"),
        ({"exit_code": 137}, "out of memory", None, "memory"),
        ({"exit_code": -15}, "tool failed", None, "signal 15"),
        ({"exit_code": 1}, "tool failed", 1, "exit code 1"),
    ],
)
def test_without_a_whole_manifest_it_has_failed_and_says_what_to_do(
    outcome: dict[str, Any], reason_code: str, exit_code: int | None, words: str
) -> None:
    event = job(error_tail="x\x00" * 3_000 + "the end", **outcome)
    assert isinstance(event, DemultiplexFailed)
    assert (event.reason_code, event.exit_code) == (reason_code, exit_code)
    assert words in event.reason
    assert "then `genoflow demultiplex again`" in event.reason
    assert event.error_tail.endswith("the end")


def test_what_the_program_says_of_its_failure_counts() -> None:
    failed = Failed(reason_code="input missing", reason="RunInfo.xml is gone", exit_code=2)
    event = job(exit_code=1, output=Manifest(failed=failed).model_dump_json())
    assert isinstance(event, DemultiplexFailed)
    assert (event.reason_code, event.reason) == ("input missing", "RunInfo.xml is gone")
    assert (event.tool, event.exit_code) == ("picard", 2)


def test_names_fit_whatever_the_library_is_called() -> None:
    assert read_set_id("L1", "CELL", 3, 1) == "L1.CELL.3"
    assert read_set_id("L1", "CELL", 3, 2) == "L1.CELL.3.a2"
    long = [read_set_id(f"{'x' * 98}{n}", "C" * 100, 16, 1_000) for n in range(2)]
    assert [len(name) for name in long] == [100, 100]
    assert len({*long}) == 2
