"""The catalog, subscriptions and figures over HTTP, and who is told what of them."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from genoflow.api.identity.permissions import Permission, Role
from genoflow.api.reading import POSITION
from genoflow.deploy.burdens import LogProcesses
from genoflow.events import topics
from genoflow.events.errors import LogUnavailable
from genoflow.events.log.memory import MemoryLog
from genoflow.events.log.port import Vector
from genoflow.events.log.recorded import Raw
from tests import qc_facts
from tests.asked import told
from tests.doors import Door, refused
from tests.integration.rows_over_http import COHORT, ask, every, follow
from tests.run_facts import pipeline
from tests.wishes import MAILBOX, subscription

SCHEMA = '{"properties":{"ploidy":{"type":"integer"}},"type":"object"}'


async def test_pipelines_are_told_with_their_parameters(door: Door, log: MemoryLog) -> None:
    headers = await door.bearer("vera", Role.LAB_TECHNICIAN)
    panel = {"document_id": "panel", "assays": ("panel",), "parameters_schema_json": SCHEMA}
    facts = told(pipeline("1.9"), pipeline("1.10"), pipeline("2", **panel), qc_facts.profile())
    await follow(door, log, *facts)

    async def named(**asked: Any) -> list[str]:
        found = await ask(door, headers, "/pipelines", **asked)
        return [one["name"] for one in found["pipelines"]]

    assert await named() == ["germline-1.9", "germline-1.10", "panel-2"]
    assert await named(type="wgs", status="active") == ["germline-1.10"]
    assert await named(status="deprecated") == ["germline-1.9"]
    assert await named(version="2.0.0") == ["panel-2"]
    assert await named(type="rna-seq") == []
    body = await ask(door, headers, "/pipelines", limit=2)
    after = {"limit": 2, "after": body["next"]}
    body = await ask(door, headers, "/pipelines", **after)
    assert body["next"] is None
    [found] = body["pipelines"]
    assert {name: found[name] for name in ("pipeline_id", "type", "version", "status")} == {
        "pipeline_id": "panel", "type": "panel", "version": "2", "status": "active",
    }  # fmt: skip
    assert found["description"] == "Germline"
    assert found["parameters_schema"]["properties"] == {"ploidy": {"type": "integer"}}
    for wrong in ("status=gone", "version=x", "limit=101", "name=germline"):
        refused(await door.client.get(f"/v1/pipelines?{wrong}", headers=headers), 422)
    partner = await door.bearer("paula", Role.PARTNER)
    for address in ("/pipelines", "/catalog/documents", "/catalog/documents/panel"):
        refused(await door.client.get(f"/v1{address}", headers=partner), 403)


@pytest.mark.parametrize(
    "text", ["", "{", '{"minimum":NaN}', '{"title":"\\ud800"}', "[" * 60_000, "9" * 5_000]
)
async def test_a_pipeline_whose_schema_is_no_json_takes_no_other_away(
    door: Door, log: MemoryLog, text: str
) -> None:
    headers = await door.bearer("vera", Role.LAB_TECHNICIAN)
    odd = pipeline("1", document_id="odd", parameters_schema_json=text)
    await follow(door, log, *told(pipeline("1"), odd))
    found = await ask(door, headers, "/pipelines")
    schemas = {one["pipeline_id"]: one["parameters_schema"] for one in found["pipelines"]}
    assert set(schemas) == {"germline", "odd"}
    assert schemas["odd"] is None
    assert isinstance(schemas["germline"], dict)


async def test_documents_are_shown_as_they_were_published(door: Door, log: MemoryLog) -> None:
    headers = await door.bearer("vera", Role.LAB_TECHNICIAN)
    facts = told(pipeline("1.9"), pipeline("1.10"), qc_facts.profile("3"))
    await follow(door, log, *facts)
    found = await every(door, headers, "/catalog/documents", 1)
    assert [(one["kind"], one["version"]) for one in found] == [
        ("pipeline", "1.9"), ("pipeline", "1.10"), ("qc-profile", "3"),
    ]  # fmt: skip
    assert (await ask(door, headers, "/catalog/documents", kind="reference"))["items"] == []
    newest = await ask(door, headers, "/catalog/documents/germline")
    assert (newest["version"], newest["state"]) == ("1.10", "in force")
    assert newest["content"]["parameters_json"] == '{"ploidy":2}'
    earlier = await ask(door, headers, "/catalog/documents/germline", version="1.9")
    assert (earlier["version"], earlier["state"]) == ("1.9", "earlier")
    for missing in ("nothing", "germline?version=7"):
        answer = await door.client.get(f"/v1/catalog/documents/{missing}", headers=headers)
        assert "/catalog/documents lists" in refused(answer, 404)["message"]


async def test_an_address_is_for_its_owner_and_administrators(door: Door, log: MemoryLog) -> None:
    await door.account("owner", Role.LAB_TECHNICIAN)
    owner = await door.services.accounts.find("owner")
    wish = subscription("mine", secret_names=("key-1",))
    mine = wish.model_copy(update={"account_id": str(owner.account_id)})
    await follow(door, log, *told(mine))
    address, listed = "/notifications/subscriptions/mine", "/notifications/subscriptions"
    seen = {}
    for name, role in (("other", Role.CLINICIAN), ("chief", Role.ADMIN), ("owner", None)):
        if role is not None:
            await door.account(name, role)
        headers = {"Authorization": f"Bearer {(await door.login(name))['access_token']}"}
        found = await ask(door, headers, address)
        rows = await every(door, headers, listed, 2)
        [row] = [one for one in rows if one["subscription_id"] == "mine"]
        assert row["target"] == found["target"]
        assert found["wishes"]["event type"] == ["QcFailed"]
        assert len(rows) == 4
        lab = {one["target"] for one in rows if one["account_id"] == "lab"}
        assert (lab == {None}) is (role is not Role.ADMIN)
        seen[name] = found["target"], found["wishes"].get("secret")
    assert seen == {
        "other": (None, None), "chief": (MAILBOX, ["key-1"]), "owner": (MAILBOX, ["key-1"]),
    }  # fmt: skip
    key = {"X-API-Key": await door.key("owner", Permission.SUBSCRIPTIONS_READ)}
    assert (await ask(door, key, address))["target"] == MAILBOX
    for kind in ("samples", "cases", "runs"):  # an address is in no story of those who read samples
        answer = await door.client.get(f"/v1/{kind}/mine/timeline", headers=headers)
        refused(answer, 404)
    chief = {"Authorization": f"Bearer {(await door.login('chief'))['access_token']}"}
    found = await ask(door, chief, "/events", type="SubscriptionCreated")
    assert "mine" in {one["subject"] for one in found["events"]}
    for event in found["events"]:  # nor is it among the events
        said = event["payload"]
        assert (said["target"], said["secret_names"]) == (None, None)
    weak = {"X-API-Key": await door.key("owner", Permission.SAMPLES_READ)}
    for path in (listed, address, f"{address}/deliveries"):
        refused(await door.client.get(f"/v1{path}", headers=weak), 403)


async def test_a_partner_sees_its_own_subscriptions(door: Door, log: MemoryLog) -> None:
    headers = await door.bearer("paula", Role.PARTNER)
    account = await door.services.accounts.find("paula")
    mine = subscription("hers").model_copy(update={"account_id": str(account.account_id)})
    await follow(door, log, *told(mine))
    listed = "/notifications/subscriptions"
    [found] = await every(door, headers, listed, 2)
    assert (found["subscription_id"], found["target"]) == ("hers", MAILBOX)
    assert (await ask(door, headers, listed, account_id="lab"))["items"] == []
    assert (await ask(door, headers, f"{listed}/hers"))["target"] == MAILBOX
    assert (await ask(door, headers, f"{listed}/hers/deliveries"))["items"] == []
    for other in ("director", "director/deliveries"):
        refused(await door.client.get(f"/v1{listed}/{other}", headers=headers), 404)


async def test_deliveries_are_told_of_each_subscription(door: Door) -> None:
    headers = await door.bearer("vera", Role.LAB_TECHNICIAN)
    name = f"{COHORT.projects[0]}-hooks"
    address = f"/notifications/subscriptions/{name}"
    found = await every(door, headers, f"{address}/deliveries", 3)
    told_of = await ask(door, headers, address)
    assert len(found) == told_of["sent"] > 3
    assert {one["state"] for one in found} == {"sent"}
    assert {one["source_type"] for one in found} == {"RunSucceeded", "ResultsPublished"}
    key = found[0]["source_key"]
    of_one = await ask(door, headers, f"{address}/deliveries", source_key=key, state="sent")
    assert {one["source_key"] for one in of_one["items"]} == {key}
    for missing in ("nobody", "nobody/deliveries"):
        path = f"/v1/notifications/subscriptions/{missing}"
        answer = await door.client.get(path, headers=headers)
        assert "/notifications/subscriptions lists" in refused(answer, 404)["message"]


async def test_figures_are_those_of_now(door: Door) -> None:
    headers = await door.bearer("vera", Role.LAB_TECHNICIAN)
    answer = await door.client.get("/v1/monitoring/metrics", headers=headers)
    position, found = answer.headers[POSITION], answer.json()["metrics"]
    assert {tuple(one) for one in found} == {
        ("timestamp", "metric_name", "value", "unit", "process")
    }
    values = {one["metric_name"]: one["value"] for one in found if one["process"] is None}
    waiting = await every(door, headers, "/samples/waiting", 5, longer_than_hours=0)
    assert values == {
        "active_jobs": 0, "waiting_samples": len(waiting), "failed_jobs": 0, "parked_events": 0,
    }  # fmt: skip
    jobs = await ask(door, headers, "/monitoring/metrics", metric_type="jobs")
    assert [one["metric_name"] for one in jobs["metrics"]] == ["active_jobs", "waiting_samples"]
    for wrong, said in (
        ("metric_type=disk", "'jobs' or 'errors'"),
        ("metric_type=cpu&step=600", "is forgotten after a day; leave out start_time"),
        ("start_time=2026-03-01T10:00:00", "no time zone"),
        ("start_time=2027-01-01T00:00:00Z&end_time=2026-01-01T00:00:00Z", "exchange them"),
        ("start_time=2026-01-01T00:00:00Z&step=1", "500 are the limit; take"),
        ("step=0", "greater than or equal to 1"),
        ("metric_type=memory&start_time=2026-01-01T00:00:00Z", "process_resident_memory_bytes"),
        (f"at_position={position}", "as they are now"),
        ("as_of=0001-01-01T00:00:00%2B14:00", "is no time in UTC"),
        ("as_of=9999-12-31T23:59:59-14:00", "is no time in UTC"),
    ):
        answer = await door.client.get(f"/v1/monitoring/metrics?{wrong}", headers=headers)
        assert said in refused(answer, 422)["message"]
    partner = await door.bearer("paula", Role.PARTNER)
    refused(await door.client.get("/v1/monitoring/metrics", headers=partner), 403)


async def test_workers_and_the_api_say_what_they_take(door: Door, log: MemoryLog) -> None:
    headers = await door.bearer("vera", Role.LAB_TECHNICIAN)
    path = "/monitoring/metrics"
    alone = (await ask(door, headers, path, metric_type="memory"))["metrics"]
    assert [one["unit"] for one in alone] == ["bytes"]
    assert alone[0]["process"].startswith("api-")
    assert alone[0]["value"] > 10_000_000, "this very process has more"
    log.add_topic(topics.WORKERS)
    burdens: tuple[tuple[str, dict[str, Any]], ...] = (
        ("w1", {"worker": "w1", "burden": {"cpu_percent": 40.0, "resident_bytes": 1}}),
        ("w1", {"worker": "w1", "burden": {"cpu_percent": 50.5, "resident_bytes": 2_000}}),
        ("w2", {"worker": "w2", "burden": {"resident_bytes": 3_000}}),  # it has just begun
        ("w3", {"worker": "w3"}),  # of an earlier release
        ("w4", {"worker": "w4", "burden": {"cpu_percent": 9.0, "resident_bytes": 4_000}}),
        ("w4", {}),  # it has left
    )
    for worker, status in burdens:
        raw = Raw(worker.encode(), json.dumps(status).encode(), (), 0)
        await log.append_raw(topics.WORKERS.name, 0, [raw])
    door.app.state.outside = replace(door.app.state.outside, processes=LogProcesses(log))
    found = (await ask(door, headers, path))["metrics"]
    said = {
        (one["process"], one["metric_name"]): one["value"]
        for one in found
        if (one["process"] or "").startswith("w")
    }
    assert said == {
        ("w1", "cpu_usage"): 50.5, ("w1", "memory_usage"): 2_000, ("w2", "memory_usage"): 3_000
    }  # fmt: skip
    cpu = (await ask(door, headers, path, metric_type="cpu"))["metrics"]
    assert {(one["metric_name"], one["unit"]) for one in cpu} == {("cpu_usage", "percent")}


async def test_without_the_log_workers_are_left_out_unless_they_are_asked_for(
    door: Door,
) -> None:
    headers = await door.bearer("vera", Role.LAB_TECHNICIAN)
    door.app.state.outside = replace(door.app.state.outside, processes=LogProcesses(Away()))
    found = (await ask(door, headers, "/monitoring/metrics"))["metrics"]
    names = {one["metric_name"] for one in found}
    assert {"active_jobs", "memory_usage"} <= names
    whose = {one["process"] for one in found if one["process"]}
    assert whose == {LogProcesses(Away()).own().process}
    answer = await door.client.get("/v1/monitoring/metrics?metric_type=cpu", headers=headers)
    refused(answer, 503)


class Away(MemoryLog):
    """A log that does not answer what is asked for by time."""

    async def offsets_at(self, topic: str, time: datetime) -> Vector:
        """Say that nobody is there."""
        raise LogUnavailable(f"kafka at nowhere: no broker answers about {topic} at {time}")


async def test_figures_have_a_course_whose_end_is_what_holds_now(door: Door) -> None:
    async with door.services.pool.acquire() as connection:
        [row] = await connection.fetch("select max(recorded_at) as last from live.events")
    door.clock.now = row["last"] + timedelta(minutes=5)
    headers = await door.bearer("vera", Role.LAB_TECHNICIAN)
    path = "/monitoring/metrics"
    now = [one for one in (await ask(door, headers, path))["metrics"] if not one["process"]]
    begin = (door.clock() - timedelta(hours=2)).isoformat()
    hours = {"start_time": begin, "step": 600}
    course = (await ask(door, headers, path, **hours))["metrics"]
    assert len(course) == 13 * len(now)
    assert course[-len(now) :] == now
    assert {one["value"] for one in course[: len(now)]} == {0}, "the log began later"
    times = [one["timestamp"] for one in course]
    assert times == sorted(times)
    errors = (await ask(door, headers, path, metric_type="errors", **hours))["metrics"]
    assert {one["metric_name"] for one in errors} == {"failed_jobs", "parked_events"}
    usual = (await ask(door, headers, path, start_time=begin))["metrics"]
    assert len(usual) == 61 * len(now)
    to_come = (door.clock() + timedelta(hours=2)).isoformat()
    both = (await ask(door, headers, path, end_time=to_come, **hours))["metrics"]
    assert both == course, "no moment is told that is still to come"
    assert (await ask(door, headers, path, start_time=to_come, end_time=to_come))["metrics"] == []
    old = {"end_time": "0001-01-01T00:00:00Z"}
    assert len((await ask(door, headers, path, **old))["metrics"]) == len(now)
