"""Which files a rule lets go: every class, every age, and everything that speaks for a file."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from genoflow.events import topics
from genoflow.events.deletion_proposed import DeletionProposed
from genoflow.events.deletion_refused import (
    FETCHED,
    HELD,
    TOO_EARLY,
    UNDER_WAY,
    UNKNOWN,
    DeletionRefused,
)
from genoflow.events.download_link_issued import DownloadLinkIssued
from genoflow.events.event import Event
from genoflow.events.file_assigned import FileAssigned
from genoflow.events.file_deleted import ERASED, FileDeleted
from genoflow.events.file_landed import FileLanded
from genoflow.events.legal_hold_placed import LegalHoldPlaced
from genoflow.events.legal_hold_released import LegalHoldReleased
from genoflow.events.results_collected import ResultsCollected
from genoflow.events.results_held import ResultsHeld
from genoflow.events.results_published import ResultsPublished
from genoflow.events.run_cancelled import RunCancelled
from genoflow.events.run_failed import RunFailed
from genoflow.events.run_lost import RunLost
from genoflow.events.run_requested import RunRequested
from genoflow.events.run_started import RunStarted
from genoflow.events.run_submitted import RunSubmitted
from genoflow.events.run_succeeded import RunSucceeded
from genoflow.events.stored_version import StoredVersion
from genoflow.processors import retained, retention
from genoflow.processors.retained import Subject
from genoflow.processors.retention import judged
from tests.examples import example
from tests.partition import MOMENT
from tests.spec import heard

RUN = UUID(int=1, version=5)
EFFECT = UUID(int=9, version=5)
DAY = timedelta(days=1)
Story = Sequence[tuple[type[Event], float, dict[str, Any]]]  # type, day, fields
RESULT = {"bucket": "results", "object_key": "C1/a.vcf", "version_id": "1"}
OUTCOME = {"bucket": "work", "object_key": f"effects/{EFFECT}/outcome", "version_id": "7"}
ENDED: Story = [(RunSubmitted, 0, {"attempt": 1}), (RunSucceeded, 1, {"attempt": 1})]


def told(story: Story, *, of_run: bool = False) -> Subject:
    """What is known after these events, each on its day."""
    state = Subject()
    for number, (kind, day, fields) in enumerate(story):
        key: dict[str, Any] = {"run_id": RUN} if of_run else {}
        if "sample_id" in kind.model_fields and not of_run:
            key = {"sample_id": "S1"}
        made = kind(**dict(example(kind, number)) | key | fields)
        event = heard(made, MOMENT + day * DAY)
        if of_run:
            event = event.enveloped(event.envelope.model_copy(update={"effect_id": EFFECT}))
        state = retention.evolve(state, event)
        assert retention.evolve(state, event) == state  # told twice, it is the same
    return state


def landed(role: str | None = "R1", **fields: Any) -> tuple[type[Event], float, dict[str, Any]]:
    place = {
        "bucket": "raw",
        "object_key": f"in/{role}",
        "version_id": "1",
        "instrument_run_id": None,
    }
    return FileLanded, 0, place | {"role": role, "size_bytes": 5, "etag": "e"} | fields


def file(role: str | None = "R1") -> StoredVersion:
    return StoredVersion(bucket="raw", object_key=f"in/{role}", version_id="1")


def asked(file_class: str, *files: StoredVersion, days: int = 10) -> DeletionProposed:
    of_run = file_class in ("work", "results", "unpublished")
    return DeletionProposed(
        subject_topic=(topics.RUN if of_run else topics.SAMPLE).name,
        subject_key=str(RUN) if of_run else "S1",
        document_id="retention", document_version="1.0", rule=f"{file_class}-{days}",
        file_class=file_class, keep_days=days, files=files, request_id="r",
    )  # fmt: skip


def verdict(state: Subject, wish: DeletionProposed, day: float) -> list[str]:
    """`go`, or why not, and until when in days."""
    go, kept = judged(state, wish, MOMENT + day * DAY)
    days = [(one.until - MOMENT) / DAY if one.until else None for one in kept]
    words = [
        one.code if n is None else f"{one.code} {n:g}" for one, n in zip(kept, days, strict=True)
    ]
    return ["go"] * len(go) + words


@pytest.mark.parametrize(
    ("role", "file_class"),
    [
        ("R1", "reads"), ("I2", "reads"), ("BAM", "alignment"), ("CRAI", "alignment"),
        ("VCF", "variants"), ("TBI", "variants"), ("OTHER", "other"), (None, "other"),
    ],
)  # fmt: skip
def test_a_file_of_a_sample_goes_when_its_class_is_due_and_not_before(
    role: str | None, file_class: str
) -> None:
    state = told([landed(role)])
    wish = asked(file_class, file(role))
    assert verdict(state, wish, 9.9) == [f"{TOO_EARLY} 10"]
    assert verdict(state, wish, 10) == ["go"]
    other = "variants" if file_class == "reads" else "reads"
    assert verdict(state, asked(other, file(role)), 99) == [UNKNOWN]


def test_a_file_of_nobody_goes_by_its_own_rule_until_somebody_says_whose_it_is() -> None:
    nobodys = landed("R1", sample_id=None)
    assert verdict(told([nobodys]), asked("unassigned", file()), 10) == ["go"]
    place = {"bucket": "raw", "object_key": "in/R1", "version_id": "1"}
    theirs = told([nobodys, (FileAssigned, 1, place)])
    assert verdict(theirs, asked("unassigned", file()), 99) == [UNKNOWN]


def test_a_hold_beats_every_rule_and_two_of_them_are_released_one_by_one() -> None:
    story: list[Any] = [landed(), (LegalHoldPlaced, 1, {"hold_id": "a"})]
    story += [(LegalHoldPlaced, 1, {"hold_id": "b"}), (LegalHoldReleased, 2, {"hold_id": "a"})]
    assert verdict(told(story), asked("reads", file()), 9_999) == [HELD]
    free = told([*story, (LegalHoldReleased, 3, {"hold_id": "b"})])
    assert verdict(free, asked("reads", file()), 10) == ["go"]


def test_what_is_deleted_or_never_landed_is_not_deleted_again() -> None:
    gone = {
        "subject_topic": topics.SAMPLE.name, "subject_key": "S1", "bucket": "raw",
        "object_key": "in/R1", "version_id": "1", "manner": ERASED,
    }  # fmt: skip
    state = told([landed(), landed("R2"), (FileDeleted, 1, gone)])
    assert verdict(state, asked("reads", file("R1"), file("R2")), 10) == ["go", UNKNOWN]
    hidden = told([landed(), (FileDeleted, 1, gone | {"manner": "hidden"})])
    assert verdict(hidden, asked("reads", file()), 10) == ["go"]


@pytest.mark.parametrize(
    ("story", "due"),
    [
        ([], None),
        ([(RunRequested, 0, {})], None),
        ([(RunSubmitted, 0, {"attempt": 1}), (RunStarted, 1, {"attempt": 1})], None),
        (ENDED, 11),
        ([*ENDED, (ResultsCollected, 3, {"attempt": 1})], 13),
        ([*ENDED, (ResultsHeld, 3, {})], None),
        ([*ENDED, (ResultsHeld, 3, {}), (ResultsPublished, 5, {})], 15),
        ([(RunFailed, 2, {"attempt": 1, "will_retry": True})], None),
        ([(RunFailed, 2, {"attempt": 1, "will_retry": False})], 12),
        ([(RunLost, 2, {"attempt": 1})], 12),
        ([(RunLost, 2, {"attempt": 1}), (RunSubmitted, 3, {"attempt": 2})], None),
        ([(RunSubmitted, 0, {"attempt": 1}), (RunCancelled, 2, {"attempt": 1})], 12),
        ([(RunCancelled, 2, {"attempt": None}), (RunSubmitted, 3, {"attempt": 1})], 13),
        ([*ENDED, (RunStarted, 4, {"attempt": 1})], 14),
    ],
)
def test_the_work_of_a_run_goes_so_long_after_its_last_event_and_never_before_it_is_over(
    story: Story, due: float | None
) -> None:
    state = told(story, of_run=True)
    wish = asked("work", StoredVersion(**OUTCOME))
    if due is None:
        assert verdict(state, wish, 9_999) == [UNDER_WAY]
    else:
        assert verdict(state, wish, due - 0.1) == [f"{TOO_EARLY} {due}"]
        assert verdict(state, wish, due) == ["go"]


def test_what_lies_elsewhere_or_is_a_result_is_no_work_of_a_run() -> None:
    theirs = {"files": (_result(**OUTCOME),), "attempt": 1}
    state = told([*ENDED, (ResultsCollected, 2, theirs)], of_run=True)
    elsewhere = StoredVersion(bucket="raw", object_key="in/R1", version_id="1")
    assert verdict(state, asked("work", StoredVersion(**OUTCOME), elsewhere), 99) == [UNKNOWN]
    submitted = (RunSubmitted, 0, {"attempt": 1, "work_uri": "s3://scratch/w/1"})
    state = told([submitted, ENDED[1]], of_run=True)
    inside = StoredVersion(bucket="scratch", object_key="w/1/ab/x.bam", version_id="1")
    beside = StoredVersion(bucket="scratch", object_key="w/12/x.bam", version_id="1")
    assert verdict(state, asked("work", inside, beside), 99) == ["go", UNKNOWN]


def _result(**place: Any) -> Any:
    made = dict(example(ResultsPublished, 1))["files"][0]
    return made.model_copy(update={"size_bytes": 5, **place})


def test_published_results_have_their_own_rule_and_a_link_that_is_out_keeps_them() -> None:
    files = {"files": (_result(**RESULT),), "attempt": 1}
    story: list[Any] = [*ENDED, (ResultsCollected, 2, files)]
    stored = StoredVersion(**RESULT)
    unpublished = told(story, of_run=True)
    assert verdict(unpublished, asked("unpublished", stored), 12) == ["go"]
    assert verdict(unpublished, asked("results", stored), 99) == [UNKNOWN]
    story += [(ResultsPublished, 3, {"files": files["files"]})]
    published = told(story, of_run=True)
    assert verdict(published, asked("unpublished", stored), 99) == [UNKNOWN]
    assert verdict(published, asked("results", stored), 12.9) == [f"{TOO_EARLY} 13"]
    assert verdict(published, asked("results", stored), 13) == ["go"]
    link = (DownloadLinkIssued, 12, RESULT | {"expires_at": MOMENT + 20 * DAY})
    fetched = told([*story, link], of_run=True)
    assert verdict(fetched, asked("results", stored), 14) == [f"{FETCHED} 20"]
    assert verdict(fetched, asked("results", stored), 20) == ["go"]
    assert fetched.last_at == published.last_at  # to fetch results is no event of the run's life


def test_a_file_that_was_spared_is_remembered_and_a_held_one_is_asked_for_again() -> None:
    refused = {
        "subject_topic": topics.SAMPLE.name, "subject_key": "S1", "files": (file(),),
        "kept_until": MOMENT + 30 * DAY,
    }  # fmt: skip
    locked = told([landed(), (DeletionRefused, 1, refused | {"reason_code": "locked"})])
    assert [(one.name, one.until) for one in locked.spared] == [("raw/in/R1@1", MOMENT + 30 * DAY)]
    held = told([landed(), (DeletionRefused, 1, refused | {"reason_code": HELD})])
    assert (held.spared, held.refusals) == ((), 1)


def test_a_state_never_keeps_more_files_than_there_is_room_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(retained, "FILES_MAX", 3)
    state = told([landed("R1", object_key=f"in/{n}") for n in range(5)])
    assert [one.file.object_key for one in state.files] == ["in/0", "in/1", "in/2"]
