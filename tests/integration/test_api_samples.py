"""Samples over HTTP: listed, counted, stuck, one by one, and as they were."""

from __future__ import annotations

from genoflow.api.identity.permissions import Role
from genoflow.api.reading import POSITION
from genoflow.events.log.memory import MemoryLog
from genoflow.events.topics import TOPICS
from genoflow.projections.models import BY_NAME
from genoflow.projections.runner import bring_up
from genoflow.projections.vectors import to_word
from tests.doors import Door, refused
from tests.integration.rows_over_http import (
    COHORT,
    ask,
    every,
    follow,
    later,
)
from tests.partition import CODEC


async def test_every_sample_is_on_one_page(door: Door) -> None:
    headers = await door.bearer("vera", Role.LAB_TECHNICIAN)
    seen = [one["sample_id"] for one in await every(door, headers, "/samples", 5)]
    assert seen == sorted(one.name for one in COHORT.samples)
    counted = await ask(door, headers, "/samples/counts")
    assert sum(counted.values()) == len(COHORT.samples)
    for state, number in counted.items():
        found = await door.client.get("/v1/samples", params={"state": state}, headers=headers)
        assert len(found.json()["items"]) == number
    for wrong in ("after=x", "after=W10", "limit=0", "project=" + "p" * 201, "name=S1"):
        refused(await door.client.get(f"/v1/samples?{wrong}", headers=headers), 422)


async def test_an_answer_knows_what_every_read_model_knows(door: Door, log: MemoryLog) -> None:
    headers = await door.bearer("vera", Role.LAB_TECHNICIAN)
    before = (await door.client.get("/v1/samples", headers=headers)).headers[POSITION]
    async with door.services.pool.acquire() as connection:
        for fact in later():
            await log.append(fact)
        await bring_up(log, CODEC, connection, [BY_NAME["audit-trail"]])
    wanted = to_word({place: end for topic in TOPICS for place, end in
                      (await log.ends(topic.name)).items()})  # fmt: skip
    assert (await door.client.get("/v1/samples", headers=headers)).headers[POSITION] == before
    asked = {"min_position": wanted}
    late = await door.client.get("/v1/samples", params=asked, headers=headers)
    refused(late, 503, "BEHIND")  # the audit trail has come so far, and the samples have not
    await follow(door, log)
    now = await door.client.get("/v1/samples", params=asked, headers=headers)
    assert (now.status_code, now.headers[POSITION]) == (200, wanted)


async def test_one_sample_is_told_whole(door: Door) -> None:
    headers = await door.bearer("vera", Role.LAB_TECHNICIAN)
    name = next(one.name for one in COHORT.samples if COHORT.verdicts()[one.name] == "QcPassed")
    found = (await door.client.get(f"/v1/samples/{name}", headers=headers)).json()
    assert (found["sample_id"], found["state"]) == (name, "QC passed")
    assert found["place"].endswith(f"@{found['place'].rpartition('@')[2]}")
    assert [one["state"] for one in found["read_sets_of_it"]]
    assert {one["case_id"] for one in found["cases_of_it"]} == {
        case.name for case in COHORT.cases if name in {one.name for one in case.samples}
    }
    refused(await door.client.get("/v1/samples/nobody", headers=headers), 404)


async def test_what_is_stuck_is_told_with_its_reason(door: Door) -> None:
    headers = await door.bearer("vera", Role.LAB_TECHNICIAN)
    door.clock.move(days=2_000)
    headers = {"Authorization": f"Bearer {(await door.login('vera'))['access_token']}"}
    answer = await door.client.get("/v1/samples/waiting?longer_than_hours=1", headers=headers)
    found = answer.json()["items"]
    assert found
    assert all(one["waits_for"] and one["since"] for one in found)
    assert [one["since"] for one in found] == sorted(one["since"] for one in found)
    never = await door.client.get("/v1/samples/waiting?longer_than_hours=99999", headers=headers)
    assert never.json()["items"] == []


async def test_samples_are_told_as_they_were(door: Door, log: MemoryLog) -> None:
    headers = await door.bearer("vera", Role.LAB_TECHNICIAN)
    now = await door.client.get("/v1/samples", headers=headers)
    position = now.headers[POSITION]
    events = (await door.client.get("/v1/samples/counts", headers=headers)).json()
    await follow(door, log, *later())
    assert (await door.client.get("/v1/samples/counts", headers=headers)).json() != events
    asked = {"at_position": position}
    then = await door.client.get("/v1/samples", params=asked, headers=headers)
    assert then.json() == now.json()
    counted = await door.client.get("/v1/samples/counts", params=asked, headers=headers)
    assert counted.json() == events
    both = {"at_position": position, "as_of": "2026-03-01T10:00:00Z"}
    refused(await door.client.get("/v1/samples", params=both, headers=headers), 422)
    future = await door.client.get("/v1/samples?as_of=2999-01-01T00:00:00Z", headers=headers)
    assert "ask for an earlier time" in refused(future, 422)["message"]


async def test_a_story_tells_what_results_say_to_those_who_may_read_them(door: Door) -> None:
    async with door.services.pool.acquire() as connection:
        name = await connection.fetchval(
            "select m.sample_id from live.case_members m join live.runs r using (case_id) "
            "join live.events e on e.subject = r.run_id and e.type = 'ResultsPublished' limit 1"
        )
    seen = {}
    for who, role in (("vera", Role.LAB_TECHNICIAN), ("clara", Role.CLINICIAN)):
        headers = await door.bearer(who, role)
        entries = (await ask(door, headers, f"/samples/{name}/timeline"))["entries"]
        kinds = {"ResultsPublished", "QcPassed"}
        seen[role] = {(one["type"], one["payload"] is None) for one in entries
                      if one["type"] in kinds}  # fmt: skip
    assert seen[Role.LAB_TECHNICIAN] == {("QcPassed", False), ("ResultsPublished", True)}
    assert seen[Role.CLINICIAN] == {("QcPassed", False), ("ResultsPublished", False)}
