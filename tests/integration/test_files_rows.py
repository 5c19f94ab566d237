"""Rows of files: every version with its place, checksums and state; uploads are files, too."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest

from genoflow.api.figures import Figures
from genoflow.api.validation_figures import validation_seconds
from genoflow.events import topics
from genoflow.events.envelope import Producer
from genoflow.events.event import Event
from genoflow.events.file_deleted import FileDeleted
from genoflow.events.file_finding import FileFinding
from genoflow.projections import files, uploads
from genoflow.projections.asking import file as asked_file
from genoflow.projections.file_findings import findings_of
from genoflow.projections.file_state import FileRow
from genoflow.projections.paging import Found
from genoflow.projections.samples import Samples
from genoflow.projections.sequencing_runs import SequencingRuns
from tests import sequencing
from tests.asked import READ_SET, all_valid, joined, landed, read_set, rejected, validated
from tests.examples import somebody
from tests.integration.rows import Rows, all_pages, are_equal_in_pieces, rows_of
from tests.partition import MOMENT
from tests.sample_stories import (
    ASSIGNED,
    GIVEN_UP,
    LOOSE,
    MISMATCHED,
    OF_THE_RUN,
    OF_THE_SAMPLE,
    SOMEWHERE,
    SUMMED,
    TRIED,
    UNDETERMINED,
    shuffled,
)
from tests.spec import heard

ORDERED = (joined(), read_set())


@pytest.fixture
async def rows(postgres_url: str) -> AsyncIterator[Rows]:
    """Files, and the samples and runs by which they are asked for."""
    async with rows_of(
        postgres_url, SequencingRuns(), Samples(), files.Files(), uploads.Uploads()
    ) as opened:
        yield opened


async def file(rows: Rows, role: str = "R1", version: str = "1") -> Found:
    """A version of a file of the sample's first read set."""
    named = ("raw", f"{READ_SET}/{role}")
    found = await files.list_files(rows.connection, named=named)
    [mine] = [row for row in found if row["version_id"] == version]
    return mine


async def test_a_file_goes_from_landed_to_valid(rows: Rows) -> None:
    await rows.tell(*ORDERED, landed("R1", declared_md5="5" * 32), SUMMED)
    found = await file(rows)
    assert (found["state"], found["waits_for"], found["since"]) == (
        "landed", "validation", MOMENT + timedelta(minutes=2),
    )  # fmt: skip
    assert (found["md5"], found["sha256"], found["declared_md5"]) == ("1" * 32, "2" * 64, "5" * 32)
    await rows.tell(heard(validated("R1"), MOMENT + timedelta(hours=1)))
    found = await file(rows)
    told = {name: found[name] for name in FileRow.__dataclass_fields__}
    assert told == {
        "file_id": found["file_id"], "place": "sample", "subject": "S7", "bucket": "raw",
        "object_key": "L1.FC.1/R1", "version_id": "1", "state": "valid",
        "since": MOMENT + timedelta(hours=1), "waits_for": None, "reason": None,
        "sample_id": "S7", "assigned_to": None, "instrument_run_id": None,
        "read_set_id": READ_SET, "role": "R1", "lane": 1, "size_bytes": 9, "md5": "0" * 32,
        "sha256": "0" * 64, "declared_md5": "5" * 32, "declared_sha256": None, "format": "FASTQ",
        "compression": "none", "reads": None, "bases": None, "errors": 0, "violations": 0,
        "notes": 0, "is_strict": False, "validation_seconds": None,
        "upload_id": found["upload_id"],
        "landed_at": MOMENT + timedelta(minutes=2), "landed_by": somebody().id,
        "deleted_at": None, "deletion": None, "deleted_by_rule": None,
        "is_cleared": None, "scanned_by": None, "duplicate": None, "duplicate_of": None,
        "duplicate_sample_id": None, "storage_class": None, "restored_until": None,
    }  # fmt: skip
    gone = FileDeleted(
        subject_topic="gf.sample.v1", subject_key="S7", bucket="raw", object_key="L1.FC.1/R1",
        version_id="1", manner="erased", rule="raw-reads",
    )  # fmt: skip
    await rows.tell(heard(gone, MOMENT + timedelta(days=1)))
    found = await file(rows)
    assert (found["state"], found["deletion"], found["deleted_by_rule"], found["deleted_at"]) == (
        "valid", "erased", "raw-reads", MOMENT + timedelta(days=1),
    )  # fmt: skip
    assert await files.file_of(rows.connection, found["file_id"]) == found
    history = await rows.connection.fetch(
        "select state from live.files_history order by log_offset"
    )
    # A row for each change: it lands, its sums are told, it is judged, it is deleted.
    assert [row["state"] for row in history] == ["landed", "landed", "valid", "valid"]


