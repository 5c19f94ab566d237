"""What samples hear of a run: that they are on its sheet, and what demultiplexing gave them."""

from __future__ import annotations

from typing import Any

import pytest

from genoflow.events.errors import Parked
from genoflow.events.event import Event
from genoflow.events.file_landed import FileLanded
from genoflow.events.qc_failed import QcFailed
from genoflow.events.read_set_invalidated import ReadSetInvalidated
from genoflow.events.read_set_registered import ReadSetRegistered
from genoflow.events.sample_registered import SampleRegistered
from genoflow.events.sample_sheet_row import SampleSheetRow
from genoflow.events.topics import SEQUENCING_RUN
from genoflow.processors.demultiplexing.names import object_key, undetermined_key
from genoflow.processors.intake import landing
from genoflow.processors.ports import Attempt, Ports
from genoflow.processors.processor import Call
from genoflow.processors.register_read_sets import REGISTER_READ_SETS, SAMPLES_AT_ONCE
from tests.fakes import FakeClock, FakeStore
from tests.sequencing import ATTACHED, CELL, ROWS, RUN, amended, completed, library, requested
from tests.spec import Spec, Then, heard

given = Spec(REGISTER_READ_SETS).given
PREFIX, BUCKET = f"reads/{RUN}", "genoflow-raw"


async def answers(then: Then, store: FakeStore | None = None) -> list[list[Event]]:
    """What each effect that was opened says, in their order; their outcomes are handed in."""
    ports = Ports(FakeClock(), store=store)
    told = []
    for effect in then._opened:
        kind = next(one for one in REGISTER_READ_SETS.effects if one.name == effect.name)
        assert isinstance(kind, Call)
        attempt = Attempt(effect.effect_id, 1, ports, lambda *_: None)
        said = list(await kind.perform(kind.arguments(**effect.arguments), attempt))
        then.performed(*said, effect=effect.name).then(*said)
        told.append(said)
    return told


async def uploaded(attempt: int, *rows: SampleSheetRow, undetermined: bool = False) -> FakeStore:
    """A store that holds what the program leaves of these rows."""
    store = FakeStore(FakeClock())
    for row in rows:
        name = library(row, 1, attempt).read_set_id or ""
        for role in ("R1", "R2"):
            metadata = {
                landing.SAMPLE: row.sample_id, landing.READ_SET: name, landing.RUN: RUN,
                landing.LANE: str(row.lane), landing.ROLE: role,
            }  # fmt: skip
            key = object_key(f"{PREFIX}/a{attempt}", name, role)
            await store.put(BUCKET, key, b"reads", metadata)
    for role in ("R1", "R2") if undetermined else ():
        metadata = {landing.RUN: RUN, landing.LANE: "1", landing.ROLE: role}
        key = undetermined_key(f"{PREFIX}/a{attempt}", 1, role)
        await store.put(BUCKET, key, b"reads", metadata)
    return store


def only(said: list[list[Event]], kind: type[Event]) -> list[Any]:
    """Everything of one type."""
    return [event for one in said for event in one if isinstance(event, kind)]


# -- the sheet


async def test_each_sample_of_a_sheet_is_known_at_once() -> None:
    said = await answers(given().when(ATTACHED))
    assert said == [
        [
            SampleRegistered(
                sample_id=name, registered_by="sample sheet", instrument_run_id=RUN,
                declared_sex="unknown",
            )
            for name in "ABF"
        ]
    ]  # fmt: skip
    given(ATTACHED).when(ATTACHED).then_nothing()


async def test_an_amended_sheet_makes_only_new_samples_known() -> None:
    new = SampleSheetRow(lane=1, sample_id="G", library_id="G_L", project_id="P")
    then = given(ATTACHED).when(amended(2, (*ROWS, new)))
    [[event]] = await answers(then)
    assert isinstance(event, SampleRegistered)
    assert (event.sample_id, event.project_id) == ("G", "P")
    given(ATTACHED).when(amended()).then_nothing()


async def test_a_sheet_of_thousands_is_registered_in_parts() -> None:
    count = 2 * SAMPLES_AT_ONCE + 1
    rows = tuple(
        SampleSheetRow(lane=1, sample_id=f"S{n}", library_id=f"L{n}") for n in range(count)
    )
    sheet = heard(type(ATTACHED)(**dict(ATTACHED) | {"rows": rows}))
    said = await answers(given().when(sheet))
    assert [len(part) for part in said] == [SAMPLES_AT_ONCE, SAMPLES_AT_ONCE, 1]
    assert len({event.key for part in said for event in part}) == count


