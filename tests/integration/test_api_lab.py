"""Files, runs of instruments, cases and what is parked, over HTTP: listed, counted, one by one."""

from __future__ import annotations

import base64
import json
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid5

import pytest

from genoflow.api.identity.permissions import Role
from genoflow.api.reading import POSITION
from genoflow.events import topics
from genoflow.events.event_parked import EventParked
from genoflow.events.event_requeued import EventRequeued
from genoflow.events.log.memory import MemoryLog
from tests.asked import like
from tests.doors import Door, refused
from tests.integration.rows_over_http import (
    COHORT,
    ask,
    copy_of,
    every,
    follow,
    later,
)
from tests.partition import MOMENT
from tests.spec import heard

NOBODY = UUID(int=7)
LISTS = {"/files": 7, "/sequencing-runs": 1, "/cases": 2, "/parked": 2}


def parked(number: int, subject: str = "SIM-A") -> EventParked:
    fact = like(
        EventParked, subject_key=subject, processor="validate-files", offset=number, partition=0,
        input_topic=topics.SAMPLE.name, effect_id=None, error="nobody answers",
        parked_event_id=uuid5(NOBODY, str(number)), parked_type="FileLanded", recorded_at=MOMENT,
    )  # fmt: skip
    return heard(EventParked(**dict(fact)), MOMENT + timedelta(minutes=number))


def requeued(number: int) -> EventRequeued:
    fact = like(
        EventRequeued, subject_topic=topics.SAMPLE.name, subject_key="SIM-A", partition=0,
        processor="validate-files", offset=number, effect_id=None, reason="mended", value=None,
    )  # fmt: skip
    return heard(EventRequeued(**dict(fact)), MOMENT + timedelta(hours=1))


@pytest.fixture
async def log(first_rows: tuple[str, MemoryLog]) -> MemoryLog:
    found = copy_of(first_rows[1])
    for fact in (*map(parked, range(5)), requeued(1)):
        await found.append(fact)
    return found


async def test_files_are_listed_counted_and_shown(door: Door) -> None:
    headers = await door.bearer("vera", Role.LAB_TECHNICIAN)
    found = await every(door, headers, "/files", 7)
    ids = [one["file_id"] for one in found]
    assert ids == sorted(set(ids))
    states = [one["state"] for one in found]
    assert {"valid", "rejected"} <= set(states)
    counted = await ask(door, headers, "/files/counts")
    assert counted == {state: states.count(state) for state in set(states)}
    one = next(one for one in found if one["state"] == "rejected")
    assert one["reason"]
    assert one["event_id"]
    assert one["place"].startswith(f"{topics.SAMPLE.name}[")
    assert await ask(door, headers, f"/files/{one['file_id']}") == one
    for asked in (
        {"sample": one["sample_id"]}, {"read_set": one["read_set_id"]}, {"state": "rejected"},
        {"bucket": one["bucket"], "object_key": one["object_key"]},
        {"case": next(case.name for case in COHORT.cases
                      if one["sample_id"] in {each.name for each in case.samples})},
    ):  # fmt: skip
        some = await every(door, headers, "/files", 7, **asked)
        assert one in some
        assert len(some) < len(found)
    counted = await ask(door, headers, "/files/counts", sample=one["sample_id"])
    assert sum(counted.values()) == len(
        [each for each in found if each["sample_id"] == one["sample_id"]]
    )
    waiting = await ask(door, headers, "/files", waits_since="2020-01-01T00:00:00Z")
    assert waiting["items"] == []
    for wrong in (
        "bucket=raw", "object_key=x", "waits_since=2026-03-01T10:00:00", "status=valid",
        "waits_since=0001-01-01T00:00:00%2B14:00", "as_of=0001-01-01T00:00:00%2B14:00",
        "waits_since=9999-12-31T23:59:59-14:00", f"sample={'s' * 201}",
    ):  # fmt: skip
        refused(await door.client.get(f"/v1/files?{wrong}", headers=headers), 422)
    answer = await door.client.get(f"/v1/files/{NOBODY}", headers=headers)
    assert "/v1/files" in refused(answer, 404)["message"]


async def test_runs_of_instruments_are_listed_with_what_was_told_apart(door: Door) -> None:
    headers = await door.bearer("vera", Role.LAB_TECHNICIAN)
    found = await every(door, headers, "/sequencing-runs", 1)
    assert found
    names = [one["instrument_run_id"] for one in found]
    assert names == sorted(set(names))
    counted = await ask(door, headers, "/sequencing-runs/counts")
    assert sum(counted.values()) == len(found)
    one = found[0]
    address = f"/sequencing-runs/{one['instrument_run_id']}"
    assert await ask(door, headers, address) == one
    some = await ask(
        door, headers, "/sequencing-runs", state=one["state"], flow_cell=one["flow_cell_id"]
    )
    assert one in some["items"]
    libraries = await every(door, headers, f"{address}/demultiplexed", 2)
    key = [(each["attempt"], each["number"]) for each in libraries]
    assert libraries
    assert key == sorted(set(key))
    sample = libraries[0]["sample_id"]
    mine = await every(
        door, headers, f"{address}/demultiplexed", 2, sample=sample, attempt=key[0][0]
    )
    assert libraries[0] in mine
    assert {each["sample_id"] for each in mine} == {sample}
    assert one in (await ask(door, headers, "/sequencing-runs", sample=sample))["items"]
    for below in ("", "/demultiplexed"):
        answer = await door.client.get(f"/v1/sequencing-runs/nobody{below}", headers=headers)
        assert "/v1/sequencing-runs" in refused(answer, 404)["message"]


