"""Rows of runs of instruments: how far each is, what it waits for, what was told apart in it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import timedelta
from typing import Any

import pytest

from genoflow.events.event import Event
from genoflow.projections import sequencing_runs
from tests import sequencing
from tests.integration.rows import Rows, all_pages, are_equal_in_pieces, rows_of
from tests.partition import MOMENT
from tests.sample_stories import (
    COUNTED,
    NOT_TOLD_APART,
    OF_THE_RUN,
    REFUSED,
    REOPENED,
    TOLD_APART,
    UNDETERMINED,
    WHOLE_FAILED,
    WHOLE_PASSED,
    shuffled,
)
from tests.sequencing import ATTACHED, COMPLETED, FAILED, RUN, STARTED, amended, mirrored, requested
from tests.spec import heard

COPIED = (STARTED, ATTACHED, COMPLETED, mirrored())
Story = tuple[Sequence[Event], str, str | None, str | None]


@pytest.fixture
async def rows(postgres_url: str) -> AsyncIterator[Rows]:
    """Runs of instruments."""
    async with rows_of(postgres_url, sequencing_runs.SequencingRuns()) as opened:
        yield opened


# Each goes on from the one before: what is told, the state, what is waited for, and why.
STEPS: tuple[Story, ...] = (
    ([STARTED], "waits for sheet", "its sample sheet", "none has come"),
    ([REFUSED], "waits for sheet", "a mended sheet", "line 3: no index"),
    ([ATTACHED], "waits for files", "the instrument", "it has not ended"),
    ([FAILED], "failed", "a decision", "files missing: two cycles are not there"),
    ([COMPLETED], "waits for copy", "its copy", "it is not yet in the object store"),
    ([mirrored()], "in demultiplexing", "demultiplexing", "it was not yet asked for"),
    ([requested()], "in demultiplexing", "demultiplexing", "attempt 1 is under way"),
    (
        [NOT_TOLD_APART], "demultiplexing failed", "a decision",
        "attempt 1: tool failed: it ended with 1",
    ),
    ([REOPENED], "in demultiplexing", "demultiplexing", "attempt 2: more memory"),
    ([requested(2)], "in demultiplexing", "demultiplexing", "attempt 2 is under way"),
    ([TOLD_APART], "in demultiplexing", "demultiplexing", "attempt 2 is under way"),
    ([sequencing.completed(*COUNTED, attempt=2)], "demultiplexed", None, None),
    (
        [WHOLE_FAILED], "demultiplexed", "a decision",
        f"it failed QC as a whole: {WHOLE_FAILED.reason}",
    ),
    ([WHOLE_PASSED], "demultiplexed", None, None),
    ([amended(3)], "demultiplexed", None, None),
)  # fmt: skip


async def test_a_run_says_what_it_waits_for_since_when_and_why(rows: Rows) -> None:
    before, since = (None, None), MOMENT
    for number, (events, *expected) in enumerate(STEPS):
        at = MOMENT + timedelta(hours=number)
        await rows.tell(
            *(one.enveloped(one.envelope.model_copy(update={"occurred_at": at})) for one in events)
            if events[0].has_envelope
            else (heard(one, at) for one in events)
        )
        found = await sequencing_runs.sequencing_run_of(rows.connection, RUN)
        assert found is not None
        assert [found[name] for name in ("state", "waits_for", "reason")] == expected
        if before != (found["state"], found["waits_for"]):
            before, since = (found["state"], found["waits_for"]), at
        assert found["since"] == since


async def test_a_run_keeps_its_flow_cell_its_sheet_and_what_was_counted(rows: Rows) -> None:
    await rows.tell(*COPIED, amended(2), requested(), TOLD_APART, WHOLE_FAILED, UNDETERMINED)
    found = await sequencing_runs.sequencing_run_of(rows.connection, RUN)
    assert found is not None
    told = {name: found[name] for name in sequencing_runs.SequencingRunRow.__dataclass_fields__}
    assert told == {
        "instrument_run_id": RUN, "state": "demultiplexed", "since": found["since"],
        "waits_for": "a decision", "reason": f"it failed QC as a whole: {WHOLE_FAILED.reason}",
        "instrument_id": "M00123", "instrument_model": "MiSeq", "platform": "illumina",
        "flow_cell_id": sequencing.CELL, "lanes": 1, "started_at": MOMENT,
        "completed_at": MOMENT, "mirrored_at": MOMENT, "total_bytes": 9, "sheet_revision": 2,
        "sheet_samples": 3, "demultiplex_attempt": 1, "reads_total": 37,
        "reads_undetermined": 7, "undetermined_fraction": pytest.approx(7 / 37), "qc": "failed",
    }  # fmt: skip
    assert await sequencing_runs.sequencing_run_of(rows.connection, "RUN0") is None


async def test_every_attempt_keeps_the_reads_of_each_sample_and_lane(rows: Rows) -> None:
    connection = rows.connection
    then = await rows.tell(*COPIED, requested(), TOLD_APART)
    await rows.tell(requested(2), sequencing.completed(*COUNTED[1:], attempt=2))
    order = ("attempt", "number")
    every = await all_pages(
        sequencing_runs.demultiplexed_of, connection, order, 2, instrument_run_id=RUN
    )
    assert [(row["attempt"], row["sample_id"], row["lane"], row["reads"]) for row in every] == [
        (1, "A", 1, 0), (1, "B", 1, 10), (1, "F", 1, 20), (2, "B", 1, 10), (2, "F", 1, 20),
    ]  # fmt: skip
    assert every[0]["read_set_id"] is None
    mine = await sequencing_runs.demultiplexed_of(connection, RUN, attempt=2, sample="F")
    assert [row["reads"] for row in mine] == [20]
    assert len(await sequencing_runs.demultiplexed_of(connection, RUN, at=then)) == 3


async def test_runs_are_found_and_counted_by_what_is_asked(rows: Rows) -> None:
    others = [
        heard(type(STARTED)(**dict(STARTED) | {"instrument_run_id": name, "flow_cell_id": "C"}))
        for name in ("RUN1", "RUN2", "RUN3")
    ]
    then = await rows.tell(*others)
    await rows.tell(*COPIED, requested(), TOLD_APART)
    asked: tuple[tuple[dict[str, Any], Sequence[str]], ...] = (
        ({}, (RUN, "RUN1", "RUN2", "RUN3")),
        ({"state": "waits for sheet"}, ("RUN1", "RUN2", "RUN3")),
        ({"flow_cell": sequencing.CELL}, (RUN,)),
        ({"sample": "B"}, (RUN,)),
        ({"sample": "B", "flow_cell": "C"}, ()),
        ({"waits_since": MOMENT}, ("RUN1", "RUN2", "RUN3")),
        ({"waits_since": MOMENT - timedelta(seconds=1)}, ()),
        ({"at": then}, ("RUN1", "RUN2", "RUN3")),
    )
    key = ["instrument_run_id"]
    for filters, names in asked:
        ask = sequencing_runs.list_sequencing_runs
        found = await all_pages(ask, rows.connection, key, 2, **filters)
        assert [row["instrument_run_id"] for row in found] == list(names), filters
    counted = await sequencing_runs.count_sequencing_runs(rows.connection)
    assert counted == {"demultiplexed": 1, "waits for sheet": 3}
    before = await sequencing_runs.count_sequencing_runs(rows.connection, at=then)
    assert before == {"waits for sheet": 3}


@pytest.mark.parametrize("seed", range(3))
async def test_pieces_give_the_same_rows(rows: Rows, seed: int) -> None:
    await are_equal_in_pieces(rows, shuffled(OF_THE_RUN, seed), seed)
    assert await rows.set_aside() == []
