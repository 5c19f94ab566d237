"""Rows of samples: where each one is, since when, what it waits for and why; lists and the past."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest

from genoflow.events.errors import Refused
from genoflow.events.event import Event
from genoflow.events.sample_listed import SampleListed
from genoflow.events.sample_metadata_amended import SampleMetadataAmended
from genoflow.events.sample_unlisted import SampleUnlisted
from genoflow.projections import samples
from genoflow.projections.paging import LIMIT_MAX
from genoflow.projections.sample_metadata import metadata_of
from genoflow.projections.sequencing_runs import SequencingRuns
from tests import sequencing
from tests.asked import (
    all_valid,
    joined,
    landed,
    like,
    passed,
    read_set,
    registered,
    validated,
)
from tests.integration.rows import Rows, all_pages, are_equal_in_pieces, rows_of
from tests.partition import MOMENT
from tests.sample_stories import (
    ASSIGNED,
    INVALIDATED,
    LEFT,
    LOOSE,
    OF_THE_SAMPLE,
    RELABELLED,
    SECOND,
    shuffled,
)
from tests.spec import heard

ORDERED = (registered(), joined(), read_set())
OTHERS = ("S1", "S2", "S3", "S4", "S5")


@pytest.fixture
async def rows(postgres_url: str) -> AsyncIterator[Rows]:
    """Samples, and the runs of instruments that they may wait for."""
    async with rows_of(postgres_url, SequencingRuns(), samples.Samples()) as opened:
        yield opened


def minutes(number: int) -> datetime:
    """When the fact with this number was told."""
    return MOMENT + timedelta(minutes=number)


def told_of(sample: str, fact: Event, at: datetime = MOMENT) -> Event:
    """The same fact about another sample, at another time."""
    return heard(type(fact)(**dict(fact) | {"sample_id": sample}), at)


async def test_a_sample_keeps_what_was_declared_of_it(rows: Rows) -> None:
    first = registered().model_copy(
        update={"project_id": None, "specimen": "blood", "instrument_run_id": "RUN1"}
    )
    order = joined().model_copy(update={"project_id": "P9", "due_at": MOMENT})
    await rows.tell(first, order, read_set(), passed(), RELABELLED)
    found = await samples.sample_of(rows.connection, "S7")
    assert found is not None
    assert {name: found[name] for name in samples.SampleRow.__dataclass_fields__} == {
        "sample_id": "S7", "state": "QC passed", "since": minutes(3), "waits_for": None,
        "reason": None, "known_since": MOMENT, "registered_by": "sample sheet",
        "subject_ref": "P1", "project_id": "P9", "specimen": "blood", "declared_sex": "unknown",
        "instrument_run_id": "RUN1", "read_sets": 1, "cases": 1, "qc_round": 1,
        "true_sample_id": "S8", "sheet_standing": None, "sheet_run_id": None,
    }  # fmt: skip
    [case] = await samples.cases_of(rows.connection, "S7")
    assert (case["case_id"], case["state"], case["due_at"]) == ("C1", "open", MOMENT)
    assert await samples.sample_of(rows.connection, "S8") is None


async def test_read_sets_count_their_files(rows: Rows) -> None:
    await rows.tell(*ORDERED, read_set(SECOND), *all_valid()[:6], landed("R1", version="2"))
    first, second = await samples.read_sets_of(rows.connection, "S7")
    counted = ("files_expected", "files_landed", "files_valid", "waits_for")
    assert [first[name] for name in counted] == [4, 4, 1, "validation"]
    assert [second[name] for name in counted] == [4, 0, 0, "files"]
    gone = INVALIDATED.model_copy(update={"moved_to_sample_id": "S8"})
    await rows.tell(gone)
    first, second = await samples.read_sets_of(rows.connection, "S7")
    assert (first["state"], first["waits_for"], first["moved_to_sample_id"]) == (
        "invalidated", None, "S8",
    )  # fmt: skip
    assert second["state"] == "waits for files"


async def test_a_file_of_nobody_is_no_sample(rows: Rows) -> None:
    await rows.tell(LOOSE, ASSIGNED)
    assert await samples.list_samples(rows.connection) == []


async def everybody(rows: Rows) -> None:
    """Five samples of two projects, a case and a run; each waits a day less than the one before."""
    for number, name in enumerate(OTHERS):
        at = MOMENT + timedelta(days=number)
        first = registered().model_copy(update={"project_id": "P1" if number < 3 else None})
        order = joined(case=f"C{number}").model_copy(
            update={"project_id": "P1" if number == 3 else "P2"}
        )
        events = [first, order, read_set(), validated("R1")][: number + 1]
        await rows.tell(*(told_of(name, event, at) for event in events))


ASKED: tuple[tuple[dict[str, Any], Sequence[str]], ...] = (
    ({}, OTHERS),
    ({"state": "waits for files"}, ("S3", "S4", "S5")),
    ({"state": "waits for files", "project": "P2"}, ("S3", "S5")),
    ({"project": "P1"}, ("S1", "S2", "S3", "S4")),
    ({"case": "C3"}, ("S4",)),
    ({"run": "RUN1"}, ("S3", "S4", "S5")),
    ({"waits_for": "an order"}, ("S1",)),
    ({"waits_since": MOMENT + timedelta(days=2)}, ("S1", "S2", "S3")),
    ({"state": "' or true --"}, ()),
    ({"project": "P1", "run": "nowhere"}, ()),
)


async def test_samples_are_found_by_what_is_asked(rows: Rows) -> None:
    await everybody(rows)
    for filters, names in ASKED:
        found = await all_pages(samples.list_samples, rows.connection, ["sample_id"], 2, **filters)
        assert [row["sample_id"] for row in found] == list(names), filters


async def test_samples_are_counted_by_their_states(rows: Rows) -> None:
    await everybody(rows)
    connection = rows.connection
    assert await samples.count_samples(connection) == {
        "waits for files": 3, "waits for order": 1, "waits for reads": 1,
    }  # fmt: skip
    assert await samples.count_samples(connection, project="P2") == {
        "waits for files": 2, "waits for reads": 1,
    }  # fmt: skip
    assert await samples.count_samples(connection, case="nowhere") == {}


async def test_pages_miss_nobody_and_repeat_nobody_while_others_come(rows: Rows) -> None:
    await everybody(rows)
    seen = [row["sample_id"] for row in await samples.list_samples(rows.connection, limit=2)]
    await rows.tell(*(told_of(name, registered()) for name in ("S0", "S2a", "S9")))
    await rows.tell(told_of("S4", passed(), MOMENT + timedelta(days=9)))
    while len(page := await samples.list_samples(rows.connection, after=[seen[-1]], limit=2)):
        seen += [row["sample_id"] for row in page]
    assert seen == ["S1", "S2", "S2a", "S3", "S4", "S5", "S9"]


async def test_a_page_has_a_size(rows: Rows) -> None:
    for limit in (0, -1, LIMIT_MAX + 1):
        with pytest.raises(Refused, match="ask for the next one"):
            await samples.list_samples(rows.connection, limit=limit)


async def test_those_that_wait_are_told_with_their_reasons_the_longest_first(rows: Rows) -> None:
    await everybody(rows)
    now = MOMENT + timedelta(days=4, minutes=1)
    day = 86_400.0
    found = [
        await samples.waiting(rows.connection, 2 * day, now, after=after, limit=2)
        for after in (None, (MOMENT + timedelta(days=1), "S2"))
    ]
    assert [[row["sample_id"] for row in page] for page in found] == [["S1", "S2"], ["S3"]]
    assert [(row["waits_for"], row["since"]) for row in found[0]] == [
        ("an order", MOMENT), ("reads", MOMENT + timedelta(days=1)),
    ]  # fmt: skip
    assert found[1][0]["reason"].startswith("4 of 4 files of read set L1.FC.1: R1 of lane 1")
    assert await samples.waiting(rows.connection, 5 * day, now) == []
    assert len(await samples.waiting(rows.connection, 0, now, project="P2")) == 3
    assert [
        row["sample_id"] for row in await samples.waiting(rows.connection, 0, now, case="C1")
    ] == ["S2"]


async def test_one_without_reads_says_what_its_run_waits_for(rows: Rows) -> None:
    listed = registered("A").model_copy(update={"instrument_run_id": sequencing.RUN})
    await rows.tell(sequencing.STARTED, sequencing.ATTACHED, listed, joined("A"))
    [found] = await samples.waiting(rows.connection, 0, MOMENT + timedelta(days=1))
    assert (found["sample_id"], found["waits_for"]) == ("A", "reads")
    assert (found["run"], found["run_state"], found["run_waits_for"]) == (
        sequencing.RUN, "waits for files", "the instrument",
    )  # fmt: skip


async def test_the_past_stays_as_it_was(rows: Rows) -> None:
    then = await rows.tell(*ORDERED, landed("R1"))
    await rows.tell(*all_valid(), passed(), LEFT)
    connection = rows.connection
    now = await samples.sample_of(connection, "S7")
    was = await samples.sample_of(connection, "S7", at=then)
    assert now is not None
    assert was is not None
    assert (was["state"], now["state"]) == ("waits for files", "case closed")
    assert await samples.count_samples(connection, at=then) == {"waits for files": 1}
    [case] = await samples.cases_of(connection, "S7", at=then)
    [left] = await samples.cases_of(connection, "S7")
    assert (case["state"], left["state"], left["reason"]) == ("open", "cancelled", "ordered twice")
    [before] = await samples.read_sets_of(connection, "S7", at=then)
    assert (before["files_landed"], before["state"]) == (1, "waits for files")
    [waits] = await samples.waiting(connection, 0, minutes(99), case="C1", run="RUN1", at=then)
    assert waits["read_sets"] == 1


def amended(sample: str = "S7", **values: Any) -> SampleMetadataAmended:
    kinds = {str: "text", bool: "flag", int: "number", float: "number"}
    said = [{"name": name, kinds[type(v)]: v} for name, v in sorted(values.items())]
    return SampleMetadataAmended(
        sample_id=sample, metadata=said, project_id="P-12", schema_id="cohort",
        schema_version="1.0", schema_sha256="0" * 64, request_id=f"r-{len(values)}", role="lead",
        reason="by the form",
    )  # fmt: skip


async def test_the_newest_metadata_of_a_sample_are_kept_and_those_before_as_they_were(
    rows: Rows,
) -> None:
    connection = rows.connection
    await rows.tell(*ORDERED)
    assert await metadata_of(connection, "S7") is None
    before = await samples.sample_versions(connection, ["S7"])
    then = await rows.tell(amended(tissue="blood", age=41, fasting=True, ph=7.5))
    await rows.tell(heard(amended(tissue="saliva"), minutes(9)))
    was, now = await metadata_of(connection, "S7", at=then), await metadata_of(connection, "S7")
    assert was is not None
    assert now is not None
    assert was["metadata"] == {"tissue": "blood", "age": 41, "fasting": True, "ph": 7.5}
    assert type(was["metadata"]["age"]) is int
    assert (now["metadata"], now["since"]) == ({"tissue": "saliva"}, minutes(9))
    assert (now["schema_id"], now["schema_version"], now["project_id"]) == (
        "cohort", "1.0", "P-12",
    )  # fmt: skip
    sample = await samples.sample_of(connection, "S7")
    assert sample is not None
    assert (sample["state"], sample["since"]) == ("waits for files", minutes(2))
    assert await samples.sample_versions(connection, ["S7"]) != before  # kept answers are over


SAID: tuple[tuple[list[str], list[str]], ...] = (
    (["tissue:blood"], ["S1", "S3"]),
    (["tissue:blood", "age:41"], ["S1"]),
    (["age:41.0"], ["S1", "S2"]),
    (["age:4"], []),
    (["code:41"], ["S3"]),  # a text of digits
    (["fasting:true"], ["S2"]),
    (["fasting:True"], []),
    (["note:a:b"], ["S3"]),
    (['tissue:["blood"]'], []),
    (["age:1e999"], []),
    (["age:NaN"], []),
    (["tissue:' or true --"], []),
)


async def test_samples_are_found_by_their_metadata(rows: Rows) -> None:
    then = await rows.tell(
        amended("S1", tissue="blood", age=41), amended("S2", fasting=True, age=41),
        amended("S3", tissue="blood", code="41", note="a:b"),
    )  # fmt: skip
    for asked, names in SAID:
        for at in (None, then):
            found = await samples.list_samples(rows.connection, metadata=asked, at=at)
            assert [one["sample_id"] for one in found] == names, asked
    await rows.tell(amended("S1", tissue="saliva"))
    asked = ["tissue:blood"]
    now = await samples.list_samples(rows.connection, metadata=asked)
    assert [one["sample_id"] for one in now] == ["S3"]
    for wrong in ("tissue", ":blood", ""):
        with pytest.raises(Refused, match="is no NAME:VALUE; write tissue:blood"):
            await samples.list_samples(rows.connection, metadata=[wrong])


async def test_samples_that_no_sheet_holds_are_found(rows: Rows) -> None:
    strange = like(SampleUnlisted, sample_id="S7", instrument_run_id="RUN1", sheet_revision=1)
    then = await rows.tell(*ORDERED, landed("R1", instrument_run_id="RUN1"), strange)
    connection = rows.connection
    asked: dict[str, Any] = {"sheet_standing": samples.UNLISTED}
    [found] = await samples.list_samples(connection, **asked)
    assert (found["sample_id"], found["sheet_run_id"]) == ("S7", "RUN1")
    listed = like(SampleListed, sample_id="S7", instrument_run_id="RUN1", sheet_revision=2)
    await rows.tell(listed)
    assert await samples.list_samples(connection, **asked) == []
    [found] = await samples.list_samples(connection, sheet_standing=samples.LISTED)
    assert found["sheet_run_id"] == "RUN1"
    assert len(await samples.list_samples(connection, **asked, at=then)) == 1


@pytest.mark.parametrize("seed", range(3))
async def test_pieces_give_the_same_rows(rows: Rows, seed: int) -> None:
    await are_equal_in_pieces(rows, shuffled(OF_THE_SAMPLE, seed), seed)
    assert await rows.set_aside() == []