async def test_cases_are_listed_counted_and_shown_with_their_members(door: Door) -> None:
    headers = await door.bearer("vera", Role.CLINICIAN)
    found = await every(door, headers, "/cases", 2)
    assert {one["case_id"] for one in found} == {case.name for case in COHORT.cases}
    assert len(found) == len(COHORT.cases)
    assert [one["first_at"] for one in found] == sorted(
        (one["first_at"] for one in found), reverse=True
    )
    counted = await ask(door, headers, "/cases/counts")
    states = [one["state"] for one in found]
    assert counted == {state: states.count(state) for state in set(states)}
    assert any(one["run_id"] and one["state"].startswith("run ") for one in found)
    for case in COHORT.cases:
        whole = await ask(door, headers, f"/cases/{case.name}")
        members = whole.pop("members_of_it")
        assert whole in found
        assert {one["sample_id"] for one in members} == {one.name for one in case.samples}
        some = await ask(door, headers, "/cases", sample=case.samples[0].name)
        assert whole in some["items"]
    due = {"due_before": "2020-01-01T00:00:00Z"}
    assert (await ask(door, headers, "/cases", **due))["items"] == []
    assert await ask(door, headers, "/cases/counts", **due) == {}
    answer = await door.client.get("/v1/cases/nobody", headers=headers)
    assert "/v1/cases" in refused(answer, 404)["message"]


async def test_what_is_parked_is_listed_counted_and_shown(door: Door) -> None:
    headers = await door.bearer("vera", Role.OPERATOR)
    found = await every(door, headers, "/parked", 2, topic=topics.SAMPLE.name)
    assert [one["input_offset"] for one in found] == [4, 3, 2, 1, 0]
    assert await ask(door, headers, "/parked/counts", subject="SIM-A") == {
        "requeued": 1, "waits": 4,
    }  # fmt: skip
    assert await ask(door, headers, "/parked/counts", subject="SIM-B") == {}
    [one] = (await ask(door, headers, "/parked", state="requeued"))["items"]
    assert (one["input_offset"], one["answer_reason"], one["waits_for"]) == (1, "mended", None)
    assert (one["is_edited"], one["cause"]) == (False, "nobody answers")
    assert await ask(door, headers, f"/parked/{one['parked_id']}") == one
    assert one in (await ask(door, headers, "/parked", processor="validate-files"))["items"]
    answer = await door.client.get(f"/v1/parked/{NOBODY}", headers=headers)
    assert "/v1/parked" in refused(answer, 404)["message"]


async def test_lists_are_told_as_they_were(door: Door, log: MemoryLog) -> None:
    headers = await door.bearer("vera", Role.BIOINFORMATICIAN)
    answer = await door.client.get("/v1/cases/counts", headers=headers)
    then = {"at_position": answer.headers[POSITION]}
    before = {address: await every(door, headers, address, 100) for address in LISTS}
    await follow(door, log, *later(), parked(9))
    for address, rows in before.items():
        assert await every(door, headers, address, 100) != rows
        assert await every(door, headers, address, 100, **then) == rows
    assert await ask(door, headers, "/cases/counts", **then) == answer.json()


def forged(*parts: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(parts).encode()).decode().rstrip("=")


async def test_a_place_of_another_list_is_refused(door: Door) -> None:
    headers = await door.bearer("vera", Role.BIOINFORMATICIAN)
    moment, name, some_id = ["t", MOMENT.isoformat()], ["s", "x"], ["u", str(NOBODY)]
    own: dict[str, list[Any]] = {
        "/files": [some_id], "/sequencing-runs": [name], "/samples": [name],
        "/cases": [moment, name], "/samples/waiting": [moment, name],
        "/parked": [moment, some_id],
    }  # fmt: skip
    wrong: list[Any] = [
        ["s", "\0"], ["s", "\ud800"], ["t", "2026-03-01T10:00:00"],
        ["t", "0001-01-01T00:00:00+14:00"], ["i", "9" * 30], ["x", "x"], "s",
    ]  # fmt: skip
    for address, key in own.items():
        found = await ask(door, headers, address, after=forged(*key))
        assert set(found) == {"items", "next"}
        others = [each for each in own.values() if each != key]
        for other in others + [[*key[:-1], part] for part in wrong]:
            asked = {"after": forged(*other)}
            answer = await door.client.get(f"/v1{address}", params=asked, headers=headers)
            assert refused(answer, 422)["details"]["field"] == "after"


async def test_who_may_not_read_is_told_so(door: Door) -> None:
    partner = await door.bearer("pia", Role.PARTNER)
    for address in ("/parked", "/parked/counts", f"/parked/{NOBODY}"):
        refused(await door.client.get(f"/v1{address}", headers=partner), 403)
    for address in ("/files", "/sequencing-runs", "/cases"):  # of no project of its own
        assert (await ask(door, partner, address))["items"] == []
        assert await ask(door, partner, f"{address}/counts") == {}
    for address in (
        f"/files/{NOBODY}", "/sequencing-runs/R1", "/sequencing-runs/R1/demultiplexed", "/cases/C1",
    ):  # fmt: skip
        refused(await door.client.get(f"/v1{address}", headers=partner), 404)
    clinician = await door.bearer("vera", Role.CLINICIAN)
    refused(await door.client.get("/v1/parked", headers=clinician), 403)