# -- the first demultiplexing


async def test_a_sample_hears_of_its_read_set_and_of_each_file() -> None:
    done = completed(library(ROWS[0], 7), library(ROWS[1], 5), library(ROWS[2], 0), unknown=2)
    store = await uploaded(1, *ROWS[:2], undetermined=True)
    said = await answers(given(requested()).when(done), store)
    of_a, of_b, of_f, of_the_run = said
    registered = of_a[0]
    assert isinstance(registered, ReadSetRegistered)
    assert registered.payload() == registered.payload() | {
        "sample_id": "A", "read_set_id": f"A_L.{CELL}.1", "library_id": "A_L", "lane": 1,
        "index1": "AAAACCCC", "index2": "AAAACCCC", "reads": 7, "read_sets_of_sample": 1,
        "sheet_revision": 1, "demultiplex_attempt": 1, "material": "FASTQ",
        "expected_files": [{"role": "R1", "lane": 1}, {"role": "R2", "lane": 1}],
        "replaces_read_set_id": None,
    }  # fmt: skip
    files = of_a[1:]
    assert [(e.key, e.topic, e.role) for e in files if isinstance(e, FileLanded)] == [
        ("A", registered.topic, "R1"), ("A", registered.topic, "R2"),
    ]  # fmt: skip
    assert [event.key for event in of_b] == ["B"] * 3
    [failed] = of_f
    assert isinstance(failed, QcFailed)
    assert (failed.key, failed.reason_code, failed.instrument_run_id) == ("F", "no reads", RUN)
    [measured] = failed.measured
    assert (measured.metric, measured.value, measured.required_min) == ("reads", 0, 1)
    assert measured.verdict == "fail"
    assert [(event.key, event.topic) for event in of_the_run] == [(RUN, SEQUENCING_RUN.name)] * 2


async def test_a_sample_in_two_lanes_has_two_read_sets_and_fails_only_without_any() -> None:
    lanes = tuple(ROWS[0].model_copy(update={"lane": lane}) for lane in (1, 2, 3))
    done = completed(library(lanes[0], 7), library(lanes[1], 5), library(lanes[2], 0))
    store = await uploaded(1, *lanes[:2])
    said = await answers(given(requested(rows=lanes)).when(done), store)
    sets = only(said, ReadSetRegistered)
    assert [(one.lane, one.reads, one.read_sets_of_sample) for one in sets] == [
        (1, 7, 2),
        (2, 5, 2),
    ]
    assert only(said, QcFailed) == []


def test_what_nobody_waits_for_is_not_handed_on() -> None:
    old, new = completed(library(ROWS[0], 7)), completed(library(ROWS[0], 7), attempt=2)
    given(requested(1), requested(2)).when(old).then_nothing()
    given(requested(1), requested(2), old, new).when(new).then_nothing()
    given(requested(1), old).when(old).then_nothing()
    given().when(old).then_nothing()


async def test_a_file_that_says_it_belongs_to_another_is_parked() -> None:
    store = await uploaded(1, ROWS[0])
    key = object_key(f"{PREFIX}/a1", f"A_L.{CELL}.1", "R2")
    await store.put(BUCKET, key, b"reads", {landing.SAMPLE: "B", landing.ROLE: "R2"})
    with pytest.raises(Parked, match="put the file back"):
        await answers(given(requested()).when(completed(library(ROWS[0], 7))), store)


# -- an amended sheet


async def anew(rows: tuple[SampleSheetRow, ...], *reads: int) -> list[list[Event]]:
    """What is said where the first attempt gave A and B reads, and a later sheet has these rows."""
    first = completed(library(ROWS[0], 7), library(ROWS[1], 5))
    libraries = [library(row, count, 2) for row, count in zip(rows, reads, strict=True)]
    store = await uploaded(2, *(row for row, count in zip(rows, reads, strict=True) if count))
    before = given(requested(1), first, requested(2, rows=rows))
    for name in ("land", "land"):
        before.performed(effect=name)
    return await answers(before.when(completed(*libraries, attempt=2)), store)


def invalid(said: list[list[Event]]) -> list[tuple[str, str, str | None, str | None]]:
    """What does not count any more."""
    return [
        (one.key, one.read_set_id, one.replaced_by_read_set_id, one.moved_to_sample_id)
        for one in only(said, ReadSetInvalidated)
    ]