async def test_a_rejected_version_stays_beside_the_one_that_was_sent_again(rows: Rows) -> None:
    again = (landed("R2", version="2"), validated("R2", version="2"))
    await rows.tell(*ORDERED, landed("R2"), rejected("R2"), *again)
    old, new = await file(rows, "R2"), await file(rows, "R2", "2")
    assert (old["state"], old["reason"]) == ("rejected", "truncated: it ends inside a block.")
    assert (new["state"], new["file_id"] != old["file_id"]) == ("valid", True)


async def test_what_was_found_has_its_rows_and_its_words(rows: Rows) -> None:
    note = FileFinding(code="toy-odd", severity="note", message="it is odd", line=7)
    error = FileFinding(code="toy-cut", severity="error", message="it is \ufffd", byte=9)
    counts: dict[str, Any] = {"violations": 2, "notes": 1, "duration_seconds": 3.5}
    valid = validated("R1").model_copy(update={"findings": (note,), **counts})
    bad = rejected("R2").model_copy(
        update={"findings": (error, note), "errors": 1, "format": "FASTQ", **counts}
    )
    await rows.tell(*ORDERED, landed("R1"), landed("R2"), valid, bad)
    told = await findings_of(rows.connection, (await file(rows))["file_id"])
    assert [(one["code"], one["line"], one["message"]) for one in told] == [
        ("toy-odd", 7, "it is odd"),
    ]  # fmt: skip
    found = await file(rows, "R2")
    told = await findings_of(rows.connection, found["file_id"])
    assert [(one["number"], one["severity"], one["byte"]) for one in told] == [
        (1, "error", 9), (2, "note", None),
    ]  # fmt: skip
    names = ("errors", "violations", "notes", "validation_seconds", "format")
    assert [found[name] for name in names] == [1, 2, 1, 3.5, "FASTQ"]
    lines = Figures().text([await validation_seconds(rows.connection)]).splitlines()
    name, fastq = "validation_duration_seconds", 'file_type="fastq"'
    figures = [line for line in lines if line.startswith(name)]
    assert f'{name}_bucket{{{fastq},le="1"}} 0.0' in figures
    assert f'{name}_bucket{{{fastq},le="10"}} 2.0' in figures
    assert figures[-2:] == [f"{name}_count{{{fastq}}} 2.0", f"{name}_sum{{{fastq}}} 7.0"]
    files_now: asked_file.Files = {}
    for event in (valid, bad):
        asked_file.take(files_now, topics.SAMPLE, heard(event))
    first, second = files_now.values()
    assert asked_file.why(first).says == "is valid, with 2 violations, 1 note"
    assert asked_file.why(second).says.endswith(", which is one of 1 error, 2 violations, 1 note")
    assert asked_file.facts(second)["findings"][0]["code"] == "toy-cut"


async def test_what_was_tried_waits_for_another_try_or_a_person(rows: Rows) -> None:
    await rows.tell(*ORDERED, landed("R1"), TRIED)
    found = await file(rows)
    assert (found["state"], found["waits_for"], found["reason"]) == (
        "tried", "another try", "try 2 of 5: store unavailable: no answer",
    )  # fmt: skip
    await rows.tell(GIVEN_UP)
    assert (await file(rows))["waits_for"] == "a person"
    await rows.tell(validated("R1"), TRIED)  # a try that was late to be told
    assert (await file(rows))["state"] == "valid"


async def test_other_bytes_than_were_announced_are_seen(rows: Rows) -> None:
    await rows.tell(*ORDERED, landed("R1"), MISMATCHED)
    found = await file(rows)
    assert (found["state"], found["reason"]) == ("mismatched", "8 bytes were read of 9")


async def test_a_file_of_a_run_is_of_no_sample_and_waits_for_nothing(rows: Rows) -> None:
    await rows.tell(UNDETERMINED)
    [found] = await files.list_files(rows.connection, run=sequencing.RUN)
    assert (found["place"], found["sample_id"], found["waits_for"]) == (
        "sequencing run", None, None,
    )  # fmt: skip


async def test_an_upload_is_followed_to_the_sample_that_a_person_names(rows: Rows) -> None:
    connection = rows.connection
    await rows.tell(LOOSE)
    [listed] = await uploads.list_uploads(connection)
    loose = await files.upload_of(connection, listed["upload_id"]) or {}
    assert (loose["place"], loose["state"], loose["waits_for"], listed["status"]) == (
        "unassigned", "unassigned", "its sample", "uploaded",
    )  # fmt: skip
    said = heard(ASSIGNED, MOMENT)
    again = said.follow(landed("R1", **SOMEWHERE), by=Producer(service="file-desk", version="1"))
    wrong = type(rejected("R1"))(**dict(rejected("R1")) | SOMEWHERE)
    await rows.tell(said, again, wrong)
    assert [row["state"] for row in await files.list_files(connection, state="assigned")] == [
        "assigned"
    ]
    [found] = await uploads.list_uploads(connection)
    assert (found["sample_id"], found["status"]) == ("S7", "validation_failed")
    followed = await files.upload_of(connection, loose["upload_id"]) or {}
    assert (followed["status"], followed["upload_id"]) == ("failed", loose["upload_id"])
    assert (followed["sample_id"], followed["state"]) == ("S7", "rejected")
    assert await files.upload_of(connection, loose["file_id"]) is None


