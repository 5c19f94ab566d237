"""Why over HTTP: the sentences that the command line prints, now and as they were."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from genoflow.api.identity.permissions import Role
from genoflow.api.reading import POSITION
from genoflow.deploy.answers import FromLog
from genoflow.events import topics
from genoflow.events.log.memory import MemoryLog
from genoflow.projections.asking import asked
from genoflow.projections.asking.asked import Told
from tests.asked import landed, registered, told
from tests.doors import Door, refused
from tests.integration.rows_over_http import ask, every, follow

# Of each route: the list that names its subjects, the name there, who asks the log the same.
KINDS = {
    "samples": ("/samples", "sample_id", asked.about_sample),
    "cases": ("/cases", "case_id", asked.about_case),
    "execution/jobs": ("/execution/jobs", "job_id", asked.about_pipeline_run),
    "sequencing-runs": ("/sequencing-runs", "instrument_run_id", asked.about_sequencing_run),
}


def sentences(body: dict[str, Any]) -> list[str]:
    """What an answer says."""
    return [one["sentence"] for one in body["reasons"]]


@pytest.mark.parametrize("kind", KINDS)
async def test_the_reasons_are_those_that_the_log_gives(
    door: Door, log: MemoryLog, kind: str
) -> None:
    headers = await door.bearer("vera", Role.LAB_TECHNICIAN, Role.BIOINFORMATICIAN)
    address, name, about = KINDS[kind]
    rows = await every(door, headers, address, 7)
    assert rows
    for row in rows:
        found = await ask(door, headers, f"/{kind}/{row[name]}/why")
        expected: Told = await about(FromLog(log).source, row[name])
        assert found["id"] == row[name]
        assert sentences(found) == expected.sentences
        assert [one["is_waiting"] for one in found["reasons"]] == [
            one.is_waiting for _, one in expected.reasons
        ]
        assert set(found["facts"]) == set(expected.facts)
    message = refused(await door.client.get(f"/v1/{kind}/x/why", headers=headers), 404)["message"]
    assert "x: nobody has heard of it" in message


async def test_a_version_of_a_file_is_told_under_its_own_subject(
    door: Door, log: MemoryLog
) -> None:
    headers = await door.bearer("vera", Role.LAB_TECHNICIAN)
    await follow(door, log, *told(landed("R1", sample_id=None)))
    for row in await every(door, headers, "/files", 50):
        found = await ask(door, headers, f"/files/{row['file_id']}/why")
        assert (found["id"], found["facts"]["subject"]) == (row["file_id"], row["subject"])
        assert found["facts"]["state"] == row["state"]
        place = f"{row['bucket']}/{row['object_key']}@{row['version_id']}"
        assert {one["about"] for one in found["reasons"]} == {place}
    [loose] = (await ask(door, headers, "/files", state="unassigned"))["items"]
    [reason] = (await ask(door, headers, f"/files/{loose['file_id']}/why"))["reasons"]
    assert reason["says"] == "waits for its sample: its metadata does not say whose it is"
    assert reason["way"].startswith("say whose it is: `genoflow file assign raw/L1.FC.1/R1 ")
    nobody = await door.client.get(f"/v1/files/{UUID(int=7)}/why", headers=headers)
    assert "/v1/files" in refused(nobody, 404)["message"]


async def test_an_answer_can_be_had_as_it_was(door: Door, log: MemoryLog) -> None:
    headers = await door.bearer("vera", Role.LAB_TECHNICIAN)
    await follow(door, log, *told(registered()))
    then = await door.client.get("/v1/samples/S7/why", headers=headers)
    await follow(door, log, *told(registered(), landed("R1"), landed("R2"))[1:])
    now = await door.client.get("/v1/samples/S7/why", headers=headers)
    assert len(now.json()["reasons"]) > len(then.json()["reasons"])
    position = then.headers[POSITION]
    again = await door.client.get(
        "/v1/samples/S7/why", params={"at_position": position}, headers=headers
    )
    assert again.json() == then.json()
    case = await every(door, headers, "/cases", 5)
    known = {one["case_id"] for one in case}
    for name in known:
        at = {"at_position": position}
        assert await ask(door, headers, f"/cases/{name}/why", **at) == (
            await ask(door, headers, f"/cases/{name}/why")
        )
    waited = await ask(door, headers, "/samples/S7/why", min_position=now.headers[POSITION])
    assert waited == now.json()
    refused(await door.client.get("/v1/samples/S7/why?state=x", headers=headers), 422)


async def test_a_partner_may_not_ask_why_and_is_sent_to_the_row(door: Door, log: MemoryLog) -> None:
    headers = await door.bearer("otto", Role.PARTNER)
    run = (await ends(log))[0]
    for address in ("samples/S7", "cases/C1", "files/" + str(UUID(int=7)), f"execution/jobs/{run}"):
        why = await door.client.get(f"/v1/{address}/why", headers=headers)
        refused(why, 403)
        assert "in the row itself" in why.text
    refused(await door.client.get("/v1/samples/S7/why"), 401)


async def ends(log: MemoryLog) -> list[str]:
    """The runs of pipelines that the log knows."""
    return sorted({one.key async for one in log.read_topic(topics.RUN.name)})
