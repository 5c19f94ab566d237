"""Links to files of results: they lead to the very version, end in time, and are written down."""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx2
import pytest

from genoflow.api import downloads
from genoflow.api.desks import Link
from genoflow.api.identity.permissions import Role
from genoflow.api.routes import ROUTERS
from genoflow.deploy.download_links import StoreLinks
from genoflow.deploy.settings import Settings
from genoflow.deploy.wiring import s3_client
from genoflow.events import topics
from genoflow.events.download_link_issued import DownloadLinkIssued
from genoflow.events.event import Event
from genoflow.events.log.memory import MemoryLog
from genoflow.events.result_change import ResultChange
from genoflow.events.result_file import ResultFile
from genoflow.events.results_retracted import ResultsRetracted
from tests.asked import told
from tests.doors import Door, Unlimited, open_door, refused
from tests.integration.rows_over_http import follow
from tests.partition import CODEC
from tests.run_facts import CASE, RUN_ID, collected, published, requested
from tests.servers import Bucket

ADDRESS = f"/v1/results/{RUN_ID}/download-links"
BODIES = {
    ("vcf", None): b"##fileformat=VCFv4.2\n", ("bam", "S1"): b"BAM\1" * 100,
    ("bam", "S2"): b"BAM\1" * 50, ("clinical_report", None): b"%PDF-1.7",
}  # fmt: skip
SECONDS_MAX = 30.0


@pytest.fixture
def stored(s3_bucket: Bucket) -> dict[tuple[str, str | None], ResultFile]:
    """Files of results, each with an older and a newer version beside it."""
    client, bucket = s3_bucket.client, s3_bucket.name
    client.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    found = {}
    for (kind, sample), body in BODIES.items():
        key = f"cases/C 1/{sample or 'case'}.{kind}"
        client.put_object(Bucket=bucket, Key=key, Body=b"before")
        version = client.put_object(Bucket=bucket, Key=key, Body=body)["VersionId"]
        client.put_object(Bucket=bucket, Key=key, Body=b"after")
        found[kind, sample] = ResultFile(
            kind=kind, sample_id=sample, bucket=bucket, object_key=key, version_id=version,
            size_bytes=len(body), sha256=hashlib.sha256(body).hexdigest(),
            content_type="application/octet-stream",
        )  # fmt: skip
    return found


@pytest.fixture
async def log() -> AsyncIterator[MemoryLog]:
    async with MemoryLog(codec=CODEC) as there:
        yield there


@pytest.fixture
async def door(
    tables_url: str, log: MemoryLog, s3_bucket: Bucket, tmp_path: Path
) -> AsyncIterator[Door]:
    links = StoreLinks(log, lambda: s3_client(s3_bucket.addresses))
    settings = Settings(home=tmp_path)
    async with open_door(
        tables_url, routers=ROUTERS, limits=Unlimited(), log=log, settings=settings, links=links
    ) as there:
        await follow(there, log)
        yield there


async def publish(door: Door, log: MemoryLog, files: Any) -> None:
    files = tuple(files)
    facts = (requested(), collected(files=files), published(files=files, sample_ids=("S1", "S2")))
    await follow(door, log, *told(*facts))


async def issued(log: MemoryLog) -> list[DownloadLinkIssued]:
    records = log.read_topic(topics.RUN.name)
    return [e async for record in records if isinstance(e := record.event, DownloadLinkIssued)]


async def fetched(url: str) -> httpx2.Response:
    async with httpx2.AsyncClient() as client:
        return await client.get(url)


async def test_a_link_leads_to_the_bytes_that_were_published(
    door: Door, log: MemoryLog, stored: dict[Any, ResultFile]
) -> None:
    await publish(door, log, stored.values())
    headers = await door.bearer("vera", Role.CLINICIAN) | {"Idempotency-Key": "k-1"}
    wish = {"files": ["vcf", "bam", "reports"], "expiration_hours": 2}
    before = datetime.now(UTC)
    answer = await door.client.post(ADDRESS, headers=headers, json=wish)
    assert answer.status_code == 201, answer.text
    links = answer.json()["download_links"]
    assert {(one["file_type"], one["sample_id"]) for one in links} == set(BODIES)
    for link in links:
        body = BODIES[link["file_type"], link["sample_id"]]
        got = await fetched(link["url"])
        assert (got.status_code, got.content) == (200, body)
        assert hashlib.sha256(got.content).hexdigest() == link["sha256"]
        end = datetime.fromisoformat(link["expires_at"])
        assert timedelta(hours=1.99) < end - before < timedelta(hours=2.01)
    account = str((await door.services.accounts.find("vera")).account_id)
    facts = await issued(log)
    assert len(facts) == len(links)
    for fact in facts:
        file = stored[fact.kind, fact.sample_id]
        assert (fact.bucket, fact.object_key, fact.version_id, fact.sha256) == (
            file.bucket, file.object_key, file.version_id, file.sha256,
        )  # fmt: skip
        assert fact.envelope.actor.id == account
        assert fact.envelope.event_id == fact.external_id()
        assert "X-Amz" not in fact.model_dump_json()
    again = await door.client.post(ADDRESS, headers=headers, json=wish)
    assert again.json() == answer.json()
    assert len(await issued(log)) == len(links)
    await follow(door, log)  # what is written down changes no row and stops no reader
    one = {"files": ["bam"], "sample_ids": ["S2"]}
    del headers["Idempotency-Key"]
    answer = await door.client.post(ADDRESS, headers=headers, json=one)
    assert [link["sample_id"] for link in answer.json()["download_links"]] == ["S2"]