STATUS: dict[str, tuple[tuple[Event, ...], str, str]] = {
    "landed": ((), "uploaded", "uploaded"),
    "checksummed": ((SUMMED,), "uploaded", "uploaded"),
    "tried": ((TRIED,), "processing", "validating"),
    "given up": ((TRIED, GIVEN_UP), "failed", "error"),
    "rejected": ((rejected("R1"),), "failed", "validation_failed"),
    "other bytes": ((MISMATCHED,), "failed", "validation_failed"),
    "valid": ((validated("R1"),), "completed", "completed"),
}


async def test_the_status_of_a_file_is_told_in_the_words_of_its_reader(rows: Rows) -> None:
    for number, (facts, _, _) in enumerate(STATUS.values()):
        version = {"version_id": str(number)}
        mine = [type(one)(**dict(one) | version) for one in (landed("R1"), *facts)]
        await rows.tell(*(heard(one, MOMENT + timedelta(hours=number)) for one in mine))
    found: list[dict[str, Any]] = []
    while some := await uploads.list_uploads(rows.connection, limit=2, offset=len(found)):
        found += some
    assert [row["status"] for row in found] == [word for _, _, word in reversed(STATUS.values())]
    told = [await files.upload_of(rows.connection, row["upload_id"]) or {} for row in found]
    assert [one["status"] for one in told] == [word for _, word, _ in reversed(STATUS.values())]
    for word in (*uploads.WORDS, "lost"):
        some = await uploads.list_uploads(rows.connection, status=word)
        assert [row["upload_id"] for row in some] == [
            row["upload_id"] for row in found if row["status"] == word
        ]


async def test_files_are_found_and_counted_by_what_is_asked(rows: Rows) -> None:
    order = joined().model_copy(update={"project_id": "P1"})
    other = heard(landed("R1", "L9", sample_id="S9", instrument_run_id="RUN9"), MOMENT)
    await rows.tell(order, read_set(), *all_valid()[:6], other)
    asked: tuple[tuple[dict[str, Any], int], ...] = (
        ({}, 5), ({"state": "valid"}, 2), ({"state": "landed"}, 3), ({"sample": "S7"}, 4),
        ({"case": "C1"}, 4), ({"case": "C1", "state": "landed"}, 2), ({"project": "P1"}, 4),
        ({"project": "P2"}, 0), ({"run": "RUN9"}, 1), ({"read_set": READ_SET}, 4),
        ({"named": ("raw", f"{READ_SET}/R2")}, 1), ({"waits_since": MOMENT}, 1),
        ({"sample": "S7", "run": "RUN9"}, 0),
    )  # fmt: skip
    for filters, number in asked:
        found = await all_pages(files.list_files, rows.connection, ["file_id"], 2, **filters)
        assert len({row["file_id"] for row in found}) == len(found) == number, filters
    assert await files.count_files(rows.connection) == {"landed": 3, "valid": 2}
    assert await files.count_files(rows.connection, case="C1") == {"landed": 2, "valid": 2}


async def test_the_past_stays_as_it_was(rows: Rows) -> None:
    then = await rows.tell(*ORDERED, landed("R1"))
    await rows.tell(validated("R1"), landed("R2"))
    connection = rows.connection
    assert await files.count_files(connection, case="C1", at=then) == {"landed": 1}
    [before] = await files.list_files(connection, at=then)
    assert (before["state"], before["md5"]) == ("landed", None)
    [upload] = await uploads.list_uploads(connection, at=then)
    assert upload["status"] == "uploaded"
    assert (await files.upload_of(connection, upload["upload_id"]) or {})["status"] == "completed"


async def test_a_name_as_long_as_the_store_allows_has_its_row(rows: Rows) -> None:
    await rows.tell(landed("R1", None, object_key="🧬" * 1_000, version_id="v" * 100))
    assert await rows.set_aside() == []
    [found] = await files.list_files(rows.connection, named=("raw", "🧬" * 1_000))
    assert found["state"] == "landed"


@pytest.mark.parametrize("seed", range(3))
async def test_pieces_give_the_same_rows(rows: Rows, seed: int) -> None:
    events = [*shuffled(OF_THE_SAMPLE, seed), *shuffled(OF_THE_RUN, seed), LOOSE, ASSIGNED]
    await are_equal_in_pieces(rows, events, seed)
    assert await rows.set_aside() == []
