"""The same bytes twice: a note within a sample, a likely swap between two; nothing is deleted."""

from __future__ import annotations

from typing import Any

import pytest

from genoflow.events import topics
from genoflow.events.content_held import ContentHeld
from genoflow.events.content_released import ContentReleased
from genoflow.events.duplicate_file_detected import (
    ANOTHER_SAMPLE,
    SAME_SAMPLE,
    DuplicateFileDetected,
)
from genoflow.events.file_quarantined import FileQuarantined
from genoflow.events.validated import Validated
from genoflow.processors.find_duplicates import FIND_DUPLICATES
from genoflow.processors.tell_content import TELL_CONTENT
from genoflow.projections.asking import file as asking
from tests import qc_facts as facts
from tests.spec import Spec, heard

SHA256 = "a" * 64
telling, finding = Spec(TELL_CONTENT).given, Spec(FIND_DUPLICATES).given


def held(sample: str = "S1", read_set: str = "A", version: str = "1", **fields: Any) -> ContentHeld:
    known: dict[str, Any] = {
        **facts.place(read_set, "R1", version), "sha256": SHA256, "sample_id": sample,
        "read_set_id": read_set, "role": "R1",
    }  # fmt: skip
    return ContentHeld(**known | fields)


def released(one: ContentHeld) -> ContentReleased:
    fields = ("sha256", "sample_id", "bucket", "object_key", "version_id")
    return ContentReleased(**{name: getattr(one, name) for name in fields})


def detected(
    one: ContentHeld, other: ContentHeld, manner: str, *, is_first: bool = False
) -> DuplicateFileDetected:
    place = ("sample_id", "read_set_id", "bucket", "object_key", "version_id")
    fields = {f"other_{name}": getattr(other, name) for name in place}
    fields |= {name: getattr(one, name) for name in (*place, "role", "sha256", "size_bytes")}
    return DuplicateFileDetected(**fields, manner=manner, is_first=is_first)


def of(validated: Validated, **fields: Any) -> ContentHeld:
    named = {name: getattr(validated, name, None) for name in ContentHeld.model_fields}
    return ContentHeld(**named | fields)


# -- the hop


def test_each_version_of_a_file_is_told_once_under_its_checksum() -> None:
    valid = facts.validated()
    telling().when(valid).then(of(valid))
    telling(valid).when(facts.validated(engine_version="2")).then_nothing()
    again = facts.validated(version="2")
    telling(valid).when(again).then(of(again))


@pytest.mark.parametrize("fields", [{"reads": 0}, {"size_bytes": 0}, {"role": "BAI"}])
def test_what_holds_no_reads_is_told_of_nobody(fields: dict[str, Any]) -> None:
    telling().when(facts.validated(**fields)).then_nothing()


def test_what_counts_no_more_is_taken_back_whichever_comes_first() -> None:
    valid, gone = facts.validated(), facts.invalidated()
    telling(valid).when(gone).then(released(of(valid)))
    telling(valid, gone).when(facts.invalidated()).then_nothing()
    telling(gone).when(valid).then_nothing()
    fields = {name: getattr(valid, name) for name in ("bucket", "object_key", "version_id")}
    locked = FileQuarantined(
        subject_topic=topics.SAMPLE.name, subject_key=facts.SAMPLE, **fields, scanner="clamd",
        threats=("Eicar",), reason="found",
    )  # fmt: skip
    telling(valid).when(locked).then(released(of(valid)))
    telling(locked).when(valid).then_nothing()


def test_what_a_person_moved_here_says_where_it_was() -> None:
    moved = facts.registered("B", replaces_read_set_id="A")
    valid = facts.validated("B")
    telling(moved).when(valid).then(of(valid, replaces_read_set_id="A"))


# -- who holds the same


def test_another_sample_with_the_same_bytes_is_told_to_both() -> None:
    first, second = held(), held("S2", "B")
    finding(first).when(second).then(
        detected(second, first, ANOTHER_SAMPLE),
        detected(first, second, ANOTHER_SAMPLE, is_first=True),
    )
    finding(first, second).when(heard(held("S2", "B"))).then_nothing()
    finding(first).when(heard(held())).then_nothing()
    third = held("S2", "C")  # its own second file is less to say than that of another sample
    finding(first, second).when(third).then(
        detected(third, first, ANOTHER_SAMPLE),
        detected(first, third, ANOTHER_SAMPLE, is_first=True),
    )


def test_the_same_sample_with_the_same_bytes_is_a_note() -> None:
    first, second = held(), held(read_set="B")
    finding(first).when(second).then(detected(second, first, SAME_SAMPLE))


def test_the_same_file_again_is_a_newer_version_and_no_duplicate() -> None:
    finding(held()).when(held(version="2")).then_nothing()
    other = held("S2", "B")
    newer = held(version="2")
    finding(held(), newer).when(other).then(
        detected(other, newer, ANOTHER_SAMPLE),
        detected(newer, other, ANOTHER_SAMPLE, is_first=True),
    )
    # The same object under two samples: a person assigned it, and its metadata name another.
    both = held("S2")
    finding(held()).when(both).then(
        detected(both, held(), ANOTHER_SAMPLE),
        detected(held(), both, ANOTHER_SAMPLE, is_first=True),
    )


def test_what_was_moved_or_taken_back_is_no_duplicate_whichever_is_heard_first() -> None:
    before, after = held(), held("S2", "B", replaces_read_set_id="A")
    finding(before).when(after).then_nothing()
    finding(after).when(before).then_nothing()
    finding(before, released(before)).when(held("S2", "B")).then_nothing()
    finding(released(before)).when(before).then_nothing()


def test_why_tells_of_a_likely_swap_also_of_a_valid_file() -> None:
    files: asking.Files = {}
    valid = heard(facts.validated())
    asking.take(files, topics.SAMPLE, valid)
    mine = held(**facts.place("A", "R1"))
    note = detected(mine, held(read_set="B"), SAME_SAMPLE)
    name = asking.take(files, topics.SAMPLE, heard(note))
    assert asking.why(files[name]).says == (
        "is valid, and holds the very bytes of raw/B/R1.fastq.gz@1, of the same sample"
    )
    swap = detected(mine, held("S2", "C"), ANOTHER_SAMPLE)
    asking.take(files, topics.SAMPLE, heard(swap))
    asking.take(files, topics.SAMPLE, heard(note))
    assert asking.why(files[name]).says == (
        "is valid, and holds the very bytes of raw/C/R1.fastq.gz@1, a file of sample S2: one of "
        "the two is not what its label says"
    )
    assert asking.facts(files[name])["duplicate"] == ANOTHER_SAMPLE