async def test_a_link_ends_and_opens_nothing_else(
    door: Door, log: MemoryLog, stored: dict[Any, ResultFile], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(downloads, "HOUR_SECONDS", 2)
    await publish(door, log, stored.values())
    headers = await door.bearer("vera", Role.ADMIN)
    wish = {"files": ["vcf"], "expiration_hours": 1}
    answer = await door.client.post(ADDRESS, headers=headers, json=wish)
    [link] = answer.json()["download_links"]
    other, file = stored["bam", "S1"], stored["vcf", None]
    for before, after in (
        ("case.vcf", "S1.bam"), (file.version_id, other.version_id), ("Expires=2", "Expires=9000"),
    ):  # fmt: skip
        assert before in link["url"]
        assert (await fetched(link["url"].replace(before, after))).status_code == 403
    end = time.monotonic() + SECONDS_MAX
    while (got := await fetched(link["url"])).status_code != 403:
        assert time.monotonic() < end
        await asyncio.sleep(0.2)
    assert datetime.now(UTC) >= datetime.fromisoformat(link["expires_at"])
    assert BODIES["vcf", None] not in got.content


async def test_only_what_may_be_used_has_links(
    door: Door, log: MemoryLog, stored: dict[Any, ResultFile]
) -> None:
    headers = await door.bearer("vera", Role.BIOINFORMATICIAN)
    wish = {"files": ["vcf"], "expiration_hours": 1}
    refused(await door.client.post(ADDRESS, headers=headers, json=wish), 404)
    await follow(door, log, *told(requested(), collected(files=tuple(stored.values()))))
    message = refused(await door.client.post(ADDRESS, headers=headers, json=wish), 409)["message"]
    assert "none may be used" in message
    await publish(door, log, stored.values())
    change = ResultChange(what="vcf", before="published", after="not to be used")
    withdrawn = ResultsRetracted(
        run_id=RUN_ID, case_id=CASE, reason_code="wrong", reason="mixed up", changes=(change,)
    )
    [fact] = told(withdrawn)
    await log.append(fact)  # and the rows do not know it yet
    refused(await door.client.post(ADDRESS, headers=headers, json=wish), 503, "BEHIND")
    await follow(door, log)
    refused(await door.client.post(ADDRESS, headers=headers, json=wish), 409)
    assert await issued(log) == []


async def test_what_is_not_there_or_not_theirs_has_no_link(
    door: Door, log: MemoryLog, stored: dict[Any, ResultFile], s3_bucket: Bucket
) -> None:
    gone = stored["bam", "S2"]
    s3_bucket.client.delete_object(
        Bucket=gone.bucket, Key=gone.object_key, VersionId=gone.version_id
    )
    await publish(door, log, stored.values())
    headers = await door.bearer("vera", Role.CLINICIAN)
    for wish, status, word in (
        ({"files": ["bam"]}, 404, "no such version"), ({"files": ["bai"]}, 422, "there are bam"),
        ({"files": ["vcf"], "sample_ids": ["S1"]}, 422, "there are bam"),
        ({"files": ["vcf"], "expiration_hours": 25}, 422, "expiration_hours"),
        ({"files": ["vcf"], "expiration_hours": 0}, 422, "expiration_hours"),
        ({"files": []}, 422, "files"), ({"files": ["vcf"], "ip": "x"}, 422, "ip"),
    ):  # fmt: skip
        answer = await door.client.post(ADDRESS, headers=headers, json=wish)
        assert word in refused(answer, status)["message"]
    wish = {"files": ["vcf"]}
    for role in (Role.LAB_TECHNICIAN, Role.PARTNER, Role.AUDITOR, Role.DATA_STEWARD):
        theirs = await door.bearer(role.value, role)
        refused(await door.client.post(ADDRESS, headers=theirs, json=wish), 403)
    assert await issued(log) == []


async def test_where_no_store_answers_everything_else_does(
    tables_url: str, log: MemoryLog, tmp_path: Path, stored: dict[Any, ResultFile]
) -> None:
    settings = Settings(home=tmp_path, s3=None)
    async with open_door(
        tables_url, routers=ROUTERS, limits=Unlimited(), log=log, settings=settings
    ) as door:
        await publish(door, log, stored.values())
        headers = await door.bearer("vera", Role.ADMIN)
        answer = await door.client.post(ADDRESS, headers=headers, json={"files": ["vcf"]})
        refused(answer, 503)
        answer = await door.client.get(f"/v1/results/{RUN_ID}", headers=headers)
        assert answer.status_code == 200


def test_a_link_is_no_text_by_accident() -> None:
    assert "X-Amz" not in repr(Link("http://s/x?X-Amz-Signature=1", datetime.now(UTC)))


def test_facts_of_links_are_for_people_alone() -> None:
    assert DownloadLinkIssued.about.terminal
    assert issubclass(DownloadLinkIssued, Event)