async def test_what_the_sheet_leaves_as_it_was_is_read_anew_too() -> None:
    said = await anew(ROWS[:2], 7, 5)
    assert invalid(said) == [
        (name, f"{name}_L.{CELL}.1", f"{name}_L.{CELL}.1.a2", None) for name in "AB"
    ]
    assert [
        (one.read_set_id, one.replaces_read_set_id) for one in only(said, ReadSetRegistered)
    ] == [(f"{name}_L.{CELL}.1.a2", f"{name}_L.{CELL}.1") for name in "AB"]
    assert [type(event) for event in said[0]] == [
        ReadSetInvalidated, ReadSetRegistered, FileLanded, FileLanded,
    ]  # fmt: skip


async def test_swapped_barcodes_move_the_reads_to_the_other_sample() -> None:
    a, b = ROWS[:2]
    swapped = (
        a.model_copy(update={"index1": b.index1, "index2": b.index2}),
        b.model_copy(update={"index1": a.index1, "index2": a.index2}),
    )
    said = await anew(swapped, 5, 7)
    assert invalid(said) == [
        ("A", f"A_L.{CELL}.1", f"B_L.{CELL}.1.a2", "B"),
        ("B", f"B_L.{CELL}.1", f"A_L.{CELL}.1.a2", "A"),
    ]
    assert [(e.key, e.replaces_read_set_id) for e in only(said, ReadSetRegistered)] == [
        ("A", f"B_L.{CELL}.1"), ("B", f"A_L.{CELL}.1"),
    ]  # fmt: skip


async def test_a_corrected_barcode_replaces_what_the_library_had() -> None:
    corrected = ROWS[0].model_copy(update={"index1": "TTTTTTTT"})
    said = await anew((corrected, ROWS[1]), 9, 5)
    assert invalid(said)[0] == ("A", f"A_L.{CELL}.1", f"A_L.{CELL}.1.a2", None)


async def test_a_sample_that_left_the_sheet_only_loses_its_read_sets() -> None:
    said = await anew(ROWS[1:2], 5)
    assert invalid(said)[0] == ("A", f"A_L.{CELL}.1", None, None)
    assert len(said[0]) == 1
    assert only(said, QcFailed) == []


async def test_a_sample_whose_reads_are_gone_fails() -> None:
    said = await anew(ROWS[:2], 0, 5)
    assert [type(event) for event in said[0]] == [ReadSetInvalidated, QcFailed]


# -- what a later sheet contradicts, before the run is read anew

FIRST = completed(library(ROWS[0], 7), library(ROWS[1], 5))
TURNED_ROUND = (
    ROWS[0].model_copy(update={"index1": ROWS[1].index1, "index2": ROWS[1].index2}),
    ROWS[1].model_copy(update={"index1": ROWS[0].index1, "index2": ROWS[0].index2}),
    ROWS[2],
)


async def test_what_a_later_sheet_gives_to_another_is_withdrawn_at_once() -> None:
    later = amended(2, TURNED_ROUND)
    said = await answers(given(ATTACHED, requested(1), FIRST).when(later))
    assert invalid(said) == [
        ("A", f"A_L.{CELL}.1", None, "B"), ("B", f"B_L.{CELL}.1", None, "A"),
    ]  # fmt: skip
    given(ATTACHED, requested(1), FIRST, later).when(later).then_nothing()


async def test_what_was_withdrawn_is_not_invalidated_again_and_still_named() -> None:
    second = completed(
        *(library(row, reads, 2) for row, reads in zip(TURNED_ROUND, (5, 7, 0), strict=True)),
        attempt=2,
    )
    before = given(
        ATTACHED, requested(1), FIRST, amended(2, TURNED_ROUND), requested(2, rows=TURNED_ROUND)
    )
    for name in ("register", "land", "land", "withdraw", "withdraw"):
        before.performed(effect=name)
    said = await answers(before.when(second), await uploaded(2, *TURNED_ROUND[:2]))
    assert invalid(said) == []
    assert [(e.key, e.replaces_read_set_id) for e in only(said, ReadSetRegistered)] == [
        ("A", f"B_L.{CELL}.1"), ("B", f"A_L.{CELL}.1"),
    ]  # fmt: skip


def test_what_a_later_sheet_leaves_counts_until_it_is_read_anew() -> None:
    later = amended(2, (*ROWS[:2], ROWS[2].model_copy(update={"index1": "TTTTTTTT"})))
    given(ATTACHED, requested(1), FIRST).when(later).then_nothing()


def test_an_attempt_by_a_sheet_that_holds_no_more_is_not_handed_on() -> None:
    given(ATTACHED, requested(1), amended(2, TURNED_ROUND)).when(FIRST).then_nothing()
