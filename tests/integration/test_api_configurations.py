"""Configurations over HTTP: checked against the pipeline while they are written, saved, listed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from genoflow.api.identity.permissions import Role
from genoflow.deploy.pipelines import pipeline_document, preset_documents
from genoflow.deploy.settings import Settings
from genoflow.events import topics
from genoflow.events.log.memory import MemoryLog
from tests.doors import Door, refused
from tests.integration.rows_over_http import ask, door_over, follow
from tests.partition import CODEC

ADDRESS = "/v1/pipelines/germline/configurations"
CUSTOM = {
    "name": "Custom WGS Config", "parameters": {"variant_caller": "bcftools"},
    "resource_requirements": {"cpu": 16, "memory": "64GB", "disk": "500GB"},
}  # fmt: skip


@pytest.fixture
async def log() -> AsyncIterator[MemoryLog]:
    async with MemoryLog(codec=CODEC) as there:
        yield there


@pytest.fixture
async def door(tables_url: str, log: MemoryLog, tmp_path: Path) -> AsyncIterator[Door]:
    settings = Settings(home=tmp_path, person_patterns=(r"MRN\d+",))
    async with door_over(tables_url, log, settings) as there:
        documents = [pipeline_document("germline"), *preset_documents("germline")]
        headers = await there.bearer("pia", Role.BIOINFORMATICIAN)
        wish = {"documents": documents}
        answer = await there.client.post("/v1/catalog/documents", headers=headers, json=wish)
        assert answer.status_code == 201, answer.text
        yield there


async def said(log: MemoryLog) -> list[Any]:
    facts = [record.event async for record in log.read_topic(topics.CATALOG.name)]
    return [one for one in facts if one.type() == "ConfigurationSaved"]


async def test_the_same_name_again_is_a_new_version(door: Door, log: MemoryLog) -> None:
    headers = await door.bearer("bea", Role.BIOINFORMATICIAN)
    answer = await door.client.post(ADDRESS, headers=headers, json=CUSTOM)
    assert answer.status_code == 201, answer.text
    made = answer.json()
    assert (made["pipeline_id"], made["name"], made["version"]) == (
        "germline", "Custom WGS Config", "1",
    )  # fmt: skip
    same = await door.client.post(ADDRESS, headers=headers, json=CUSTOM)
    assert same.json() == made
    other = CUSTOM | {"parameters": {"quality_threshold": 40}}
    answer = await door.client.post(ADDRESS, headers=headers, json=other)
    assert answer.json()["version"] == "2"
    assert answer.json()["config_id"] == made["config_id"]
    assert [one.version for one in await said(log) if not one.is_preset] == ["1", "2"]
    await follow(door, log)
    place = answer.headers["GenoFlow-Position"]
    told = await ask(door, headers, "/pipelines/germline/configurations", min_position=place)
    by_name = {one["name"]: one for one in told["configurations"]}
    assert by_name.keys() == {"standard", "sensitive", "Custom WGS Config"}
    custom = by_name["Custom WGS Config"]
    assert (custom["version"], custom["parameters"], custom["is_preset"]) == (
        "2", {"quality_threshold": 40}, False,
    )  # fmt: skip
    assert custom["resource_requirements"] == CUSTOM["resource_requirements"]
    assert by_name["sensitive"]["is_preset"]
    [pipeline] = (await ask(door, headers, "/pipelines"))["pipelines"]
    assert (pipeline["status"], pipeline["estimated_duration"]) == ("active", "PT1M")
    assert pipeline["resource_requirements"]["cpu"] == 1
    pages = [one["name"] async for one in _pages(door, headers)]
    assert sorted(pages) == sorted(by_name)


async def _pages(door: Door, headers: dict[str, str]) -> AsyncIterator[dict[str, Any]]:
    asked: dict[str, Any] = {"limit": 1}
    while True:
        body = await ask(door, headers, "/pipelines/germline/configurations", **asked)
        for one in body["configurations"]:
            yield one
        if body["next"] is None:
            return
        asked["after"] = body["next"]


async def test_everything_that_the_pipeline_does_not_take_is_said(
    door: Door, log: MemoryLog
) -> None:
    headers = await door.bearer("bea", Role.BIOINFORMATICIAN)
    wrong = {
        "variant_caller": "GATK", "quality_threshold": "30", "base_quality_min": 100,
        "ploidy": 2, "outdir": "/tmp/x",
    }  # fmt: skip
    wish = CUSTOM | {"parameters": wrong}
    there = "base_quality_min, mapping_quality_min, quality_threshold, variant_caller"
    faults = {
        "parameters.variant_caller: is 'GATK', and can be bcftools",
        "parameters.quality_threshold: is '30', and integer is asked for",
        "parameters.base_quality_min: is 100; write at most 99",
        f"parameters.ploidy: the pipeline knows no such parameter; there are {there}",
        "parameters.outdir: is said by the flow of every run; leave it out",
    }
    before = len(await said(log))
    answer = await door.client.post(f"{ADDRESS}/check", headers=headers, json=wish)
    assert answer.status_code == 200, answer.text
    assert set(answer.json().pop("faults")) == faults
    assert (answer.json()["is_valid"], answer.json()["pipeline_version"]) == (False, "1")
    message = refused(await door.client.post(ADDRESS, headers=headers, json=wish), 422)["message"]
    assert faults < set(message.splitlines())
    fine = await door.client.post(f"{ADDRESS}/check", headers=headers, json=CUSTOM)
    assert fine.json() == {"is_valid": True, "pipeline_version": "1", "faults": []}
    for change, words in (
        ({"resource_requirements": {"memory": "much"}}, "memory: is 'much'; write a number"),
        ({"name": "of MRN123"}, "ConfigurationSaved.title: holds what pattern 1"),
        ({"parameters": {"quality_threshold": True}}, "is True, and integer is asked for"),
    ):
        answer = await door.client.post(f"{ADDRESS}/check", headers=headers, json=CUSTOM | change)
        assert words in "\n".join(answer.json()["faults"])
    assert len(await said(log)) == before


async def test_who_may_and_of_what(door: Door, log: MemoryLog) -> None:
    headers = await door.bearer("vera", Role.LAB_TECHNICIAN)
    assert (await door.client.post(f"{ADDRESS}/check", headers=headers, json=CUSTOM)).is_success
    refused(await door.client.post(ADDRESS, headers=headers, json=CUSTOM), 403)
    bea = await door.bearer("bea", Role.BIOINFORMATICIAN)
    for change in ({"pipeline_version": "7"}, {}):
        name = "germline" if change else "none"
        address = f"/v1/pipelines/{name}/configurations"
        wish = CUSTOM | change
        assert (
            "is not published"
            in refused(await door.client.post(address, headers=bea, json=wish), 404)["message"]
        )
    refused(await door.client.get("/v1/pipelines/none/configurations", headers=bea), 404)
    bodies: list[dict[str, Any]] = [{}, {"name": ""}, CUSTOM | {"x": 1}, CUSTOM | {"parameters": 1}]
    for body in bodies:
        refused(await door.client.post(ADDRESS, headers=bea, json=body), 422)


async def test_two_who_save_at_once_do_not_lose_one(door: Door, log: MemoryLog) -> None:
    headers = await door.bearer("bea", Role.BIOINFORMATICIAN)
    wishes = [CUSTOM | {"parameters": {"quality_threshold": number}} for number in range(5)]
    answers = await asyncio.gather(
        *(door.client.post(ADDRESS, headers=headers, json=wish) for wish in wishes)
    )
    assert {one.status_code for one in answers} <= {201, 409}
    kept = {one.json()["version"] for one in answers if one.status_code == 201}
    assert len(kept) == [one.status_code for one in answers].count(201) > 0
