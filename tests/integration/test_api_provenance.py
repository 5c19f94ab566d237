"""Provenance over HTTP: the same document as from the log, now and as it was."""

from __future__ import annotations

import json

import jsonschema
import pytest

from genoflow.api.identity.permissions import Role
from genoflow.api.reading import POSITION
from genoflow.deploy.answers import FromLog
from genoflow.deploy.subject import LogSubjects
from genoflow.events import topics
from genoflow.events.log.memory import MemoryLog
from genoflow.projections.asking.provenance import text_of
from genoflow.projections.asking.provenance_asked import provenance_told, records_behind
from genoflow.projections.asking.provenance_check import faults_in
from tests.doors import Door, refused
from tests.integration.rows_over_http import ask, every, follow
from tests.provenances import RUN, retracted, story
from tools.provenance_schema import PATH


async def runs_of(log: MemoryLog) -> list[str]:
    """Every run that was asked for."""
    return sorted({one.key async for one in log.read_topic(topics.RUN.name)})


async def test_rows_and_log_give_the_same_document(door: Door, log: MemoryLog) -> None:
    headers = await door.bearer("vera", Role.BIOINFORMATICIAN)
    schema = json.loads(PATH.read_text(encoding="utf-8"))
    runs = await runs_of(log)
    assert len(runs) > 1
    for run in runs:
        found = await ask(door, headers, f"/results/{run}/provenance")
        told = await provenance_told(FromLog(log).records, run)
        assert json.dumps(found) == json.dumps(json.loads(text_of(told)))
        jsonschema.validate(found, schema)
        assert faults_in(told, await records_behind(LogSubjects(log), run)) == []
        assert found["causes_elsewhere"] == []
        assert {one["subject"] for one in found["events"]} >= {run, found["run"]["case_id"]}
        assert all(file["md5"] for one in found["inputs"] for file in one["files"])


async def test_it_can_be_had_as_it_was(door: Door, log: MemoryLog) -> None:
    headers = await door.bearer("vera", Role.BIOINFORMATICIAN)
    await follow(door, log, *story())
    address = f"/v1/results/{RUN}/provenance"
    then = await door.client.get(address, headers=headers)
    assert then.json()["outputs"]["state"] == "published"
    await follow(door, log, retracted())
    assert (await ask(door, headers, f"/results/{RUN}/provenance"))["outputs"]["state"] == (
        "retracted"
    )
    at = {"at_position": then.headers[POSITION]}
    assert (await door.client.get(address, params=at, headers=headers)).json() == then.json()


@pytest.mark.parametrize("name", ["x", "00000000-0000-5000-8000-000000000009"])
async def test_what_nobody_asked_for_is_not_there(door: Door, name: str) -> None:
    headers = await door.bearer("vera", Role.BIOINFORMATICIAN)
    answer = await door.client.get(f"/v1/results/{name}/provenance", headers=headers)
    assert "nobody has asked for it" in refused(answer, 404)["message"]


async def test_partners_are_sent_to_the_results(door: Door, log: MemoryLog) -> None:
    [row, *_] = await every(door, await door.bearer("vera", Role.BIOINFORMATICIAN), "/results", 50)
    headers = await door.bearer("otto", Role.PARTNER)
    answer = await door.client.get(f"/v1/results/{row['run_id']}/provenance", headers=headers)
    assert "/v1/results/{job_id}" in refused(answer, 403)["message"]
