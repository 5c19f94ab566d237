"""Documents of the catalog, published over HTTP: all of them or none, and a version once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from genoflow.api.identity.permissions import Role
from genoflow.api.publishing import A_PROFILE
from genoflow.deploy.pipelines import germline_document
from genoflow.deploy.settings import Settings
from genoflow.events import topics
from genoflow.events.log.memory import MemoryLog
from tests.doors import Door, refused
from tests.integration.rows_over_http import ask, door_over, follow
from tests.partition import CODEC

ADDRESS = "/v1/catalog/documents"


@pytest.fixture
async def log() -> AsyncIterator[MemoryLog]:
    async with MemoryLog(codec=CODEC) as there:
        yield there


@pytest.fixture
async def door(tables_url: str, log: MemoryLog, tmp_path: Path) -> AsyncIterator[Door]:
    settings = Settings(home=tmp_path, person_patterns=(r"MRN\d+",))
    async with door_over(tables_url, log, settings) as there:
        yield there


async def said(log: MemoryLog) -> list[Any]:
    return [record.event async for record in log.read_topic(topics.CATALOG.name)]


async def test_documents_are_published_together_and_once(door: Door, log: MemoryLog) -> None:
    headers = await door.bearer("bea", Role.BIOINFORMATICIAN) | {"Idempotency-Key": "k-1"}
    wish = {"documents": [A_PROFILE, germline_document("1", ("wgs",), "FASTQ")]}
    answer = await door.client.post(ADDRESS, headers=headers, json=wish)
    assert answer.status_code == 201, answer.text
    made = answer.json()["documents"]
    assert [one["kind"] for one in made] == ["qc-profile", "pipeline"]
    assert [one["is_new"] for one in made] == [True, True]
    account = str((await door.services.accounts.find("bea")).account_id)
    facts = await said(log)
    assert {one.envelope.actor.id for one in facts} == {account}
    assert {one.envelope.event_id for one in facts} == {one.external_id() for one in facts}
    again = await door.client.post(ADDRESS, headers=headers, json=wish)
    assert again.headers["Idempotency-Replayed"] == "true"
    del headers["Idempotency-Key"]
    same = await door.client.post(ADDRESS, headers=headers, json=wish)
    assert [one["is_new"] for one in same.json()["documents"]] == [False, False]
    assert [one.type() for one in await said(log)] == [
        "QcProfilePublished", "PipelinePublished", "PipelineValidated", "PipelineActivated",
    ]  # fmt: skip
    await follow(door, log)
    place = answer.headers["GenoFlow-Position"]
    shown = await ask(door, headers, "/catalog/documents/wgs-30x", min_position=place)
    assert (shown["version"], shown["published_by"]) == ("1.0", account)


async def test_a_version_is_published_with_one_content(door: Door, log: MemoryLog) -> None:
    headers = await door.bearer("bea", Role.ADMIN)
    bodies = [{"documents": [A_PROFILE | {"title": f"T{number}"}]} for number in range(6)]
    answers = await asyncio.gather(
        *(door.client.post(ADDRESS, headers=headers, json=body) for body in bodies)
    )
    assert [one.status_code for one in answers].count(201) == 1
    assert {one.status_code for one in answers} <= {201, 409, 422}
    other = {"documents": [A_PROFILE | {"title": "another"}]}
    message = refused(await door.client.post(ADDRESS, headers=headers, json=other), 422)["message"]
    assert "is published with another content" in message


async def test_documents_with_faults_are_refused_whole(door: Door, log: MemoryLog) -> None:
    headers = await door.bearer("bea", Role.BIOINFORMATICIAN)
    reference = {"kind": "reference", "document_id": "GRCh38", "version": "1", "uri": "/etc/passwd"}
    other = A_PROFILE | {"document_id": "x"}
    for wrong, word in (
        (other | {"assays": "wgs"}, "assays: is 'wgs'; write an array"),
        (other | {"reads_thresholds": []}, "requires nothing"),
        (other | {"title": "of MRN123"}, "nothing was published"),
        ({"kind": "secret"}, "is none; it can be"),
        ({}, "is none; it can be"),
        (reference, "names a file of a machine"),
        (reference | {"uri": "file:///etc/passwd"}, "names a file of a machine"),
    ):
        wish = {"documents": [A_PROFILE, wrong]}
        answer = await door.client.post(ADDRESS, headers=headers, json=wish)
        assert word in refused(answer, 422)["message"]
    bodies: list[dict[str, Any]] = [{}, {"documents": []}, {"documents": ["x"]}, {"x": 1}]
    for body in bodies:
        refused(await door.client.post(ADDRESS, headers=headers, json=body), 422)
    for role in (Role.LAB_TECHNICIAN, Role.CLINICIAN, Role.AUDITOR, Role.PARTNER):
        theirs = await door.bearer(role.value, role)
        wish = {"documents": [A_PROFILE]}
        refused(await door.client.post(ADDRESS, headers=theirs, json=wish), 403)
    assert await said(log) == []
