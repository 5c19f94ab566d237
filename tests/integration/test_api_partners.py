"""What a partner sees over HTTP: its projects, and of another's not even that it is there."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterable
from functools import lru_cache
from typing import Any
from uuid import UUID

import pytest

from genoflow.api.identity.permissions import PERMISSIONS, Permission, Role
from genoflow.events import catalogue
from genoflow.events.envelope import Actor
from genoflow.events.event import Event
from genoflow.events.log.memory import MemoryLog
from genoflow.events.sample_relabelled import SampleRelabelled
from genoflow.projections.models import MODELS
from genoflow.projections.within import CONDITIONS, EVENTS
from tests.asked import like, told
from tests.doors import Door, refused
from tests.integration.rows_over_http import (
    ask,
    door_over,
    every,
    follow,
    log_of,
    played,
)
from tests.whole import cohort
from tests.whole.cohort import Cohort


@lru_cache(maxsize=1)
def shared_lab() -> tuple[Cohort, tuple[Event, ...]]:
    """Twelve samples of two projects, on runs that hold both, and what they leave on the log."""
    with pytest.MonkeyPatch.context() as small:
        small.setattr(cohort, "SAMPLES_OF_A_PROJECT", 9)
        lab = cohort.make(5, 18, 6)
    return lab, played(lab)


ONE, OTHER = "P0", "P1"
BY = Actor(kind="person", id="tests")
IDS = {
    "sample_id": "select sample_id from live.samples where project_id = $1 union "
    "select sample_id from live.sample_cases where project_id = $1",
    "case_id": "select case_id from live.cases where project_id = $1",
    "job_id": "select run_id from live.runs join live.cases using (case_id) where project_id = $1",
    "file_id": "select file_id::text from live.files join live.samples using (sample_id) "
    "where project_id = $1",
    "read_set_id": "select read_set_id from live.sample_read_sets join live.samples "
    "using (sample_id) where project_id = $1",
    "object_key": "select object_key from live.result_files join live.runs using (run_id) "
    "join live.cases using (case_id) where project_id = $1",
}
LISTS = ("/samples", "/files", "/cases", "/execution/jobs", "/results")


@pytest.fixture
async def log() -> AsyncIterator[MemoryLog]:
    assert shared_lab()[0].projects == (ONE, OTHER)
    async with log_of(*shared_lab()[1]) as there:
        yield there


@pytest.fixture
async def door(tables_url: str, log: MemoryLog) -> AsyncIterator[Door]:
    async with door_over(tables_url, log) as there:
        yield there


async def ids_of(door: Door, project: str) -> dict[str, set[str]]:
    """The names of all that is of a project, as the tables tell them."""
    async with door.services.pool.acquire() as connection:
        return {
            name: {row[0] for row in await connection.fetch(query, project)}
            for name, query in IDS.items()
        }


async def partner(door: Door, name: str, *projects: str) -> dict[str, str]:
    """The header with which a partner of these projects calls."""
    headers = await door.bearer(name, Role.PARTNER)
    for project in projects:
        assert await door.services.accounts.show_project(name, project, BY)
    return headers


def get_routes(door: Door) -> list[str]:
    """Every route that answers a GET below /v1, as it is written."""
    found = sorted(path for path, told in door.app.openapi()["paths"].items() if "get" in told)
    return [path if path.startswith("/v1") else f"/v1{path}" for path in found]


def addresses(path: str, ids: dict[str, set[str]]) -> Iterable[str]:
    """The route with each of these names, whatever it calls them."""
    names = re.findall(r"{(\w+)}", path)
    if not names:
        return [path]
    as_run = {"run_id": ids["job_id"], "qc_job_id": {f"{one}.1" for one in ids["sample_id"]}}
    known = {**ids, **as_run, "event_id": {str(UUID(int=1))}}
    some = sorted(known.get(names[0], ids["sample_id"] | ids["case_id"] | ids["job_id"]))[:3]
    return [re.sub(r"{\w+}", one, path) for one in some]


@pytest.mark.parametrize(("mine", "others"), [(ONE, OTHER), (OTHER, ONE)])
@pytest.mark.parametrize("by_key", [False, True])
async def test_no_route_tells_a_partner_of_another_project(
    door: Door, mine: str, others: str, by_key: bool
) -> None:
    own, foreign = await ids_of(door, mine), await ids_of(door, others)
    assert all(own.values())
    assert all(foreign.values())
    headers = await partner(door, "paula", mine)
    if by_key:
        headers = {"X-API-Key": await door.key("paula", *Permission)}
    seen = {one for some in own.values() for one in some}
    hidden = {one for some in foreign.values() for one in some} - seen
    traces = re.compile(rf"(?<![\w-])({'|'.join(map(re.escape, sorted(hidden)))})(?![\w-])")
    statuses: dict[str, set[int]] = {}
    for path in get_routes(door):
        for address in {*addresses(path, own), *addresses(path, foreign)}:
            answer = await door.client.get(address, headers=headers)
            statuses.setdefault(path, set()).add(answer.status_code)
            if answer.status_code == 200:
                assert not traces.search(answer.text), address
            else:
                assert answer.status_code in (403, 404, 422), f"{address}: {answer.text}"
            if address in {*addresses(path, foreign)} - {*addresses(path, own)}:
                assert answer.status_code in (403, 404, 422), address
    for path in (f"/v1{one}" for one in LISTS):
        assert statuses[path] == {200}
    assert statuses["/v1/samples/{sample_id}"] == statuses["/v1/cases/{case_id}"] == {200, 404}
    assert statuses["/v1/samples/{sample_id}/timeline"] == {200, 404}
    assert statuses["/v1/results/{job_id}"] >= {200}
    assert statuses["/v1/events"] == statuses["/v1/parked"] == {403}


async def test_lists_and_counts_hold_what_is_of_its_projects(door: Door) -> None:
    own = await ids_of(door, ONE)
    headers = await partner(door, "paula", ONE)
    names = dict(zip(LISTS, ("sample_id", "file_id", "case_id", "job_id", "job_id"), strict=True))
    for address, name in names.items():
        rows = await every(door, headers, address, 3)
        found = {row.get(name) or row["run_id"] for row in rows}
        assert found <= own[name], address
        counted = await ask(door, headers, f"{address}/counts")
        assert sum(counted.values()) == len(rows) == len(found) > 0, address
        whole = await every(door, headers, address, 500, at_position=await position(door, headers))
        assert whole == rows, "the same rows as they were"
    assert {row["case_id"] for row in await every(door, headers, "/cases", 5)} == own["case_id"]
    assert (await ask(door, headers, "/samples", project=OTHER))["items"] == []
    assert await ask(door, headers, "/samples/counts", project=OTHER) == {}
    for address in ("/sequencing-runs",):
        assert (await ask(door, headers, address))["items"] == []


async def position(door: Door, headers: dict[str, str]) -> str:
    """Where the rows are."""
    answer = await door.client.get("/v1/samples", headers=headers)
    return str(answer.headers["GenoFlow-Position"])


async def test_a_partner_without_a_project_sees_nothing_and_one_of_two_sees_both(
    door: Door,
) -> None:
    nobody = await partner(door, "nobody")
    both = await partner(door, "both", ONE, OTHER)
    for address in LISTS:
        assert (await ask(door, nobody, address))["items"] == []
        assert await ask(door, nobody, f"{address}/counts") == {}
    cases = {row["case_id"] for row in await every(door, both, "/cases", 5)}
    assert cases == (await ids_of(door, ONE))["case_id"] | (await ids_of(door, OTHER))["case_id"]


async def test_what_is_taken_from_a_partner_is_hidden_at_once(door: Door) -> None:
    headers = await partner(door, "paula", ONE)
    case = min((await ids_of(door, ONE))["case_id"])
    assert (await ask(door, headers, f"/cases/{case}"))["case_id"] == case
    accounts = door.services.accounts
    assert not await accounts.show_project("paula", ONE, BY)
    assert await accounts.hide_project("paula", ONE, "the contract has ended", BY)
    assert not await accounts.hide_project("paula", ONE, "again", BY)
    missing = refused(await door.client.get(f"/v1/cases/{case}", headers=headers), 404)
    unknown = refused(await door.client.get("/v1/cases/C-none", headers=headers), 404)
    assert missing["message"].replace(case, "C-none") == unknown["message"]


async def test_who_works_in_the_lab_sees_all_though_it_is_a_partner_too(door: Door) -> None:
    mixed = await door.bearer("mixed", Role.PARTNER, Role.LAB_TECHNICIAN)
    whole = await door.bearer("whole", Role.LAB_TECHNICIAN)
    for address in ("/samples", "/files", "/cases"):
        seen = await every(door, mixed, address, 500)
        assert seen == await every(door, whole, address, 500)
    # Results are nothing that its work shows it: there it is a partner only.
    assert Role.LAB_TECHNICIAN not in PERMISSIONS[Permission.RESULTS_READ]
    assert (await ask(door, mixed, "/results"))["items"] == []


async def test_a_sample_of_another_project_is_not_named_by_a_swap(
    door: Door, log: MemoryLog
) -> None:
    mine, theirs = await ids_of(door, ONE), await ids_of(door, OTHER)
    wrong = min(mine["sample_id"] - theirs["sample_id"])
    true = min(theirs["sample_id"] - mine["sample_id"])
    swap = like(SampleRelabelled, sample_id=wrong, true_sample_id=true, reason=f"it is {true}")
    await follow(door, log, *told(swap))
    headers = await partner(door, "paula", ONE)
    row = await ask(door, headers, f"/samples/{wrong}")
    assert (row["true_sample_id"], row["reason"]) == (None, None)
    whole = await ask(door, await door.bearer("vera", Role.ADMIN), f"/samples/{wrong}")
    assert whole["true_sample_id"] == true
    for address in (f"/samples/{wrong}", f"/samples/{wrong}/timeline", f"/files?sample={wrong}"):
        answer = await door.client.get(f"/v1{address}", headers=headers)
        assert not re.search(rf"(?<![\w-]){re.escape(true)}(?![\w-])", answer.text), address


def test_every_table_that_is_shown_to_partners_is_one() -> None:
    tables = {table.name for model in MODELS for table in model.tables}
    assert set(CONDITIONS) <= tables
    closed = {"events", "sequencing_runs", "demultiplexed", "parkings", "documents", "qc"}
    assert not closed & set(CONDITIONS)
    assert "NotificationPlanned" not in EVENTS
    assert "SampleRelabelled" not in EVENTS


def test_stories_are_told_in_events_that_there_are() -> None:
    known: set[Any] = {model.type() for model in catalogue.EVENTS}
    assert set(EVENTS) <= known
