"""Rows of cases: their members, what they wait for, and the run that answers them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from genoflow.events.case_answered import CaseAnswered
from genoflow.events.case_closed import CaseClosed
from genoflow.events.case_member_withdrawn import CaseMemberWithdrawn
from genoflow.events.event import Event
from genoflow.events.rerun_requested import RerunRequested
from genoflow.events.run_submitted import RunSubmitted
from genoflow.projections import cases
from genoflow.projections.asking import case as asking
from genoflow.projections.runs import Runs
from tests.asked import RUN_ID, like, member_ready, opened, ready, requested
from tests.integration.rows import (
    Rows,
    all_pages,
    are_equal_in_pieces,
    histories,
    rows_of,
    uses_of,
)
from tests.partition import MOMENT
from tests.spec import heard

READERS = ("await-members", "request-run", "join-case")
RUN = str(RUN_ID)
SUBMITTED = like(RunSubmitted, run_id=RUN_ID, case_id="C1", attempt=1)
DUE = MOMENT + timedelta(days=3)


@pytest.fixture
async def rows(postgres_url: str) -> AsyncIterator[Rows]:
    async with rows_of(postgres_url, Runs(), cases.Cases()) as opened_rows:
        yield opened_rows


async def told(rows: Rows, case_id: str = "C1") -> Any:
    found = await cases.case_of(rows.connection, case_id)
    assert found is not None
    return found


async def states(rows: Rows) -> dict[str, str]:
    found = await cases.members_of(rows.connection, "C1")
    return {one["sample_id"]: one["state"] for one in found}


def test_the_flow_says_what_is_used() -> None:
    assert uses_of(cases.Cases()) == set(cases.USES)


async def test_a_case_waits_for_its_members_and_then_for_its_run(rows: Rows) -> None:
    await rows.tell(opened(due_at=DUE, project_id="P1"))
    found = await told(rows)
    assert (found["state"], found["waits_for"]) == ("0 of 2 ready", "D, E")
    assert (found["kind"], found["assay"], found["ordered_by"]) == (
        "tumour-normal", "panel", "tests",
    )  # fmt: skip
    await rows.tell(member_ready("D"))
    found = await told(rows)
    assert (found["state"], found["waits_for"]) == ("1 of 2 ready", "E")
    assert await states(rows) == {"D": "ready", "E": "awaited"}
    await rows.tell(member_ready("E"))
    assert (await told(rows))["waits_for"] == "to be declared ready"
    then = await rows.tell(ready())
    found = await told(rows)
    assert (found["state"], found["waits_for"], found["run_id"]) == (
        "ready", "a run to be asked for", None,
    )  # fmt: skip
    await rows.tell(requested(), SUBMITTED)
    found = await told(rows)
    assert (found["state"], found["waits_for"], found["run_id"]) == (
        "run submitted", "its launcher to start it", RUN,
    )  # fmt: skip
    assert found["since"] == MOMENT + timedelta(minutes=1)  # of its run
    ask: Any = {"connection": rows.connection, "at": then}
    before = await cases.case_of(case_id="C1", **ask)
    assert before is not None
    assert before["state"] == "ready"
    assert await cases.count_cases(**ask) == {"ready": 1}
    assert await cases.count_cases(rows.connection) == {"run submitted": 1}
    assert not await rows.set_aside()


async def test_withdrawn_reads_take_a_case_back(rows: Rows) -> None:
    ready_member = member_ready("D")
    gone = like(
        CaseMemberWithdrawn, case_id="C1", sample_id="D", reason_code="relabelled",
        read_set_id=ready_member.files[0].read_set_id, reason="another's",
    )  # fmt: skip
    other = like(CaseMemberWithdrawn, case_id="C1", sample_id="D", read_set_id="none-of-these")
    await rows.tell(opened(), ready_member, member_ready("E"), ready(), requested(), other)
    assert (await told(rows))["state"] == "run requested"
    await rows.tell(gone)
    found = await told(rows)
    assert (found["state"], found["waits_for"], found["run_id"]) == ("1 of 2 ready", "D", None)
    [member] = [
        one for one in await cases.members_of(rows.connection, "C1") if one["sample_id"] == "D"
    ]
    assert (member["state"], member["reason"]) == ("withdrawn", "relabelled: another's")
    await rows.tell(member_ready("D", 2))
    assert (await told(rows))["state"] == "2 of 2 ready"
    await rows.tell(ready(2))
    assert (await told(rows))["state"] == "ready"  # its run is of an earlier revision
    assert (await states(rows))["D"] == "ready"


async def test_of_the_runs_of_a_revision_the_newest_counts(rows: Rows) -> None:
    wish = RerunRequested(case_id="C1", run_id=RUN_ID, request_id="r", reason="mended")
    await rows.tell(opened(), member_ready("D"), member_ready("E"), ready(), requested(), wish)
    found = await told(rows)
    assert (found["run_id"], found["waits_for"]) == (RUN, "a run to be asked for once more")
    again = requested().model_copy(update={"run_id": UUID(int=9)})
    await rows.tell(heard(again, MOMENT + timedelta(hours=1)))
    found = await told(rows)
    assert (found["run_id"], found["waits_for"]) == (str(UUID(int=9)), "to be submitted")


async def test_an_answer_and_an_end_are_told(rows: Rows) -> None:
    answer = like(CaseAnswered, case_id="C1", run_id=RUN_ID)
    end = CaseClosed(case_id="C1", outcome="cancelled", reason="another order")
    await rows.tell(opened(), answer, end, member_ready("D"))
    found = await told(rows)
    assert (found["state"], found["waits_for"], found["answered_by"]) == ("cancelled", None, RUN)
    assert (found["closed_by"], found["close_reason"]) == ("tests", "another order")
    assert found["members_ready"] == 1
    await rows.tell(like(CaseAnswered, case_id="C2"))
    found = await told(rows, "C2")
    assert (found["state"], found["waits_for"]) == ("unknown", "its order")


@pytest.mark.parametrize("seed", range(4))
async def test_every_history_gives_the_states_that_people_are_told(rows: Rows, seed: int) -> None:
    events = histories(READERS, seed)
    await are_equal_in_pieces(rows, events, seed)
    for key in dict.fromkeys(event.key for event in events):
        story = [event for event in events if event.key == key]
        found = await cases.case_of(rows.connection, key)
        if not any(type(event) in cases.USES for event in story):
            assert found is None
            continue
        case = asking.case_of(key, story)
        assert found is not None
        assert found["state"] == asking.word(case)
        assert found["members_ready"] == len(case.members)
        ready_ones = [
            one for one in await cases.members_of(rows.connection, key) if one["state"] == "ready"
        ]
        assert {one["sample_id"] for one in ready_ones} == set(case.members)
    assert not await rows.set_aside()


async def test_pages_and_filters(rows: Rows) -> None:
    orders: list[Event] = [
        opened(project_id=f"P{number % 2}").model_copy(update={"case_id": f"C{number}"})
        for number in range(1, 8)
    ]
    await rows.tell(*orders, CaseClosed(case_id="C2", outcome="withdrawn", reason="asked for"))
    await rows.tell(opened(due_at=DUE).model_copy(update={"case_id": "C9", "assay": "wgs"}))
    seen = await all_pages(cases.list_cases, rows.connection, cases.ORDER, 3)
    assert len({one["case_id"] for one in seen}) == len(seen) == 8
    ask: Any = {"connection": rows.connection}
    assert await cases.count_cases(**ask) == {"0 of 2 ready": 7, "withdrawn": 1}
    assert await cases.count_cases(**ask, project_id="P1") == {"0 of 2 ready": 4}
    assert len(await cases.list_cases(**ask, state="withdrawn", sample_id="D")) == 1
    assert await cases.list_cases(**ask, sample_id="nobody") == []
    [owed] = await cases.list_cases(**ask, due_before=DUE + timedelta(hours=1), assay="wgs")
    assert owed["case_id"] == "C9"
