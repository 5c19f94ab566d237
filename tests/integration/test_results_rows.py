"""Rows of results: whether they hold and why, their files, and what is different now."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import pytest

from genoflow.events.measured import Measured
from genoflow.events.result_change import ResultChange
from genoflow.events.results_amended import ResultsAmended
from genoflow.events.results_checked import ResultsChecked
from genoflow.events.results_held import ResultsHeld
from genoflow.events.results_retracted import ResultsRetracted
from genoflow.events.run_cancelled import RunCancelled
from genoflow.events.run_inputs_invalidated import RunInputsInvalidated
from genoflow.projections import results
from genoflow.projections.asking import run as asking
from genoflow.projections.run_stages import RANK
from tests.asked import like
from tests.integration.rows import (
    Rows,
    all_pages,
    are_equal_in_pieces,
    histories,
    rows_of,
    uses_of,
)
from tests.run_facts import (
    CASE,
    EARLIER_ID,
    LATER_ID,
    RUN_ID,
    collected,
    published,
    requested,
    result,
    superseded,
)

RUN = str(RUN_ID)
READERS = ("check-results", "publish-results", "supersede-runs", "collect-results", "tell-runs")
ABOUT: dict[str, Any] = {"run_id": RUN_ID, "case_id": CASE}
LOW = Measured(
    metric="mean_coverage", value=11.2, unit="x", measured_on="S1", required_min=30.0,
    verdict="fail",
)  # fmt: skip
JUDGED: dict[str, Any] = {"profile": "wgs-30x", "profile_version": "1", "measured": (LOW,)}
HELD = ResultsHeld(**ABOUT, **JUDGED, reasons=("too low for a call", "and another"))
CHECKED = ResultsChecked(**ABOUT, **JUDGED)
CHANGE = ResultChange(what="variant", sample_id="S1", before="1:2 A>T", after="")
RETRACTED = ResultsRetracted(
    **ABOUT, reason_code="wrong", reason="another's tube", changes=(CHANGE,), role="clinician"
)


@pytest.fixture
async def rows(postgres_url: str) -> AsyncIterator[Rows]:
    async with rows_of(postgres_url, results.Results()) as opened:
        yield opened


async def told(rows: Rows, run_id: str = RUN) -> Any:
    found = await results.results_of(rows.connection, run_id)
    assert found is not None
    return found


async def states_of(rows: Rows) -> dict[str, str]:
    found = await results.list_files(rows.connection, run_id=RUN)
    return {one["sha256"][0]: one["state"] for one in found}


def test_the_flow_says_what_is_used() -> None:
    assert uses_of(results.Results()) == {*results.USES, *RANK}


async def test_what_is_held_says_why_and_waits_for_a_person(rows: Rows) -> None:
    await rows.tell(requested())
    assert await results.results_of(rows.connection, RUN) is None
    await rows.tell(collected(), HELD)
    found = await told(rows)
    assert (found["state"], found["counts"], found["files"], found["size_bytes"]) == (
        "held", False, 1, 8,
    )  # fmt: skip
    assert found["waits_for"] == "a person to release its results"
    details = await results.details_of(rows.connection, found)
    assert [one["reason"] for one in details["result_reasons"]] == list(HELD.reasons)
    [check] = details["result_checks"]
    shown = {name: check[name] for name in ("metric", "value", "required_min", "verdict")}
    assert shown == {
        "metric": "mean_coverage", "value": 11.2, "required_min": 30.0, "verdict": "fail",
    }  # fmt: skip
    release = published(held_event_id=UUID(int=5), request_id="q", role="clinician", reason="seen")
    await rows.tell(release)
    found = await told(rows)
    assert (found["state"], found["counts"], found["waits_for"]) == ("published", True, None)
    assert (found["decided_by"], found["role"], found["reason"]) == ("tests", "clinician", "seen")
    assert await states_of(rows) == {"4": "published"}


async def test_an_amendment_says_what_holds_now_and_what_is_different(rows: Rows) -> None:
    new = result(sha256="6" * 64).model_copy(update={"version_id": "v2"})
    amended = ResultsAmended(
        **ABOUT, amends_run_id=EARLIER_ID, reason_code="top-up", reason="more reads",
        changes=(CHANGE,), files=(new,),
    )  # fmt: skip
    await rows.tell(collected(), CHECKED, published(), amended)
    found = await told(rows)
    assert (found["state"], found["counts"], found["amends_run_id"]) == (
        "amended", True, str(EARLIER_ID),
    )  # fmt: skip
    assert await states_of(rows) == {"4": "replaced", "6": "published"}
    [change] = (await results.details_of(rows.connection, found))["result_changes"]
    assert (change["what"], change["before"], change["after"]) == ("variant", "1:2 A>T", "")


@pytest.mark.parametrize(
    ("end", "word"),
    [(RETRACTED, "retracted"), (superseded(), "superseded")],
    ids=["void", "later"],
)
async def test_what_does_not_count_any_more_has_no_file_to_use(
    rows: Rows, end: Any, word: str
) -> None:
    then = await rows.tell(collected(), CHECKED, published())
    await rows.tell(end)
    found = await told(rows)
    assert (found["state"], found["counts"]) == (word, False)
    assert await states_of(rows) == {"4": word}
    assert (found["decided_by"], found["superseded_by"]) == (
        ("tests", None) if word == "retracted" else (None, str(LATER_ID))
    )
    ask: Any = {"connection": rows.connection, "at": then}
    before = await results.results_of(run_id=RUN, **ask)
    assert before is not None
    assert (before["state"], before["counts"]) == ("published", True)
    [file] = await results.list_files(run_id=RUN, state="published", **ask)
    assert file["content_type"] == "text/x-vcf"
    assert await results.count_results(**ask) == {"published": 1}
    [check] = (await results.details_of(results=before, **ask))["result_checks"]
    assert check["metric"] == "mean_coverage"
    assert await results.list_files(rows.connection, state="published") == []


async def test_another_attempt_leaves_other_files(rows: Rows) -> None:
    later = result("vcf", sha256="7" * 64).model_copy(update={"version_id": "v2"})
    await rows.tell(collected(), collected(attempt=2, files=(later,)))
    assert await states_of(rows) == {"4": "replaced", "7": "collected"}
    await rows.tell(collected())  # late news of the attempt that was given up
    assert await states_of(rows) == {"4": "replaced", "7": "collected"}


async def test_void_reads_are_shown_and_runs_without_results_are_not(rows: Rows) -> None:
    other = {"run_id": LATER_ID}
    await rows.tell(like(RunInputsInvalidated, **ABOUT), collected())
    await rows.tell(requested(**other), like(RunCancelled, **ABOUT | other), superseded(LATER_ID))
    assert (await told(rows))["void_reads"] == 1
    assert await results.results_of(rows.connection, str(LATER_ID)) is None


@pytest.mark.parametrize("seed", range(4))
async def test_every_history_gives_the_states_that_people_are_told(rows: Rows, seed: int) -> None:
    events = histories(READERS[:4], seed)
    await are_equal_in_pieces(rows, events, seed)
    number = 0
    for key in dict.fromkeys(event.key for event in events):
        run = asking.run_of(key, [event for event in events if event.key == key])
        found = await results.results_of(rows.connection, key)
        if run.collected or run.checked or run.published or run.amended or run.retracted:
            assert found is not None
            assert (found["state"], found["counts"]) == (asking.word(run), run.counts)
            number += 1
        else:
            assert found is None
    assert number
    assert not await rows.set_aside()


async def test_pages_and_filters(rows: Rows) -> None:
    for number in range(1, 8):
        about: dict[str, Any] = {"run_id": UUID(int=number), "case_id": f"C{number % 2}"}
        files = [result(kind, "S1") for kind in ("bam", "vcf")]
        facts = [collected(**about, files=files), published(**about, files=files, project_id="P")]
        await rows.tell(*facts[: 1 + number % 2])
    seen = await all_pages(results.list_results, rows.connection, results.ORDER, 3)
    assert len({one["run_id"] for one in seen}) == len(seen) == 7
    ask: Any = {"connection": rows.connection}
    assert await results.count_results(**ask) == {"collected": 3, "published": 4}
    assert await results.count_results(**ask, is_counting=True, project_id="P") == {"published": 4}
    assert await results.count_results(**ask, case_id="C0") == {"collected": 3}
    assert len(await results.list_results(**ask, state="published", case_id="C1")) == 4
    seen = await all_pages(
        results.list_files, rows.connection, results.FILE_ORDER, 3, sample_id="S1", kind="vcf"
    )
    assert len(seen) == 7
