"""Given these events, `why` of a sample says this."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import pytest

from genoflow.events import topics
from genoflow.events.case_left import CaseLeft
from genoflow.events.deadline_passed import DeadlinePassed
from genoflow.events.deadline_set import DeadlineSet
from genoflow.events.envelope import Producer
from genoflow.events.event import Event
from genoflow.events.file_assigned import FileAssigned
from genoflow.events.file_checksummed import FileChecksummed
from genoflow.events.qc_metrics_recorded import QcMetricsRecorded
from genoflow.events.qc_requested import QcRequested
from genoflow.events.sequencing_run_qc_failed import SequencingRunQcFailed
from genoflow.events.subject_silent import SubjectSilent
from genoflow.processors import relabel
from genoflow.projections.asking import sample as asked_sample
from genoflow.projections.asking.file import why as why_file
from genoflow.projections.asking.sample import facts, sample_of, why, word
from genoflow.projections.asking.subject import notes
from tests.asked import (
    READ_SET,
    all_valid,
    failed,
    joined,
    landed,
    like,
    passed,
    read_set,
    registered,
    rejected,
    sentences,
    told,
    validated,
)
from tests.partition import MOMENT
from tests.sample_stories import (
    FILE,
    INVALIDATED,
    MISMATCHED,
    OVERRIDDEN,
    QC_FAILED,
    RELABELLED,
    TOP_UP,
    TRIED,
)

ORDERED = (registered(), joined(), read_set())


def said(*events: Event) -> str:
    return sentences("S7", why(sample_of("S7", told(*events))))


STORIES: dict[str, tuple[Sequence[Event], str, str]] = {
    "no order": (
        [registered()], "waits for order",
        "S7 waits for an order: no case names it (since 2026-03-01 12:00 UTC); "
        "place one with `genoflow case open`",
    ),
    "no reads": (
        [registered(), joined()], "waits for reads",
        "S7 waits for its reads: no read set is registered for it",
    ),
    "files missing": (
        [*ORDERED, landed("R1"), landed("I1")], "waits for files",
        "S7 waits for 2 of 4 files of read set L1.FC.1: R2 of lane 1, I2 of lane 1",
    ),
    "files not validated": (
        [*ORDERED, landed("R1"), landed("I1")], "waits for files",
        "S7 waits for the validation of 2 of 4 files of read set L1.FC.1: R1 of lane 1, "
        "I1 of lane 1",
    ),
    "read sets missing": (
        [registered(), joined(), read_set(of=3)], "waits for files",
        "S7 waits for 2 of 3 read sets of run RUN1 to be registered",
    ),
    "rejected": (
        [*ORDERED, landed("R2"), rejected("R2")], "file rejected",
        "S7 cannot go on: R2 of lane 1 of read set L1.FC.1 was rejected: truncated at byte 1,234 "
        "(it ends inside a block) (since 2026-03-01 12:04 UTC); send it again: "
        "`genoflow reads send S7 --r2 FILE --read-set L1.FC.1`",
    ),
    "tried": (
        [*ORDERED, landed("R1"), TRIED], "waits for files",
        "R1 of lane 1 of read set L1.FC.1 could not be validated in try 2 of 5: store unavailable "
        "(no answer) (since 2026-03-01 12:04 UTC); it is tried again by itself",
    ),
    "given up": (
        [*ORDERED, landed("R1"), TRIED.model_copy(update={"attempt": 5})], "waits for files",
        "a person has to look at it",
    ),
    "other bytes": (
        [*ORDERED, landed("R1"), MISMATCHED], "file rejected",
        "does not hold what was announced: 8 bytes were read of 9",
    ),
    "a file of no read set": (
        [*ORDERED, landed("R1", None)], "waits for files",
        "S7 holds files of no read set that is known here: raw/None/R1@1",
    ),
    "files whole": (
        [*ORDERED, *all_valid()], "files valid",
        "S7 waits for QC of its reads: all files of its read set are valid",
    ),
    "QC asked for": (
        [*ORDERED, like(QcRequested, sample_id="S7", round=1, read_set_ids=[READ_SET])], "in QC",
        "S7 waits to be measured for QC of its reads, round 1",
    ),
    "QC measured": (
        [*ORDERED, like(QcMetricsRecorded, sample_id="S7", round=1, read_set_ids=[READ_SET])],
        "in QC", "S7 waits for the verdict of QC on its reads, round 1",
    ),
    "QC passed": ([*ORDERED, passed()], "QC passed", "S7 passed QC of its reads in round 1"),
    "QC failed": (
        [*ORDERED, QC_FAILED], "QC failed",
        "S7 failed QC of its reads in round 1, below threshold (too few reads: mean_coverage is "
        "11.2 x where at least 30 is required) (since 2026-03-01 12:00 UTC); have it sequenced",
    ),
    "no reads at all": (
        [registered(), joined(), failed(read_set_ids=(), reason_code="no reads")], "QC failed",
        "S7 failed QC of its reads in round 1, no reads (too few reads",
    ),
    "QC overridden": (
        [*ORDERED, QC_FAILED, OVERRIDDEN], "QC overridden",
        "and tests answers for it as lab director: rare tissue",
    ),
    "topped up": (
        [*ORDERED, QC_FAILED, TOP_UP], "QC failed",
        "S7 waits for a top-up of 2,000,000 reads: the library is good",
    ),
    "more reads came": (
        [*ORDERED, *all_valid(), QC_FAILED, TOP_UP, read_set("L1.FC2.1")], "waits for files",
        "S7 waits for 4 of 4 files of read set L1.FC2.1",
    ),
    "invalidated": (
        [*ORDERED, passed(), INVALIDATED], "waits for reads",
        "S7 waits for its reads: those of L1.FC.1 do not count any more, sheet amended "
        "(another index)",
    ),
    "relabelled": (
        [*ORDERED, RELABELLED, INVALIDATED], "relabelled",
        "S7 was a wrong label: L1.FC.1 belongs to S8 (tubes were swapped) "
        "(since 2026-03-01 12:03 UTC); ask `genoflow sample why S8`",
    ),
    "its run failed": (
        [*ORDERED, like(SequencingRunQcFailed, sample_id="S7", instrument_run_id="RUN1",
                        reason="low Q30.")],
        "waits for files", "S7 comes from run RUN1, which failed QC as a whole (low Q30)",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", STORIES)
def test_why_says_what_it_waits_for(name: str) -> None:
    events, state, sentence = STORIES[name]
    assert sentence in said(*events)
    assert word(sample_of("S7", told(*events))) == state


def test_a_file_that_was_sent_again_counts_in_place_of_the_rejected_one() -> None:
    again = landed("R2", version="2")
    text = said(*ORDERED, landed("R2"), rejected("R2"), again)
    assert "rejected" not in text
    assert "waits for the validation of 1 of 4 files" in text
    assert "R2" not in said(
        *ORDERED, landed("R2"), rejected("R2"), again, validated("R2", version="2")
    )


def test_an_order_that_is_missing_does_not_hide_what_else_is() -> None:
    text = said(registered(), read_set(), landed("R1"))
    assert "waits for an order" in text
    assert "waits for 3 of 4 files" in text


def test_a_sample_with_good_reads_and_no_order_still_waits_for_one() -> None:
    text = said(registered(), read_set(), passed())
    assert text.splitlines()[0].startswith("S7 waits for an order")


def test_a_verdict_counts_for_the_reads_that_it_was_about() -> None:
    two = (read_set("L1.FC2.1"), *all_valid("L1.FC2.1"))
    reopened = sample_of("S7", told(*ORDERED, *all_valid(), passed(), *two))
    assert not reopened.is_through
    judged = sample_of("S7", told(*ORDERED, *all_valid(), *two, passed(READ_SET, "L1.FC2.1")))
    assert judged.is_through


def test_an_unassigned_file_waits_for_its_sample_until_it_is_assigned() -> None:
    loose = landed("R1", sample_id=None)
    key = loose.key
    waiting = sample_of(key, told(loose))
    assert sentences(key, why(waiting)).startswith(
        "unassigned/raw/L1.FC.1/R1 waits for its sample: its metadata does not say whose it is"
    )
    assert word(waiting) == "unassigned"
    said_whose = FileAssigned(**FILE, sample_id="S7", role="R1", request_id="r", reason="by label")
    settled = sample_of(key, told(loose, said_whose))
    assert word(settled) == "assigned"  # it is no sample, and waits for no order
    assert sentences(key, why(settled)).endswith("ask `genoflow sample why S7`")
    [file] = settled.versions.values()
    assert (why_file(file).way, why_file(file).is_waiting) == (
        "ask `genoflow sample why S7`",
        False,
    )


def test_a_sample_whose_only_case_was_cancelled_waits_for_nothing() -> None:
    left = CaseLeft(sample_id="S7", case_id="C1", outcome="cancelled", reason="ordered twice.")
    sample = sample_of("S7", told(*ORDERED, landed("R1"), left))
    assert sentences("S7", why(sample)) == (
        "S7 is no member of case C1 any more, which was cancelled (ordered twice) "
        "(since 2026-03-01 12:04 UTC); nothing is owed by it; order anew with "
        "`genoflow case open` where that is wrong"
    )
    assert (word(sample), any(one.is_waiting for one in why(sample))) == ("case closed", False)
    other = sample_of("S7", told(*ORDERED, joined(case="C2"), left))
    assert "S7 waits for 4 of 4 files" in sentences("S7", why(other))
    assert word(other) == "waits for files"


def test_open_deadlines_and_silence_are_noted() -> None:
    place = {"subject_topic": topics.SAMPLE.name, "subject_key": "S7"}
    wait = DeadlineSet(
        **place, processor="watch-silence", deadline="silence", purpose="news of this sample",
        due_at=MOMENT + timedelta(days=1),
    )  # fmt: skip
    events = told(registered(), wait)
    [note] = notes(sample_of("S7", events))
    assert note.about("S7") == (
        "S7 is watched: watch-silence waits until 2026-03-02 12:00 UTC for news of this sample"
    )
    over = DeadlinePassed(
        **dict(wait) | {"deadline_id": events[1].envelope.event_id}  # what the clock says
    )
    silent = SubjectSilent(
        **place, last_event_id=events[0].envelope.event_id, last_type="SampleRegistered",
        last_at=MOMENT, usual_seconds=86_400,
    )  # fmt: skip
    [note] = notes(sample_of("S7", [*events, *told(over, silent)]))
    assert "S7 is silent: the last news was SampleRegistered, and some is usual within 24 h" in (
        note.about("S7")
    )
    assert notes(sample_of("S7", [*events, *told(over, silent, joined())])) == []


def test_what_came_from_a_wrong_label_is_told_on_both() -> None:
    old = [*ORDERED, RELABELLED, INVALIDATED.model_copy(update={"reason_code": "relabelled"})]
    assert "S7 was a wrong label: " in said(*old)
    assert "have it sequenced, or say whose label its own reads bear" in said(*old)
    anew = read_set("L2.FC.1", replaces_read_set_id="L2")
    first = told(read_set())[0]
    moved = first.follow(anew, by=Producer(service="relabel", version="1"))
    text = said(*old, moved)
    assert "S7 has read set L2.FC.1, which stood as L2 under a wrong label" in text
    assert "waits for 4 of 4 files of read set L2.FC.1" in text


def test_a_read_set_that_was_moved_away_is_not_waited_for() -> None:
    two = (read_set(of=2), read_set("L1.FC.2", lane=2, of=2))
    text = said(registered(), joined(), *two, INVALIDATED)
    assert "to be registered" not in text
    assert "to be registered" in said(registered(), joined(), two[0])


def test_show_has_sizes_checksums_and_verdicts() -> None:
    summed = FileChecksummed(
        subject_topic=topics.SAMPLE.name, subject_key="S7", **FILE, size_bytes=9, md5="1" * 32,
        sha256="2" * 64, declared=False,
    )  # fmt: skip
    shown = facts(sample_of("S7", told(*ORDERED, landed("R1"), summed, QC_FAILED)))
    [file] = shown["files"]
    assert (file["size_bytes"], file["md5"], file["state"]) == (9, "1" * 32, "landed")
    assert shown["cases"][0]["case"] == "C1"
    assert shown["qc"]["metrics"][0]["metric"] == "mean_coverage"
    assert shown["read_sets"][0]["state"] == "waits for files"


def test_a_read_set_under_its_true_label_is_known_by_who_registered_it() -> None:
    assert relabel.RELABEL.name == asked_sample.RELABEL
