"""A file that was deleted: what was found in it stays, and nothing waits for it any more."""

from __future__ import annotations

from typing import Any

from genoflow.events import topics
from genoflow.events.event import Event
from genoflow.events.file_deleted import ERASED, HIDDEN, FileDeleted
from genoflow.events.file_landed import FileLanded
from genoflow.projections.asking import file as files
from genoflow.projections.asking.file import File
from tests.fakes import BEGINNING
from tests.spec import heard

PLACE = {"bucket": "raw", "object_key": "in/a.gz", "version_id": "v1"}


def landed() -> FileLanded:
    return FileLanded(
        **PLACE, size_bytes=5, etag="e", last_modified_at=BEGINNING, sample_id="S1", role="R1"
    )


def deleted(manner: str, **more: Any) -> FileDeleted:
    return FileDeleted(
        subject_topic=topics.SAMPLE.name, subject_key="S1", manner=manner, **PLACE, **more
    )


def told(*facts: Event) -> File:
    known: files.Files = {}
    for number, fact in enumerate(facts):
        name = files.take(known, topics.SAMPLE, heard(fact, BEGINNING), number)
    return known[name]


def test_a_hidden_file_waits_for_nothing_and_can_be_had_back() -> None:
    file = told(landed(), deleted(HIDDEN, marker_version_id="m1"))
    assert (file.row.state, file.row.waits_for, file.row.deletion) == ("landed", None, HIDDEN)
    answer = files.why(file)
    assert "a mark of deletion hides it, and its bytes are kept" in answer.says
    assert answer.way == "take the mark away there to have it back"
    assert files.facts(file)["deleted"] == HIDDEN


def test_an_erased_file_stays_erased_and_names_the_rule() -> None:
    file = told(
        landed(), deleted(ERASED, rule="raw-reads-10-years"), deleted(HIDDEN, marker_version_id="m")
    )
    assert file.row.deletion == ERASED
    assert files.why(file).says == "was erased by the rule raw-reads-10-years: its bytes are gone"
    unasked = told(landed(), deleted(ERASED))
    assert files.why(unasked).says == "was erased in the object store: its bytes are gone"


def test_whoever_reports_a_deletion_it_is_the_same_fact_and_another_mark_is_another() -> None:
    same = [deleted(HIDDEN, marker_version_id="m1") for _ in range(2)]
    other, erased = deleted(HIDDEN, marker_version_id="m2"), deleted(ERASED)
    assert same[0].external_id() == same[1].external_id()
    assert len({one.external_id() for one in (*same, other, erased)}) == 3
