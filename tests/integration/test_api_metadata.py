"""Metadata of samples over HTTP: held to the schema of their project, and said once."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from genoflow.api.identity.permissions import Role
from genoflow.deploy.settings import Settings
from genoflow.events import topics
from genoflow.events.log.memory import MemoryLog
from genoflow.events.sample_metadata_amended import SampleMetadataAmended
from genoflow.events.sample_registered import SampleRegistered
from tests.asked import registered, told
from tests.doors import Door, refused
from tests.integration.rows_over_http import ask, door_over, follow
from tests.integration.test_api_partners import partner
from tests.partition import CODEC

ADDRESS = "/v1/samples/S7/metadata"
SCHEMA = {
    "type": "object", "required": ["tissue"], "additionalProperties": False,
    "properties": {"tissue": {"type": "string", "enum": ["blood"]}, "box": {"type": "string"}},
}  # fmt: skip
DOCUMENT = {
    "kind": "metadata-schema", "document_id": "cohort", "version": "1.0", "title": "Cohort",
    "projects": ["P-12"], "schema": SCHEMA,
}  # fmt: skip


@pytest.fixture
async def log() -> AsyncIterator[MemoryLog]:
    async with MemoryLog(codec=CODEC) as there:
        of_project = SampleRegistered(**dict(registered()) | {"project_id": "P-12"})
        for fact in told(of_project, registered("S8")):
            await there.append(fact)
        yield there


@pytest.fixture
async def door(tables_url: str, log: MemoryLog, tmp_path: Path) -> AsyncIterator[Door]:
    settings = Settings(home=tmp_path, person_patterns=(r"MRN\d+", r"^\d{8}$"))
    async with door_over(tables_url, log, settings) as there:
        yield there


async def said(log: MemoryLog) -> list[SampleMetadataAmended]:
    records = log.read_topic(topics.SAMPLE.name)
    return [e async for one in records if isinstance(e := one.event, SampleMetadataAmended)]


def wish(**metadata: Any) -> dict[str, Any]:
    return {"metadata": metadata, "reason": "by the request form"}


async def test_metadata_are_held_to_the_schema_of_the_project(door: Door, log: MemoryLog) -> None:
    headers = await door.bearer("vera", Role.ADMIN)
    free = await door.client.post(ADDRESS, headers=headers, json=wish(colour="red"))
    assert free.status_code == 200, free.text
    assert (free.json()["project_id"], free.json()["schema_version"]) == ("P-12", None)
    published = await door.client.post(
        "/v1/catalog/documents", headers=headers, json={"documents": [DOCUMENT]}
    )
    assert published.status_code in (200, 201), published.text
    both = refused(await door.client.post(ADDRESS, headers=headers, json=wish(colour="red")), 422)[
        "message"
    ]
    assert "metadata.tissue: is missing; add it (schema cohort 1.0 of project P-12)" in both
    assert "metadata.colour: is not known" in both
    for metadata in ({"tissue": "MRN12"}, {"MRN12": "blood"}, {"tissue": 12345678}):
        answer = await door.client.post(ADDRESS, headers=headers, json=wish(**metadata))
        message = refused(answer, 422)["message"]
        assert "identifier of a person" in message
        assert "MRN12" not in message
    keyed = headers | {"Idempotency-Key": "k-1"}
    for _ in range(2):
        answer = await door.client.post(ADDRESS, headers=keyed, json=wish(tissue="blood"))
        assert answer.json()["schema_version"] == "1.0", answer.text
        await door.services.pool.execute("delete from identity.requests")  # as after a lost answer
    first, fact = await said(log)
    assert (first.schema_id, fact.schema_id, fact.schema_version) == (None, "cohort", "1.0")
    assert [(one.name, one.text) for one in fact.metadata] == [("tissue", "blood")]
    other = await door.client.post(
        "/v1/samples/S8/metadata", headers=headers, json=wish(colour="red", n=3, ok=True)
    )
    assert other.json()["schema_id"] is None
    nobody = await door.client.post("/v1/samples/S99/metadata", headers=headers, json=wish())
    assert "nothing on the log is about it" in refused(nobody, 404)["message"]
    theirs = await door.bearer("pia", Role.PARTNER)
    refused(await door.client.post(ADDRESS, headers=theirs, json=wish(tissue="blood")), 403)


async def test_what_is_said_is_shown_to_those_who_may_see_the_sample(
    door: Door, log: MemoryLog
) -> None:
    headers = await door.bearer("vera", Role.ADMIN)
    none = await door.client.get(ADDRESS, headers=headers)
    assert "no metadata are said of it" in refused(none, 404)["message"]
    assert (await ask(door, headers, "/samples/S7"))["metadata_of_it"] is None
    said_now = await door.client.post(ADDRESS, headers=headers, json=wish(colour="red", n=3))
    assert said_now.status_code == 200, said_now.text
    await follow(door, log)
    shown = await ask(door, headers, "/samples/S7/metadata")
    assert (shown["metadata"], shown["schema_id"]) == ({"colour": "red", "n": 3}, None)
    assert shown["event_id"] == said_now.json()["event_id"]
    assert (await ask(door, headers, "/samples/S7"))["metadata_of_it"] == shown
    for given, names in (("colour:red", ["S7"]), ("n:3", ["S7"]), ("colour:blue", [])):
        found = await ask(door, headers, "/samples", metadata=given)
        assert [one["sample_id"] for one in found["items"]] == names
    both = await ask(door, headers, "/samples", metadata=["colour:red", "n:4"])
    assert both["items"] == []
    wrong = await door.client.get("/v1/samples?metadata=colour", headers=headers)
    assert "is no NAME:VALUE" in refused(wrong, 422)["message"]
    refused(await door.client.get("/v1/samples/S99/metadata", headers=headers), 404)
    for name, project, status in (("pia", "P-12", 200), ("olaf", "P-13", 404)):
        theirs = await partner(door, name, project)
        assert (await door.client.get(ADDRESS, headers=theirs)).status_code == status
        listed = await ask(door, theirs, "/samples", metadata="colour:red")
        assert len(listed["items"]) == (status == 200)
