"""Given these events, a sample is in this state, and waits for this since then."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import pytest

from genoflow.events.event import Event
from genoflow.projections.sample_state import Sample
from tests.asked import all_valid, joined, landed, passed, read_set, registered, rejected, told
from tests.partition import MOMENT
from tests.sample_stories import (
    ASKED_FOR,
    GIVEN_UP_STORY,
    INVALIDATED,
    LEFT,
    MEASURED,
    OVERRIDDEN,
    QC_FAILED,
    RELABELLED,
    RUN_FAILED,
    SECOND,
    TOP_UP,
)

ORDERED = (registered(), joined(), read_set())
# What was told, the state, what is waited for and why; and by which fact it came to that.
STANDS: dict[str, tuple[Sequence[Event], str, str | None, str | None, int]] = {
    "no order": ([registered()], "waits for order", "an order", "no case names it", 0),
    "no reads": (
        [registered(), joined()], "waits for reads", "reads", "no read set is registered for it", 1,
    ),
    "files missing": (
        [*ORDERED, landed("R1"), landed("I1")], "waits for files", "files",
        "2 of 4 files of read set L1.FC.1: R2 of lane 1, I2 of lane 1", 2,
    ),
    "files of two read sets missing": (
        [*ORDERED, read_set(SECOND)], "waits for files", "files",
        "4 of 4 files of read set L1.FC.1: R1 of lane 1, R2 of lane 1, I1 of lane 1, I2 of lane 1"
        "; 1 more read sets wait", 2,
    ),
    "files not validated": (
        [*ORDERED, *all_valid()[:5]], "waits for files", "validation",
        "3 of 4 files of read set L1.FC.1: R2 of lane 1, I1 of lane 1, I2 of lane 1", 6,
    ),
    "tried": (
        GIVEN_UP_STORY[:-1], "waits for files", "another try",
        "R1 of lane 1 of read set L1.FC.1: try 2 of 5: store unavailable: no answer", 10,
    ),
    "given up": (
        GIVEN_UP_STORY, "waits for files", "a person",
        "R1 of lane 1 of read set L1.FC.1: try 5 of 5: store unavailable: no answer", 11,
    ),
    "rejected": (
        [*ORDERED, landed("R2"), rejected("R2")], "file rejected", "a corrected file",
        "R2 of lane 1 of read set L1.FC.1: truncated: it ends inside a block.", 4,
    ),
    "sent again": (
        [*ORDERED, landed("R2"), rejected("R2"), landed("R2", version="2")], "waits for files",
        "files", "3 of 4 files of read set L1.FC.1: R1 of lane 1, I1 of lane 1, I2 of lane 1", 5,
    ),
    "read sets missing": (
        [registered(), joined(), read_set(of=3), *all_valid()], "files valid", "registration",
        "2 of 3 read sets of run RUN1", 10,
    ),
    "files whole": (
        [*ORDERED, *all_valid()], "files valid", "QC", "all its files are valid", 10,
    ),
    "its run failed": (
        [*ORDERED, *all_valid(), RUN_FAILED], "files valid", "a decision",
        f"run RUN1 failed QC as a whole: {RUN_FAILED.reason}", 11,
    ),
    "QC asked for": (
        [*ORDERED, ASKED_FOR], "in QC", "measurement",
        f"QC of its reads, round 1, by {ASKED_FOR.profile} {ASKED_FOR.profile_version}", 3,
    ),
    "QC measured": ([*ORDERED, MEASURED], "in QC", "a verdict", "QC of its reads, round 1", 3),
    "QC passed": ([*ORDERED, passed()], "QC passed", None, None, 3),
    "QC passed and nobody asked": (
        [registered(), read_set(), passed()], "waits for order", "an order", "no case names it", 0,
    ),
    "QC failed": (
        [*ORDERED, QC_FAILED], "QC failed", "a decision", "below threshold: too few reads", 0,
    ),
    "QC overridden": (
        [*ORDERED, QC_FAILED, OVERRIDDEN], "QC overridden", None,
        "tests answers for it as lab director: rare tissue", 4,
    ),
    "topped up": (
        [*ORDERED, QC_FAILED, TOP_UP], "QC failed", "a top-up",
        "2,000,000 reads: the library is good", 4,
    ),
    "more reads came": (
        [*ORDERED, *all_valid(), passed(), read_set(SECOND)], "waits for files", "files",
        "4 of 4 files of read set L1.FC2.1: R1 of lane 1, R2 of lane 1, I1 of lane 1, I2 of lane 1",
        12,
    ),
    "invalidated": (
        [*ORDERED, passed(), INVALIDATED], "waits for reads", "reads",
        "L1.FC.1 does not count any more: sheet amended: another index", 4,
    ),
    "relabelled": (
        [registered(), read_set(), RELABELLED, INVALIDATED], "relabelled", None,
        "belongs to S8: tubes were swapped", 3,
    ),
    "its case was cancelled": (
        [*ORDERED, LEFT], "case closed", None, "case C1 was cancelled: ordered twice", 3,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", STANDS)
def test_a_sample_says_what_it_waits_for_since_when_and_why(name: str) -> None:
    events, state, waits_for, reason, number = STANDS[name]
    sample = Sample("S7")
    for event in told(*events):
        sample.take(event)
    assert (sample.state, sample.wait) == (state, (waits_for, reason))
    assert sample.since == MOMENT + timedelta(minutes=number)
