"""A person has a demultiplexing that failed tried again, each attempt once."""

from __future__ import annotations

import pytest

from genoflow.deploy.demultiplex_desk import REOPENED_MAX, reopened
from genoflow.events.demultiplex_completed import DemultiplexCompleted
from genoflow.events.demultiplex_failed import DemultiplexFailed
from genoflow.events.demultiplex_reopened import DemultiplexReopened
from genoflow.events.errors import Refused
from genoflow.events.event import Event
from genoflow.events.sample_sheet_refused import SampleSheetRefused
from genoflow.events.sequencing_run_failed import SequencingRunFailed
from genoflow.events.sequencing_run_qc_failed import SequencingRunQcFailed
from genoflow.processors.request_demultiplex import REQUEST_DEMULTIPLEX, Plan
from genoflow.projections.asking.sequencing import facts, sequencing_run_of, why, word
from tests.asked import like, sentences, told
from tests.partition import MOMENT
from tests.sequencing import ATTACHED, COMPLETED, RUN, STARTED, mirrored, requested
from tests.spec import Spec, heard

READY = (STARTED, ATTACHED, COMPLETED, mirrored())
FAILED = heard(
    DemultiplexFailed(
        instrument_run_id=RUN, attempt=1, sheet_revision=1, tool="picard",
        reason_code="out of memory", reason="it had too little memory; give it more.",
    )
)  # fmt: skip
REFUSED = SampleSheetRefused(
    instrument_run_id=RUN, sheet_uri="file:///a.csv", sheet_sha256="0" * 64,
    problems=("line 9: the sample is in lane 1 twice with the same index; mend one.",),
)  # fmt: skip
CHANGED = SequencingRunFailed(
    instrument_run_id=RUN, reason_code="files changed after the marker",
    reason="the folder changed; sequence the libraries again.",
)  # fmt: skip


def again(*story: Event) -> DemultiplexReopened:
    return reopened(RUN, story, reason="more memory", person="a.b", at=MOMENT)


def test_an_attempt_that_failed_is_followed_by_the_next() -> None:
    fact = again(*READY, heard(requested()), FAILED)
    assert (fact.attempt, fact.failed_event_id) == (1, FAILED.envelope.event_id)
    assert fact.envelope.causation_id == FAILED.envelope.event_id
    begin = Spec(REQUEST_DEMULTIPLEX).given
    [effect] = begin(*READY).when(fact)._opened
    assert Plan(**effect.arguments).attempt == 2
    begin(*READY, fact).when(fact).then_nothing()
    begin(STARTED).when(fact).then_nothing()


def test_what_did_not_fail_is_not_tried_again() -> None:
    asked = heard(requested())
    done = heard(like(DemultiplexCompleted, instrument_run_id=RUN, attempt=1))
    fact = again(asked, FAILED)
    for story, message in (
        ((), "nothing on the log is about this run"),
        (READY, "was not demultiplexed yet; `genoflow run why"),
        ((asked,), "is being demultiplexed, attempt 1; wait"),
        ((asked, done), "was demultiplexed; mend its sheet"),
        ((asked, FAILED, fact), "is being demultiplexed, attempt 1; wait"),
        ((asked, *[fact] * REOPENED_MAX, FAILED), "tried again 10 times by hand"),
    ):
        with pytest.raises(Refused, match=message):
            again(*story)


ANSWERS: dict[str, tuple[tuple[Event, ...], str, str]] = {
    "no sheet": ((STARTED, COMPLETED), "waits for sheet", "waits for its sample sheet"),
    "refused": (
        (STARTED, REFUSED), "waits for sheet",
        "has a sample sheet that was refused: line 9: the sample is in lane 1 twice with the same "
        "index; mend one (since 2026-03-01 12:01 UTC); mend the sheet in the run folder",
    ),
    "running": ((STARTED, ATTACHED), "waits for files", "waits for the instrument to end"),
    "not copied": (READY[:3], "waits for copy", "waits to be copied to the object store"),
    "changed": (
        (*READY[:3], CHANGED), "failed",
        "failed: files changed after the marker (the folder changed; sequence the libraries again)",
    ),
    "ready": (READY, "in demultiplexing", "waits to be demultiplexed"),
    "asked": ((*READY, requested()), "in demultiplexing", "is being demultiplexed, attempt 1"),
    "failed": (
        (*READY, FAILED), "demultiplexing failed",
        f"mend that, then `genoflow demultiplex again {RUN} --reason WHY`",
    ),
    "again": (
        (*READY, FAILED, again(FAILED)), "in demultiplexing",
        "waits for attempt 2 of its demultiplexing: more memory",
    ),
    "done": (
        (*READY, like(DemultiplexCompleted, instrument_run_id=RUN, attempt=1)), "demultiplexed",
        "was demultiplexed in attempt 1",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", ANSWERS)
def test_why_of_a_run_of_an_instrument(name: str) -> None:
    story, state, sentence = ANSWERS[name]
    bare = [type(event)(**dict(event)) if event is not FAILED else event for event in story]
    run = sequencing_run_of(RUN, told(*bare))
    assert sentence in sentences(RUN, why(run))
    assert (word(run), facts(run)["state"]) == (state, state)


def test_a_run_that_failed_qc_says_so() -> None:
    done = like(DemultiplexCompleted, instrument_run_id=RUN, attempt=1)
    bad = like(SequencingRunQcFailed, instrument_run_id=RUN, sample_id=None, reason="too few reads")
    bare = [type(event)(**dict(event)) for event in READY]
    run = sequencing_run_of(RUN, told(*bare, done, bad))
    assert "failed QC as a whole (too few reads" in sentences(RUN, why(run))
